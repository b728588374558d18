//! What is kept of minutes: lines with sums, only ever appended.
//!
//! ```text
//! run 19ab3c44d10 owner=bofei province=hubei carrier=dianxin site=wuhan-1 #9a0f… ─ a process begins, as this node
//! min 19ab3c44d10 2026-09-01T00:31:00Z 60000 8812330 1204411 #0c44…             ─ milliseconds, bytes by family
//! ```
//! Each line ends with the xxHash3 of what stands before ` #`. A line that was cut off or damaged is passed over; the next
//! process begins on a line of its own. Two processes at once, as in a handover, count what each has sent.

use crate::identity::{Carrier, Identity};
use jiff::Timestamp;
use std::fmt;
use twox_hash::XxHash3_64;

const MINUTE_S: i64 = 60;

/// Which process, by when it began: milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// What was sent while the clock showed one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970.
    pub number: i64,
    /// How long it was shown: 60,000, or less at beginnings, ends and jumps.
    pub covered_ms: u64,
    /// Bytes, by family.
    pub sent: [u64; 2],
}

impl Minute {
    /// When it begins.
    pub fn begin(&self) -> Timestamp {
        Timestamp::from_second(self.number.saturating_mul(MINUTE_S)).unwrap_or(Timestamp::MAX)
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A process begins.
    Run(RunId, Identity),
    /// A minute of one is over.
    Minute(RunId, Minute),
}

impl fmt::Display for Entry {
    /// With its sum, without the line's end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Run(run, Identity { owner, province, carrier, site }) => format!(
                "run {run} owner={owner} province={} carrier={} site={site}",
                province.as_str(),
                carrier.as_str()
            ),
            Self::Minute(run, minute) => {
                let [v4, v6] = minute.sent;
                format!("min {run} {} {} {v4} {v6}", minute.begin(), minute.covered_ms)
            }
        };
        write!(f, "{text} #{:016x}", XxHash3_64::oneshot(text.as_bytes()))
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let (text, sum) = line.rsplit_once(" #")?;
        if u64::from_str_radix(sum, 16).ok()? != XxHash3_64::oneshot(text.as_bytes()) {
            return None;
        }
        let mut words = text.split(' ');
        let (kind, run) = (words.next()?, RunId(u64::from_str_radix(words.next()?, 16).ok()?));
        let entry = match kind {
            "run" => {
                let mut word = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
                let identity = Identity {
                    owner: Identity::name(word("owner")?).ok()?,
                    province: Identity::province(word("province")?).ok()?,
                    carrier: word("carrier")?.parse::<Carrier>().ok()?,
                    site: Identity::name(word("site")?).ok()?,
                };
                Self::Run(run, identity)
            }
            "min" => {
                let begin: Timestamp = words.next()?.parse().ok()?;
                let mut number = || words.next()?.parse().ok();
                let (covered_ms, sent) = (number()?, [number()?, number()?]);
                let number = begin.as_second().div_euclid(MINUTE_S);
                Self::Minute(run, Minute { number, covered_ms, sent })
            }
            _ => return None,
        };
        words.next().is_none().then_some(entry)
    }
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Lines that are whole.
    pub entries: Vec<Entry>,
    /// Lines that are not.
    pub damaged: usize,
}

/// The largest file of a month. A process writes 5 MB in one; what has more than this was written by somebody else, or by a process that
/// was started anew each second.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a file's bytes.
pub fn read(bytes: &[u8]) -> Journal {
    let mut journal = Journal::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match std::str::from_utf8(line).ok().and_then(Entry::parse) {
            Some(entry) => journal.entries.push(entry),
            None => journal.damaged += 1,
        }
    }
    journal
}
