//! How fast the morning goes by.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Media time a wall-clock time, in thousandths: 1,000 is as it is on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speed {
    thousandths: u32,
}

/// Text that is no speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no speed from 0.1 to 1000; write for example \"10\" or \"2.5\"")]
pub(crate) struct ParseSpeedError(String);

impl Speed {
    /// As on a screen.
    pub(crate) const REAL: Self = Self { thousandths: 1_000 };

    /// What is watched in `wall`.
    pub(crate) fn media(self, wall: Duration) -> Duration {
        scaled(wall, self.thousandths, 1_000)
    }

    /// How long watching `media` takes, rounded up: who waits so long is not too early.
    pub(crate) fn wall(self, media: Duration) -> Duration {
        let micros = (media.as_micros() * 1_000).div_ceil(u128::from(self.thousandths));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// The bits a second that a stream of `bits` takes at this speed.
    pub(crate) fn rate(self, bits: u64) -> u64 {
        let rate = u128::from(bits) * u128::from(self.thousandths) / 1_000;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

fn scaled(span: Duration, by: u32, of: u32) -> Duration {
    let micros = span.as_micros() * u128::from(by) / u128::from(of);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl FromStr for Speed {
    type Err = ParseSpeedError;

    fn from_str(text: &str) -> Result<Self, ParseSpeedError> {
        let bad = || ParseSpeedError(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 4) || !digits(fraction, 3) {
            return Err(bad());
        }
        let thousandths: u32 = format!("{whole}{fraction:0<3}").parse().map_err(|_| bad())?;
        if (100..=1_000_000).contains(&thousandths) { Ok(Self { thousandths }) } else { Err(bad()) }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.thousandths / 1_000)?;
        match self.thousandths % 1_000 {
            0 => Ok(()),
            rest => f.write_str(format!(".{rest:03}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_exact() {
        for (text, written) in
            [("1", "1"), ("10", "10"), ("2.5", "2.5"), ("0.1", "0.1"), ("1000", "1000"), ("1.250", "1.25")]
        {
            assert_eq!(text.parse::<Speed>().unwrap().to_string(), written);
        }
        for text in ["", "0", "0.09", "1001", "-1", "1e3", "1.", ".5", "1.2345", "+1"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
        let speed: Speed = "2.5".parse().unwrap();
        assert_eq!(speed.media(Duration::from_secs(2)), Duration::from_secs(5));
        assert_eq!(speed.wall(Duration::from_secs(5)), Duration::from_secs(2));
        assert_eq!(speed.rate(1_000_000), 2_500_000);
        let third: Speed = "3".parse().unwrap();
        assert!(third.media(third.wall(Duration::from_secs(1))) >= Duration::from_secs(1));
    }
}
