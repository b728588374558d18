//! Limits and use as RFC 9808 writes them, for a router or another CDN that sends students here.
//!
//! `GET /capacity` on the admin listener is an advertisement (RFC 8008 §5.1) of two objects: `FCI.CapacityLimits` (RFC 9808 §2.2), with
//! the networks served as footprints (RFC 8006 §4.3), and `FCI.Telemetry` (§2.1), which says how `current` is measured.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use units::{BitRate, Network};

/// Over so long is what is sent averaged: the steps in which segments leave are evened out.
const OVER: Duration = Duration::from_secs(10);
/// Seconds, the same for the paper.
const GRANULARITY_S: u64 = OVER.as_secs();
/// Of the limit, from here on sessions that would need a fill are put off: who sends students here ought to stop.
const SOFT_PERCENT: u64 = 85;
/// How long after it was measured a figure is here, in milliseconds.
const LATENCY_MS: u64 = 1_000;
const SOURCE: &str = "airclass";
const METRIC: &str = "egress_10s";

/// What was sent of late.
#[derive(Debug, Default)]
pub(super) struct Capacity {
    looks: VecDeque<(Instant, u64)>,
}

impl Capacity {
    /// `sent`: bytes so far.
    pub(super) fn look(&mut self, sent: u64, now: Instant) {
        self.looks.push_back((now, sent));
        while self.looks.len() > 2 && now.saturating_duration_since(self.looks[1].0) >= OVER {
            self.looks.pop_front();
        }
    }

    fn egress(&self) -> u64 {
        let (Some((then, before)), Some((now, sent))) = (self.looks.front(), self.looks.back()) else {
            return 0;
        };
        let span = now.saturating_duration_since(*then).as_secs_f64();
        if span > 0.0 { (sent.saturating_sub(*before) as f64 * 8.0 / span) as u64 } else { 0 }
    }

    /// The advertisement. Without a limit there is none to tell, and only what is sent.
    pub(super) fn advertise(&self, networks: &[Network], allowed: Option<BitRate>) -> Vec<u8> {
        let footprints: Vec<Value> = networks
            .iter()
            .map(|network| {
                let text = network.to_string();
                let kind = if text.contains(':') { "ipv6cidr" } else { "ipv4cidr" };
                json!({ "footprint-type": kind, "footprint-value": [text] })
            })
            .collect();
        let mut limit = json!({
            "limit-type": "egress",
            "current": self.egress(),
            "telemetry-source": { "id": SOURCE, "metric": METRIC },
        });
        if let Some(BitRate(allowed)) = allowed {
            limit["maximum-hard"] = allowed.into();
            limit["maximum-soft"] = (allowed / 100 * SOFT_PERCENT).into();
        }
        let metric = json!({ "name": METRIC, "time-granularity": GRANULARITY_S, "latency": LATENCY_MS });
        let mut limits = json!({
            "capability-type": "FCI.CapacityLimits",
            "capability-value": { "limits": [limit] },
        });
        let mut telemetry = json!({
            "capability-type": "FCI.Telemetry",
            "capability-value": { "sources": [{ "id": SOURCE, "type": "generic", "metrics": [metric] }] },
        });
        if !footprints.is_empty() {
            limits["footprints"] = footprints.clone().into();
            telemetry["footprints"] = footprints.into();
        }
        json!({ "capabilities": [limits, telemetry] }).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_averaged() {
        let start = Instant::now();
        let mut capacity = Capacity::default();
        assert_eq!(capacity.egress(), 0);
        // A megabyte a second, in lumps; then nothing.
        for second in 0..=20 {
            capacity.look(second / 2 * 2_000_000, start + Duration::from_secs(second));
        }
        assert_eq!(capacity.egress(), 8_000_000);
        for second in 21..=40 {
            capacity.look(20_000_000, start + Duration::from_secs(second));
        }
        assert_eq!(capacity.egress(), 0);
        let text = String::from_utf8(capacity.advertise(&[], None)).unwrap();
        assert!(!text.contains("maximum") && !text.contains("footprint"), "{text}");
    }
}
