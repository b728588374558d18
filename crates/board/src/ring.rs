//! The last half hour, so that a chart is full when it is opened.

use crate::sample::{Count, Sample};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::time::Duration;

/// Between two samples.
pub const EVERY: Duration = Duration::from_secs(5);
/// Samples kept: half an hour, and one to begin from. Some 70 kB.
pub const KEPT: usize = 361;

/// Samples, the oldest first.
#[derive(Debug, Default)]
pub struct Ring(VecDeque<Sample>);

impl Ring {
    /// Keeps `sample`, and lets the oldest go.
    pub fn push(&mut self, sample: Sample) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The newest sample that is at least `over` older than `now`; where none is as old, the oldest.
    fn before(&self, now: &Sample, over: Duration) -> Option<&Sample> {
        let old_enough = |sample: &&Sample| now.elapsed.saturating_sub(sample.elapsed) >= over;
        self.0.iter().rev().find(old_enough).or_else(|| self.0.front())
    }

    /// By how much `count` grew in the last `over`, as far as that is known.
    pub fn grown(&self, now: &Sample, count: Count, over: Duration) -> u64 {
        self.before(now, over).map_or(0, |before| now.get(count).saturating_sub(before.get(count)))
    }

    /// The same over all requests.
    pub fn requests(&self, now: &Sample, over: Duration) -> u64 {
        self.before(now, over).map_or(0, |before| now.requests().saturating_sub(before.requests()))
    }

    /// The same a second.
    pub fn rate(&self, now: &Sample, count: Count, over: Duration) -> f64 {
        let span = self.before(now, over).map(|before| now.elapsed.saturating_sub(before.elapsed));
        let span = span.unwrap_or_default().as_secs_f64();
        if span > 0.0 { self.grown(now, count, over) as f64 / span } else { 0.0 }
    }
}

/// What kind of paper this is.
const KIND: &str = "airclass-samples/1";

/// Columns of equal length, the oldest first: `at_ms` (Unix time), and each [`Count`].
impl Serialize for Ring {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", KIND)?;
        map.serialize_entry("every_ms", &EVERY.as_millis())?;
        let at: Vec<i64> = self.0.iter().map(|sample| sample.at.as_millisecond()).collect();
        map.serialize_entry("at_ms", &at)?;
        for count in Count::ALL {
            let column: Vec<u64> = self.0.iter().map(|sample| sample.get(count)).collect();
            map.serialize_entry(count.as_str(), &column)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::sample;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sent(seconds: u64, bytes: u64) -> Sample {
        sample(seconds, &[(Count::SentBytes, bytes), (Count::RequestsRam, bytes / 10)])
    }

    #[test]
    fn growth_is_over_the_time_asked_for_or_as_much_as_is_known() {
        let mut ring = Ring::default();
        let now = sent(23, 1_000);
        assert_eq!(
            (ring.grown(&now, Count::SentBytes, second(10)), ring.rate(&now, Count::SentBytes, second(10))),
            (0, 0.0)
        );
        for (seconds, bytes) in [(0, 0), (5, 100), (10, 300), (15, 500), (20, 700)] {
            ring.push(sent(seconds, bytes));
        }
        // 13 s before is the newest that is old enough.
        assert_eq!(ring.grown(&now, Count::SentBytes, second(10)), 700);
        assert_eq!(ring.rate(&now, Count::SentBytes, second(13)), 700.0 / 13.0);
        assert_eq!(ring.requests(&now, second(10)), 70);
        assert_eq!(ring.grown(&now, Count::SentBytes, second(3_600)), 1_000);
        // A process that began anew counts from nothing.
        assert_eq!(ring.grown(&sent(23, 0), Count::SentBytes, second(10)), 0);
    }

    #[test]
    fn half_an_hour_is_kept() {
        let mut ring = Ring::default();
        (0..1_000).for_each(|n| ring.push(sent(n * 5, n)));
        let text = serde_json::to_value(&ring).unwrap();
        assert_eq!(text["kind"], "airclass-samples/1");
        let at = text["at_ms"].as_array().unwrap();
        assert_eq!(at.len(), KEPT);
        assert_eq!(at[KEPT - 1].as_i64().unwrap() - at[0].as_i64().unwrap(), 1_800_000);
        for count in Count::ALL {
            assert_eq!(text[count.as_str()].as_array().unwrap().len(), KEPT, "{count:?}");
        }
        assert_eq!(text["sent_bytes"][KEPT - 1], 999);
    }
}
