//! What can be wrong with a command about timetables.

use faults::{Blame, Fault};
use jiff::civil::Date;
use std::io;
use std::path::PathBuf;

/// Why a command about timetables ends badly.
#[derive(Debug, thiserror::Error)]
pub(super) enum TimetableFault {
    #[error("the system gives no event queue or takes no output: {0}; try again")]
    System(#[from] io::Error),
    #[error("the clock is out of all bounds; set it")]
    Clock,
    #[error("cannot read {}: {source}; give a file that this user may read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{count} findings stop the plan; the lines above say where, and what to do")]
    Findings { count: usize },
    #[error("{name} is no plan: {problem}; give what `airclass timetable compile` writes, or take it away")]
    NoPlan { name: String, problem: String },
    #[error("the plans are of {before} and {after}; give two of one day")]
    OtherDays { before: Date, after: Date },
    #[error("there is no {what}; the file has {has}")]
    Nothing { what: String, has: String },
    #[error("{bells} bells ask for more than all nodes can send; the lines above say where")]
    Short { bells: usize },
    #[error("edition {edition} is not newer than edition {last} of {date}; give a higher --edition, or none")]
    Edition { edition: u64, last: u64, date: Date },
    #[error(
        "the plan of {date} that is published is for {there}, this one is for {here}, and a store has one plan a day; publish to another store, or say --edition {next} to put this one in its place"
    )]
    OtherPlace { date: Date, there: String, here: String, next: u64 },
}

impl Fault for TimetableFault {
    fn code(&self) -> &'static str {
        match self {
            Self::System(_) => "SYSTEM",
            Self::Clock => "CLOCK",
            Self::Unreadable { .. } => "TIMETABLE_UNREADABLE",
            Self::Findings { .. } => "TIMETABLE_FINDINGS",
            Self::NoPlan { .. } => "PLAN_INVALID",
            Self::OtherDays { .. } => "PLAN_OTHER_DAYS",
            Self::Nothing { .. } => "TIMETABLE_NOTHING",
            Self::Edition { .. } => "PLAN_EDITION",
            Self::OtherPlace { .. } => "PLAN_OTHER_PLACE",
            Self::Short { .. } => "FORECAST_SHORT",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::System(_) | Self::Clock | Self::Short { .. } => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
