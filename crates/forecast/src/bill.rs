//! What carriers bill: the 95th percentile of five-minute samples.

/// Samples a day.
const A_DAY: usize = 288;
/// Minutes a sample.
const MINUTES: usize = 5;
/// Of a hundred samples so many are not billed.
const FREE: usize = 5;

/// How a contract makes one number of many samples (facts of the field: section 4).
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

impl Billing {
    /// The rate that is billed, of samples of whole days in order of time; 0 for none.
    pub fn rate(self, samples: &[u64]) -> u64 {
        let days = samples.chunks(A_DAY);
        let mean = |of: &dyn Fn(&[u64]) -> u64| {
            let (count, sum) = days.clone().fold((0_u64, 0_u64), |(n, sum), day| (n + 1, sum + of(day)));
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
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.get(samples.len() * FREE / 100).copied().unwrap_or(0)
}
