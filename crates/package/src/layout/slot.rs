//! Places on the ladder of pictures, and kinds of sound.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A place on the ladder of pictures. Places are fixed so that any lesson can follow any other on a channel; what a
/// lesson spends on each is its own.
///
/// `s` is H.264, which every device plays; `a` is AV1 in the same size, for those that can decode it. The two smallest
/// sizes have no AV1: there the sound is most of the bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// 256x144, at most 192 kbit/s with its sound (Apple 9.21).
    S0,
    /// 416x234.
    S1,
    /// 640x360.
    S2,
    /// 960x540.
    S3,
    /// 1280x720.
    S4,
    /// 1920x1080.
    S5,
    /// 640x360 in AV1.
    A2,
    /// 960x540 in AV1.
    A3,
    /// 1280x720 in AV1.
    A4,
    /// 1920x1080 in AV1.
    A5,
}

/// A format of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// H.264, also called AVC.
    H264,
    /// AV1.
    Av1,
}

/// A kind of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioSlot {
    /// Stereo, 64 kbit/s, with every picture but the smallest.
    Hi,
    /// Mono, 32 kbit/s, with `s0`.
    Lo,
}

impl Slot {
    /// Those in H.264, from the smallest picture to the largest.
    pub const H264: [Self; 6] = [Self::S0, Self::S1, Self::S2, Self::S3, Self::S4, Self::S5];
    /// Those in AV1, from the smallest picture to the largest.
    pub const AV1: [Self; 4] = [Self::A2, Self::A3, Self::A4, Self::A5];
    /// All: H.264, then AV1.
    pub const ALL: [Self; 10] =
        [Self::S0, Self::S1, Self::S2, Self::S3, Self::S4, Self::S5, Self::A2, Self::A3, Self::A4, Self::A5];
    /// Those that old devices get as MPEG-TS too.
    pub const TS: [Self; 3] = [Self::S0, Self::S1, Self::S2];

    /// The place's name, which is its folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S0 => "s0",
            Self::S1 => "s1",
            Self::S2 => "s2",
            Self::S3 => "s3",
            Self::S4 => "s4",
            Self::S5 => "s5",
            Self::A2 => "a2",
            Self::A3 => "a3",
            Self::A4 => "a4",
            Self::A5 => "a5",
        }
    }

    /// The format of its pictures.
    pub const fn codec(self) -> Codec {
        match self {
            Self::S0 | Self::S1 | Self::S2 | Self::S3 | Self::S4 | Self::S5 => Codec::H264,
            Self::A2 | Self::A3 | Self::A4 | Self::A5 => Codec::Av1,
        }
    }

    /// The H.264 place of the same size: `s3` of `a3`, and of itself.
    pub const fn in_h264(self) -> Self {
        match self {
            Self::A2 => Self::S2,
            Self::A3 => Self::S3,
            Self::A4 => Self::S4,
            Self::A5 => Self::S5,
            h264 => h264,
        }
    }

    /// Pixels in a row of a 16:9 picture.
    pub const fn width(self) -> u32 {
        match self {
            Self::S0 => 256,
            Self::S1 => 416,
            Self::S2 | Self::A2 => 640,
            Self::S3 | Self::A3 => 960,
            Self::S4 | Self::A4 => 1280,
            Self::S5 | Self::A5 => 1920,
        }
    }

    /// Rows of a 16:9 picture.
    pub const fn height(self) -> u32 {
        match self {
            Self::S0 => 144,
            Self::S1 => 234,
            Self::S2 | Self::A2 => 360,
            Self::S3 | Self::A3 => 540,
            Self::S4 | Self::A4 => 720,
            Self::S5 | Self::A5 => 1080,
        }
    }

    /// The sound that plays with it: the smallest picture gets the small one, to stay within 192 kbit/s.
    pub const fn audio(self) -> AudioSlot {
        match self {
            Self::S0 => AudioSlot::Lo,
            _ => AudioSlot::Hi,
        }
    }
}

impl Codec {
    /// H.264 first.
    pub const ALL: [Self; 2] = [Self::H264, Self::Av1];

    /// For labels and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }

    /// The places in this format, from the smallest picture to the largest.
    pub const fn slots(self) -> &'static [Slot] {
        match self {
            Self::H264 => &Slot::H264,
            Self::Av1 => &Slot::AV1,
        }
    }
}

impl AudioSlot {
    /// The better one first.
    pub const ALL: [Self; 2] = [Self::Hi, Self::Lo];

    /// The name, which is its folder under `audio/` and its GROUP-ID.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hi => "hi",
            Self::Lo => "lo",
        }
    }

    /// Channels.
    pub const fn channels(self) -> u32 {
        match self {
            Self::Hi => 2,
            Self::Lo => 1,
        }
    }

    /// Bits a second the encoder is asked for.
    pub const fn bit_rate(self) -> u32 {
        match self {
            Self::Hi => 64_000,
            Self::Lo => 32_000,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AudioSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_av1_is_its_twin_in_another_format() {
        for slot in Slot::ALL {
            let twin = slot.in_h264();
            assert_eq!(twin.codec(), Codec::H264, "{slot}");
            assert_eq!(
                (slot.width(), slot.height(), slot.audio()),
                (twin.width(), twin.height(), twin.audio())
            );
            assert!(slot.codec().slots().contains(&slot), "{slot}");
        }
        assert_eq!(Codec::ALL.map(Codec::slots).concat(), Slot::ALL);
    }

    #[test]
    fn larger_pictures_come_later_within_a_format() {
        for codec in Codec::ALL {
            assert!(codec.slots().is_sorted_by(|a, b| a < b && a.width() < b.width()), "{codec}");
        }
    }
}
