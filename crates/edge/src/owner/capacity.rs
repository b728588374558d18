//! Limits and use as RFC 9808 writes them, for a router or another CDN that sends students here.
//!
//! `GET /capacity` on the admin listener is an advertisement (RFC 8008 §5.1) of two objects: `FCI.CapacityLimits` (RFC 9808 §2.2), with
//! the networks served as footprints (RFC 8006 §4.3), and `FCI.Telemetry` (§2.1), which says how `current` is measured. Rates are bits
//! a second, times are seconds. A limit has to have a `maximum-hard`, so where nothing is limited there is no limit to tell.

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
/// How far a figure is behind what happens, in seconds: it is measured each second.
const LATENCY_S: u64 = 1;
const LIMIT: &str = "egress";
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

    /// The advertisement.
    pub(super) fn advertise(&self, networks: &[Network], allowed: Option<BitRate>) -> Vec<u8> {
        let footprints: Vec<Value> = networks
            .iter()
            .map(|network| {
                let text = network.to_string();
                let kind = if text.contains(':') { "ipv6cidr" } else { "ipv4cidr" };
                json!({ "footprint-type": kind, "footprint-value": [text] })
            })
            .collect();
        let limit = |BitRate(allowed): BitRate| {
            json!({
                "id": LIMIT,
                "limit-type": "egress",
                "maximum-hard": allowed,
                "maximum-soft": allowed / 100 * SOFT_PERCENT,
                "current": self.egress(),
                "telemetry-source": { "id": SOURCE, "metric": METRIC },
            })
        };
        let all: Vec<Value> = allowed.map(limit).into_iter().collect();
        // No `data-percentile`: it is an average.
        let metric = json!({ "name": METRIC, "time-granularity": GRANULARITY_S, "latency": LATENCY_S });
        let mut limits = json!({
            "capability-type": "FCI.CapacityLimits",
            "capability-value": { "limits": all },
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
        assert!(text.contains("\"limits\":[]") && !text.contains("footprint"), "{text}");
    }

    /// What RFC 9808 and RFC 8008 have names for, and nothing else.
    mod rfc {
        use serde::Deserialize;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Advertisement {
            pub(super) capabilities: Vec<Capability>,
        }

        /// RFC 8008 §5.1.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct Capability {
            pub(super) capability_type: String,
            pub(super) capability_value: serde_json::Value,
            #[serde(default)]
            pub(super) footprints: Vec<Footprint>,
        }

        /// RFC 8006 §4.2.2.2.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct Footprint {
            pub(super) footprint_type: String,
            pub(super) footprint_value: Vec<String>,
        }

        /// RFC 9808 §2.2.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct CapacityLimits {
            pub(super) limits: Vec<Limit>,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct Limit {
            pub(super) id: Option<String>,
            pub(super) limit_type: String,
            pub(super) maximum_hard: u64,
            pub(super) maximum_soft: Option<u64>,
            pub(super) current: Option<u64>,
            pub(super) telemetry_source: Option<Source>,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Source {
            pub(super) id: String,
            pub(super) metric: String,
        }

        /// RFC 9808 §2.1.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Telemetry {
            pub(super) sources: Vec<Measured>,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Measured {
            pub(super) id: String,
            pub(super) r#type: String,
            pub(super) metrics: Vec<Metric>,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct Metric {
            pub(super) name: String,
            pub(super) time_granularity: Option<u64>,
            pub(super) data_percentile: Option<u64>,
            pub(super) latency: Option<u64>,
        }
    }

    #[test]
    fn the_advertisement_is_made_of_the_rfcs_words() {
        let start = Instant::now();
        let mut capacity = Capacity::default();
        capacity.look(0, start);
        capacity.look(1_250_000, start + Duration::from_secs(10));
        let networks = ["192.0.2.0/24", "2001:db8::/32"].map(|network| network.parse().unwrap());
        let text = capacity.advertise(&networks, Some(BitRate(2_000_000_000)));
        let said: rfc::Advertisement = serde_json::from_slice(&text).unwrap();
        let [limits, telemetry] = &said.capabilities[..] else { panic!("two capabilities") };
        assert_eq!(limits.capability_type, "FCI.CapacityLimits");
        assert_eq!(telemetry.capability_type, "FCI.Telemetry");
        for capability in [limits, telemetry] {
            let told: Vec<_> = capability
                .footprints
                .iter()
                .map(|one| (one.footprint_type.as_str(), one.footprint_value[0].as_str()))
                .collect();
            assert_eq!(told, [("ipv4cidr", "192.0.2.0/24"), ("ipv6cidr", "2001:db8::/32")]);
        }
        let rfc::CapacityLimits { limits } = serde_json::from_value(limits.capability_value.clone()).unwrap();
        let rfc::Telemetry { sources } = serde_json::from_value(telemetry.capability_value.clone()).unwrap();
        let (limit, source) = (&limits[0], &sources[0]);
        // Bits a second.
        assert_eq!((limit.limit_type.as_str(), limit.id.as_deref()), ("egress", Some("egress")));
        assert_eq!((limit.maximum_hard, limit.maximum_soft), (2_000_000_000, Some(1_700_000_000)));
        assert_eq!(limit.current, Some(1_000_000));
        // What `current` is of is a metric that is advertised, in seconds, averaged.
        let of = limit.telemetry_source.as_ref().unwrap();
        let metric = source.metrics.iter().find(|metric| metric.name == of.metric).unwrap();
        assert_eq!((of.id.as_str(), source.r#type.as_str()), (source.id.as_str(), "generic"));
        assert_eq!(
            (metric.time_granularity, metric.data_percentile, metric.latency),
            (Some(10), None, Some(1))
        );
    }
}
