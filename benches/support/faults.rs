//! What breaks around an edge: bits on its disk, the disk itself, the clock, the servers behind it, itself, and readers
//! and questions that are there to break it. The service stays up, gives no wrong byte, and recovers by itself.

mod amplify;
mod edge;
mod flaps;
mod flips;
mod full;
mod hosts;
mod jump;
mod kills;
mod slow;
mod watch;

pub(crate) use slow::run_errand as read_slowly;

use crate::cleanup::Workplace;
use crate::line::Line;
use crate::load::{Connection, Question, SMALL, Target};
use crate::options::Options;
use anyhow::{Context, Result};

type Measure = fn(&Options, &Workplace) -> Result<Vec<Line>>;

/// In the order of the lines.
const FAULTS: &[(&str, Measure)] = &[
    ("bits flipped on the disk", flips::measure),
    ("RangeAmp", amplify::measure),
    ("hosts", hosts::measure),
    ("slow readers", slow::measure),
    ("a disk that is full or gone", full::measure),
    ("an upstream that comes and goes", flaps::measure),
    ("a clock that jumps", jump::measure),
    ("kill -9 of the edge", kills::measure),
];

/// Objects that an edge is given before anything breaks.
#[derive(Debug, Clone, Copy)]
struct Held {
    count: usize,
    /// Of each, in bytes.
    length: usize,
}

impl Held {
    fn object(self, number: usize) -> Question {
        Question::whole(self.length, &format!("held-{number}.m4s"))
    }

    /// Has the edge at `target` hold them all.
    async fn load(self, target: &Target) -> Result<()> {
        let mut connection = Connection::open(target, SMALL).await?;
        for number in 0..self.count {
            connection.ask_and_compare(&self.object(number)).await?;
        }
        Ok(())
    }
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (what, measure) in FAULTS.iter().filter(|(what, _)| options.wants(what)) {
        eprintln!("bench: {what}");
        lines.extend(measure(options, workplace).context(what)?);
    }
    Ok(lines)
}
