//! Orders to forget, from the admin listener to the store: `door` (is it obeyed?) → a bounded queue → a thread of its own →
//! `sweep` (fills, then memory) → `rounds` (disks). For some minutes `recent` keeps what an order meant from coming back from
//! edges that have not heard of it. `relay` tells processes that share the sockets what is forgotten here.
//!
//! The rules are crate `purge`'s. Nothing here runs on the cores that serve: an order over everything costs them a few locks of
//! moka's, each held for one entry.

mod asker;
mod door;
mod metrics;
mod options;
mod recent;
mod relay;
mod rounds;
mod sweep;

pub use options::{PurgeConfig, PurgeOptions};
pub(crate) use recent::{Noted, Recent, ask_for_younger};
pub(crate) use relay::{Relay, Word};
pub(crate) use sweep::{Reach, is_about, is_labelled};

use asker::Asker;
use door::{Door, Job};
use metrics::PurgeMetrics;
use relay::Hearing;
use rounds::{Rounds, TOLD_WITHIN};
use serve::Kin;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use sweep::CarriedOut;
use telemetry::Telemetry;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Orders that have been carried out in memory and wait for disks: minutes' worth beside disks that hang. Beyond it memory waits.
const WAITING_FOR_DISKS: usize = 1_024;
/// Orders that wait for those that are being carried out. Each costs at most one walk over the index.
const WAITING: usize = 16;

/// Orders on their way from memory to the disks.
type ToDisks = (mpsc::Sender<(CarriedOut, Asker)>, mpsc::Receiver<(CarriedOut, Asker)>);

/// Takes orders at `POST /purge` from now on, and gives who hears of those that other processes obey.
///
/// # Errors
/// When the machine gives no thread.
pub(crate) fn start(reach: Reach, telemetry: &Telemetry) -> io::Result<Arc<dyn Kin>> {
    let metrics = Arc::new(PurgeMetrics::register(telemetry));
    let (sender, orders) = mpsc::channel(WAITING);
    let door = Door::new(&reach.settings.borrow().config.purge, sender, Arc::clone(&metrics));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (reach, to_disks) = (Arc::new(reach), mpsc::channel(WAITING_FOR_DISKS));
    let hearing = Hearing { reach: Arc::clone(&reach), done: to_disks.0.clone() };
    let work = move || runtime.block_on(work(orders, to_disks, &reach, &metrics, TOLD_WITHIN));
    std::thread::Builder::new().name("purge".to_owned()).spawn(work)?;
    telemetry.posts.route("/purge", Arc::new(door));
    Ok(Arc::new(hearing))
}

/// Orders past the door, for tests of the stores.
#[cfg(test)]
pub(crate) struct Handed {
    sender: mpsc::Sender<Job>,
    metrics: Arc<PurgeMetrics>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// However long disks take: this machine may stand still.
#[cfg(test)]
pub(crate) fn hand_over(reach: Reach) -> Handed {
    hand_over_within(reach, Duration::from_secs(60))
}

#[cfg(test)]
pub(crate) fn hand_over_within(reach: Reach, told_within: Duration) -> Handed {
    let metrics = Arc::new(PurgeMetrics::register(&Telemetry::new("test")));
    let (sender, orders) = mpsc::channel(WAITING);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let counted = Arc::clone(&metrics);
    let to_disks = mpsc::channel(WAITING_FOR_DISKS);
    let work = move || runtime.block_on(work(orders, to_disks, &reach, &counted, told_within));
    let thread = std::thread::spawn(work);
    Handed { sender, metrics, thread: Some(thread) }
}

#[cfg(test)]
impl Handed {
    pub(crate) async fn carry_out(&self, order: ::purge::Order) -> ::purge::Report {
        let (answer, report) = tokio::sync::oneshot::channel();
        let given_at = order.made_at;
        self.sender.send(Job { order, given_at, answer }).await.unwrap();
        report.await.unwrap()
    }

    /// The same with several that are there before any is carried out.
    pub(crate) async fn carry_out_together(&self, orders: Vec<::purge::Order>) -> Vec<::purge::Report> {
        let permits = self.sender.reserve_many(orders.len()).await.unwrap();
        let mut reports = Vec::new();
        for (order, permit) in orders.into_iter().zip(permits) {
            let (answer, report) = tokio::sync::oneshot::channel();
            let given_at = order.made_at;
            permit.send(Job { order, given_at, answer });
            reports.push(report);
        }
        let mut told = Vec::new();
        for report in reports {
            told.push(report.await.unwrap());
        }
        told
    }

    /// Waits until every order has met everything.
    pub(crate) async fn rounds_end(&self) {
        while self.metrics.standing.get() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
impl Drop for Handed {
    fn drop(&mut self) {
        let (closed, _) = mpsc::channel(1);
        self.sender = closed;
        self.thread.take().map(std::thread::JoinHandle::join).unwrap().unwrap();
    }
}

/// Carries orders out until nobody can give any.
async fn work(
    orders: mpsc::Receiver<Job>,
    (done, to_disks): ToDisks,
    reach: &Reach,
    metrics: &Arc<PurgeMetrics>,
    told_within: Duration,
) {
    let on_disks = async {
        if let Some(disk) = reach.disk.clone() {
            let rounds = Rounds::new(disk, reach.settings.clone(), Arc::clone(metrics), told_within);
            look_on_disks(to_disks, rounds).await;
        } else {
            answer(to_disks, metrics).await;
        }
    };
    tokio::join!(sweep_memory(orders, reach, done), on_disks);
}

/// Carries orders out in memory as they come, however long disks take with those before.
async fn sweep_memory(
    mut orders: mpsc::Receiver<Job>,
    reach: &Reach,
    done: mpsc::Sender<(CarriedOut, Asker)>,
) {
    while let Some(Job { order, given_at, answer }) = orders.recv().await {
        let began = Instant::now();
        tracing::info!(id = %order.id, what = order.what.as_str(), about = %order.what, "purging");
        let carried_out = reach.carry_out(&order, began);
        reach.relay.tell(&Word::Ordered(order)).await;
        if done.send((carried_out, Asker { answer, given_at, began })).await.is_err() {
            return;
        }
    }
}

/// Has them looked for on disks. Those that came together are written down together.
async fn look_on_disks(mut done: mpsc::Receiver<(CarriedOut, Asker)>, mut rounds: Rounds) {
    loop {
        match timeout(rounds.pause(), done.recv()).await {
            Ok(Some(first)) => {
                let mut together = Vec::with_capacity(WAITING);
                together.push(first);
                while together.len() < WAITING
                    && let Ok(another) = done.try_recv()
                {
                    together.push(another);
                }
                rounds.take_on(together).await;
            }
            Ok(None) => return,
            Err(_) => {}
        }
        // Also where orders come without a pause.
        if rounds.pause().is_zero() {
            rounds.step().await;
        }
    }
}

/// Tells what they have done, where there are no disks.
async fn answer(mut done: mpsc::Receiver<(CarriedOut, Asker)>, metrics: &PurgeMetrics) {
    while let Some((carried_out, asker)) = done.recv().await {
        asker.tell(carried_out.report, metrics);
    }
}
