//! A report as it is kept: one JSON object a line.

use crate::report::Report;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest line, in bytes: a report, and what stands before it.
pub const MAX_ENTRY_BYTES: usize = crate::MAX_REPORT_BYTES + 256;
/// Letters of a number: no vowels that make words, nothing that is mistaken for another when it is read out.
const ALPHABET: &[u8; 25] = b"23456789CDFGHJKMNPQRTVWXY";
const DIGITS: usize = 7;

/// The number that a reporter is told, to be read out over the telephone: `K7P-3WQM`. Random: two of one device have nothing in
/// common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ReportId([u8; DIGITS]);

/// Not such a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no report's number, such as K7P-3WQM; `airclass feedback list` has them")]
pub struct InvalidId(String);

impl ReportId {
    /// One drawn by `random`, of which each bit must be as likely as not.
    pub fn draw(mut random: u64) -> Self {
        let mut digits = [0; DIGITS];
        for digit in &mut digits {
            *digit = ALPHABET[usize::try_from(random % 25).unwrap_or_default()];
            random /= 25;
        }
        Self(digits)
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, &digit) in self.0.iter().enumerate() {
            let hyphen = if place == 3 { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(digit))?;
        }
        Ok(())
    }
}

impl FromStr for ReportId {
    type Err = InvalidId;

    /// Small letters, blanks and the hyphen are forgiven.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let letters = text.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
        let digits: Vec<u8> = letters.map(|byte| byte.to_ascii_uppercase()).take(DIGITS + 1).collect();
        let known = digits.iter().all(|digit| ALPHABET.contains(digit));
        let number = digits.try_into().ok().filter(|_| known).map(Self);
        number.ok_or_else(|| InvalidId(text.chars().take(20).collect()))
    }
}

impl From<ReportId> for String {
    fn from(id: ReportId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ReportId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

/// A report that a node has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub id: ReportId,
    /// When it came, to the minute: a finer time is nobody's business.
    pub at: Timestamp,
    /// What it says.
    pub report: Report,
}

impl Entry {
    /// Of a report that comes at `now`.
    pub fn new(id: ReportId, now: Timestamp, report: Report) -> Self {
        let second = now.as_second();
        let at = Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(now);
        Self { id, at, report }
    }

    /// A line, with its end.
    pub fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("plain structs with string keys");
        line.push(b'\n');
        line
    }

    /// Reads a line; `None` for one that a crash has cut.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}
