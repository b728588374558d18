//! The picture rates the grid knows, and which of them a source is brought to.

use serde::{Deserialize, Serialize};

/// Pictures a second of everything we publish. Anything else is converted to the nearest of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum FrameRate {
    /// PAL countries' rate, and China's; also what 24 and 23.976 become.
    Fps25,
    /// Phones and screen recorders; also what 29.97 and variable rates near 30 become.
    Fps30,
    /// Twice 25: sport, and fields of interlaced PAL where a plan asks for them.
    Fps50,
    /// Twice 30. Apple 1.19: nothing above it.
    Fps60,
}

/// A number that is none of 25, 30, 50, 60.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} pictures a second are not on the grid; it knows 25, 30, 50 and 60")]
pub struct UnsupportedRate(pub u32);

impl FrameRate {
    /// Pictures a second.
    pub const fn per_second(self) -> u32 {
        match self {
            Self::Fps25 => 25,
            Self::Fps30 => 30,
            Self::Fps50 => 50,
            Self::Fps60 => 60,
        }
    }

    /// Pictures in one segment of 4.8 s: 120, 144, 240 or 288.
    pub const fn per_segment(self) -> u32 {
        self.per_second() * 24 / 5
    }

    /// The rate a source is brought to: the highest of ours that does not invent more than a few pictures.
    ///
    /// `numerator / denominator` is the source's *average* rate, so that variable rates find their
    /// neighbour. 24 and 23.976 become 25 (one picture in 25 repeated: cheaper to look at than 24 on 30);
    /// 29.97 becomes 30. Rates above 60 are halved into range by the same rule. A source that states no rate,
    /// or an absurd one, is taken as 25.
    pub fn for_source(numerator: i64, denominator: i64) -> Self {
        if numerator <= 0 || denominator <= 0 {
            return Self::Fps25;
        }
        // Compared in thousandths: integers, exact at every threshold.
        match numerator.saturating_mul(1_000) / denominator {
            ..=26_999 => Self::Fps25,
            27_000..=39_999 => Self::Fps30,
            40_000..=54_999 => Self::Fps50,
            _ => Self::Fps60,
        }
    }
}

impl TryFrom<u32> for FrameRate {
    type Error = UnsupportedRate;

    fn try_from(per_second: u32) -> Result<Self, UnsupportedRate> {
        Ok(match per_second {
            25 => Self::Fps25,
            30 => Self::Fps30,
            50 => Self::Fps50,
            60 => Self::Fps60,
            other => return Err(UnsupportedRate(other)),
        })
    }
}

impl From<FrameRate> for u32 {
    fn from(rate: FrameRate) -> u32 {
        rate.per_second()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_fills_a_segment_exactly() {
        for (rate, pictures) in [
            (FrameRate::Fps25, 120),
            (FrameRate::Fps30, 144),
            (FrameRate::Fps50, 240),
            (FrameRate::Fps60, 288),
        ] {
            assert_eq!(rate.per_segment(), pictures);
            assert_eq!(u64::from(pictures) * 1_000, crate::SEGMENT_MS * u64::from(rate.per_second()));
        }
    }

    #[test]
    fn sources_find_their_neighbour() {
        for (source, rate) in [
            ((24, 1), FrameRate::Fps25),
            ((24_000, 1_001), FrameRate::Fps25),
            ((25, 1), FrameRate::Fps25),
            ((30_000, 1_001), FrameRate::Fps30),
            ((30, 1), FrameRate::Fps30),
            ((50, 1), FrameRate::Fps50),
            ((60_000, 1_001), FrameRate::Fps60),
            ((60, 1), FrameRate::Fps60),
            ((120, 1), FrameRate::Fps60),
            ((15, 1), FrameRate::Fps25),
            ((0, 0), FrameRate::Fps25),
            ((-30, 1), FrameRate::Fps25),
            ((i64::MAX, 1), FrameRate::Fps60),
        ] {
            assert_eq!(FrameRate::for_source(source.0, source.1), rate, "{source:?}");
        }
    }
}
