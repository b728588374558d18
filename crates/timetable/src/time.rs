//! Days, their zone, and the grid of 4.8 s that a channel runs on.

use grid::{SEGMENT_MS, SEGMENTS_PER_DAY};
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Zones known by name. None of them has changed its clocks since 1991, so a day has 18,000 segments everywhere.
const ZONES: [(&str, i32); 6] = [
    ("Asia/Shanghai", 8 * 3_600),
    ("Asia/Urumqi", 6 * 3_600),
    ("Asia/Hong_Kong", 8 * 3_600),
    ("Asia/Macau", 8 * 3_600),
    ("Asia/Taipei", 8 * 3_600),
    ("UTC", 0),
];
/// Offsets lie on the grid: half an hour is 375 segments.
const OFFSET_STEP_S: i32 = 1_800;
/// The farthest offsets there are.
const MAX_OFFSET_S: i32 = 14 * 3_600;
/// Seconds in a day.
pub const DAY_S: u32 = 86_400;

/// A fixed offset from UTC, by name where it has one: `Asia/Shanghai`, `+08:00`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    /// Its place in [`ZONES`].
    named: Option<u8>,
    offset_s: i32,
}

/// A text that names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no zone known here; write Asia/Shanghai, Asia/Urumqi or an offset such as +08:00, by the half hour"
)]
pub struct InvalidZone(String);

/// A segment of a channel: how many segments of 4.8 s have passed since 1970-01-01T00:00:00Z. It is the media sequence
/// number, so no channel has to remember any. Every midnight of every [`Zone`] begins one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AirSegment(pub u64);

impl Zone {
    /// 北京时间.
    pub const CHINA: Self = Self { named: Some(0), offset_s: 8 * 3_600 };

    /// Ahead of UTC, in seconds.
    pub const fn offset_s(self) -> i32 {
        self.offset_s
    }

    /// When `date` begins; `None` outside of all calendars.
    pub fn midnight(self, date: Date) -> Option<Timestamp> {
        let utc = Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        utc.checked_sub(SignedDuration::from_secs(self.offset_s.into())).ok()
    }

    /// What clocks there show at `moment`.
    pub fn local(self, moment: Timestamp) -> DateTime {
        Offset::from_seconds(self.offset_s).unwrap_or(Offset::UTC).to_datetime(moment)
    }
}

impl AirSegment {
    /// The one that runs at `moment`; 0 before 1970.
    pub fn at(moment: Timestamp) -> Self {
        Self(u64::try_from(moment.as_millisecond()).unwrap_or(0) / SEGMENT_MS)
    }

    /// The first that begins at `moment` or later.
    pub fn from(moment: Timestamp) -> Self {
        Self(u64::try_from(moment.as_millisecond()).unwrap_or(0).div_ceil(SEGMENT_MS))
    }

    /// When it begins; `None` beyond all calendars.
    pub fn starts_at(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(i64::try_from(self.0.checked_mul(SEGMENT_MS)?).ok()?).ok()
    }
}

/// The first segment of the day that begins at `midnight`, and whether it begins exactly then.
pub(crate) fn first_segment(midnight: Timestamp) -> (AirSegment, bool) {
    let first = AirSegment::from(midnight);
    (first, first.starts_at() == Some(midnight))
}

/// The first segment, from the day's beginning, that begins at `second` of the day or later: nothing is on air before its
/// time.
pub fn day_segment(second: u32) -> u32 {
    let segment = (u64::from(second) * 1_000).div_ceil(SEGMENT_MS);
    u32::try_from(segment.min(SEGMENTS_PER_DAY)).unwrap_or(u32::MAX)
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(text: &str) -> Result<Self, InvalidZone> {
        if let Some((named, (_, offset_s))) = (0..).zip(ZONES).find(|(_, (name, _))| *name == text) {
            return Ok(Self { named: Some(named), offset_s });
        }
        let invalid = || InvalidZone(text.chars().take(40).collect());
        let offset_s = offset(text).ok_or_else(invalid)?;
        Ok(Self { named: None, offset_s })
    }
}

/// `+08:00`
fn offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    let number = |digits: &str| -> Option<i32> {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok())?
    };
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    let offset_s = sign * (number(hours)? * 3_600 + minutes * 60);
    (offset_s.abs() <= MAX_OFFSET_S && offset_s % OFFSET_STEP_S == 0).then_some(offset_s)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.named.and_then(|named| ZONES.get(usize::from(named))) {
            Some((name, _)) => f.write_str(name),
            None => {
                let sign = if self.offset_s < 0 { '-' } else { '+' };
                let minutes = self.offset_s.abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(text: String) -> Result<Self, InvalidZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn zones_are_names_or_offsets() {
        for (text, offset_s) in [
            ("Asia/Shanghai", 28_800),
            ("+08:00", 28_800),
            ("-03:30", -12_600),
            ("+05:30", 19_800),
            ("UTC", 0),
        ] {
            let zone: Zone = text.parse().unwrap();
            assert_eq!((zone.offset_s(), zone.to_string()), (offset_s, text.to_owned()));
        }
        for text in ["", "Asia/Nowhere", "+8", "+08:15", "+15:00", "+08:60", "++8:00", "+0é:00"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_with_a_segment_and_has_18000() {
        for text in ["Asia/Shanghai", "Asia/Urumqi", "+05:30", "-03:30", "UTC"] {
            let zone: Zone = text.parse().unwrap();
            let (first, exact) = first_segment(zone.midnight(date(2026, 9, 1)).unwrap());
            let (next, _) = first_segment(zone.midnight(date(2026, 9, 2)).unwrap());
            assert!(exact, "{text}");
            assert_eq!(next.0 - first.0, SEGMENTS_PER_DAY, "{text}");
        }
        let bell: Timestamp = "2026-09-01T08:30:00+08:00".parse().unwrap();
        assert_eq!(AirSegment::at(bell).starts_at(), Some(bell));
        assert_eq!(Zone::CHINA.local(bell).to_string(), "2026-09-01T08:30:00");
        assert_eq!(
            (day_segment(8 * 3_600 + 1_800), day_segment(60), day_segment(DAY_S)),
            (6_375, 13, 18_000)
        );
    }
}
