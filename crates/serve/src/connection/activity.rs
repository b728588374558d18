//! What a connection is doing, and what follows from how long it has been doing it. Takes `now`; reads no clock.

use crate::metrics::End;
use crate::options::Limits;
use std::cell::Cell;
use tokio::time::Instant;

/// The state of one HTTP/1.1 connection as far as time-outs care.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests being answered: 0 or 1, HTTP/1.1 being what it is.
    answering: Cell<u32>,
    /// When the last answer ended, or the connection became active.
    idle_since: Cell<Instant>,
    /// When the first byte of a header section came that is not yet complete.
    head_since: Cell<Option<Instant>>,
    /// When the client stopped taking bytes that we have.
    blocked_since: Cell<Option<Instant>>,
    /// When the client stopped sending a body that somebody reads.
    starved_since: Cell<Option<Instant>>,
}

/// What to do with the connection now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again at this time.
    Wait(Instant),
    /// All answered and nothing asked: give the buffers back.
    Park,
    /// Over.
    Close(End),
}

impl Activity {
    /// A connection that becomes active because bytes have come.
    pub(crate) fn begin(now: Instant) -> Self {
        Self {
            answering: Cell::new(0),
            idle_since: Cell::new(now),
            head_since: Cell::new(Some(now)),
            blocked_since: Cell::new(None),
            starved_since: Cell::new(None),
        }
    }

    /// Bytes came from the client.
    pub(crate) fn bytes_read(&self, now: impl Fn() -> Instant) {
        self.starved_since.set(None);
        if self.answering.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(now()));
        }
    }

    /// A body's next bytes are wanted and have not come.
    pub(crate) fn read_blocked(&self, now: impl Fn() -> Instant) {
        if self.starved_since.get().is_none() {
            self.starved_since.set(Some(now()));
        }
    }

    /// The client took bytes.
    pub(crate) fn bytes_written(&self) {
        self.blocked_since.set(None);
    }

    /// The client's window is full.
    pub(crate) fn write_blocked(&self, now: impl Fn() -> Instant) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(now()));
        }
    }

    /// A header section is complete; its request is being answered.
    pub(crate) fn request_began(&self) {
        self.head_since.set(None);
        self.answering.set(self.answering.get() + 1);
    }

    /// The answer's last byte was handed over, or the answer was given up.
    pub(crate) fn answer_ended(&self, now: Instant) {
        self.answering.set(self.answering.get().saturating_sub(1));
        self.idle_since.set(now);
    }

    /// Whether every byte of every answer is with the kernel and none of a request is here.
    fn is_quiet(&self) -> bool {
        self.answering.get() == 0 && self.head_since.get().is_none() && self.blocked_since.get().is_none()
    }

    /// What follows at `now`.
    pub(crate) fn judge(&self, now: Instant, limits: &Limits) -> Verdict {
        let until = |since: Instant, limit, then| {
            let at = since + limit;
            if now >= at { then } else { Verdict::Wait(at) }
        };
        if let Some(since) = self.blocked_since.get() {
            return until(since, limits.stall, Verdict::Close(End::Stalled));
        }
        if let Some(since) = self.starved_since.get() {
            return until(since, limits.stall, Verdict::Close(End::Stalled));
        }
        if self.answering.get() > 0 {
            // The service limits its own waits; look again in case the client stops taking or sending meanwhile.
            return Verdict::Wait(now + limits.stall);
        }
        if let Some(since) = self.head_since.get() {
            return until(since, limits.header, Verdict::Close(End::HeaderTimeout));
        }
        until(self.idle_since.get(), limits.park_after, Verdict::Park)
    }

    /// Whether the process may close the connection this instant without cutting an answer short.
    pub(crate) fn may_close(&self) -> bool {
        self.is_quiet()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LATER: Duration = Duration::from_millis(1);

    fn limits() -> Limits {
        Limits { header: Duration::from_secs(10), stall: Duration::from_secs(60), ..Limits::default() }
    }

    #[test]
    fn a_header_section_has_its_time_and_no_more() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        assert_eq!(activity.judge(start, &limits()), Verdict::Wait(start + limits().header));
        // More bytes of the same header section win no time: that is slowloris.
        activity.bytes_read(|| start + Duration::from_secs(9));
        assert_eq!(activity.judge(start + limits().header, &limits()), Verdict::Close(End::HeaderTimeout));
    }

    #[test]
    fn attack_62_a_body_that_stops_coming_ends_the_connection() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        activity.read_blocked(|| start);
        activity.read_blocked(|| start + limits().stall / 2);
        assert_eq!(activity.judge(start + limits().stall, &limits()), Verdict::Close(End::Stalled));
        activity.bytes_read(|| start + limits().stall);
        assert!(matches!(activity.judge(start + limits().stall, &limits()), Verdict::Wait(_)));
    }

    #[test]
    fn an_answered_connection_is_parked_and_an_answering_one_is_not() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        let much_later = start + Duration::from_secs(3_600);
        assert!(matches!(activity.judge(much_later, &limits()), Verdict::Wait(_)));
        activity.answer_ended(much_later);
        assert_eq!(activity.judge(much_later, &limits()), Verdict::Wait(much_later + limits().park_after));
        assert_eq!(activity.judge(much_later + limits().park_after, &limits()), Verdict::Park);
    }

    #[test]
    fn bytes_not_taken_keep_a_connection_from_being_parked_and_end_it() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        activity.write_blocked(|| start);
        activity.answer_ended(start);
        assert!(!activity.may_close());
        assert_eq!(
            activity.judge(start + limits().park_after, &limits()),
            Verdict::Wait(start + limits().stall)
        );
        assert_eq!(activity.judge(start + limits().stall, &limits()), Verdict::Close(End::Stalled));
        activity.bytes_written();
        assert_eq!(activity.judge(start + limits().stall + LATER, &limits()), Verdict::Park);
    }
}
