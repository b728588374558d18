//! What the node's owner allows: how much is sent at which time of day, to whose networks, and when nothing is begun.
//!
//! ```text
//! every second:  time of day ─► allowed now ─┬─► overload (new sessions), prefill (its rate)
//!                                            ├─► /readyz: maintenance, and whether the node was tried out
//!                                            └─► /capacity: RFC 9808, for who sends students here
//! every new session:  address ─► served here?
//! ```
//! Playback that runs is never touched: whoever is here stays, also in a maintenance window.

mod burn_in;
mod capacity;
mod options;

pub use options::{OwnerConfig, OwnerOptions};

use crate::metrics::Metrics;
use capacity::Capacity;
use jiff::Timestamp;
use prometheus::IntGauge;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use telemetry::{Check, Readiness, Telemetry};
use tokio::time::Instant;
use units::BitRate;

/// Without a word of the owner's everything is allowed. Shared by all cores; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Owner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: OwnerConfig,
    /// `bandwidth_cap`, which holds as well.
    cap: Option<BitRate>,
    /// Bits a second, now; [`NO_LIMIT`]: as much as the line takes.
    allowed: AtomicU64,
    stands_aside: AtomicBool,
    tried_out: AtomicBool,
    state: Mutex<Capacity>,
    page: Arc<Mutex<Vec<u8>>>,
    readiness: Arc<Readiness>,
    metric: IntGauge,
}

/// More than any line takes.
const NO_LIMIT: u64 = u64::MAX;

impl Owner {
    /// By `config`; has `/capacity` answered on the admin listener.
    pub(crate) fn new(config: OwnerConfig, cap: Option<BitRate>, telemetry: &Telemetry) -> Self {
        let page = Arc::<Mutex<Vec<u8>>>::default();
        let shown = Arc::clone(&page);
        telemetry
            .pages
            .route("/capacity", move || shown.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Self(Arc::new(Inner {
            config,
            cap,
            allowed: AtomicU64::new(NO_LIMIT),
            stands_aside: AtomicBool::new(false),
            tried_out: AtomicBool::new(false),
            state: Mutex::default(),
            page,
            readiness: Arc::clone(&telemetry.readiness),
            metric: telemetry.gauge(
                "edge_capacity_bps",
                "What the node may send a second now, by its owner's word and bandwidth_cap; 0: as much as the line takes",
            ),
        }))
    }

    /// Brings what is allowed up to the time of day; once a second.
    pub(crate) fn look(&self, metrics: &Metrics, wall: SystemTime, now: Instant) {
        let Ok(time) = Timestamp::try_from(wall) else { return };
        let inner = &*self.0;
        let allowed = [inner.config.allowed_at(time), inner.cap].into_iter().flatten().min();
        inner.allowed.store(allowed.map_or(NO_LIMIT, |rate| rate.0), Ordering::Relaxed);
        inner.metric.set(allowed.map_or(0, |rate| i64::try_from(rate.0).unwrap_or(i64::MAX)));
        let maintained = inner.config.maintained_at(time);
        inner.stands_aside.store(maintained.is_some(), Ordering::Relaxed);
        if !inner.config.maintenance.is_empty() {
            match maintained {
                None => inner.readiness.pass(Check::Maintenance),
                Some(window) => {
                    inner.readiness.fail(Check::Maintenance, format!("its owner works on it, {window}"));
                }
            }
        }
        self.try_out();
        let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.look(metrics.sent_bytes(), now);
        let text = state.advertise(&inner.config.networks, allowed);
        *inner.page.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Looks whether the node has been tried out, until it has: a file says so over restarts.
    fn try_out(&self) {
        let inner = &*self.0;
        let Some(path) = &inner.config.burn_in else { return };
        if inner.tried_out.load(Ordering::Relaxed) {
            return;
        }
        match burn_in::judge(path) {
            Ok(()) => {
                inner.tried_out.store(true, Ordering::Relaxed);
                inner.readiness.pass(Check::BurnIn);
            }
            Err(why) => inner.readiness.fail(Check::BurnIn, why),
        }
    }

    /// What may be sent now.
    pub(crate) fn allowed(&self) -> Option<BitRate> {
        Some(self.0.allowed.load(Ordering::Relaxed)).filter(|rate| *rate != NO_LIMIT).map(BitRate)
    }

    /// Whether nothing is begun now.
    pub(crate) fn stands_aside(&self) -> bool {
        self.0.stands_aside.load(Ordering::Relaxed)
    }

    /// Whether who is at `address` may begin here. This machine always may.
    pub(crate) fn serves(&self, address: IpAddr) -> bool {
        let networks = &self.0.config.networks;
        networks.is_empty()
            || address.to_canonical().is_loopback()
            || networks.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn what_is_allowed_follows_the_clock_and_is_published() {
        let telemetry = Telemetry::new("test");
        let metrics = Metrics::register(&telemetry);
        telemetry.readiness.pass(Check::Listening);
        let options = OwnerOptions {
            bandwidth: Some(vec!["2Gbit/s 08:00-12:00".into(), "10Gbit/s".into()]),
            networks: Some(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]),
            maintenance: Some(vec!["02:00-04:00".into()]),
            burn_in: None,
        };
        let owner =
            Owner::new(OwnerConfig::resolve(&options).unwrap(), Some(BitRate(5_000_000_000)), &telemetry);
        let at = |time: &str| {
            let time: Timestamp = format!("2026-09-01T{time}:00+08:00").parse().unwrap();
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time.as_second()).unwrap())
        };
        for (time, allowed, ready) in
            [("07:59", 5_000_000_000, true), ("08:00", 2_000_000_000, true), ("03:00", 5_000_000_000, false)]
        {
            owner.look(&metrics, at(time), Instant::now());
            assert_eq!(owner.allowed(), Some(BitRate(allowed)), "{time}");
            assert_eq!(telemetry.readiness.is_ready(), ready, "{time}: {}", telemetry.readiness.report());
            assert_eq!(owner.stands_aside(), !ready);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        owner.look(&metrics, at("08:00"), Instant::now());
        let page: serde_json::Value = serde_json::from_slice(&owner.0.page.lock().unwrap()).unwrap();
        let limits = &page["capabilities"][0];
        assert_eq!(limits["capability-type"], "FCI.CapacityLimits");
        assert_eq!(limits["capability-value"]["limits"][0]["maximum-hard"], 2_000_000_000_u64);
        assert_eq!(limits["footprints"][1]["footprint-type"], "ipv6cidr");
        for (address, served) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.1", false),
            ("2001:db8::1", true),
            ("127.0.0.1", true),
        ] {
            assert_eq!(owner.serves(address.parse().unwrap()), served, "{address}");
        }
    }
}
