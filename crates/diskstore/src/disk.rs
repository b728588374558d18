//! A disk at work: its state, the threads that wait for it so that nobody else has to, and its way back.
//!
//! ```text
//! Opening ──► Online ◄──► ReadOnly      a write failed: reads go on, a write is tried again after a while
//!    └───────► Offline ◄────┘           cannot be opened, keeps failing to read, is not there: opened again after a while
//! ```
//! `writer` is the one thread that writes, opens and looks after the disk; `reader` are those that read; `pending` is what
//! must not be seen any more although the disk does not know it yet.

mod pending;
mod reader;
#[cfg(test)]
mod tests;
mod work;
mod writer;

use crate::clock;
use crate::counters::Counters;
use crate::disks::Report;
use crate::media::Folder;
use crate::note::Note;
use crate::queue::{Bounds, Queue};
use crate::volume::{Geometry, Volume, Wanted};
use bytes::Bytes;
use pending::Pending;
use reader::{ReadJob, Watch};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use work::Job;
pub(crate) use work::{MakeNote, Work};
use writer::Asked;

/// Bytes waiting to be written. More is dropped: a fill never waits for a disk. Half a second of a slow SSD.
const MOST_WAITING: usize = if cfg!(test) { 4 } else { 64 } * 1_024 * 1_024;
/// What a long body counts for among those that wait: short ones have room beside it.
const LONG: usize = MOST_WAITING / 16;
/// Bytes beyond that of all long bodies that wait. One may be longer, as memory, which has given it, bounds it.
const MOST_LONG: usize = MOST_WAITING;
/// Bytes of a long body that are written in one go.
const LOT: usize = MOST_WAITING / 4;
/// Look-ups and reads waiting: at a thousandth of a second each more would wait longer than the upstream takes.
const MOST_READS: usize = 1_024;
/// Threads that read: an SSD's queue in small, and no hard disk is helped by more.
const READERS: usize = 4;
/// Reads in a row that fail before the disk is left alone. One bad sector is not a bad disk.
const READ_ERRORS: u32 = 5;

/// How long a disk that has not ended in time is waited for to take the word that it was left alone.
const LEFT_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 1 });

/// For how long a disk is left alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How often it is looked after when there is nothing to write.
    pub(crate) tend_every: Duration,
    /// From the first failure to the second try; doubled each time.
    pub(crate) first_wait: Duration,
    /// The longest between two tries. A disk that was changed is back within this.
    pub(crate) longest_wait: Duration,
    /// How long a disk that is opening is waited for, from the start: the process before this one may still have it.
    pub(crate) comes_within: Duration,
    /// A disk whose writer has been in one turn for longer hangs, and what is new goes elsewhere. A barrier behind much that waits
    /// takes seconds on a hard disk.
    pub(crate) writes_within: Duration,
}

impl Patience {
    pub(crate) const USUAL: Self = Self {
        tend_every: Duration::from_secs(1),
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(60),
        comes_within: Duration::from_secs(15),
        writes_within: Duration::from_secs(10),
    };
}

/// A disk as it was found when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name of the store on it, see [`crate::Generation::store`].
    pub store: u64,
    /// What was noted on it last.
    pub note: Note,
    /// An earlier process had left it alone and not come back to it: what was removed after that it does not know.
    pub left: bool,
}

/// Told how a disk was found, when it is open and nobody has seen anything of it.
pub(crate) type Opened = Arc<dyn Fn(Found) + Send + Sync>;

/// How a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its index is being read, or the process before this one has it and will let it go.
    Opening,
    /// Read and written.
    Online,
    /// Read; the last write failed, and another is tried after a while.
    ReadOnly,
    /// Left alone; opened again after a while.
    Offline,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Opening, Self::Online, Self::ReadOnly, Self::Offline];

    /// As metrics and logs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Online => "online",
            Self::ReadOnly => "read_only",
            Self::Offline => "offline",
        }
    }
}

/// How far the thread that writes has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Starting,
    /// The disk has been opened or found wanting.
    Settled,
    /// It was closed, and nothing more is written.
    Ended,
}

/// One disk. Shared by its threads and everybody who asks it.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) label: String,
    folder: Box<dyn Folder>,
    geometry: Geometry,
    patience: Patience,
    state: AtomicU8,
    volume: RwLock<Option<Arc<Volume>>>,
    pub(crate) counters: Arc<Counters>,
    writes: Queue<Job>,
    /// Jobs that are queued or being done.
    in_hand: AtomicUsize,
    reads: Queue<ReadJob>,
    pending: Mutex<Pending>,
    failed_reads: AtomicU32,
    watch: Watch,
    /// The same of the thread that writes.
    writing: Watch,
    /// It is being let go: nobody begins anything with it any more.
    leaving: AtomicBool,
    /// Held by each object that is being read.
    in_use: Arc<()>,
    stage: (Mutex<Stage>, Condvar),
    /// Until when it is waited for.
    comes_by: Instant,
    /// Told when it is open or found wanting.
    come: Notify,
}

