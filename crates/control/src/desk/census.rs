//! How the fleet is, for metrics: who is ready, who is silent, whose certificate runs out.

use super::Desk;
use crate::clock;
use crate::metrics::Fleet;
use fleet::{SILENT, Standing};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often all nodes are looked over.
const EVERY: Duration = Duration::from_secs(5);
/// A node renews when a third of its certificate's life is left. When less than this part is, something is wrong.
const LATE_AT: u32 = 6;

impl Desk {
    /// Looks over the fleet, until the end.
    pub(crate) async fn census(&self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = clock::now();
        loop {
            ticks.tick().await;
            self.metrics.fleet(self.look_over(began, clock::now()));
        }
    }

    /// `began`: nobody's silence is older than this control.
    fn look_over(&self, began: Timestamp, now: Timestamp) -> Fleet {
        let late = SignedDuration::try_from(self.certificates / LATE_AT).unwrap_or_default();
        let registry = self.registry();
        let reports = self.reports();
        let mut fleet = Fleet::default();
        for (node, member) in registry.nodes().filter(|(_, member)| member.standing == Standing::Enrolled) {
            let heard = reports.get(node);
            let last = heard.map_or(began.max(member.since), |(at, _)| *at);
            let silent = now.duration_since(last) > SILENT;
            fleet.silent += i64::from(silent);
            fleet.ready += i64::from(!silent && heard.is_some_and(|(_, report)| report.ready));
            // The node's own word where there is one: what was issued may not have reached it.
            let until = heard.and_then(|(_, report)| report.certificate_until).unwrap_or(member.until);
            fleet.late += i64::from(until.duration_since(now) < late);
            fleet.first = Some(fleet.first.map_or(until, |first| first.min(until)));
        }
        fleet
    }
}
