//! Several disks as one store: which disk a key is on, and one version of it over all of them.
//!
//! Each disk draws each key with a force of its own (rendezvous hashing), in proportion to its size, and the strongest one
//! that works has it. A disk that goes away costs only its own keys, which the others take over meanwhile; one that
//! comes back has its keys again, less what was replaced or removed while it was away.

mod barrier;
mod look_up;
mod opening;
mod walk;

use crate::checksum;
use crate::clock;
use crate::counters::Counters;
use crate::disk::{Disk, Found, Opened, Patience, State, Work};
use crate::media::Folder;
use crate::media::os::OsFolder;
use crate::pin::{Pinned, Until};
use crate::volume::{Geometry, LEAST_REGIONS, Object, Wanted};
pub use barrier::Barrier;
use bytes::Bytes;
pub use opening::Opening;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
pub use walk::{Seen, Step, Walk};

/// How long opening waits for the disks' indexes. A disk that takes longer comes in later.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// One disk as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskConfig {
    /// A directory of its own, which must be there: on a disk that is not mounted it is not, and nothing is written elsewhere.
    pub directory: PathBuf,
    /// Bytes it may take, beside three megabytes at most for what is known of them.
    pub size: u64,
}

impl DiskConfig {
    /// The least size that holds anything.
    pub const LEAST_SIZE: u64 = (16 << 20) * LEAST_REGIONS;
}

/// One version of an object, by which later work on it is addressed. Never the same twice, over all disks and runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation {
    pub(crate) store: u64,
    pub(crate) number: u64,
}

impl Generation {
    /// The name of the store that it lies in. One that begins empty has another.
    pub fn store(self) -> u64 {
        self.store
    }
}

/// How one disk is doing.
#[derive(Debug)]
pub struct Report<'a> {
    /// Its directory.
    pub label: &'a str,
    /// Its state.
    pub state: State,
    /// Objects on it.
    pub objects: u64,
    /// Bytes of it that hold something.
    pub used_bytes: u64,
    /// Bytes of what is pinned.
    pub pinned_bytes: u64,
    /// Bytes of RAM for its index.
    pub index_bytes: u64,
    /// Bytes waiting to be written.
    pub waiting_bytes: u64,
    /// The share of what may wait to be written that does, 0 to 1.
    pub write_queue: f64,
    /// The share of the reads that may wait that do; 1 also where none comes back.
    pub read_queue: f64,
    /// What it has counted.
    pub counters: &'a Counters,
}

/// All disks. Dropped, they are closed, and what was queued is still written.
#[derive(Debug)]
pub struct Disks {
    disks: Vec<Placed>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Placed {
    /// Its name as rendezvous hashing sees it: by its directory, so that the order of options does not matter.
    identity: u64,
    /// Its share.
    weight: f64,
    disk: Arc<Disk>,
}

impl Disks {
    /// Starts the disks and waits until their indexes are read, ten seconds at most. A disk that cannot be used is
    /// offline, and the others work.
    ///
    /// `wanted` says whether an object is in use although nobody asks the disk for it, because it is in memory. `opened` is told
    /// how a disk was found, each time one is opened, before anybody is given anything of it.
    ///
    /// # Errors
    /// When the machine has no threads.
    pub fn open(
        configs: &[DiskConfig],
        wanted: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
        opened: impl Fn(Found) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let folder = |config: &DiskConfig| -> Box<dyn Folder> { Box::new(OsFolder::new(&config.directory)) };
        let disks = configs.iter().map(|config| {
            (config.directory.display().to_string(), folder(config), Geometry::of(config.size))
        });
        Self::over(disks.collect(), Patience::USUAL, Arc::new(wanted), Arc::new(opened))
    }