impl Disk {
    /// Starts the disk's threads; they end when it is closed.
    pub(crate) fn start(
        label: String,
        folder: Box<dyn Folder>,
        geometry: Geometry,
        patience: Patience,
        wanted: &Wanted,
        opened: &Opened,
    ) -> io::Result<(Arc<Self>, Vec<JoinHandle<()>>)> {
        let disk = Arc::new(Self {
            label,
            folder,
            geometry,
            patience,
            state: AtomicU8::new(State::Opening as u8),
            volume: RwLock::default(),
            counters: Arc::default(),
            writes: Queue::within(Bounds { most: MOST_WAITING, of_one: LONG, beyond: MOST_LONG }),
            in_hand: AtomicUsize::new(0),
            reads: Queue::new(MOST_READS),
            pending: Mutex::default(),
            failed_reads: AtomicU32::new(0),
            watch: Watch::new(READERS),
            writing: Watch::new(1),
            leaving: AtomicBool::new(false),
            in_use: Arc::default(),
            stage: (Mutex::new(Stage::Starting), Condvar::new()),
            comes_by: clock::now() + patience.comes_within,
            come: Notify::new(),
        });
        let mut threads = Vec::with_capacity(READERS + 1);
        let started = (|| {
            let (writer, wanted, opened) = (Arc::clone(&disk), Arc::clone(wanted), Arc::clone(opened));
            threads.push(named("disk-write", move || writer.write_until_closed(&Asked { wanted, opened }))?);
            for place in 0..READERS {
                let reader = Arc::clone(&disk);
                threads.push(named("disk-read", move || reader.read_until_closed(place))?);
            }
            Ok(())
        })();
        match started {
            Ok(()) => Ok((disk, threads)),
            Err(error) => {
                disk.close();
                Err(error)
            }
        }
    }

    pub(crate) fn state(&self) -> State {
        let state = self.state.load(Ordering::Acquire);
        State::ALL.into_iter().find(|known| *known as u8 == state).unwrap_or(State::Offline)
    }

    fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
        self.come.notify_waiters();
    }

    /// Whether a key of this disk is looked for on it now. A disk that does not come back from its reads is as good as away.
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self.state(), State::Online | State::ReadOnly) && !self.is_leaving() && !self.watch.is_hung()
    }

    /// Whether a new object may go to it.
    pub(crate) fn is_writable(&self) -> bool {
        self.state() == State::Online
            && !self.is_leaving()
            && !self.watch.is_hung()
            && !self.writing.are_busy_for(self.patience.writes_within)
    }

    /// Whether it will be there in a moment: look-ups wait for it, and what is put waits in the queue.
    pub(crate) fn is_opening(&self) -> bool {
        self.state() == State::Opening && !self.is_leaving() && clock::now() < self.comes_by
    }

    /// Whether what is given to it now will be written, as far as is known.
    pub(crate) fn takes_work(&self) -> bool {
        self.is_writable() || self.is_opening()
    }

    /// Waits until it is there, or not waited for any more. The caller bounds the wait.
    pub(crate) async fn until_open(&self) {
        loop {
            // Made before it is looked, so that nothing is told in between.
            let come = self.come.notified();
            if !self.is_opening() {
                return;
            }
            come.await;
        }
    }

    fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Lets the disk go, for another process: at once for all who come; who reads reads on.
    pub(crate) fn let_go(&self) {
        self.leaving.store(true, Ordering::Release);
        self.writes.nudge();
    }

    /// To be held for as long as something of the disk is being read.
    pub(crate) fn use_it(&self) -> Arc<()> {
        Arc::clone(&self.in_use)
    }

    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.in_use) > 1
    }

    /// The open store.
    pub(crate) fn volume(&self) -> Option<Arc<Volume>> {
        self.volume.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn report(&self) -> Report<'_> {
        let volume = self.volume();
        let of = |count: fn(&Volume) -> u64| volume.as_deref().map_or(0, count);
        Report {
            label: &self.label,
            state: self.state(),
            objects: of(|volume| volume.objects() as u64),
            used_bytes: of(Volume::used),
            pinned_bytes: of(Volume::pinned_bytes),
            index_bytes: of(|volume| volume.index_bytes() as u64),
            waiting_bytes: self.writes.whole_weight() as u64,
            write_queue: share(self.writes.weight(), MOST_WAITING),
            read_queue: if self.watch.is_hung() { 1.0 } else { share(self.reads.weight(), MOST_READS) },
            counters: &self.counters,
        }
    }

    fn pending<T>(&self, with: impl FnOnce(&mut Pending) -> T) -> T {
        with(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something was removed that cannot be written down here now. Ends the process before that, the disk has missed it.
    pub(crate) fn is_owed(&self) -> bool {
        self.state() != State::Online && self.pending(|pending| pending.is_owing())
    }

    /// Whether what is under `key` may be shown.
    pub(crate) fn is_hidden(&self, key: &[u8]) -> bool {
        self.pending(|pending| pending.hides(key))
    }

    /// Whether something seems to be here under `key` that may be shown.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        self.volume().is_some_and(|volume| volume.may_hold(key)) && !self.is_hidden(key)
    }

    /// Whether it is pinned besides.
    pub(crate) fn is_pinned(&self, key: &[u8]) -> bool {
        self.volume().is_some_and(|volume| volume.is_pinned(key)) && !self.is_hidden(key)
    }

    /// Queues a piece of work on `key` behind all that came before; `false` when there is no room.
    pub(crate) fn submit(&self, key: Bytes, work: Work) -> bool {
        let weight = key.len() + work.weight();
        self.in_hand.fetch_add(1, Ordering::SeqCst);
        // Under one lock, so that the order of numbers is the order of the queue.
        let refused = self.pending(|pending| {
            let job = Job { ticket: pending.next_ticket(), key: key.clone(), work };
            self.writes.push(job, weight).err()
        });
        let Some(job) = refused else { return true };
        self.counters.dropped_writes.inc();
        self.abandon(job);
        self.in_hand.fetch_sub(1, Ordering::SeqCst);
        false
    }

    /// Work that is not going to be done. What it was to replace must not be seen any more.
    fn abandon(&self, job: Job) {
        if matches!(job.work, Work::Put { .. }) {
            self.remove(job.key);
        }
    }

    /// What is under `key` is not shown any more, from now on and for ever.
    pub(crate) fn remove(&self, key: Bytes) {
        let on_its_way = self.in_hand.load(Ordering::SeqCst) > 0;
        // A disk that is away may hold anything.
        let may_hold = self.volume().is_none_or(|volume| volume.hide(&key));
        // Where nothing is known of it and nothing is on its way, there is nothing to do.
        if may_hold || on_its_way {
            self.pending(|pending| pending.remove(key, may_hold));
            self.writes.nudge();
        }
    }

    /// What is under `key` was found damaged, and is out of the index. It must not come back at the next start. What is on its way
    /// to take its place is not meant.
    pub(crate) fn bury(&self, key: Bytes) {
        self.pending(|pending| pending.bury(key));
        self.writes.nudge();
    }

    /// Takes no more work; what is queued is still written.
    pub(crate) fn close(&self) {
        self.writes.close();
        self.reads.close();
    }

    /// Waits until the disk has been opened or found wanting, so long at most.
    pub(crate) fn wait_until_settled(&self, limit: Duration) {
        self.wait_until(Stage::Settled, limit);
    }

    /// Waits until nothing more is written after it was closed, so long at most. A disk that takes longer and does not know of
    /// everything that was removed is told that it was left alone, if it takes that.
    pub(crate) fn wait_until_ended(self: &Arc<Self>, limit: Duration) {
        if self.wait_until(Stage::Ended, limit) {
            return;
        }
        tracing::error!(
            disk = self.label,
            "the disk does not end its writing; what it has not taken is lost"
        );
        if let Some(volume) = self.volume().filter(|_| self.pending(|pending| pending.is_owing())) {
            let disk = Arc::clone(self);
            let (done, noted) = std::sync::mpsc::sync_channel(1);
            let noting = named("disk-leave", move || {
                disk.note_left(&volume);
                // Nobody may be waiting any more.
                let _ = done.send(());
            });
            if noting.is_ok() {
                let _ = noted.recv_timeout(LEFT_WITHIN);
            }
        }
    }

    fn reach(&self, reached: Stage) {
        let (stage, come) = &self.stage;
        let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = reached.max(*stage);
        come.notify_all();
    }

    fn wait_until(&self, reached: Stage, limit: Duration) -> bool {
        let (stage, come) = &self.stage;
        let stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = come.wait_timeout_while(stage, limit, |stage| *stage < reached);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= reached
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
fn share(of: usize, most: usize) -> f64 {
    of as f64 / most as f64
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}
