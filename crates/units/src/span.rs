//! Lengths of time in configuration.

use crate::quantity::{self, ParseQuantityError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as configuration writes it: `"250ms"`, `"5s"`, `"15min"`, `"24h"`, `"30d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
    ("µs", 1),
];

impl Span {
    /// Whole seconds.
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Whole milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

impl FromStr for Span {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, ParseQuantityError> {
        quantity::parse(text, &UNITS, "\"250ms\"").map(|micros| Self(Duration::from_micros(micros)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quantity::write(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX), &UNITS[..6], f)
    }
}

impl TryFrom<String> for Span {
    type Error = ParseQuantityError;

    fn try_from(text: String) -> Result<Self, ParseQuantityError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        let micros = u64::try_from(span.0.as_micros()).unwrap_or(u64::MAX);
        match UNITS.iter().find(|(_, scale)| micros != 0 && micros.is_multiple_of(*scale)) {
            Some((name, scale)) => format!("{}{name}", micros / scale),
            None => "0s".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis) in
            [("250ms", 250), ("5s", 5_000), ("1.5s", 1_500), ("15min", 900_000), ("24h", 86_400_000)]
        {
            assert_eq!(text.parse(), Ok(Span::millis(millis)), "{text}");
            assert_eq!(String::from(Span::millis(millis)).parse(), Ok(Span::millis(millis)));
        }
        assert!("5".parse::<Span>().is_err());
        assert_eq!(Span::millis(1_500).to_string(), "1.5s");
    }
}
