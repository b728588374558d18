//! How a request's body gets on between its client and the server that it is sent to.
//!
//! ```text
//! client ──► RequestBody ──► server      whose turn is it? who keeps it waiting too long, is to blame
//! ```

use super::UpstreamError;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Bytes a second that a client has to send: a place is not held for ever by a byte now and then. A weak line over GPRS has twice
/// as much.
const LEAST_RATE: u64 = 500;

/// A body on its way, as both of its ends see it.
#[derive(Clone)]
pub(super) struct Sending(Rc<Cell<Progress>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    turn: Turn,
    since: Instant,
    /// The longest wait.
    limit: Duration,
    /// When the client has taken too long. What it sends puts this off, as far as the limit allows and not further: nobody
    /// sends ahead to be slow afterwards.
    due: Instant,
    /// Whether its client broke it off, or sent more than is sent on.
    failed: bool,
}

/// Who is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The client, for what it sends next.
    Client,
    /// The server, which has not taken what there is.
    Server,
    /// The server, which has been sent everything.
    Answer,
}

impl Sending {
    pub(super) fn new(now: Instant) -> Self {
        Self(Rc::new(Cell::new(Progress::begun(now, Duration::ZERO))))
    }

    /// There is a connection to send it over, on which nobody may be waited for longer than `limit`.
    pub(super) fn begins(&self, now: Instant, limit: Duration) {
        self.0.set(Progress::begun(now, limit));
    }

    /// The server has room, and the client has sent nothing.
    pub(super) fn waits(&self, now: Instant) {
        self.0.update(|progress| progress.to(Turn::Client, now));
    }

    /// So many bytes were taken.
    pub(super) fn took(&self, bytes: usize, now: Instant) {
        self.0.update(|progress| Progress { turn: Turn::Server, since: now, ..progress.paid(bytes, now) });
    }

    /// All of it was taken.
    pub(super) fn ends(&self, now: Instant) {
        self.0.update(|progress| progress.to(Turn::Answer, now));
    }

    /// Its client broke it off, or sent more than is sent on: what becomes of the exchange is no server's fault.
    pub(super) fn fails(&self) {
        self.0.update(|progress| Progress { failed: true, ..progress });
    }

    /// Whether it [fails](Self::fails).
    pub(super) fn has_failed(&self) -> bool {
        self.0.get().failed
    }

    /// Whether all of it was taken.
    pub(super) fn is_whole(&self) -> bool {
        self.0.get().turn == Turn::Answer
    }

    /// Gives what went wrong, once it has taken too long.
    pub(super) async fn late(&self) -> UpstreamError {
        loop {
            sleep_until(self.0.get().deadline()).await;
            let progress = self.0.get();
            if progress.deadline() <= Instant::now() {
                return progress.blame();
            }
        }
    }
}

impl Progress {
    fn begun(now: Instant, limit: Duration) -> Self {
        Self { turn: Turn::Server, since: now, limit, due: now + limit, failed: false }
    }

    fn to(self, turn: Turn, now: Instant) -> Self {
        if self.turn == turn { self } else { Self { turn, since: now, ..self.paid(0, now) } }
    }

    /// With what the client has sent, and the time that the server has taken, put off.
    fn paid(self, bytes: usize, now: Instant) -> Self {
        let sent = Duration::from_millis((bytes as u64).saturating_mul(1_000) / LEAST_RATE);
        let server = if self.turn == Turn::Server { now.duration_since(self.since) } else { Duration::ZERO };
        Self { due: (self.due + sent.min(self.limit) + server).min(now + self.limit), ..self }
    }

    /// When whoever is waited for has taken too long.
    fn deadline(&self) -> Instant {
        match self.turn {
            Turn::Client => self.due,
            Turn::Server | Turn::Answer => self.since + self.limit,
        }
    }

    fn blame(&self) -> UpstreamError {
        match self.turn {
            Turn::Client => UpstreamError::RequestTooSlow,
            Turn::Server | Turn::Answer => UpstreamError::ResponseTimeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(15);
    const SECOND: Duration = Duration::from_secs(1);

    fn sending(begun: Instant) -> Sending {
        let sending = Sending::new(begun);
        sending.begins(begun, LIMIT);
        sending
    }

    #[test]
    fn who_is_waited_for_too_long_is_to_blame() {
        let begun = Instant::now();
        let sending = sending(begun);
        let late = || (sending.0.get().deadline() - begun, sending.0.get().blame());
        assert_eq!(late(), (LIMIT, UpstreamError::ResponseTimeout));
        // What the server takes is not the client's time.
        sending.waits(begun + SECOND);
        assert_eq!(late(), (LIMIT + SECOND, UpstreamError::RequestTooSlow));
        sending.took(1 << 20, begun + 2 * SECOND);
        assert_eq!(late(), (LIMIT + 2 * SECOND, UpstreamError::ResponseTimeout));
        sending.waits(begun + 3 * SECOND);
        sending.waits(begun + 9 * SECOND);
        assert_eq!(late(), (LIMIT + 3 * SECOND, UpstreamError::RequestTooSlow));
        sending.ends(begun + 10 * SECOND);
        assert_eq!(late(), (LIMIT + 10 * SECOND, UpstreamError::ResponseTimeout));
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow_whatever_came_before() {
        let begun = Instant::now();
        let sending = sending(begun);
        let deadline = || sending.0.get().deadline() - begun;
        let took = |bytes: u64, at: Duration| {
            sending.took(usize::try_from(bytes).unwrap(), begun + at);
            sending.waits(begun + at);
        };
        took(64 << 20, SECOND);
        assert_eq!(deadline(), LIMIT + SECOND);
        took(1, 10 * SECOND);
        assert_eq!(deadline(), LIMIT + SECOND + Duration::from_millis(2));
        took(LEAST_RATE * 3, 11 * SECOND);
        assert_eq!(deadline(), LIMIT + 4 * SECOND + Duration::from_millis(2));
    }
}
