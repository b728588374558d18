//! The program `airclass-ingest`: parse, run, exit.

use faults::AnyFault;
use ingest::cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Cli { command } = match settings::arguments(settings::version!()) {
        Ok(arguments) => arguments,
        Err(usage) => return AnyFault::from(usage).report(),
    };
    let ended = match command {
        Command::Run(options) => ingest::run::run(&options),
        Command::Enqueue(options) => ingest::queue_cli::enqueue::run(&options),
        Command::Work(options) => ingest::queue_cli::work::run(&options),
        Command::Watch(options) => ingest::queue_cli::watch::run(&options),
        Command::Status(options) => ingest::queue_cli::status::run(&options),
        Command::Sample(options) => ingest::sample::make(&options),
        Command::Doctor(options) => ingest::doctor::run(&options),
        Command::Worker(options) if options.attempt => {
            ingest::worker::child(ingest::worker::attempt::perform)
        }
        Command::Worker(_) => ingest::worker::child(ingest::worker::serve),
    };
    match faults::say::all() {
        Err(lost) if ended == ExitCode::SUCCESS => lost.report(),
        _ => ended,
    }
}
