//! `airclass coverage …`: class codes, and what classes have seen.

mod page;
mod publish;

use clap::{Args, Subcommand};
use coverage::ClassCode;
use faults::{AnyFault, Blame, Fault, say};
use std::io;
use std::path::PathBuf;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum CoverageCommand {
    /// Make class codes, for teachers to give to their classes; they stand in no register
    Code(CodeOptions),
    /// Put a day's numbers of all nodes together and write what teachers may know: a page, CSV and JSON a class
    Publish(publish::PublishOptions),
}

/// How many codes.
#[derive(Args)]
pub(crate) struct CodeOptions {
    /// How many
    #[arg(long, short = 'n', default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    number: u32,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
enum CoverageFault {
    #[error("cannot read {}: {source}; give the folder that an edge writes (--coverage), or a file from it", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Tally { path: PathBuf, source: coverage::TallyError },
    #[error("{} has nothing of {day}; is `coverage` set on the edge?", path.display())]
    Nothing { path: PathBuf, day: jiff::civil::Date },
    #[error("cannot read {}: {source}; give the file of the secret by which numbers are rounded (--noise)", path.display())]
    NoNoise { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Noise { path: PathBuf, source: coverage::InvalidNoiseKey },
    #[error("cannot write {}: {source}; give a folder that can be written", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("the system gives no random numbers; try again")]
    Random,
}

impl Fault for CoverageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "COVERAGE_UNREADABLE",
            Self::Tally { .. } => "COVERAGE_TALLY",
            Self::Nothing { .. } => "COVERAGE_EMPTY",
            Self::NoNoise { .. } | Self::Noise { .. } => "COVERAGE_NOISE_KEY",
            Self::Unwritable { .. } => "OUTPUT",
            Self::Random => "SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Random => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// `airclass coverage`
pub(crate) fn coverage(command: &CoverageCommand) -> Result<(), AnyFault> {
    match command {
        CoverageCommand::Code(options) => codes(options),
        CoverageCommand::Publish(options) => publish::publish(options),
    }
}

fn codes(options: &CodeOptions) -> Result<(), AnyFault> {
    for _ in 0..options.number {
        say!("{}", ClassCode::random().map_err(|_| CoverageFault::Random)?);
    }
    Ok(())
}
