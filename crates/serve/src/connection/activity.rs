//! What a connection is doing, and what follows from how long it has been doing it. Takes `now`; reads no clock.

use super::pace::{ENOUGH, Pace, SLOW_LOOK};
use crate::metrics::End;
use crate::options::Limits;
use crate::pressure::Level;
use std::cell::Cell;
use tokio::time::Instant;

/// The state of one HTTP/1.1 connection as far as time-outs care.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests being answered: 0 or 1, HTTP/1.1 being what it is.
    answering: Cell<u32>,
    /// Whether the last request has its answer, which may still be on its way.
    has_answer: Cell<bool>,
    /// When the last answer ended, or the connection became active.
    idle_since: Cell<Instant>,
    /// When the first byte of a header section came that is not yet complete.
    head_since: Cell<Option<Instant>>,
    /// When the client stopped taking bytes that we have.
    blocked_since: Cell<Option<Instant>>,
    /// How far the client had come when it was last seen going, or first looked at, while it keeps us waiting.
    seen_at: Cell<Option<u64>>,
    /// What the client takes.
    pace: Pace,
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
            has_answer: Cell::new(false),
            idle_since: Cell::new(now),
            head_since: Cell::new(Some(now)),
            blocked_since: Cell::new(None),
            seen_at: Cell::new(None),
            pace: Pace::default(),
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
    pub(crate) fn bytes_written(&self, length: usize) {
        self.pace.took(length);
        self.blocked_since.set(None);
        self.seen_at.set(None);
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
        self.has_answer.set(false);
    }

    /// The service has answered: from here on the client only has to take it.
    pub(crate) fn answer_began(&self) {
        self.has_answer.set(true);
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
    ///
    /// `reached` says how many bytes have come to the client, where somebody knows: it is asked while the client keeps us waiting.
    pub(crate) fn judge(
        &self,
        now: Instant,
        limits: &Limits,
        level: Level,
        reached: impl FnOnce() -> Option<u64>,
    ) -> Verdict {
        let until = |since: Instant, limit, then| {
            let at = since + limit;
            if now >= at { then } else { Verdict::Wait(at) }
        };
        if let Some(since) = self.blocked_since.get() {
            let reached = reached();
            if self.pace.is_slow(now, limits, level, reached) {
                return Verdict::Close(End::Slow);
            }
            let since = if self.goes_on(reached) { now } else { since };
            self.blocked_since.set(Some(since));
            return match until(since, limits.stall, Verdict::Close(End::Stalled)) {
                Verdict::Wait(at) => Verdict::Wait(at.min(now + SLOW_LOOK)),
                close => close,
            };
        }
        self.pace.rest();
        let is_answering = self.answering.get() > 0;
        // An answer that is there goes on, however little more the client sends, which then has its time from the answer's end on.
        // What it does not take of it is looked at above.
        if let Some(since) = self.starved_since.get().filter(|_| !is_answering || !self.has_answer.get()) {
            let since = if is_answering { since } else { since.max(self.idle_since.get()) };
            return until(since, limits.stall, Verdict::Close(End::Stalled));
        }
        if is_answering {
            // The service limits its own waits; look again in case the client stops taking or sending meanwhile.
            return Verdict::Wait(now + limits.stall.min(SLOW_LOOK));
        }
        if let Some(since) = self.head_since.get() {
            return until(since, limits.header, Verdict::Close(End::HeaderTimeout));
        }
        until(self.idle_since.get(), limits.park_after, Verdict::Park)
    }

    /// Whether enough has come to the client since it was last seen going. Where a line becomes slow, what is on its way already takes
    /// longer than any limit, and meanwhile nothing is taken off our hands.
    fn goes_on(&self, reached: Option<u64>) -> bool {
        let Some(reached) = reached else { return false };
        let come = self.seen_at.get().map(|seen_at| reached.saturating_sub(seen_at));
        let goes_on = come.is_some_and(|come| come >= ENOUGH as u64);
        if goes_on || come.is_none() {
            self.seen_at.set(Some(reached));
        }
        goes_on
    }

    /// Whether the client has yet to take bytes that we have.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked_since.get().is_some()
    }

    /// Whether some of an answer that is there is not yet with the kernel.
    pub(crate) fn is_sending(&self) -> bool {
        self.has_answer.get() && !self.is_quiet()
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

    /// As it is when nothing presses.
    fn judge(activity: &Activity, now: Instant) -> Verdict {
        activity.judge(now, &limits(), Level::Calm, || None)
    }

    #[test]
    fn who_takes_next_to_nothing_is_let_go_under_pressure_only() {
        for (level, taken, end) in [
            (Level::Critical, 100, true),
            (Level::High, 100, true),
            (Level::Busy, 100, false),
            // 32 kbit/s for ten seconds are 40,000 bytes.
            (Level::Critical, 41_000, false),
            (Level::Critical, 39_000, true),
        ] {
            let start = Instant::now();
            let activity = Activity::begin(start);
            activity.request_began();
            activity.write_blocked(|| start);
            assert_eq!(activity.judge(start, &limits(), level, || None), Verdict::Wait(start + SLOW_LOOK));
            activity.bytes_written(taken);
            activity.write_blocked(|| start + LATER);
            let verdict = activity.judge(start + SLOW_LOOK, &limits(), level, || None);
            assert_eq!(verdict == Verdict::Close(End::Slow), end, "{level:?} {taken} {verdict:?}");
        }
    }

    #[test]
    fn a_line_of_48_kbit_a_second_is_not_slow_between_two_pieces_of_64_kib() {
        const A_SECOND: u64 = 6_000;
        for (reaches, end) in [(Some(A_SECOND), false), (Some(A_SECOND / 2), true), (None, true)] {
            let start = Instant::now();
            let activity = Activity::begin(start);
            activity.request_began();
            activity.bytes_written(64 * 1_024);
            activity.write_blocked(|| start);
            // It takes eleven seconds for them.
            let verdicts = [0, 10].map(|seconds| {
                let now = start + Duration::from_secs(seconds);
                activity.judge(now, &limits(), Level::Critical, || reaches.map(|bytes| bytes * seconds))
            });
            assert_eq!(verdicts[1] == Verdict::Close(End::Slow), end, "{reaches:?} {verdicts:?}");
        }
    }

    #[test]
    fn a_line_that_becomes_slow_is_no_stall_while_what_was_sent_arrives() {
        for (reaches, ends) in [(4_000, None), (100, Some(60)), (0, Some(60))] {
            let start = Instant::now();
            let activity = Activity::begin(start);
            activity.request_began();
            activity.write_blocked(|| start);
            let closed = (0..40).map(|look| look * 10).find(|&seconds| {
                let now = start + Duration::from_secs(seconds);
                let reached = || Some(1_000_000 + reaches * seconds);
                activity.judge(now, &limits(), Level::Calm, reached) == Verdict::Close(End::Stalled)
            });
            assert_eq!(closed, ends, "{reaches} bytes a second");
        }
    }

    #[test]
    fn waiting_for_the_upstream_is_not_the_clients_slowness() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        activity.write_blocked(|| start);
        activity.judge(start, &limits(), Level::Critical, || None);
        // Took all, and there was no more for long.
        activity.bytes_written(1);
        assert!(matches!(
            activity.judge(start + SLOW_LOOK, &limits(), Level::Critical, || None),
            Verdict::Wait(_)
        ));
        activity.write_blocked(|| start + SLOW_LOOK + LATER);
        let verdict = activity.judge(start + SLOW_LOOK * 2, &limits(), Level::Critical, || None);
        assert!(matches!(verdict, Verdict::Wait(_)), "{verdict:?}");
    }

    fn limits() -> Limits {
        Limits { header: Duration::from_secs(10), stall: Duration::from_secs(60), ..Limits::default() }
    }

    #[test]
    fn a_header_section_has_its_time_and_no_more() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        assert_eq!(judge(&activity, start), Verdict::Wait(start + limits().header));
        // More bytes of the same header section win no time: that is slowloris.
        activity.bytes_read(|| start + Duration::from_secs(9));
        assert_eq!(judge(&activity, start + limits().header), Verdict::Close(End::HeaderTimeout));
    }

    #[test]
    fn attack_62_a_body_that_stops_coming_ends_the_connection() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        activity.read_blocked(|| start);
        activity.read_blocked(|| start + limits().stall / 2);
        assert_eq!(judge(&activity, start + limits().stall), Verdict::Close(End::Stalled));
        activity.bytes_read(|| start + limits().stall);
        assert!(matches!(judge(&activity, start + limits().stall), Verdict::Wait(_)));
    }

    #[test]
    fn an_answer_that_flows_is_not_cut_for_a_body_that_stops_coming() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        activity.read_blocked(|| start);
        activity.answer_began();
        let late = start + limits().stall * 10;
        assert!(matches!(judge(&activity, late), Verdict::Wait(_)));
        activity.answer_ended(late);
        assert_eq!(judge(&activity, late), Verdict::Wait(late + limits().stall));
        assert_eq!(judge(&activity, late + limits().stall), Verdict::Close(End::Stalled));
    }

    #[test]
    fn an_answered_connection_is_parked_and_an_answering_one_is_not() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        let much_later = start + Duration::from_secs(3_600);
        assert!(matches!(judge(&activity, much_later), Verdict::Wait(_)));
        activity.answer_ended(much_later);
        assert_eq!(judge(&activity, much_later), Verdict::Wait(much_later + limits().park_after));
        assert_eq!(judge(&activity, much_later + limits().park_after), Verdict::Park);
    }

    #[test]
    fn an_answer_is_on_its_way_from_its_beginning_until_the_kernel_has_it() {
        let start = Instant::now();
        let activity = Activity::begin(start);
        activity.request_began();
        assert!(!activity.is_sending());
        activity.answer_began();
        assert!(activity.is_sending());
        activity.write_blocked(|| start);
        activity.answer_ended(start);
        assert!(activity.is_sending());
        activity.bytes_written(1);
        assert!(!activity.is_sending());
        // The next request has none yet.
        activity.request_began();
        assert!(!activity.is_sending());
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
            judge(&activity, start + limits().park_after),
            Verdict::Wait(start + limits().park_after + SLOW_LOOK)
        );
        assert_eq!(judge(&activity, start + limits().stall), Verdict::Close(End::Stalled));
        activity.bytes_written(1);
        assert_eq!(judge(&activity, start + limits().stall + LATER), Verdict::Park);
    }
}
