//! Levels as configuration writes them: `"-18LUFS"`, `"-1dBTP"`, `"15dB"`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A level that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no level; write it like \"{example}\"")]
pub struct ParseLevelError {
    text: String,
    example: &'static str,
}

/// More than any level of sound in any of the units.
const FARTHEST: f64 = 200.0;

fn parse(text: &str, unit: &str, example: &'static str) -> Result<f64, ParseLevelError> {
    let number = text.strip_suffix(unit).map(str::trim_end).and_then(|number| number.parse::<f64>().ok());
    number
        .filter(|number| number.abs() <= FARTHEST)
        .ok_or_else(|| ParseLevelError { text: text.to_owned(), example })
}

macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident: $unit:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub f64);

        impl FromStr for $name {
            type Err = ParseLevelError;

            fn from_str(text: &str) -> Result<Self, ParseLevelError> {
                parse(text, $unit, $example).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", self.0, $unit)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseLevelError;

            fn try_from(text: String) -> Result<Self, ParseLevelError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(level: $name) -> Self {
                level.to_string()
            }
        }
    )*};
}

levels! {
    /// Loudness below full scale, as ITU-R BS.1770 hears it.
    Lufs: "LUFS", "-18LUFS";
    /// The highest point of the sound between its samples, in decibels from full scale.
    Dbtp: "dBTP", "-1dBTP";
    /// A ratio.
    Decibels: "dB", "15dB";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_written() {
        assert_eq!("-18LUFS".parse(), Ok(Lufs(-18.0)));
        assert_eq!("-18.5 LUFS".parse(), Ok(Lufs(-18.5)));
        assert_eq!("-1dBTP".parse(), Ok(Dbtp(-1.0)));
        assert_eq!("15dB".parse(), Ok(Decibels(15.0)));
        assert_eq!(Lufs(-18.5).to_string().parse(), Ok(Lufs(-18.5)));
        for wrong in ["", "-18", "LUFS", "-18dB", "-18LU", "nanLUFS", "infLUFS", "1e9LUFS"] {
            assert!(wrong.parse::<Lufs>().is_err(), "{wrong}");
        }
    }
}
