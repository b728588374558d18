//! The disk tier: what survives a restart and what RAM has no room for, as the edge sees it.
//!
//! What a fill has stored whole is written through, so that both tiers hold the same; a look-up that RAM cannot answer asks
//! the disk before the upstream. A body that is asked for again soon (see `ghost`) is offered to RAM, and moka decides by TinyLFU
//! whether it stays there: what is asked for more often than what it would push out does. Any other goes straight to its client.
//!
//! `head` is how a response's status, fields and clock lie on the disk, `kept` one whose body is being read, `blocks` one
//! of which some are there, `standing` the orders to purge that have not met all of
//! it yet, `purge` how they do, `barriers` waiting for disks to have written, `metrics` what an operator sees.

mod barriers;
mod blocks;
mod head;
mod kept;
mod metrics;
mod purge;
mod standing;

use super::body::Body;
use super::{Memory, Object, Variants};
use crate::clock::Clock;
use crate::key::CacheKey;
use crate::purge::Recent;
use crate::upstream::Groups;
use barriers::{Barriers, WRITTEN_WITHIN};
use bytes::Bytes;
use diskstore::{Barrier, DiskConfig, Disks, Pinned};
use head::{Head, Times};
use http::header;
pub(crate) use kept::{BrokenOff, Kept};
pub(crate) use purge::{Met, Walked};
use standing::{Orders, Verdict};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use telemetry::Telemetry;
use tokio::time::{Instant, timeout};

/// A disk that has not answered within this is not waited for: the upstream is asked instead. A hard disk under load
/// takes a tenth of it. In tests a busy machine is not to be taken for a slow disk.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 1 });
/// The same for the next blocks of a body.
const READ_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 2 });

/// How long the end of the process waits for the disks. With the answers' own time it is less than a service manager's patience.
const CLOSED_WITHIN: Duration = Duration::from_secs(8);

/// What stands under a key on the disk.
pub(crate) enum Loaded {
    /// A response; its body has to be read.
    Response(Box<Kept>),
    /// A response of whose body some blocks are there, or that is too long for one object.
    InBlocks(Arc<Object>),
    /// There are several, told apart as this says.
    Varies(Arc<Variants>),
}

impl Loaded {
    /// Whether it is known without looking again that nothing has been done to it since it was looked up.
    pub(crate) fn is_current(&self) -> bool {
        matches!(self, Self::Response(kept) if kept.is_current())
    }
}

/// All disks of this node. Shared by all cores.
pub(crate) struct DiskTier {
    disks: Disks,
    orders: Arc<Orders>,
    barriers: Barriers<Barrier>,
    /// Bytes of the longest body that memory keeps as one object.
    largest_object: u64,
    clock: Clock,
    /// This run of the process, in which its monotonic clock can be believed.
    run: u64,
    began: Instant,
}

impl DiskTier {
    /// Opens the disks; `None` without any. Waits for their indexes some seconds at most.
    ///
    /// What `recent` has is noted on them, and what they have noted of it is brought back.
    pub(crate) fn open(
        configs: &[DiskConfig],
        memory: Memory,
        recent: &Recent,
        telemetry: &Telemetry,
    ) -> Option<Arc<Self>> {
        if configs.is_empty() {
            return None;
        }
        let largest_object = memory.largest_object();
        let in_memory = move |key: &[u8]| CacheKey::of_bytes(key).is_some_and(|key| memory.holds(&key));
        let orders = Arc::new(Orders::beside(recent.clone()));
        let opened = {
            let orders = Arc::clone(&orders);
            move |found| orders.take_in(found, unix_ms(Clock))
        };
        let disks = match Disks::open(configs, in_memory, opened) {
            Ok(disks) => disks,
            Err(error) => {
                tracing::error!(%error, "no threads for the disks; the edge runs without them");
                return None;
            }
        };
        let tier = Arc::new(Self {
            disks,
            orders,
            barriers: Barriers::over(configs.len()),
            largest_object,
            clock: Clock,
            run: super::random(),
            began: Instant::now(),
        });
        metrics::register(telemetry, &tier);
        Some(tier)
    }

    /// Whether something seems to be under `key`. Costs no reading.
    pub(crate) fn may_hold(&self, key: &CacheKey) -> bool {
        self.disks.may_hold(key.as_bytes())
    }

    /// The same, or its disk does not say yet.
    pub(crate) fn is_worth_asking(&self, key: &CacheKey) -> bool {
        self.disks.is_worth_asking(key.as_bytes())
    }

    /// What is under `key`, its head verified. `None` also where the disk is away, slow or damaged.
    pub(crate) async fn load(&self, key: &CacheKey, groups: &Groups) -> Option<Loaded> {
        let stored = timeout(LOOK_UP_WITHIN, self.disks.look_up(key.as_bytes())).await.ok()??;
        let store = stored.generation()?.store();
        match Head::parse(stored.head())? {
            Head::Varies { orders, generation, vary } => {
                // Where it is doubted, so are its variants.
                if matches!(self.orders.judge(groups, key, store, orders, None), Verdict::Gone(_)) {
                    self.remove(key);
                    return None;
                }
                let names = httpcache::vary::names(&vary).filter(|names| !names.is_empty())?;
                Some(Loaded::Varies(Arc::new(Variants::restored(names, generation))))
            }
            Head::Response { orders, status, headers, freshness, times, strong_date } => {
                let (now, latest) = (self.times(), self.orders.latest());
                let freshness = match self.orders.judge(groups, key, store, orders, Some(&headers)) {
                    Verdict::Kept => times.aged(freshness, now),
                    Verdict::Softened { since, doubted: false, .. } => {
                        purge::softened(times, freshness, now, since)
                    }
                    // Which is stricter.
                    Verdict::Doubted | Verdict::Softened { doubted: true, .. } => {
                        purge::doubted(times.aged(freshness, now))
                    }
                    Verdict::Gone(_) => {
                        self.remove(key);
                        return None;
                    }
                };
                let body = Body::Complete(Arc::default());
                let head =
                    Object::new(status, headers, freshness, Instant::now(), body).with_date(strong_date);
                let fits = stored.length().is_some_and(|length| length <= self.largest_object);
                let judged = kept::Judged { by: Arc::clone(&self.orders), latest };
                if fits && let Some(kept) = Kept::new(&stored, &head, judged) {
                    return Some(Loaded::Response(Box::new(kept)));
                }
                Self::in_blocks(key, &stored, &head).map(Loaded::InBlocks)
            }
        }
    }

