//! What a connection's streams have to do with each other: what the client may still do too much of, and when anything
//! moved last. Takes `now` where it judges.

use super::frames::Wrong;
use crate::connection::http2::{Abuse, Allowances};
use crate::metrics::End;
use crate::options::Limits;
use h3::error::Code;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Stall limits that a client has for one piece of a body. As over HTTP/2: see there.
const STALL_LIMITS: u32 = 3;

/// One connection, as its streams see it.
pub(super) struct Watch {
    connection: quinn::Connection,
    allowances: RefCell<Allowances>,
    found: Cell<Option<Abuse>>,
    open: Cell<u32>,
    /// When a request last began, moved a piece of its answer, or ended.
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

impl Watch {
    pub(super) fn begin(connection: quinn::Connection, now: Instant) -> Rc<Self> {
        Rc::new(Self {
            connection,
            allowances: RefCell::new(Allowances::begin(now)),
            found: Cell::new(None),
            open: Cell::new(0),
            moved: Cell::new(now),
            moving: Cell::new(false),
        })
    }

    /// Takes one of `abuse` from what the client may do. False when it was too much, and the connection is over.
    pub(super) fn spend(&self, abuse: Abuse) -> bool {
        let within = self.allowances.borrow_mut().spend(abuse, Instant::now).is_ok();
        if !within {
            self.found.set(Some(abuse));
            self.close(Code::H3_EXCESSIVE_LOAD);
        }
        within
    }

    /// What the client has done too much of.
    pub(super) fn found(&self) -> Option<Abuse> {
        self.found.get()
    }

    /// Ends the connection at once.
    pub(super) fn close(&self, code: Code) {
        self.connection.close(error_code(code), b"");
    }

    /// Something moves.
    pub(super) fn moves(&self) {
        self.moving.set(true);
    }

    /// Requests that are being answered.
    pub(super) fn open(&self) -> u32 {
        self.open.get()
    }

    /// What follows at `now`.
    pub(super) fn judge(&self, now: Instant, limits: &Limits) -> Verdict {
        if self.moving.take() {
            self.moved.set(now);
        }
        judge(self.open.get(), self.moved.get(), now, limits)
    }
}

fn judge(open: u32, moved: Instant, now: Instant, limits: &Limits) -> Verdict {
    let (limit, end) =
        if open > 0 { (limits.stall * STALL_LIMITS, End::Stalled) } else { (limits.idle, End::Idle) };
    let at = moved + limit;
    // Never further than the idle limit: what is open now may be idle in a moment.
    if now >= at { Verdict::Close(end) } else { Verdict::Wait(at.min(now + limits.idle)) }
}

/// Held from a request's arrival to the end of its answer.
pub(super) struct Open(Rc<Watch>);

impl Open {
    pub(super) fn begin(watch: &Rc<Watch>) -> Self {
        watch.open.set(watch.open.get() + 1);
        watch.moves();
        Self(Rc::clone(watch))
    }

    /// The connection that it is of.
    pub(super) fn watch(&self) -> &Watch {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
        self.0.moves();
    }
}

/// As QUIC writes it. All of HTTP/3's are small.
pub(super) fn error_code(code: Code) -> quinn::VarInt {
    quinn::VarInt::from_u64(code.value()).unwrap_or(quinn::VarInt::MAX)
}

/// How long after GOAWAY a client may still come with a request that it had sent before it heard: some round trips.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

impl Wrong {
    /// What the stream's end says.
    pub(super) fn code(self) -> Code {
        match self {
            Self::Malformed => Code::H3_MESSAGE_ERROR,
            Self::TooLarge | Self::Costly(_) => Code::H3_EXCESSIVE_LOAD,
            Self::Protocol(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_ends_and_one_that_moves_does_not() {
        let limits =
            Limits { idle: Duration::from_secs(75), stall: Duration::from_secs(60), ..Limits::default() };
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(judge(0, start, after(1), &limits), Verdict::Wait(after(75)));
        assert_eq!(judge(0, start, after(75), &limits), Verdict::Close(End::Idle));
        // While something is answered, the client has three stall limits for a piece; it may be idle any moment.
        assert_eq!(judge(1, start, after(75), &limits), Verdict::Wait(after(150)));
        assert_eq!(judge(1, start, after(179), &limits), Verdict::Wait(after(180)));
        assert_eq!(judge(1, start, after(180), &limits), Verdict::Close(End::Stalled));
    }
}
