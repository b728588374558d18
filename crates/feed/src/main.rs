//! The program `airclass-feed`, also called as `airclass feed`: parse, run, exit.

use clap::{Parser, Subcommand};
use faults::AnyFault;
use feed::{CheckOptions, Options};
use std::path::PathBuf;
use std::process::ExitCode;

/// A channel as an MPEG transport stream of constant rate, over UDP or SRT
#[derive(Debug, Parser)]
#[command(name = "airclass-feed", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Options as a TOML file; flags and environment win over it
    #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Box<Options>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a transport stream as a monitor does, and say what is wrong with it
    Check(CheckOptions),
}

fn main() -> ExitCode {
    let arguments: Arguments = match settings::arguments() {
        Ok(arguments) => arguments,
        Err(usage) => return AnyFault::from(usage).report(),
    };
    let run = match &arguments.command {
        Some(Command::Check(options)) => feed::check(options),
        None => feed::run(&arguments.options, arguments.config.as_deref()),
    };
    let flows = telemetry::finish_logs();
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) if flows => fault.report(),
        // Whoever reads standard error stands still: the line would keep the process for ever.
        Err(fault) => fault.exit_code(),
    }
}
