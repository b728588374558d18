//! What carriers bill: the 95th percentile of five-minute samples.

/// Samples a day.
pub const SAMPLES_A_DAY: usize = 288;
/// Minutes a sample.
pub(crate) const MINUTES: usize = 5;
/// Of a hundred samples so many are not billed.
const FREE: usize = 5;

/// How a contract makes one number of many samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// 月95: all samples of the month, the highest twentieth left out, rounded down; the next is billed.
    Month95,
    /// 日95月平均: the same of each day, the mean of the days.
    Day95Mean,
    /// 日峰值月平均: the highest of each day, the mean of the days.
    DayPeakMean,
}

/// Means of five minutes of the means of minutes.
pub fn samples_of_minutes(minutes: &[u64]) -> Vec<u64> {
    minutes.chunks(MINUTES).map(|chunk| chunk.iter().sum::<u64>() / (chunk.len() as u64).max(1)).collect()
}

/// How many of so many samples are left out: a twentieth, rounded down.
pub const fn free_samples(samples: usize) -> usize {
    samples * FREE / 100
}

impl Billing {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Month95, Self::Day95Mean, Self::DayPeakMean];

    /// As options and tables write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month95 => "month95",
            Self::Day95Mean => "day95-mean",
            Self::DayPeakMean => "peak-mean",
        }
    }

    /// The rate that is billed, of samples of whole days in order of time; 0 for none.
    pub fn rate(self, samples: &[u64]) -> u64 {
        let days = samples.chunks(SAMPLES_A_DAY);
        let mean = |of: &dyn Fn(&[u64]) -> u64| {
            let (count, sum) =
                days.clone().fold((0_u64, 0_u64), |(n, sum), day| (n + 1, sum.saturating_add(of(day))));
            sum / count.max(1)
        };
        match self {
            Self::Month95 => percentile(samples),
            Self::Day95Mean => mean(&percentile),
            Self::DayPeakMean => mean(&|day| day.iter().copied().max().unwrap_or(0)),
        }
    }
}

/// The highest of what is left when a twentieth, rounded down, of the highest is taken away.
fn percentile(samples: &[u64]) -> u64 {
    highest(samples, free_samples(samples.len()))
}

/// The highest but `above`; 0 when there are not so many.
pub(crate) fn highest(samples: &[u64], above: usize) -> u64 {
    let mut sorted = samples.to_vec();
    if above >= sorted.len() {
        return 0;
    }
    *sorted.select_nth_unstable_by(above, |a, b| b.cmp(a)).1
}
