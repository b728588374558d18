//! The program `airclass-feed`, also called as `airclass feed`: parse, run, exit.

use clap::{Parser, Subcommand};
use faults::AnyFault;
use feed::{CheckOptions, Options};
use std::path::PathBuf;

/// A channel as an MPEG transport stream of constant rate, over UDP or SRT
#[derive(Debug, Parser)]
#[command(name = "airclass-feed", args_conflicts_with_subcommands = true, max_term_width = 100)]
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

fn main() {
    let arguments = settings::arguments(settings::version!()).map_err(AnyFault::from);
    let run = arguments.and_then(|arguments| run(&arguments));
    let flows = telemetry::finish_logs();
    let Err(fault) = run else { feed::leave(0) };
    // Where whoever reads standard error stands still, the line would keep the process for ever.
    if flows {
        fault.report();
    }
    feed::leave(fault.blame().exit_status())
}

fn run(arguments: &Arguments) -> Result<(), AnyFault> {
    match &arguments.command {
        Some(Command::Check(options)) => feed::check(options),
        None => feed::run(&arguments.options, arguments.config.as_deref()),
    }
}
