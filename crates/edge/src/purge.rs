//! Orders to forget, from the admin listener to the store: `door` (is it obeyed?) → a bounded queue → a thread of its own →
//! `sweep` (fills, then tiers).
//!
//! The rules are crate `purge`'s. Nothing here runs on the cores that serve: an order over everything costs them a few locks of
//! moka's, each held for one entry.

mod door;
mod keys;
mod metrics;
mod options;
mod sweep;

pub use options::{PurgeConfig, PurgeOptions};
pub(crate) use sweep::{Reach, is_about, is_labelled};

use door::{Door, Job};
use metrics::PurgeMetrics;
use std::io;
use std::sync::Arc;
use telemetry::Telemetry;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Orders that wait for the one that is being carried out. Each costs at most one walk over the index.
const WAITING: usize = 16;

/// Takes orders at `POST /purge` from now on.
///
/// # Errors
/// When the machine gives no thread.
pub(crate) fn start(reach: Reach, telemetry: &Telemetry) -> io::Result<()> {
    let metrics = Arc::new(PurgeMetrics::register(telemetry));
    let (sender, orders) = mpsc::channel(WAITING);
    let door = Door::new(&reach.settings.borrow().config.purge, sender, Arc::clone(&metrics));
    std::thread::Builder::new().name("purge".to_owned()).spawn(move || work(orders, &reach, &metrics))?;
    telemetry.posts.route("/purge", Arc::new(door));
    Ok(())
}

/// Carries orders out, one after the other, until nobody can give any.
fn work(mut orders: mpsc::Receiver<Job>, reach: &Reach, metrics: &PurgeMetrics) {
    while let Some(Job { order, given_at, answer }) = orders.blocking_recv() {
        let report = reach.carry_out(&order, Instant::now());
        metrics.carried_out(&report, given_at);
        tracing::info!(
            id = %order.id,
            what = order.what.as_str(),
            about = %order.what,
            mode = order.mode.as_str(),
            removed = report.removed.memory,
            softened = report.softened.memory,
            fills_overtaken = report.fills_overtaken,
            duration_us = report.duration_us,
            "purged"
        );
        // Who has asked may have gone; it is done all the same.
        let _ = answer.send(report);
    }
}
