//! What the command line says.

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Measures Airclass side by side with nginx, Varnish, Traffic Server and ffmpeg on this machine.
///
/// Exit status: 0 every bar is met, 1 some are not, 2 something could not be measured.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
pub struct Options {
    /// Fewer rounds, less traffic, a short lesson: a look, not a result
    #[arg(long)]
    pub quick: bool,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Of the parts `edge` and `faults` only what has this in its name, such as HTTP/2
    #[arg(long, value_name = "TEXT")]
    pub line: Option<String>,
    /// Measure nothing; make RESULTS.md anew from the files in benches/results
    #[arg(long)]
    pub page: bool,
    /// Where the figures go as JSON [default: benches/results/<time>.json]
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The `airclass` program [default: beside this one]
    #[arg(long, value_name = "PATH")]
    pub airclass: Option<PathBuf>,
    /// The `airclass-ingest` program [default: beside this one]
    #[arg(long, value_name = "PATH")]
    pub airclass_ingest: Option<PathBuf>,
    /// Length of the lesson that is ingested [default: 1200; with --quick 120]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=21_600))]
    pub lesson_seconds: Option<u32>,
    /// Run a command and report its resources as JSON; the bench starts itself so
    #[arg(long, hide = true, num_args = 2.., allow_hyphen_values = true, value_names = ["JSON", "COMMAND"])]
    pub measure: Option<Vec<std::ffi::OsString>>,
    /// Write to a disk store; the bench starts itself so, to be killed
    #[arg(long, hide = true, num_args = 3, value_names = ["WHAT", "DIR", "N"])]
    pub disk_errand: Option<Vec<std::ffi::OsString>>,
    /// Read slowly; the bench starts itself so, for the descriptors of a second process
    #[arg(long, hide = true, num_args = 4, value_names = ["PLAIN", "TLS", "N", "CERT"])]
    pub slow_errand: Option<Vec<std::ffi::OsString>>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Server CPU a gigabyte and a request
    Edge,
    /// Time to the last byte at a steady rate of requests
    Latency,
    /// Memory of idle connections
    Idle,
    /// Ten thousand requests for one cold object
    Herd,
    /// The origin is gone
    Outage,
    /// Configuration, certificate and program change under load
    Reload,
    /// A night, a bell without the origin, and a swarm of players
    Bell,
    /// New sessions spread over slots, and a line at the door
    Stagger,
    /// What an access log costs
    Logging,
    /// A lesson, against one ffmpeg process
    Ingest,
    /// Bits and likeness against a fixed ladder, AV1 against H.264
    Bits,
    /// A lesson killed at many instants
    Resume,
    /// The disk store: a restart with a million objects, reading
    Disk,
    /// The disk store, its process killed a thousand times while it writes
    DiskKills,
    /// What breaks around the edge: bits, disks, clocks, parents, readers
    Faults,
}

/// A lesson of the usual length, and a short one for a quick look.
const LESSON_SECONDS: (u32, u32) = (1_200, 120);

impl Options {
    /// Parts in the order they run.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let all = Part::value_variants().iter().copied();
        all.filter(|part| self.only.is_empty() || self.only.contains(part)).collect()
    }

    /// Is a line of this name to be measured?
    pub(crate) fn wants(&self, what: &str) -> bool {
        self.line.as_deref().is_none_or(|text| what.contains(text))
    }

    pub(crate) fn lesson_seconds(&self) -> u32 {
        self.lesson_seconds.unwrap_or(if self.quick { LESSON_SECONDS.1 } else { LESSON_SECONDS.0 })
    }

    /// `full`, or `quick` where a quick look was asked for.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}
