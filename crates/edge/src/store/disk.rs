//! The disk tier: what survives a restart and what RAM has no room for, as the edge sees it.
//!
//! What a fill has stored whole is written through, so that both tiers hold the same; a look-up that RAM cannot answer asks
//! the disk before the upstream, and what it gives is offered to RAM. moka decides by TinyLFU whether it stays there:
//! what is asked for more often than what it would push out does, one pass over the catalogue does not. So popularity
//! is counted in one place, and nothing has to be promoted by a rule of its own.
//!
//! `head` is how a response's status, fields and clock lie on the disk, `metrics` what an operator sees.

mod head;
mod metrics;

use super::body::{BLOCK, Blocks, Body};
use super::{Memory, Object, Variants};
use crate::clock::Clock;
use crate::key::CacheKey;
use bytes::Bytes;
use diskstore::{DiskConfig, Disks};
use head::{Head, Times};
use http::header;
use std::sync::Arc;
use std::time::Duration;
use telemetry::Telemetry;
use tokio::time::{Instant, timeout};

/// A disk that has not answered within this is not waited for: the upstream is asked instead. A hard disk under load
/// takes a tenth of it.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(1);
/// The same for the next blocks of a body.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// Blocks read by one thread in one go: 4 MiB, so that a long body leaves its turn to others.
const BLOCKS_AT_ONCE: usize = 16;

/// What stands under a key on the disk.
pub(crate) enum Loaded {
    /// A response, whole.
    Object(Arc<Object>),
    /// There are several, told apart as this says.
    Varies(Arc<Variants>),
}

/// All disks of this node. Shared by all cores.
pub(crate) struct DiskTier {
    disks: Disks,
    clock: Clock,
    /// This run of the process, in which its monotonic clock can be believed.
    run: u64,
    began: Instant,
}

impl DiskTier {
    /// Opens the disks; `None` without any. Waits for their indexes some seconds at most.
    pub(crate) fn open(configs: &[DiskConfig], memory: Memory, telemetry: &Telemetry) -> Option<Arc<Self>> {
        if configs.is_empty() {
            return None;
        }
        let in_memory = move |key: &[u8]| CacheKey::of_bytes(key).is_some_and(|key| memory.holds(&key));
        let disks = match Disks::open(configs, in_memory) {
            Ok(disks) => disks,
            Err(error) => {
                tracing::error!(%error, "no threads for the disks; the edge runs without them");
                return None;
            }
        };
        let tier = Self { disks, clock: Clock, run: super::random(), began: Instant::now() };
        let tier = Arc::new(tier);
        metrics::register(telemetry, &tier);
        Some(tier)
    }

    /// Whether something seems to be under `key`. Costs no reading.
    pub(crate) fn may_hold(&self, key: &CacheKey) -> bool {
        self.disks.may_hold(key.as_bytes())
    }

    /// What is under `key`, every byte of it verified. `None` also where the disk is away, slow or damaged.
    pub(crate) async fn load(&self, key: &CacheKey) -> Option<Loaded> {
        let stored = timeout(LOOK_UP_WITHIN, self.disks.look_up(key.as_bytes())).await.ok()??;
        match Head::parse(stored.head())? {
            Head::Varies { generation, vary } => {
                let names = httpcache::vary::names(&vary).filter(|names| !names.is_empty())?;
                Some(Loaded::Varies(Arc::new(Variants::restored(names, generation))))
            }
            Head::Response { status, headers, freshness, times } => {
                let freshness = times.aged(freshness, self.times());
                let length = stored.length()?;
                let numbers = stored.blocks();
                if numbers.len() as u64 != length.div_ceil(BLOCK as u64) {
                    return None;
                }
                let mut blocks = Vec::with_capacity(numbers.len());
                for numbers in numbers.chunks(BLOCKS_AT_ONCE) {
                    let read = timeout(READ_WITHIN, stored.read(numbers.to_vec())).await.ok()?;
                    blocks.extend(read.ok()?);
                }
                let blocks = Blocks::new(blocks);
                if blocks.length() != length {
                    return None;
                }
                let body = Body::Complete(Arc::new(blocks));
                let object = Object::new(status, headers, freshness, Instant::now(), body);
                if let Some(generation) = stored.generation() {
                    object.note_on_disk(generation);
                }
                Some(Loaded::Object(Arc::new(object)))
            }
        }
    }

    /// Has a response written in place of what is under `key`. Never waits.
    pub(crate) fn put(&self, key: &CacheKey, object: &Object) {
        let Body::Complete(body) = &object.body else {
            // Held in blocks, in memory alone: what the disk has is of an earlier answer.
            return self.remove(key);
        };
        let head = Head::write_response(object, self.times());
        let blocks = (0..).zip(body.blocks().iter().cloned()).collect();
        let stored = diskstore::Object { head, length: Some(body.length()), blocks, pinned: false };
        if let Some(generation) = self.disks.put(&key.to_bytes(), stored) {
            object.note_on_disk(generation);
        }
    }

    /// Has the sign-post to the variants of a URL written, as the response that varies describes them.
    pub(crate) fn put_sign_post(&self, primary: &CacheKey, variants: &Variants, response: &Object) {
        let vary = response.headers.get_all(header::VARY);
        let head = Head::write_varies(variants.generation(), vary.iter());
        let stored = diskstore::Object { head, length: Some(0), ..diskstore::Object::default() };
        self.disks.put(&primary.to_bytes(), stored);
    }

    /// Has the head of what is under `key` replaced by `object`'s, if its body is the one on the disk.
    pub(crate) fn freshen(&self, key: &CacheKey, object: &Object) {
        if let Some(generation) = object.on_disk() {
            self.disks.freshen(&key.to_bytes(), generation, Head::write_response(object, self.times()));
        }
    }

    /// What is under `key` is not shown from this moment.
    pub(crate) fn remove(&self, key: &CacheKey) {
        self.disks.remove(&key.to_bytes());
    }

    fn times(&self) -> Times {
        let since = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Times {
            run: self.run,
            since_start_ms: since(Instant::now().saturating_duration_since(self.began)),
            unix_ms: since(self.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()),
        }
    }
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
