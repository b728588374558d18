//! What a month comes to, so far and at its end.

use crate::billing::{Billing, SAMPLES_A_DAY, free_samples, highest};
use crate::month::Month;
use units::BitRate;

/// What was agreed.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// How samples become one number.
    pub billing: Billing,
    /// 保底: billed at least.
    pub commit: Option<BitRate>,
    /// The first day of the month that counts, from 1: contracts begin in the middle of months, too.
    pub from_day: u8,
}

/// The same as numbers. Rates are bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Samples that have passed.
    pub samples: usize,
    /// Of what has passed.
    pub rate: u64,
    /// What is billed of it: not less than was committed, by the days that count.
    pub billed: u64,
    /// The highest sample.
    pub peak: u64,
    /// For month-95: how the rest of the month stands.
    pub free: Option<Free>,
}

/// Samples that may be as high as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// What the month is billed at least, whatever comes: the commitment, or what more samples than are free have passed.
    pub level: u64,
    /// Samples so far above it.
    pub used: usize,
    /// Samples that may still be, before it rises.
    pub left: usize,
}

impl Contract {
    /// What `samples`, which begin with the month, come to; `passed` of them are whole.
    pub fn bill(&self, month: &Month, samples: &[u64], passed: usize) -> Bill {
        let days = usize::from(month.days());
        let skipped = usize::from(self.from_day.max(1) - 1).min(days);
        let valid_days = days - skipped;
        let passed = passed.min(samples.len()).min(days * SAMPLES_A_DAY);
        let counted = samples.get(skipped * SAMPLES_A_DAY..passed).unwrap_or_default();
        let rate = self.billing.rate(counted);
        let committed = self.commit.map_or(0, |rate| rate.0);
        let share = u128::from(rate.max(committed)) * valid_days as u128 / (days as u128).max(1);
        Bill {
            samples: counted.len(),
            rate,
            billed: u64::try_from(share).unwrap_or(u64::MAX),
            peak: counted.iter().copied().max().unwrap_or(0),
            free: (self.billing == Billing::Month95).then(|| {
                let all = free_samples(valid_days * SAMPLES_A_DAY);
                let level = highest(counted, all).max(committed);
                let used = counted.iter().filter(|&&sample| sample > level).count();
                Free { level, used, left: all - used.min(all) }
            }),
        }
    }
}
