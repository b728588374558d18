//! What the streams of an HTTP/2 or HTTP/3 connection are doing, and what follows from how long. Takes `now`; reads no
//! clock. HTTP/1.1, which has one, is in `activity`.

use super::pace::{ENOUGH, Pace, SLOW_LOOK};
use crate::metrics::End;
use crate::options::{Limits, PRESSED_IDLE};
use crate::pressure::Level;
use crate::service::{CountedRequest, Standing};
use std::cell::Cell;
use std::rc::Rc;
use tokio::time::Instant;

/// Stall limits that a client has to take some of what waits for it. It is seen going when the kernel or QUIC has room again,
/// for 256 KiB at a time or so; on the slowest line that can play anything at all (20 kbit/s) these take 105 s.
const STALL_LIMITS: u32 = 3;

/// What a connection's streams are doing. Takes `now`; reads no clock.
pub(super) struct Streams {
    open: Cell<u32>,
    /// Pieces of answers that wait for the client to take them.
    owed: Cell<u32>,
    /// What the client takes, over all streams: it is the connection that holds a place.
    pace: Pace,
    /// When a stream last opened, handed over a piece, was sent enough of it or some of a request's body, or closed.
    moved: Cell<Instant>,
    /// Whether something has moved since the last look, so that the hot path sets a flag and reads no clock.
    moving: Cell<bool>,
}

/// What to do with the connection now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wait(Instant),
    Close(End),
}

impl Streams {
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            open: Cell::new(0),
            owed: Cell::new(0),
            pace: Pace::default(),
            moved: Cell::new(now),
            moving: Cell::new(false),
        }
    }

    /// Streams that are being answered.
    pub(super) fn open(&self) -> u32 {
        self.open.get()
    }

    /// The client took so many bytes.
    pub(super) fn took(&self, bytes: usize) {
        self.pace.took(bytes);
    }

    /// Bytes of a request's body came.
    pub(super) fn came(&self) {
        self.moving.set(true);
    }

    /// What follows at `now`.
    ///
    /// `reached` says how many bytes have come to the client, where somebody knows: it is asked while the client keeps us waiting.
    pub(super) fn judge(
        &self,
        now: Instant,
        limits: &Limits,
        level: Level,
        reached: impl FnOnce() -> Option<u64>,
    ) -> Verdict {
        if self.moving.take() {
            self.moved.set(now);
        }
        if self.owed.get() == 0 {
            self.pace.rest();
        } else if self.pace.is_slow(now, limits, level, reached()) {
            return Verdict::Close(End::Slow);
        }
        // Never further than this: what is quick now may be slow in a moment, and what is open idle.
        let (limit, end, look) = if self.open.get() > 0 {
            (limits.stall * STALL_LIMITS, End::Stalled, SLOW_LOOK)
        } else {
            (limits.idle_under(level), End::Idle, PRESSED_IDLE)
        };
        let at = self.moved.get() + limit;
        if now >= at { Verdict::Close(end) } else { Verdict::Wait(at.min(now + look)) }
    }
}

/// Held from a stream's request until the last of its answer has left.
pub(super) struct Open {
    streams: Rc<Streams>,
    _counted: CountedRequest,
}

impl Open {
    pub(super) fn begin(streams: &Rc<Streams>, standing: &Standing) -> Self {
        streams.open.set(streams.open.get() + 1);
        streams.moving.set(true);
        Self { streams: Rc::clone(streams), _counted: standing.begin_request() }
    }

    /// Those of its connection.
    pub(super) fn streams(&self) -> &Rc<Streams> {
        &self.streams
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.streams.open.set(self.streams.open.get().saturating_sub(1));
        self.streams.moving.set(true);
    }
}

/// Held while a piece of an answer waits for the client to take it, by which its stream stays open.
pub(super) struct Owed {
    open: Rc<Open>,
    /// Bytes that were taken since that last counted.
    taken: Cell<usize>,
}

impl Owed {
    pub(super) fn begin(open: &Rc<Open>) -> Self {
        open.streams.owed.set(open.streams.owed.get() + 1);
        open.streams.moving.set(true);
        Self { open: Rc::clone(open), taken: Cell::new(0) }
    }

