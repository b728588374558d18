//! The constant rate: how many packets a period has, and what fits into them.

use crate::{PERIOD_27MHZ, PERIOD_90KHZ};
use mpegts::PACKET_BYTES;

/// Bits in a packet.
const PACKET_BITS: u64 = PACKET_BYTES as u64 * 8;
/// Payload of a packet.
const ROOM: u64 = PACKET_BYTES as u64 - 4;
/// A PES header with both time stamps.
const PES_HEADER: u64 = 19;
/// What a picture gains by Annex B: delimiter, start codes; and an IDR picture by its parameter sets.
const PICTURE_GAIN: u64 = 16;
const SETS_GAIN: u64 = 256;
/// Sound frames in one PES packet: 107 ms, nine of which make a period's 45 packets come out even.
pub(crate) const FRAMES_PER_PES: usize = 5;
/// Each PID is brought to a multiple of 16 packets a period.
pub(crate) const COUNTER: u64 = 16;
/// Clock references in a period: one each 37.5 ms (at most 40 ms, ETSI TR 101 290).
pub(crate) const CLOCKS: u64 = 128;
/// Packets of a period that service information takes at most beside the schedule.
const TABLES: u64 = 160;

/// A constant rate, as packets in each period of 4.8 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

/// A rate that a multiplex cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{asked} bit/s is no rate of a multiplex; give {} to {} bit/s", Rate::LEAST, Rate::MOST)]
pub struct RateError {
    /// Bits a second.
    pub asked: u64,
}

/// How large the largest segment of a programme is, as its manifest tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bits a second of pictures in the largest segment.
    pub video_peak_bps: u64,
    /// Bits a second of sound in the largest segment.
    pub audio_peak_bps: u64,
    /// Pictures in a segment.
    pub pictures: u64,
}

impl Rate {
    /// Below this a packet lasts so long that clock references would be more than 40 ms apart.
    pub const LEAST: u64 = 700_000;
    /// No transponder carries more.
    pub const MOST: u64 = 80_000_000;

    /// The rate nearest to `bits` a second of which 4.8 s are whole packets: within 160 bit/s of it.
    ///
    /// # Errors
    /// Outside of [`Rate::LEAST`] to [`Rate::MOST`].
    pub fn nearest(bits: u64) -> Result<Self, RateError> {
        if !(Self::LEAST..=Self::MOST).contains(&bits) {
            return Err(RateError { asked: bits });
        }
        let packets = (bits * 48 + PACKET_BITS * 5) / (PACKET_BITS * 10);
        // 255,319 at most.
        u32::try_from(packets).map(Self).map_err(|_| RateError { asked: bits })
    }

    /// Packets in a period.
    pub const fn packets(self) -> u32 {
        self.0
    }

    /// Bits a second, rounded down.
    pub const fn bits_per_second(self) -> u64 {
        self.0 as u64 * PACKET_BITS * 10 / 48
    }

    /// When packet `place` of period `number` is sent, in ticks of 1/27,000,000 s since 1970: what a clock reference in it
    /// says.
    pub const fn clock(self, number: u64, place: u32) -> u64 {
        number * PERIOD_27MHZ + place as u64 * PERIOD_27MHZ / self.0 as u64
    }

    /// The first packet that is not sent before `ticks` of 1/90,000 s after its period began.
    pub(crate) fn place_at(self, ticks: u64) -> usize {
        (ticks * u64::from(self.0)).div_ceil(PERIOD_90KHZ) as usize
    }

    /// How many packets of a period have come whole by `ticks` after it began.
    pub(crate) fn whole_by(self, ticks: u64) -> usize {
        (ticks * u64::from(self.0) / PERIOD_90KHZ).min(u64::from(self.0)) as usize
    }

    /// What a period must hold for segments of such `sizes`, as the rate that would do: more than it really takes by a few
    /// percent, because a manifest does not tell the size of every picture.
    pub fn needed(sizes: Sizes) -> u64 {
        let bytes = |bps: u64| bps.saturating_mul(grid::SEGMENT_MS).div_ceil(8_000);
        let video = bytes(sizes.video_peak_bps) + SETS_GAIN + sizes.pictures * (PES_HEADER + PICTURE_GAIN);
        // The last packet of each picture is half empty on average, and full in the worst case of none.
        let video = video.div_ceil(ROOM) + sizes.pictures / 2 + COUNTER;
        let frames = u64::from(grid::AAC_FRAMES_PER_SEGMENT);
        let groups = frames / FRAMES_PER_PES as u64;
        let audio = bytes(sizes.audio_peak_bps) + frames * 7 + groups * 14;
        let audio = audio.div_ceil(ROOM) + groups / 2 + COUNTER;
        let packets = video + audio + CLOCKS + TABLES;
        // A fiftieth for the schedule.
        (packets * PACKET_BITS * 10).div_ceil(48) * 50 / 49
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_whole_packets_in_a_period() {
        for (asked, packets) in [(1_000_000, 3_191), (4_000_000, 12_766), (700_000, 2_234)] {
            let rate = Rate::nearest(asked).unwrap();
            assert_eq!(rate.packets(), packets);
            assert!(rate.bits_per_second().abs_diff(asked) <= 160, "{asked}: {}", rate.bits_per_second());
            assert_eq!(rate.clock(7, 0), 7 * PERIOD_27MHZ);
            assert_eq!(rate.place_at(0), 0);
            assert_eq!(rate.whole_by(PERIOD_90KHZ), packets as usize);
        }
        for asked in [0, 699_999, 80_000_001, u64::MAX] {
            assert_eq!(Rate::nearest(asked), Err(RateError { asked }));
        }
    }

    #[test]
    fn what_is_needed_is_more_than_the_media() {
        let needed = Rate::needed(Sizes { video_peak_bps: 600_000, audio_peak_bps: 70_000, pictures: 120 });
        assert!((700_000..900_000).contains(&needed), "{needed}");
    }
}
