//! Rates of links, encoders and owners' caps.

use crate::quantity::{self, ParseQuantityError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Bits a second, base 1000. Written `"64kbit/s"`, `"10Gbit/s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BitRate(pub u64);

const UNITS: [(&str, u64); 5] = [
    ("Tbit/s", 1_000_000_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Mbit/s", 1_000_000),
    ("kbit/s", 1_000),
    ("bit/s", 1),
];

impl FromStr for BitRate {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, ParseQuantityError> {
        quantity::parse(text, &UNITS, "\"64kbit/s\"").map(Self)
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quantity::write(self.0, &UNITS, f)
    }
}

impl TryFrom<String> for BitRate {
    type Error = ParseQuantityError;

    fn try_from(text: String) -> Result<Self, ParseQuantityError> {
        text.parse()
    }
}

impl From<BitRate> for String {
    fn from(rate: BitRate) -> String {
        match UNITS.iter().find(|(_, scale)| rate.0 != 0 && rate.0.is_multiple_of(*scale)) {
            Some((name, scale)) => format!("{}{name}", rate.0 / scale),
            None => "0bit/s".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_count_in_thousands() {
        assert_eq!("64kbit/s".parse(), Ok(BitRate(64_000)));
        assert_eq!("12.9Gbit/s".parse(), Ok(BitRate(12_900_000_000)));
        assert!("64".parse::<BitRate>().is_err());
        assert_eq!(BitRate(12_900_000_000).to_string(), "12.9Gbit/s");
    }
}