    /// The client took so many bytes of it.
    pub(super) fn took(&self, bytes: usize) {
        let taken = self.taken.get() + bytes;
        if taken >= ENOUGH {
            self.open.streams.moving.set(true);
        }
        self.taken.set(taken % ENOUGH);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.open.streams.owed.set(self.open.streams.owed.get().saturating_sub(1));
        self.open.streams.moving.set(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits() -> Limits {
        Limits { idle: Duration::from_secs(75), stall: Duration::from_secs(60), ..Limits::default() }
    }

    fn judge(streams: &Streams, now: Instant) -> Verdict {
        streams.judge(now, &limits(), Level::Calm, || None)
    }

    #[test]
    fn a_connection_without_streams_ends_when_it_has_been_idle_for_long() {
        let start = Instant::now();
        let streams = Streams::begin(start);
        // Looked at meanwhile: by then it may be pressed.
        assert_eq!(judge(&streams, start), Verdict::Wait(start + PRESSED_IDLE));
        assert_eq!(judge(&streams, start + limits().idle), Verdict::Close(End::Idle));
        // Sooner where places are wanted.
        let pressed = limits().idle_under(Level::High);
        assert_eq!(
            streams.judge(start + pressed, &limits(), Level::High, || None),
            Verdict::Close(End::Idle)
        );
    }

    #[test]
    fn a_stream_that_moves_lives_and_one_that_does_not_ends_the_connection() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let open = Rc::new(Open::begin(&streams, &Standing::default()));
        let owed = Owed::begin(&open);
        // Its body is done with, and still it is the client's.
        drop(open);
        let mut now = start;
        for _ in 0..100 {
            now += Duration::from_secs(170);
            owed.took(ENOUGH);
            assert!(matches!(judge(&streams, now), Verdict::Wait(_)));
        }
        let late = now + limits().stall * STALL_LIMITS;
        assert_eq!(judge(&streams, late), Verdict::Close(End::Stalled));
        drop(owed);
        assert_eq!(judge(&streams, late), Verdict::Wait(late + PRESSED_IDLE));
    }

    #[test]
    fn attack_32_an_answer_that_is_taken_by_single_bytes_is_not_taken() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let open = Rc::new(Open::begin(&streams, &Standing::default()));
        let owed = Owed::begin(&open);
        judge(&streams, start);
        let end = start + limits().stall * STALL_LIMITS;
        let mut now = start;
        while now < end {
            assert_eq!(judge(&streams, now), Verdict::Wait(end.min(now + SLOW_LOOK)));
            owed.took(1);
            now += Duration::from_secs(4);
        }
        assert_eq!(judge(&streams, end), Verdict::Close(End::Stalled));
        // The last of a piece is enough, however little.
        drop(owed);
        assert!(matches!(judge(&streams, end), Verdict::Wait(_)));
    }

    #[test]
    fn attack_63_streams_of_which_next_to_nothing_is_taken_end_under_pressure() {
        for (level, taken, end) in [
            (Level::Critical, 100, true),
            (Level::High, 39_000, true),
            // 32 kbit/s for ten seconds are 40,000 bytes.
            (Level::High, 41_000, false),
            (Level::Busy, 100, false),
        ] {
            let start = Instant::now();
            let streams = Rc::new(Streams::begin(start));
            let [slow, other] = [(); 2].map(|()| Rc::new(Open::begin(&streams, &Standing::default())));
            let _owed = Owed::begin(&slow);
            assert_eq!(streams.judge(start, &limits(), level, || None), Verdict::Wait(start + SLOW_LOOK));
            // One that is answered in the meantime says nothing of the other.
            drop(Owed::begin(&other));
            drop(other);
            streams.pace.took(taken);
            let verdict = streams.judge(start + SLOW_LOOK, &limits(), level, || None);
            assert_eq!(verdict == Verdict::Close(End::Slow), end, "{level:?} {taken} {verdict:?}");
        }
    }

    #[test]
    fn a_line_of_48_kbit_a_second_is_not_slow_between_two_batches() {
        for (reached, end) in [(60_000, false), (39_000, true)] {
            let start = Instant::now();
            let streams = Rc::new(Streams::begin(start));
            let open = Rc::new(Open::begin(&streams, &Standing::default()));
            let _owed = Owed::begin(&open);
            // Encrypted at once, and on its way for eleven seconds.
            streams.took(64 * 1_024);
            streams.judge(start, &limits(), Level::High, || Some(0));
            let verdict = streams.judge(start + SLOW_LOOK, &limits(), Level::High, || Some(reached));
            assert_eq!(verdict == Verdict::Close(End::Slow), end, "{reached} {verdict:?}");
        }
    }

    #[test]
    fn attack_62_a_body_that_comes_is_no_stall_and_one_that_does_not_is() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let _open = Open::begin(&streams, &Standing::default());
        let mut now = start;
        for _ in 0..10 {
            now += limits().stall * 2;
            streams.came();
            assert!(matches!(judge(&streams, now), Verdict::Wait(_)));
        }
        let late = now + limits().stall * STALL_LIMITS;
        assert_eq!(judge(&streams, late), Verdict::Close(End::Stalled));
    }

    #[test]
    fn a_stream_that_waits_for_the_upstream_is_not_the_clients_slowness() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let open = Rc::new(Open::begin(&streams, &Standing::default()));
        let owed = Owed::begin(&open);
        streams.judge(start, &limits(), Level::Critical, || None);
        drop(owed);
        for look in 1..3 {
            let verdict = streams.judge(start + SLOW_LOOK * look, &limits(), Level::Critical, || None);
            assert!(matches!(verdict, Verdict::Wait(_)), "{verdict:?}");
        }
    }
}
