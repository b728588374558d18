//! The `airclass` command: parse, load, run.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod allocator;
mod clock;
mod commands;

use clap::{Parser, Subcommand};
use faults::AnyFault;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Programs beside this one, which it finds by their names.
const OTHERS: &str = "Programs of their own, where they are installed:
  ingest     Turn lesson files into streaming packages (airclass-ingest)
  feed       Send a channel as an MPEG transport stream (airclass-feed)";

/// Airclass: recorded lessons for every student's screen.
#[derive(Parser)]
#[command(name = "airclass", propagate_version = true, max_term_width = 100, after_help = OTHERS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve lessons, the catalogue and the player from a store
    Origin {
        /// Options as a TOML file; flags and environment win over it
        #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Say whether it would start like this, and what is wrong; start nothing
        #[arg(long = "check")]
        only_check: bool,
        #[command(flatten)]
        options: Box<origin::Options>,
    },
    /// Serve students from memory, asking the origin once for each thing
    Edge {
        /// Options as a TOML file; flags and environment win over it
        #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Say whether it would start like this, and what is wrong; start nothing
        #[arg(long = "check")]
        only_check: bool,
        #[command(flatten)]
        options: Box<edge::Options>,
    },
    /// Check a published lesson or channel against Apple's rules, RFC 8216bis, CMAF and DASH
    Check(commands::CheckOptions),
    /// What is in a store: show, verify, sign, roll back, delete, clear away
    #[command(subcommand)]
    Package(commands::PackageCommand),
    /// Textbooks, sets of sound and apps' links beside the lessons
    #[command(subcommand)]
    Resource(commands::ResourceCommand),
    /// Have edges forget what they hold: a URL, all that begin so, or all that carry a surrogate key
    Purge(commands::PurgeOptions),
    /// Timetables: check, compile to a signed plan, compare plans, write guides
    #[command(subcommand)]
    Timetable(commands::TimetableCommand),
    /// The fleet's control: run it, make tokens, give orders, see who has obeyed
    #[command(subcommand)]
    Control(Box<commands::ControlCommand>),
    /// Tell students which node to play from: HLS content steering, JSON for apps
    Steer {
        /// Options as a TOML file; flags and environment win over it
        #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Say whether it would start like this, and what is wrong; start nothing
        #[arg(long = "check")]
        only_check: bool,
        #[command(flatten)]
        options: Box<steer::Options>,
    },
    /// This machine as a node of the fleet: enrol, follow orders, stand aside, what it has sent
    #[command(subcommand)]
    Node(Box<commands::NodeCommand>),
    /// What classes that wish it have seen (学情), in numbers that tell of nobody
    #[command(subcommand)]
    Coverage(commands::CoverageCommand),
    /// What pages have reported (报告问题), with the answers that they mean
    #[command(subcommand)]
    Feedback(commands::FeedbackCommand),
    /// Rehearse the bell: a swarm of players against real nodes, and what they saw
    Drill(Box<drill::DrillOptions>),
    /// Anything else: `airclass NAME …` runs the program `airclass-NAME`, as `airclass ingest run lesson.mp4`
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

fn main() -> ExitCode {
    let arguments: Arguments = match settings::arguments(settings::version!()) {
        Ok(arguments) => arguments,
        Err(usage) => return AnyFault::from(usage).report(),
    };
    let run = match arguments.command {
        Command::Origin { config, only_check: true, options } => {
            commands::check_origin(&options, config.as_deref())
        }
        Command::Origin { config, options, .. } => commands::origin(&options, config.as_deref()),
        Command::Edge { config, only_check: true, options } => {
            commands::check_edge(&options, config.as_deref())
        }
        Command::Edge { config, options, .. } => commands::edge(&options, config.as_deref()),
        Command::Check(options) => commands::check(&options),
        Command::Package(command) => commands::package(&command),
        Command::Resource(command) => commands::resource(&command),
        Command::Purge(options) => commands::purge(&options),
        Command::Timetable(command) => commands::timetable(&command),
        Command::Control(command) => commands::control(&command),
        Command::Steer { config, only_check: true, options } => {
            commands::check_steer(&options, config.as_deref())
        }
        Command::Steer { config, options, .. } => commands::steer(&options, config.as_deref()),
        Command::Node(command) => commands::node(&command),
        Command::Coverage(command) => commands::coverage(&command),
        Command::Feedback(command) => commands::feedback(&command),
        Command::Drill(options) => drill::run(&options).map_err(AnyFault::from),
        Command::Other(words) => commands::other(&words),
    };
    let ended = run.and_then(|()| faults::say::all());
    let flows = telemetry::finish_logs();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) if flows => fault.report(),
        // Whoever reads standard error stands still: the line would keep the process for ever.
        Err(fault) => fault.exit_code(),
    }
}
