//! One look at what a node has counted.

use crate::figures::Figures;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What is looked at. Counters count from the process's start; the last three are how things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Bytes given to the network for clients: what is billed.
    SentBytes,
    /// Body bytes received from upstreams into the cache.
    ReceivedBytes,
    /// Requests answered from memory, the disk, the upstream, or in this node's own words.
    RequestsRam,
    /// See [`Count::RequestsRam`].
    RequestsDisk,
    /// See [`Count::RequestsRam`].
    RequestsUpstream,
    /// See [`Count::RequestsRam`].
    RequestsOwn,
    /// Body bytes of those answers.
    BytesRam,
    /// See [`Count::BytesRam`].
    BytesDisk,
    /// See [`Count::BytesRam`].
    BytesUpstream,
    /// See [`Count::BytesRam`].
    BytesOwn,
    /// Segments delivered.
    Segments,
    /// Those that took longer than they play.
    SlowSegments,
    /// Requests that met trouble of the node or its upstreams.
    HealthMisses,
    /// Fills that were kept.
    Fills,
    /// Those of something that had been filled before.
    FillsAgain,
    /// Times that what was sent could not be written down.
    AccountErrors,
    /// Lines that the access log lost.
    LostLines,
    /// Blocks of a disk that were not what was written.
    ChecksumFailures,
    /// Floods and requests that two servers could read differently.
    Abuse,
    /// Players that told of themselves in the last whole minute.
    Players,
    /// Requests being answered.
    InFlight,
    /// 0 calm to 3 critical.
    OverloadLevel,
}

impl Count {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 22] = [
        Self::SentBytes,
        Self::ReceivedBytes,
        Self::RequestsRam,
        Self::RequestsDisk,
        Self::RequestsUpstream,
        Self::RequestsOwn,
        Self::BytesRam,
        Self::BytesDisk,
        Self::BytesUpstream,
        Self::BytesOwn,
        Self::Segments,
        Self::SlowSegments,
        Self::HealthMisses,
        Self::Fills,
        Self::FillsAgain,
        Self::AccountErrors,
        Self::LostLines,
        Self::ChecksumFailures,
        Self::Abuse,
        Self::Players,
        Self::InFlight,
        Self::OverloadLevel,
    ];

    /// As documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SentBytes => "sent_bytes",
            Self::ReceivedBytes => "received_bytes",
            Self::RequestsRam => "requests_ram",
            Self::RequestsDisk => "requests_disk",
            Self::RequestsUpstream => "requests_upstream",
            Self::RequestsOwn => "requests_own",
            Self::BytesRam => "bytes_ram",
            Self::BytesDisk => "bytes_disk",
            Self::BytesUpstream => "bytes_upstream",
            Self::BytesOwn => "bytes_own",
            Self::Segments => "segments",
            Self::SlowSegments => "slow_segments",
            Self::HealthMisses => "health_misses",
            Self::Fills => "fills",
            Self::FillsAgain => "fills_again",
            Self::AccountErrors => "account_errors",
            Self::LostLines => "lost_lines",
            Self::ChecksumFailures => "checksum_failures",
            Self::Abuse => "abuse",
            Self::Players => "players",
            Self::InFlight => "in_flight",
            Self::OverloadLevel => "overload_level",
        }
    }

    /// Out of `figures`. `tiers`: where answers of each outcome come from.
    fn read(self, figures: &Figures, tiers: &[(&str, &str)]) -> f64 {
        let by_tier = |name: &str, tier: &str| {
            figures.sum_where(name, "outcome", |outcome| tiers.contains(&(outcome, tier)))
        };
        let (requests, bytes) = ("edge_requests_total", "edge_response_bytes_total");
        match self {
            Self::SentBytes => figures.sum("serve_sent_bytes_total"),
            Self::ReceivedBytes => figures.sum("edge_fill_bytes_total"),
            Self::RequestsRam => by_tier(requests, "ram"),
            Self::RequestsDisk => by_tier(requests, "disk"),
            Self::RequestsUpstream => by_tier(requests, "upstream"),
            Self::RequestsOwn => by_tier(requests, "own"),
            Self::BytesRam => by_tier(bytes, "ram"),
            Self::BytesDisk => by_tier(bytes, "disk"),
            Self::BytesUpstream => by_tier(bytes, "upstream"),
            Self::BytesOwn => by_tier(bytes, "own"),
            Self::Segments => figures.sum("edge_segment_delivery_seconds"),
            Self::SlowSegments => figures.sum("edge_delivery_slower_than_realtime_total"),
            Self::HealthMisses => figures.sum_where("edge_misses_total", "class", |class| class == "health"),
            Self::Fills => figures.sum_where("edge_fills_total", "outcome", |outcome| outcome == "stored"),
            Self::FillsAgain => figures.sum("edge_fills_again_total"),
            Self::AccountErrors => figures.sum("edge_accounts_write_errors_total"),
            Self::LostLines => figures.sum("access_log_lost_lines_total"),
            Self::ChecksumFailures => figures.sum("edge_checksum_failures_total"),
            Self::Abuse => {
                figures.sum("serve_http2_abuse_total")
                    + figures.sum("serve_http3_abuse_total")
                    + figures.sum("serve_refused_requests_total")
            }
            Self::Players => figures.sum("edge_cmcd_sessions"),
            Self::InFlight => figures.sum("edge_requests_in_flight"),
            Self::OverloadLevel => figures.sum("edge_overload_level"),
        }
    }
}

