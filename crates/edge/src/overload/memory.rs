//! What the process may take of memory beside the RAM tier, and whether that is all taken.
//!
//! Answers hold what they send: who reads slowly holds a body that the RAM tier has long given up, or two blocks of one that
//! comes from a disk. What all of them hold is known by no count of ours as well as by the kernel's: the process's resident memory.
//! What is only about to come is promised beforehand; of what has only been asked for, and may wait for long before it is sent on, it is
//! taken that it is as long as bodies have been lately.

use super::limits;
use crate::upstream::READ;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use units::ByteCount;

/// Bytes of a page in /proc/self/statm where nobody says otherwise.
const PAGE: f64 = 4_096.0;
/// Of the machine's or the control group's memory, where nobody has said how much. The rest is the kernel's for its sockets.
const OF_LIMIT: f64 = 0.9;
/// So old a look still holds, with what has been promised since: it costs 4 µs.
const LOOK: Duration = Duration::from_millis(2);
/// The share of the room beside the RAM tier that is left free: for what bodies on their way take beside themselves, and for connections,
/// which are let in whatever memory there is.
const LEFT_FREE: f64 = 0.05;
/// The share that has to be free again.
const RELIEVED: f64 = 0.15;

/// Bytes that a body takes beside itself while it comes: what its connection reads at once.
const BESIDE: f64 = READ as f64;

/// So many bodies are lately: the weight of one is as much less.
const LATELY: u64 = 16;

/// What there has to be beside the RAM tier, so that it is watched whether all memory is taken: the program, its connections, and what an
/// allocator keeps beside what it is asked for.
pub(crate) fn least_room(ram: ByteCount) -> ByteCount {
    ByteCount(LEAST_ROOM.0.saturating_add(ram.0 / 4))
}

const LEAST_ROOM: ByteCount = ByteCount::mib(64);

/// All that the process may have; `None`: it is not known.
fn all(cap: Option<ByteCount>) -> Option<f64> {
    cap.map(|cap| cap.0 as f64).or_else(|| limits::memory().map(|limit| limit * OF_LIMIT))
}

/// Half of all that the process may have; `None`: it is not known.
pub(crate) fn half(cap: Option<ByteCount>) -> Option<ByteCount> {
    all(cap).map(|all| ByteCount((all / 2.0) as u64))
}

/// Of `all` beside the RAM tier, and whether that is enough.
fn beside(all: Option<f64>, ram: ByteCount) -> (f64, bool) {
    let room = all.map_or(0.0, |all| (all - ram.0 as f64).max(0.0));
    (room, room >= least_room(ram).0 as f64)
}

/// What a RAM tier of `ram` means where `cap`, or the machine, has too little beside it.
pub(crate) fn too_little(cap: Option<ByteCount>, ram: ByteCount) -> Option<String> {
    let all = all(cap)?;
    let (memory, least) = (ByteCount(all as u64), least_room(ram));
    (!beside(Some(all), ram).1).then(|| {
        format!(
            "`ram` is {ram} of {memory} of memory and leaves less than {least} beside it, so it is not watched whether all is taken: \
             give `ram` less"
        )
    })
}

/// One for all cores.
#[derive(Debug)]
pub(super) struct Memory {
    /// Bytes of the whole process; `None`: it is not known.
    cap: Option<f64>,
    /// Of them beside the RAM tier.
    room: f64,
    /// Whether there is enough beside the RAM tier to tell that from its own overhead.
    watched: bool,
    full: AtomicBool,
    began: Instant,
    /// Microseconds after `began` of the next look.
    due: AtomicU64,
    /// Bytes that were taken or promised at the last look, less all that had been promised by then: with all that has been promised by
    /// now it is what is taken by now. A core that was held up begins many bodies between two looks.
    looked: AtomicI64,
    /// Bytes of bodies that come whole, whoever reads them.
    promised: Promised,
    /// Questions whose answers are not there yet.
    asked: Arc<AtomicU64>,
    /// Bytes of a body, as they have been lately.
    usual: AtomicU64,
}