    pub(crate) fn over(
        folders: Vec<(String, Box<dyn Folder>, Geometry)>,
        patience: Patience,
        wanted: Wanted,
        opened: Opened,
    ) -> io::Result<Self> {
        let mut all = Self { disks: Vec::new(), threads: Mutex::default() };
        for (label, folder, geometry) in folders {
            let identity = checksum::sum(label.as_bytes());
            #[expect(clippy::cast_precision_loss, reason = "a share of keys need not be exact")]
            let weight = geometry.size as f64;
            let (disk, threads) = Disk::start(label, folder, geometry, patience, &wanted, &opened)?;
            all.threads().extend(threads);
            all.disks.push(Placed { identity, weight, disk });
        }
        for placed in &all.disks {
            placed.disk.wait_until_settled(OPEN_WITHIN);
        }
        Ok(all)
    }

    /// The disks, the one that draws `key` most first.
    fn ranked(&self, key: &[u8]) -> Vec<&Arc<Disk>> {
        let mut ranked: Vec<_> = self
            .disks
            .iter()
            .map(|placed| (force(placed.identity, placed.weight, key), &placed.disk))
            .collect();
        ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        ranked.into_iter().map(|(_, disk)| disk).collect()
    }

    /// Where `key` is put now.
    fn home(&self, key: &[u8]) -> Option<&Arc<Disk>> {
        self.ranked(key).into_iter().find(|disk| disk.takes_work())
    }

    /// Writes a version of an object in place of any other, when the disk comes to it. `None` when it will not be
    /// written, or by a disk that is opening and has no name for it yet; what was there before is not shown any more in any case.
    pub fn put(&self, key: &Bytes, object: Object) -> Option<Generation> {
        let ranked = self.ranked(key);
        let chosen = ranked.iter().position(|disk| disk.takes_work());
        // One version over all disks: what others hold is an older one.
        for (place, disk) in ranked.iter().enumerate() {
            if Some(place) != chosen {
                disk.remove(key.clone());
            }
        }
        let disk = ranked[chosen?];
        let Some(volume) = disk.volume() else {
            disk.remove(key.clone());
            disk.submit(key.clone(), Work::Put { generation: None, object });
            return None;
        };
        let generation = Generation { store: volume.name(), number: volume.next_generation() };
        let queued = disk.submit(key.clone(), Work::Put { generation: Some(generation.number), object });
        queued.then_some(generation)
    }

    /// Adds blocks to a version of an object. `false` where it is known that it will not be done.
    pub fn extend(&self, key: &Bytes, generation: Generation, blocks: Vec<(u32, Bytes)>) -> bool {
        self.submit(key, generation, Work::Extend { generation: generation.number, blocks })
    }

    /// Gives a version of an object another head; its body stays where it is. `false` where it is known that it will not be
    /// done.
    pub fn freshen(&self, key: &Bytes, generation: Generation, head: Bytes) -> bool {
        self.submit(key, generation, Work::Freshen { generation: generation.number, head })
    }

    fn submit(&self, key: &Bytes, generation: Generation, work: Work) -> bool {
        let holds =
            |placed: &&Placed| placed.disk.volume().is_some_and(|volume| volume.name() == generation.store);
        let placed = self.disks.iter().find(holds);
        placed.is_some_and(|placed| placed.disk.submit(key.clone(), work))
    }

    /// Keeps what is under `key` until `until`, when its turn to be given up comes, also over restarts and under a newer version.
    /// A quarter of each disk may be pinned.
    ///
    /// Comes behind all work so far: what has just been put can be pinned. The caller bounds the wait: a disk may hang.
    pub async fn pin(&self, key: &Bytes, until: SystemTime) -> Pinned {
        // It is where it would be put now: what has just been put is in no index yet.
        let Some(disk) = self.home(key) else {
            return Pinned::Away;
        };
        let (done, pinned) = oneshot::channel();
        disk.submit(key.clone(), Work::Pin { until: Until::of(until), done });
        pinned.await.unwrap_or(Pinned::Away)
    }

