//! Until when an object is kept, whatever else is asked for.

use crate::record::UNIT;
use std::time::{Duration, SystemTime};

/// Counted in steps, so that it takes two bytes in the index of a million objects.
const STEP: Duration = Duration::from_secs(4 * 3_600);
/// The beginning of 2025. Two bytes of steps reach to 2054.
const BEGIN: Duration = Duration::from_secs(1_735_689_600);

/// The end of a pin, by the wall clock: in steps of four hours, rounded up. Zero is no pin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Until(pub(crate) u16);

impl Until {
    /// The first step that is not before `time`.
    pub(crate) fn of(time: SystemTime) -> Self {
        let begin = SystemTime::UNIX_EPOCH + BEGIN;
        let since = time.duration_since(begin).unwrap_or_default();
        Self(u16::try_from(since.as_secs().div_ceil(STEP.as_secs())).unwrap_or(u16::MAX))
    }

    /// Whether it holds at `now`.
    pub(crate) fn holds(self, now: SystemTime) -> bool {
        // The step that now is in has not ended.
        self.0 != 0 && self >= Self::of(now)
    }
}

/// Bytes of an object's blocks, in one byte of the index: 512 and more by steps of an eighth at most, rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u8);

impl Size {
    /// Of blocks of these lengths.
    pub(crate) fn of(lengths: impl Iterator<Item = u32>) -> Self {
        let units = lengths.map(u64::from).sum::<u64>().div_ceil(u64::from(UNIT));
        // Four bits that count, the first of them set, and how far they stand from the right.
        let shift = (u64::BITS - units.leading_zeros()).saturating_sub(4);
        let counted = units.div_ceil(1 << shift);
        let (counted, shift) = if counted == 16 { (8, shift + 1) } else { (counted, shift) };
        let code = if counted < 8 { counted } else { (u64::from(shift) + 1) << 3 | (counted & 7) };
        Self(u8::try_from(code).unwrap_or(u8::MAX))
    }

    /// That or up to an eighth more.
    pub(crate) fn bytes(self) -> u64 {
        let units = match self.0 {
            code @ 0..8 => u64::from(code),
            code => u64::from((code & 7) + 8) << ((code >> 3) - 1),
        };
        units * u64::from(UNIT)
    }
}

/// What became of the wish to pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// It is kept.
    Kept,
    /// It is not on any disk.
    NotThere,
    /// As much is pinned as may be.
    NoRoom,
    /// The disk is away, or behind.
    Away,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_rounded_up_by_an_eighth_at_most() {
        for bytes in (0..70_000_u64).chain([1_100_000, 1 << 20, (1 << 30) - 1, 1 << 31]) {
            let size = Size::of(std::iter::once(u32::try_from(bytes).unwrap())).bytes();
            let whole = bytes.next_multiple_of(512);
            assert!(whole <= size && size <= whole + whole / 8, "{bytes}: {size}");
        }
        assert!(Size(u8::MAX).bytes() > 1 << 40);
    }

    #[test]
    fn a_pin_holds_to_its_end_and_four_hours_longer_at_most() {
        let end = SystemTime::UNIX_EPOCH + BEGIN + STEP * 10_000 + Duration::from_secs(5);
        let until = Until::of(end);
        assert!(until.holds(end) && until.holds(end - STEP));
        assert!(!until.holds(end + STEP));
        assert!(!Until::default().holds(end));
        assert!(!Until::of(SystemTime::UNIX_EPOCH).holds(end));
        assert!(Until::of(end + STEP * 100_000).holds(end));
    }
}