/// Everything that is looked at, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// By the node's clock, for people.
    pub at: Timestamp,
    /// Since the process began, by a clock that does not jump: what rates are made of.
    pub elapsed: Duration,
    counts: [u64; Count::ALL.len()],
}

impl Sample {
    /// Out of `figures`; `tiers` says of each outcome which of `ram`, `disk`, `upstream` and `own` its answers come from.
    pub fn read(at: Timestamp, elapsed: Duration, figures: &Figures, tiers: &[(&str, &str)]) -> Self {
        // Counters are whole numbers below 2^53, which a double holds exactly.
        Self { at, elapsed, counts: Count::ALL.map(|count| count.read(figures, tiers) as u64) }
    }

    /// One of them.
    pub fn get(&self, count: Count) -> u64 {
        self.counts[count as usize]
    }

    /// Requests, however they were answered.
    pub fn requests(&self) -> u64 {
        [Count::RequestsRam, Count::RequestsDisk, Count::RequestsUpstream, Count::RequestsOwn]
            .iter()
            .map(|&count| self.get(count))
            .sum()
    }
}

/// An object: each count by its name.
impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Count::ALL.iter().map(|&count| (count.as_str(), self.get(count))))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::figures::tests::gauges;

    /// A sample `seconds` after the start, with these counts and zero for all others.
    pub(crate) fn sample(seconds: u64, counts: &[(Count, u64)]) -> Sample {
        let mut sample = Sample {
            at: Timestamp::from_second(1_788_220_800 + seconds.cast_signed()).unwrap(),
            elapsed: Duration::from_secs(seconds),
            counts: [0; Count::ALL.len()],
        };
        for &(count, value) in counts {
            sample.counts[count as usize] = value;
        }
        sample
    }

    #[test]
    fn outcomes_are_added_up_by_tier() {
        let figures = gauges(&[
            ("edge_requests_total", &[("outcome", "hit")], 5.0),
            ("edge_requests_total", &[("outcome", "stale_on_error")], 2.0),
            ("edge_requests_total", &[("outcome", "miss")], 1.0),
            ("edge_response_bytes_total", &[("outcome", "hit")], 500.0),
            ("edge_response_bytes_total", &[("outcome", "miss")], 70.0),
            ("serve_http2_abuse_total", &[("kind", "a")], 1.0),
            ("serve_refused_requests_total", &[("reason", "b")], 3.0),
        ]);
        let tiers = [("hit", "ram"), ("stale_on_error", "ram"), ("miss", "upstream")];
        let sample = Sample::read(Timestamp::UNIX_EPOCH, Duration::ZERO, &figures, &tiers);
        assert_eq!((sample.get(Count::RequestsRam), sample.get(Count::RequestsUpstream)), (7, 1));
        assert_eq!((sample.get(Count::BytesRam), sample.get(Count::BytesUpstream)), (500, 70));
        assert_eq!((sample.get(Count::Abuse), sample.requests()), (4, 8));
    }

    #[test]
    fn each_count_has_its_place_and_a_name_of_its_own() {
        for (place, count) in Count::ALL.iter().enumerate() {
            assert_eq!(*count as usize, place, "{count:?}");
        }
        let names: std::collections::BTreeSet<_> = Count::ALL.iter().map(|count| count.as_str()).collect();
        assert_eq!(names.len(), Count::ALL.len());
        let text = serde_json::to_value(sample(0, &[(Count::Abuse, 3)])).unwrap();
        assert_eq!((text["abuse"].as_u64(), text["sent_bytes"].as_u64()), (Some(3), Some(0)));
    }
}
