//! Months and days as they are billed: Beijing's.

use crate::billing::{MINUTES, SAMPLES_A_DAY};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use std::fmt;
use std::str::FromStr;

/// Hours that Beijing is ahead of UTC, all the year.
const BEIJING: i8 = 8;
/// Seconds a sample.
const SAMPLE_S: i64 = MINUTES as i64 * 60;

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

/// A text that names no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no month; write it as 2026-09")]
pub struct InvalidMonth(String);

fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(BEIJING))
}

impl Month {
    /// The month of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self(zone().to_datetime(moment).date().first_of_month())
    }

    /// 28 to 31.
    pub fn days(&self) -> u8 {
        self.0.days_in_month().unsigned_abs()
    }

    /// Samples of the whole month.
    pub fn samples(&self) -> usize {
        usize::from(self.days()) * SAMPLES_A_DAY
    }

    /// When it begins.
    pub fn begin(&self) -> Timestamp {
        self.sample_begins(0)
    }

    /// What its file is called.
    pub fn file_name(&self) -> String {
        format!("accounts-{self}.log")
    }

    /// The month before; itself at the beginning of time.
    pub fn before(&self) -> Self {
        Self(self.0.yesterday().map_or(self.0, Date::first_of_month))
    }

    /// When a sample begins.
    pub fn sample_begins(&self, sample: usize) -> Timestamp {
        let begin = zone().to_timestamp(self.0.to_datetime(jiff::civil::Time::midnight()));
        let begin = begin.map_or(0, |begin| begin.as_second());
        let offset = i64::try_from(sample).unwrap_or(i64::MAX).saturating_mul(SAMPLE_S);
        Timestamp::from_second(begin.saturating_add(offset)).unwrap_or(Timestamp::MAX)
    }

    /// Which sample a moment lies in: `None` outside the month.
    pub fn sample_at(&self, moment: Timestamp) -> Option<usize> {
        let seconds = moment.as_second().checked_sub(self.begin().as_second())?;
        usize::try_from(seconds.div_euclid(SAMPLE_S)).ok().filter(|sample| *sample < self.samples())
    }

    /// How many samples are over at a moment.
    pub fn passed(&self, moment: Timestamp) -> usize {
        match self.sample_at(moment) {
            Some(sample) => sample,
            None if moment < self.begin() => 0,
            None => self.samples(),
        }
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let date: Option<Date> = (text.len() == 7).then(|| format!("{text}-01").parse().ok()).flatten();
        date.map(Self).ok_or_else(|| InvalidMonth(text.to_owned()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}
