//! How fast a QUIC connection is sent to: quinn's controllers by the names that the kernel uses for TCP, and a ceiling.

use quinn::congestion::{
    BbrConfig, Controller, ControllerFactory, ControllerMetrics, CubicConfig, NewRenoConfig,
};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A controller that QUIC has here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    Bbr,
    Cubic,
    Reno,
}

impl Control {
    /// By its name; the default where none is named.
    pub(crate) fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("cubic") => Some(Self::Cubic),
            Some("bbr") => Some(Self::Bbr),
            Some("reno") => Some(Self::Reno),
            Some(_) => None,
        }
    }

    /// Connections under it, none of which is sent more than `ceiling` bytes a second.
    pub(super) fn factory(self, ceiling: Option<u64>) -> Arc<dyn ControllerFactory + Send + Sync> {
        match self {
            Self::Bbr => under(BbrConfig::default(), ceiling),
            Self::Cubic => under(CubicConfig::default(), ceiling),
            Self::Reno => under(NewRenoConfig::default(), ceiling),
        }
    }
}

fn under<F: ControllerFactory + Send + Sync + 'static>(
    factory: F,
    ceiling: Option<u64>,
) -> Arc<dyn ControllerFactory + Send + Sync> {
    match ceiling {
        None => Arc::new(factory),
        Some(ceiling) => Arc::new(Ceiling { factory: Arc::new(factory), ceiling }),
    }
}

/// Makes controllers that keep below a rate. SO_MAX_PACING_RATE cannot: it is for a socket, which all connections share.
struct Ceiling<F> {
    factory: Arc<F>,
    /// Bytes a second.
    ceiling: u64,
}

impl<F: ControllerFactory + Send + Sync + 'static> ControllerFactory for Ceiling<F> {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let inner = Arc::clone(&self.factory).build(now, mtu);
        Box::new(Paced { inner, ceiling: self.ceiling, round_trip: FIRST_ROUND_TRIP, mtu })
    }
}

/// Taken for the round trip before there is one (RFC 9002 §6.2.2).
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(333);
/// quinn sends a window in four fifths of a round trip, so as not to be held up by its own clock.
const LEAD: (u64, u64) = (4, 5);
/// A window below this makes every packet wait for the one before (RFC 9002 §7.2).
const LEAST_PACKETS: u64 = 2;

/// A controller whose window is never more than the ceiling lets through in a round trip.
struct Paced {
    inner: Box<dyn Controller>,
    ceiling: u64,
    round_trip: Duration,
    mtu: u16,
}

/// The window for a rate in bytes a second.
fn window(ceiling: u64, round_trip: Duration, mtu: u16) -> u64 {
    let micros = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
    let a_round = ceiling.saturating_mul(micros) / 1_000_000;
    (a_round.saturating_mul(LEAD.0) / LEAD.1).max(LEAST_PACKETS * u64::from(mtu))
}

impl Controller for Paced {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &quinn_proto::RttEstimator,
    ) {
        self.round_trip = rtt.get();
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.inner.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, is_persistent: bool, lost_bytes: u64) {
        self.inner.on_congestion_event(now, sent, is_persistent, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.inner.window().min(window(self.ceiling, self.round_trip, self.mtu))
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { inner: self.inner.clone_box(), ..*self })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window().min(window(self.ceiling, self.round_trip, self.mtu))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<F> fmt::Debug for Ceiling<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} bytes a second", self.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_what_the_ceiling_lets_through_in_a_round_trip() {
        // 80 Mbit/s over 50 ms are 500,000 bytes, of which quinn's pacer takes four fifths for a window.
        assert_eq!(window(10_000_000, Duration::from_millis(50), 1_200), 400_000);
        assert_eq!(window(10_000_000, Duration::from_micros(1), 1_200), 2_400);
        // More than any line is no ceiling, and no overflow.
        assert!(window(u64::MAX, Duration::from_secs(1), 1_200) > 1 << 40);
    }

    #[test]
    fn a_controller_under_a_ceiling_keeps_below_it() {
        let under = |ceiling| Control::Cubic.factory(ceiling).build(start(), 1_200).window();
        assert_eq!(under(Some(10_000)), 2_664);
        assert_eq!(under(Some(u64::MAX)), under(None));
    }

    fn start() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[test]
    fn names_are_the_kernels() {
        for (name, control) in [
            (None, Some(Control::Cubic)),
            (Some("bbr"), Some(Control::Bbr)),
            (Some("reno"), Some(Control::Reno)),
            (Some("vegas"), None),
        ] {
            assert_eq!(Control::named(name), control);
        }
    }
}