    /// Has a response written in place of what is under `key`. Never waits.
    pub(crate) fn put(&self, key: &CacheKey, object: &Object) {
        let head = Head::write_response(object, self.times(), self.orders.latest());
        let body = match &object.body {
            Body::Complete(body) => body,
            Body::Sparse(sparse) => return self.put_in_blocks(&key.to_bytes(), object, sparse, head),
            Body::Growing(_) | Body::Passing(_) => return self.remove(key),
        };
        let blocks = (0..).zip(body.blocks().iter().cloned()).collect();
        let stored = diskstore::Object { head, length: Some(body.length()), blocks };
        if let Some(generation) = self.disks.put(&key.to_bytes(), stored) {
            object.note_on_disk(generation);
        }
    }

    /// Has the sign-post to the variants of a URL written, as the response that varies describes them.
    pub(crate) fn put_sign_post(&self, primary: &CacheKey, variants: &Variants, response: &Object) {
        let vary = response.headers.get_all(header::VARY);
        let head = Head::write_varies(variants.generation(), vary.iter(), self.orders.latest());
        let stored = diskstore::Object { head, length: Some(0), ..diskstore::Object::default() };
        self.disks.put(&primary.to_bytes(), stored);
    }

    /// Has the head of what is under `key` replaced by `object`'s, if its body is the one on the disk. `orders`: the latest order
    /// when the upstream was asked about it.
    pub(crate) fn freshen(&self, key: &CacheKey, object: &Object, orders: u64) {
        if let Some(generation) = object.on_disk() {
            let head = Head::write_response(object, self.times(), orders);
            // Not done, the disk has the older head: it is asked about once more.
            self.disks.freshen(&key.to_bytes(), generation, head);
        }
    }

    /// What is under `key` is not shown from this moment.
    pub(crate) fn remove(&self, key: &CacheKey) {
        self.disks.remove(&key.to_bytes());
    }

    /// Keeps what is under `key` until `until`, whatever else is asked for: over restarts, and when it is fetched anew. At most a
    /// quarter of each disk is kept so.
    pub(crate) async fn pin(&self, key: &CacheKey, until: SystemTime) -> Pinned {
        let pinned = timeout(WRITTEN_WITHIN, self.disks.pin(&key.to_bytes(), until)).await;
        pinned.unwrap_or(Pinned::Away)
    }

    /// Whether what is under `key` is pinned. Asks the index alone.
    pub(crate) fn is_pinned(&self, key: &CacheKey) -> bool {
        self.disks.is_pinned(key.as_bytes())
    }

    /// Keeps what is under `key` no longer than others. Never waits; `false` where the disk is behind, and keeps it for now.
    pub(crate) fn unpin(&self, key: &CacheKey) -> bool {
        self.disks.unpin(&key.to_bytes())
    }

    /// Lets the disks go, for the next process.
    pub(crate) fn let_go(&self) {
        self.disks.let_go();
    }

    /// Ends what is still to be written, before the process does. Waits some seconds at most.
    pub(crate) fn close(&self) {
        self.note_orders_at_the_end();
        self.disks.close_within(CLOSED_WITHIN);
    }

    /// Keeps the thread that writes to this disk busy until `go` is told or dropped.
    #[cfg(test)]
    pub(crate) async fn hold(&self, at: usize, go: std::sync::mpsc::Receiver<()>) {
        let go = std::sync::Mutex::new(go);
        let busy = move || {
            let _ = go.lock().map(|go| go.recv());
            Bytes::new()
        };
        futures_util::future::join_all(self.disks.note(|disk| disk == at, busy)).await;
    }

    /// Times that the threads that read have been asked.
    #[cfg(test)]
    pub(crate) fn looks(&self) -> u64 {
        self.disks.reports().map(|report| report.counters.read_jobs.value()).sum()
    }

    /// Pieces of work that the threads that write have done.
    #[cfg(test)]
    pub(crate) fn writes(&self) -> u64 {
        self.disks.reports().map(|report| report.counters.write_jobs.value()).sum()
    }

    /// The share that the disks have of what they can do.
    pub(crate) fn strain(&self) -> f64 {
        crate::overload::strain(self.disks.reports())
    }

    fn times(&self) -> Times {
        let since = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Times {
            run: self.run,
            since_start_ms: since(Instant::now().saturating_duration_since(self.began)),
            unix_ms: unix_ms(self.clock),
        }
    }
}

/// The wall clock; 0 where it is before 1970.
fn unix_ms(clock: Clock) -> u64 {
    let since = clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for DiskTier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskTier").finish_non_exhaustive()
    }
}

impl CacheKey {
    fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}
