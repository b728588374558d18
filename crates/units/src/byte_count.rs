//! Sizes of memory, disk and bodies.

use crate::quantity::{self, ParseQuantityError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of bytes. Written `"2GiB"`, `"500MB"`, `"4096B"`; a unit is always required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteCount(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteCount {
    /// As a length in memory; saturates where `usize` is smaller.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// `count` MiB.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// `count` KiB.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }
}

impl FromStr for ByteCount {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, ParseQuantityError> {
        quantity::parse(text, &UNITS, "\"512MiB\"").map(Self)
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The binary units only: what we print is memory and disk.
        quantity::write(self.0, &[UNITS[0], UNITS[2], UNITS[4], UNITS[6], UNITS[8]], f)
    }
}

impl TryFrom<String> for ByteCount {
    type Error = ParseQuantityError;

    fn try_from(text: String) -> Result<Self, ParseQuantityError> {
        text.parse()
    }
}

impl From<ByteCount> for String {
    fn from(count: ByteCount) -> String {
        // Exact, so that a value survives being written and read again.
        match UNITS.iter().find(|(_, scale)| count.0 != 0 && count.0.is_multiple_of(*scale)) {
            Some((name, scale)) => format!("{}{name}", count.0 / scale),
            None => "0B".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in [
            ("2GiB", 2 << 30),
            ("1.5GiB", 3 << 29),
            ("500 MB", 500_000_000),
            ("1TB", 1_000_000_000_000),
            ("0B", 0),
            ("64KiB", 65_536),
        ] {
            assert_eq!(text.parse(), Ok(ByteCount(bytes)), "{text}");
        }
    }

    #[test]
    fn a_size_without_a_unit_or_a_number_is_refused() {
        for text in ["2", "GiB", "", "-1GiB", "1.GiB", "1..2GiB", "0.3B", "99999999999TiB", "2gib", "1e3B"] {
            assert!(text.parse::<ByteCount>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_exactly() {
        for bytes in [0, 1, 1_000, 1_024, 1_500, 3 << 29, 123_456_789, u64::MAX] {
            assert_eq!(String::from(ByteCount(bytes)).parse(), Ok(ByteCount(bytes)));
        }
    }
}
