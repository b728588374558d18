//! `airclass feed check FILE`: a transport stream as a monitor sees it.

use analyser::{Analyser, PACKET_BYTES};
use clap::Args;
use faults::{AnyFault, Blame, Fault};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// What `airclass feed check` is told.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// The stream; `-` reads standard input
    file: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Why a check ends badly.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("{0} kinds of faults; the report says where")]
    NotClean(usize),
    #[error("{}: {source}; give a file that can be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the report cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl Fault for CheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotClean(_) => "FEED_NOT_CLEAN",
            Self::Unreadable { .. } => "FEED_UNREADABLE",
            Self::Write(_) => "FEED_NOT_WRITTEN",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Write(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// Read at once.
const READ: usize = 5_000 * PACKET_BYTES;

/// Reads a whole stream and tells what was found.
///
/// # Errors
/// The file cannot be read, or something is wrong with the stream.
pub fn check(options: &CheckOptions) -> Result<(), AnyFault> {
    let unreadable = |source| CheckError::Unreadable { path: options.file.clone(), source };
    let mut input: Box<dyn Read> = match options.file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(&options.file).map_err(unreadable)?),
    };
    let mut analyser = Analyser::new();
    let mut bytes = vec![0; READ];
    let mut held = 0;
    loop {
        let count = input.read(&mut bytes[held..]).map_err(unreadable)?;
        held += count;
        let whole = if count == 0 { held } else { held - held % PACKET_BYTES };
        analyser.read(&bytes[..whole]);
        bytes.copy_within(whole..held, 0);
        held -= whole;
        if count == 0 {
            break;
        }
    }
    let report = analyser.report();
    let mut out = io::stdout().lock();
    let written = if options.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        writeln!(out, "{report}")
    };
    written.map_err(CheckError::Write)?;
    if report.is_clean() { Ok(()) } else { Err(CheckError::NotClean(report.faults.len()).into()) }
}