    /// Whether what is under `key` is pinned now, also by a process before this, and on a disk that is only read for a while. Asks the
    /// index alone.
    pub fn is_pinned(&self, key: &[u8]) -> bool {
        self.asked(key).into_iter().any(|disk| disk.is_pinned(key))
    }

    /// Lets what is under `key` go, when its turn comes, without waiting for it. `false` when a disk has no room for more work.
    pub fn unpin(&self, key: &Bytes) -> bool {
        let Some(disk) = self.home(key) else { return true };
        let (done, _) = oneshot::channel();
        disk.submit(key.clone(), Work::Pin { until: Until::default(), done })
    }

    /// What is under `key` is gone: from this moment for readers, and for good once it is written down, which
    /// [`Disks::flush`] waits for.
    pub fn remove(&self, key: &Bytes) {
        for placed in &self.disks {
            placed.disk.remove(key.clone());
        }
    }

    #[cfg(test)]
    pub(crate) fn first_choice(&self, key: &[u8]) -> &str {
        &self.ranked(key)[0].label
    }

    /// How each disk is doing.
    pub fn reports(&self) -> impl Iterator<Item = Report<'_>> {
        self.disks.iter().map(|placed| placed.disk.report())
    }

    /// The directories of disks that cannot write down now what was removed. A process that ends meanwhile must have told the others.
    pub fn owed(&self) -> Vec<String> {
        let owed = self.disks.iter().filter(|placed| placed.disk.is_owed());
        owed.map(|placed| placed.disk.label.clone()).collect()
    }

    /// Lets the disks go, so that another process can have them, and does not wait for it: nothing is looked up or put any more,
    /// what was queued is written, for half a second at most, and what is being read is read to its end.
    pub fn let_go(&self) {
        self.disks.iter().for_each(|placed| placed.disk.let_go());
    }

    /// Closes the disks and waits until what was queued has been written.
    pub fn close(self) {
        drop(self);
    }

    /// The same for so long at most, also where others still hold the disks: the process is about to end. What was removed is
    /// written down whatever a disk is to be spared; one that does not take it is told that it was left alone.
    pub fn close_within(&self, limit: Duration) {
        let by = clock::now() + limit;
        self.end();
        for placed in &self.disks {
            placed.disk.wait_until_ended(by.saturating_duration_since(clock::now()));
        }
        // Threads that hang are waited for no longer.
        self.threads().clear();
    }

    fn end(&self) {
        self.disks.iter().for_each(|placed| placed.disk.close());
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        self.end();
        for thread in self.threads().drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// How much a disk draws a key: the larger the oftener it wins, each key by a draw of its own.
fn force(disk: u64, weight: f64, key: &[u8]) -> f64 {
    // A uniform number in (0, 1]; weight / -ln of it wins in proportion to the weight.
    #[expect(clippy::cast_precision_loss, reason = "53 bits of a hash are enough")]
    let uniform = ((checksum::attraction(disk, key) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    weight / (-uniform.ln()).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_get_keys_by_their_size_and_lose_only_their_own() {
        let disks = [(1, 1.0), (2, 1.0), (3, 2.0)];
        let strongest = |disks: &[(u64, f64)], key: u32| {
            let by_force = |&&(disk, weight): &&(u64, f64)| force(disk, weight, &key.to_le_bytes());
            disks.iter().max_by(|a, b| by_force(a).total_cmp(&by_force(b))).map(|&(disk, _)| disk)
        };
        let mut keys = [0_u32; 4];
        for key in 0..10_000 {
            let all = strongest(&disks, key).unwrap();
            keys[usize::try_from(all).unwrap()] += 1;
            let without = strongest(&disks[..2], key).unwrap();
            assert!(all == without || all == 3, "a key of a disk that is there stays");
        }
        for (disk, share) in [(1, 2_500), (2, 2_500), (3, 5_000)] {
            assert!(keys[disk].abs_diff(share) < 250, "{keys:?}");
        }
    }
}
