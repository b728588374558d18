//! What the process may take of memory beside the RAM tier, and whether that is all taken.
//!
//! Answers hold what they send: who reads slowly holds a body that the RAM tier has long given up, or two blocks of one that
//! comes from a disk. What all of them hold is known by no count of ours as well as by the kernel's: the process's resident memory.
//! What is only about to come is promised beforehand.

use super::limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use units::ByteCount;

/// Bytes of a page in /proc/self/statm where nobody says otherwise.
const PAGE: f64 = 4_096.0;
/// Of the machine's or the control group's memory, where nobody has said how much. The rest is the kernel's for its sockets.
const OF_LIMIT: f64 = 0.9;
/// So old a look still holds: what a disk gives in that time is some 10 MiB, and a look costs 4 µs.
const LOOK: Duration = Duration::from_millis(2);
/// Once all of it has been taken, the share below which it is no longer.
const RELIEVED: f64 = 0.9;

/// One for all cores.
#[derive(Debug)]
pub(super) struct Memory {
    /// Bytes beside the RAM tier, above zero; `None`: nothing can be said.
    room: Option<f64>,
    full: AtomicBool,
    began: Instant,
    /// Microseconds after `began` of the next look.
    due: AtomicU64,
    /// Bytes of bodies that come whole, whoever reads them.
    promised: Arc<AtomicU64>,
}

/// Memory that a body on its way will take; it is the body's own when this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    bytes: u64,
    all: Arc<AtomicU64>,
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Memory {
    /// `cap`: bytes of the whole process; `None`: by the machine. `ram`: those of the RAM tier, which is meant to be full.
    pub(super) fn new(cap: Option<ByteCount>, ram: ByteCount) -> Self {
        let cap = cap.map(|cap| cap.0 as f64).or_else(|| limits::memory().map(|limit| limit * OF_LIMIT));
        let room = cap.map(|cap| cap - ram.0 as f64);
        if room.is_some_and(|room| room <= 0.0) {
            tracing::warn!(
                %ram,
                memory_cap = %ByteCount(cap.unwrap_or_default() as u64),
                "ram leaves no memory for connections: give ram less; memory is not watched"
            );
        }
        Self {
            room: room.filter(|room| *room > 0.0),
            full: AtomicBool::new(false),
            began: Instant::now(),
            due: AtomicU64::new(0),
            promised: Arc::default(),
        }
    }

    /// The share that is taken, where `cached` bytes are in the RAM tier; 0 where nothing can be said.
    pub(super) fn share(&self, cached: u64) -> f64 {
        let Some(room) = self.room else { return 0.0 };
        let statm = std::fs::read_to_string("/proc/self/statm").ok();
        share(statm.as_deref().and_then(resident).unwrap_or_default(), cached as f64, room)
    }

    /// Takes note of a body of so many bytes that begins to come.
    pub(super) fn promise(&self, bytes: u64) -> Promise {
        self.promised.fetch_add(bytes, Ordering::Relaxed);
        Promise { bytes, all: Arc::clone(&self.promised) }
    }

    /// Whether all of it is taken or promised, where `cached` bytes are in the RAM tier.
    pub(super) fn is_full(&self, cached: impl FnOnce() -> u64, now: Instant) -> bool {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let (due, at) = (self.due.load(Ordering::Relaxed), micros(now.duration_since(self.began)));
        let next = at.saturating_add(micros(LOOK));
        // One core looks for all.
        let looks =
            at >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let was = self.full.load(Ordering::Relaxed);
        if !looks {
            return was;
        }
        let promised = self.room.map_or(0.0, |room| self.promised.load(Ordering::Relaxed) as f64 / room);
        let is = fills(was, self.share(cached()) + promised);
        if is != was {
            self.full.store(is, Ordering::Relaxed);
            tracing::warn!(full = is, "memory");
        }
        is
    }

    /// As a look would.
    #[cfg(test)]
    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
        self.due.store(u64::MAX, Ordering::Relaxed);
    }
}

fn share(resident: f64, cached: f64, room: f64) -> f64 {
    (resident - cached).max(0.0) / room
}

fn fills(was: bool, share: f64) -> bool {
    share >= if was { RELIEVED } else { 1.0 }
}

/// Resident pages are the second field; in bytes.
fn resident(text: &str) -> Option<f64> {
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
        assert_eq!(resident("900 3 1 1 0 1 0"), Some(3.0 * PAGE));
        assert_eq!((resident(""), resident("900")), (None, None));
    }

    #[test]
    fn full_is_full_until_there_is_room_again() {
        for (was, share, is) in [
            (false, 0.99, false),
            (false, 1.0, true),
            (true, 0.95, true),
            (true, 0.89, false),
            (false, 0.95, false),
        ] {
            assert_eq!(fills(was, share), is, "{was} {share}");
        }
    }

    #[test]
    fn this_process_s_memory_can_be_looked_at() {
        let now = Instant::now();
        let little = Memory::new(Some(ByteCount::mib(1)), ByteCount(0));
        assert!(little.is_full(|| 0, now) && little.share(0) > 1.0);
        // A look holds for a while.
        assert!(little.is_full(|| u64::MAX, now + LOOK / 2));
        assert!(!little.is_full(|| u64::MAX, now + LOOK * 2));
        let by_the_machine = Memory::new(None, ByteCount::mib(1));
        assert!(!by_the_machine.is_full(|| 0, now) && by_the_machine.share(0) > 0.0);
        let none = Memory::new(Some(ByteCount::mib(64)), ByteCount::mib(64));
        assert!(!none.is_full(|| 0, now));
    }

    #[test]
    fn what_is_promised_is_taken_until_it_is_there() {
        let memory = Memory::new(Some(ByteCount::mib(1 << 20)), ByteCount(0));
        let now = Instant::now();
        let promises = [memory.promise(1 << 39), memory.promise(1 << 39)];
        assert!(memory.is_full(|| 0, now));
        drop(promises);
        assert!(!memory.is_full(|| 0, now + LOOK));
    }
}