/// A question for a body that will come into memory, until its answer is there.
#[derive(Debug)]
pub(crate) struct Asking(Arc<AtomicU64>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that are promised.
#[derive(Debug, Default, Clone)]
struct Promised {
    /// And have not come.
    open: Arc<AtomicU64>,
    /// Since the program began.
    ever: Arc<AtomicU64>,
    /// Bodies that come.
    bodies: Arc<AtomicU64>,
}

impl Promised {
    fn add(&self, bytes: u64) {
        self.open.fetch_add(bytes, Ordering::Relaxed);
        self.ever.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Memory that a body on its way will take; it is the body's own when this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    bytes: u64,
    all: Promised,
}

impl Promise {
    /// So many bytes of it have come, and are the process's own.
    pub(crate) fn keep(&mut self, bytes: u64) {
        let kept = bytes.min(self.bytes);
        self.bytes -= kept;
        self.all.open.fetch_sub(kept, Ordering::Relaxed);
    }

    /// So many are still to come, where that is more than was thought.
    pub(crate) fn expect(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.bytes);
        self.bytes += more;
        self.all.add(more);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.all.open.fetch_sub(self.bytes, Ordering::Relaxed);
        self.all.bodies.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Memory {
    /// `cap`: bytes of the whole process; `None`: by the machine. `ram`: those of the RAM tier, which is meant to be full.
    pub(super) fn new(cap: Option<ByteCount>, ram: ByteCount) -> Self {
        if let Some(problem) = too_little(cap, ram) {
            tracing::warn!("{problem}");
        }
        let cap = all(cap);
        let (room, watched) = beside(cap, ram);
        Self {
            cap,
            room,
            watched,
            full: AtomicBool::new(false),
            began: Instant::now(),
            due: AtomicU64::new(0),
            looked: AtomicI64::new(0),
            promised: Promised::default(),
            asked: Arc::default(),
            usual: AtomicU64::new(0),
        }
    }

    /// The share that is taken of what is beside the RAM tier, where `cached` bytes are in it; 0 where nothing can be said.
    pub(super) fn share(&self, cached: u64) -> f64 {
        if self.room > 0.0 { share(resident(), cached as f64, self.room) } else { 0.0 }
    }

    /// Takes note of a question for a body, of which nothing is known yet.
    pub(super) fn ask(&self) -> Asking {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Asking(Arc::clone(&self.asked))
    }

    /// Takes note of a body of so many bytes that begins to come.
    pub(super) fn promise(&self, bytes: u64) -> Promise {
        self.note(bytes);
        self.promise_more(bytes)
    }

    /// Takes note of how long a body is.
    pub(super) fn note(&self, bytes: u64) {
        // Another core may say the same of another body at the same time; one of the two counts.
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store(usual - usual / LATELY + bytes / LATELY, Ordering::Relaxed);
    }

    /// Takes note of a body that begins to come and does not say how long it is: as long as bodies have been lately.
    pub(super) fn promise_usual(&self) -> Promise {
        self.promise_more(self.usual.load(Ordering::Relaxed))
    }

    /// The same of more of a body that has been asked for before: it says nothing of how long bodies are.
    pub(super) fn promise_more(&self, bytes: u64) -> Promise {
        self.promised.add(bytes);
        self.promised.bodies.fetch_add(1, Ordering::Relaxed);
        Promise { bytes, all: self.promised.clone() }
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn promised(&self) -> u64 {
        self.promised.open.load(Ordering::Relaxed)
    }

    /// Bytes that are promised, or will be.
    fn on_its_way(&self) -> f64 {
        let counts = [&*self.promised.open, &*self.promised.bodies, &*self.asked, &self.usual];
        let [promised, bodies, asked, usual] = counts.map(|count| count.load(Ordering::Relaxed) as f64);
        promised + bodies * BESIDE + asked * (usual + BESIDE)
    }

    /// Whether all memory is taken or promised.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        let was = self.full.load(Ordering::Relaxed);
        let Some(cap) = self.cap.filter(|_| self.watched) else { return was };
        let ever = i64::try_from(self.promised.ever.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        if self.is_due(now) {
            let taken = (resident() + self.on_its_way()) as i64;
            self.looked.store(taken.saturating_sub(ever), Ordering::Relaxed);
        }
        let taken = self.looked.load(Ordering::Relaxed).saturating_add(ever);
        let is = fills(was, taken as f64, cap, self.room);
        if is != was {
            self.full.store(is, Ordering::Relaxed);
            tracing::warn!(full = is, "memory");
        }
        is
    }

    /// Whether the last look is too old: one core looks for all.
    fn is_due(&self, now: Instant) -> bool {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let (due, at) = (self.due.load(Ordering::Relaxed), micros(now.duration_since(self.began)));
        let next = at.saturating_add(micros(LOOK));
        at >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// As a look would.
    #[cfg(test)]
    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
        self.looked.store(if full { i64::MAX } else { i64::MIN / 2 }, Ordering::Relaxed);
        self.due.store(u64::MAX, Ordering::Relaxed);
    }
}

fn share(resident: f64, cached: f64, room: f64) -> f64 {
    (resident - cached).max(0.0) / room
}

/// Full is full until so much of the room beside the RAM tier is free again.
fn fills(was: bool, taken: f64, cap: f64, room: f64) -> bool {
    taken >= cap - room * if was { RELIEVED } else { LEFT_FREE }
}

/// Of this process, in bytes.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").ok();
    statm.as_deref().and_then(resident_of).unwrap_or_default()
}

/// Resident pages are the second field; in bytes.
fn resident_of(text: &str) -> Option<f64> {
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ram_tier_takes_nothing_of_what_is_beside_it() {
        assert!(share(900.0, 800.0, 400.0) < 0.3);
        assert!(share(1_180.0, 800.0, 400.0) > 0.9);
        assert!(share(700.0, 800.0, 400.0) <= 0.0);
        assert_eq!(resident_of("900 3 1 1 0 1 0"), Some(3.0 * PAGE));
        assert_eq!((resident_of(""), resident_of("900")), (None, None));
    }

    #[test]
    fn full_is_full_until_there_is_room_again() {
        for (was, taken, is) in [
            (false, 979.0, false),
            (false, 981.0, true),
            (true, 950.0, true),
            (true, 939.0, false),
            (false, 950.0, false),
        ] {
            assert_eq!(fills(was, taken, 1_000.0, 400.0), is, "{was} {taken}");
        }
    }

    #[test]
    fn this_process_s_memory_can_be_looked_at() {
        let now = Instant::now();
        let by_the_machine = Memory::new(None, ByteCount::mib(1));
        assert!(!by_the_machine.is_full(now) && by_the_machine.share(0) > 0.0);
        // With next to nothing beside the RAM tier, who could tell what takes it?
        let tight = Memory::new(Some(ByteCount::mib(64)), ByteCount::mib(64));
        let _promise = tight.promise(u64::MAX / 2);
        assert!(!tight.is_full(now) && tight.share(0) <= 0.0);
    }

    #[test]
    fn what_is_promised_is_taken_until_it_is_there() {
        let memory = Memory::new(Some(ByteCount::mib(1 << 20)), ByteCount::mib(1));
        let now = Instant::now();
        let mut promises = [memory.promise(1 << 39), memory.promise(1 << 39)];
        assert!(memory.is_full(now));
        // A look holds for a while.
        promises[0].keep(1 << 39);
        assert!(memory.is_full(now + LOOK / 2));
        assert!(!memory.is_full(now + LOOK));
        // What is more than was thought counts, and what is less does not.
        promises[0].expect(1 << 39);
        promises[0].expect(1 << 20);
        assert!(memory.is_full(now + LOOK * 2));
        drop(promises);
        assert_eq!(memory.promised(), 0);
    }

    #[test]
    fn attack_63_what_is_promised_between_two_looks_counts_at_once() {
        let memory = Memory::new(Some(ByteCount::mib(1 << 20)), ByteCount::mib(1));
        let now = Instant::now();
        assert!(!memory.is_full(now));
        let promises: Vec<_> = (0..16).map(|_| memory.promise(1 << 36)).collect();
        assert!(memory.is_full(now));
        drop(promises);
        assert!(!memory.is_full(now + LOOK));
    }

    #[test]
    fn attack_63_what_waits_to_be_asked_for_is_as_long_as_bodies_have_been_lately() {
        let memory = Memory::new(Some(ByteCount::mib(1 << 20)), ByteCount::mib(1));
        let now = Instant::now();
        let mut waiting: Vec<_> = (0..100).map(|_| memory.ask()).collect();
        assert!(!memory.is_full(now), "nothing is known of any body");
        for _ in 0..100 * LATELY {
            drop(memory.promise(1 << 34));
        }
        assert!(memory.is_full(now + LOOK), "{}", memory.on_its_way());
        waiting.truncate(10);
        assert!(!memory.is_full(now + LOOK * 2));
        // Small ones are soon the rule again.
        waiting.extend((0..1_000).map(|_| memory.ask()));
        assert!(memory.is_full(now + LOOK * 3));
        for _ in 0..10 * LATELY {
            drop(memory.promise(1 << 10));
        }
        assert!(!memory.is_full(now + LOOK * 4), "{}", memory.on_its_way());
    }
}
