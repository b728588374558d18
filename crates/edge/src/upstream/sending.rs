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

/// Bytes a second that a body brings at least, taken over all of it: a place is not held for ever by a byte now and then. A
/// weak line over GPRS has twice as much.
const LEAST_RATE: u64 = 500;

/// A body on its way, as both of its ends see it.
#[derive(Clone)]
pub(super) struct Sending(Rc<Cell<Progress>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    begun: Instant,
    bytes: u64,
    turn: Turn,
    since: Instant,
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
        Self(Rc::new(Cell::new(Progress { begun: now, bytes: 0, turn: Turn::Server, since: now })))
    }

    /// There is a connection to send it over.
    pub(super) fn begins(&self, now: Instant) {
        self.0.update(|progress| Progress { begun: now, since: now, ..progress });
    }

    /// The server has room, and the client has sent nothing.
    pub(super) fn waits(&self, now: Instant) {
        self.0.update(|progress| progress.now(Turn::Client, now));
    }

    /// So many bytes were taken.
    pub(super) fn took(&self, bytes: usize, now: Instant) {
        self.0.update(|progress| Progress {
            bytes: progress.bytes.saturating_add(bytes as u64),
            turn: Turn::Server,
            since: now,
            ..progress
        });
    }

    /// All of it was taken.
    pub(super) fn ends(&self, now: Instant) {
        self.0.update(|progress| progress.now(Turn::Answer, now));
    }

    /// Whether all of it was taken.
    pub(super) fn is_whole(&self) -> bool {
        self.0.get().turn == Turn::Answer
    }

    /// Gives what went wrong, once it has taken too long.
    pub(super) async fn late(&self, limit: Duration) -> UpstreamError {
        loop {
            let deadline = self.0.get().deadline(limit);
            sleep_until(deadline).await;
            let progress = self.0.get();
            // With each step it moves on, and never back.
            if progress.deadline(limit) <= deadline {
                return progress.blame();
            }
        }
    }
}

impl Progress {
    fn now(self, turn: Turn, now: Instant) -> Self {
        if self.turn == turn { self } else { Self { turn, since: now, ..self } }
    }

    /// When it has taken too long: `limit` after the last step, and for the whole of the body so much later than at
    /// [`LEAST_RATE`].
    fn deadline(&self, limit: Duration) -> Instant {
        let silent = self.since + limit;
        let slow = self.begun + limit + Duration::from_secs(self.bytes / LEAST_RATE);
        if self.turn == Turn::Answer { silent } else { silent.min(slow) }
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

    #[test]
    fn who_is_waited_for_too_long_is_to_blame() {
        let begun = Instant::now();
        let sending = Sending::new(begun);
        let late = || (sending.0.get().deadline(LIMIT) - begun, sending.0.get().blame());
        assert_eq!(late(), (LIMIT, UpstreamError::ResponseTimeout));
        sending.waits(begun + SECOND);
        assert_eq!(late(), (LIMIT, UpstreamError::RequestTooSlow), "a client that sends nothing at all");
        sending.took(1 << 20, begun + 2 * SECOND);
        assert_eq!(late(), (LIMIT + 2 * SECOND, UpstreamError::ResponseTimeout));
        sending.waits(begun + 3 * SECOND);
        sending.waits(begun + 9 * SECOND);
        assert_eq!(late(), (LIMIT + 3 * SECOND, UpstreamError::RequestTooSlow));
        sending.ends(begun + 10 * SECOND);
        assert_eq!(late(), (LIMIT + 10 * SECOND, UpstreamError::ResponseTimeout));
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow() {
        let begun = Instant::now();
        let sending = Sending::new(begun);
        for second in (10..100).step_by(10) {
            sending.took(1, begun + second * SECOND);
            sending.waits(begun + second * SECOND);
        }
        assert_eq!(sending.0.get().deadline(LIMIT), begun + LIMIT);
        sending.took(usize::try_from(LEAST_RATE).unwrap() * 100, begun + 100 * SECOND);
        assert_eq!(sending.0.get().deadline(LIMIT), begun + 100 * SECOND + LIMIT);
    }
}
