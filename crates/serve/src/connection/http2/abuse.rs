//! Frames that cost us more than their sender, counted. Takes `now`; reads no clock.
//!
//! h2 bounds what a frame may make us keep; nothing there bounds how many frames that are lawful one by one a client
//! may have us read and answer (CVE-2019-9511 to 9518, CVE-2023-44487). Each kind has an allowance: so many at once, and
//! so many more a second. Honest clients stay below by an order of magnitude; who exceeds one loses the connection.

use super::frames::{END_OR_ACK, Head, kind};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// What a client did too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abuse {
    /// RST_STREAM: requests taken back as soon as they are made; over HTTP/3 also those that are none.
    Resets,
    /// SETTINGS, each of which we must acknowledge.
    Settings,
    /// PING, each of which we must answer.
    Pings,
    /// PRIORITY and PRIORITY_UPDATE, which do nothing.
    Priorities,
    /// DATA without a byte and without an end.
    EmptyData,
    /// Header sections cut into shreds.
    Continuations,
    /// WINDOW_UPDATE beyond what was sent.
    WindowUpdates,
    /// Frames of no known type, and GOAWAY, of which one is enough.
    Unknown,
    /// A limit of h2's own: streams reset by us for the client's mistakes, an endless header section.
    Library,
}

impl Label for Abuse {
    const ALL: &'static [Self] = &[
        Self::Resets,
        Self::Settings,
        Self::Pings,
        Self::Priorities,
        Self::EmptyData,
        Self::Continuations,
        Self::WindowUpdates,
        Self::Unknown,
        Self::Library,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resets => "resets",
            Self::Settings => "settings",
            Self::Pings => "pings",
            Self::Priorities => "priorities",
            Self::EmptyData => "empty_data",
            Self::Continuations => "continuations",
            Self::WindowUpdates => "window_updates",
            Self::Unknown => "unknown",
            Self::Library => "library",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// So many at once, and so many more a second.
struct Allowance {
    at_once: u32,
    a_second: u32,
}

/// Bytes sent that earn a client one WINDOW_UPDATE: an eager one gives each DATA frame back, for stream and connection.
const SENT_FOR_WINDOW_UPDATE: usize = 1_024;

impl Abuse {
    /// Of [`Abuse::Library`] there is nothing to count here.
    const COUNTED: usize = Self::Library as usize;

    const fn allowance(self) -> Allowance {
        let (at_once, a_second) = match self {
            // Jumping about in a lesson cancels a dozen requests each time.
            Self::Resets => (200, 10),
            // One at the beginning, one when a window grows.
            Self::Settings => (16, 1),
            // Browsers measure the round trip with them, some at each answer.
            Self::Pings => (100, 10),
            // Browsers of 2020 draw a tree of five and place each request in it.
            Self::Priorities => (200, 20),
            Self::EmptyData => (16, 1),
            // A header section of max_header_size needs two.
            Self::Continuations => (64, 4),
            Self::WindowUpdates => (1_000, 100),
            // Greasing (RFC 9113 §5.5): one now and then.
            Self::Unknown | Self::Library => (64, 4),
        };
        Allowance { at_once, a_second }
    }

    /// What a frame counts as. Requests and bodies are none.
    fn of(head: Head) -> Option<Self> {
        /// RFC 9218 §7.1
        const PRIORITY_UPDATE: u8 = 16;
        match head.kind {
            kind::DATA => (head.length == 0 && head.flags & END_OR_ACK == 0).then_some(Self::EmptyData),
            kind::HEADERS | kind::PUSH_PROMISE => None,
            kind::PRIORITY | PRIORITY_UPDATE => Some(Self::Priorities),
            kind::RST_STREAM => Some(Self::Resets),
            kind::SETTINGS => Some(Self::Settings),
            kind::PING => Some(Self::Pings),
            kind::WINDOW_UPDATE => Some(Self::WindowUpdates),
            kind::CONTINUATION => Some(Self::Continuations),
            // h2 reads GOAWAY, each time past all streams, for as long as one of them keeps the connection.
            _ => Some(Self::Unknown),
        }
    }
}

/// What one connection may still send of each kind.
#[derive(Debug)]
pub(in crate::connection) struct Allowances {
    left: [u32; Abuse::COUNTED],
    /// Up to when allowances have grown.
    grown: Instant,
    /// Bytes sent that have not yet earned a WINDOW_UPDATE.
    sent: usize,
}

impl Allowances {
    pub(in crate::connection) fn begin(now: Instant) -> Self {
        let mut left = [0; Abuse::COUNTED];
        for (left, abuse) in left.iter_mut().zip(Abuse::ALL) {
            *left = abuse.allowance().at_once;
        }
        Self { left, grown: now, sent: 0 }
    }

    /// A request has come. Over HTTP/3 a browser says of each how urgent it is (RFC 9218 §7.2), however many there are.
    pub(in crate::connection) fn asked(&mut self) {
        let left = &mut self.left[Abuse::Priorities as usize];
        *left = left.saturating_add(1).min(Abuse::Priorities.allowance().at_once);
    }

    /// `bytes` have gone out.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes);
        let earned = self.sent / SENT_FOR_WINDOW_UPDATE;
        self.sent %= SENT_FOR_WINDOW_UPDATE;
        let left = &mut self.left[Abuse::WindowUpdates as usize];
        // Earned over a whole film, spent at once: still no more than a few megabytes of frames.
        *left = left.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)).min(100_000);
    }

    /// Takes one frame from its allowance.
    ///
    /// # Errors
    /// When nothing is left of it.
    pub(super) fn take(&mut self, head: Head, now: impl FnOnce() -> Instant) -> Result<(), Abuse> {
        Abuse::of(head).map_or(Ok(()), |abuse| self.spend(abuse, now))
    }

    /// Takes one of a kind from its allowance; of [`Abuse::Library`] there is none.
    ///
    /// # Errors
    /// When nothing is left of it.
    pub(in crate::connection) fn spend(
        &mut self,
        abuse: Abuse,
        now: impl FnOnce() -> Instant,
    ) -> Result<(), Abuse> {
        if abuse == Abuse::Library {
            return Err(abuse);
        }
        if self.left[abuse as usize] == 0 {
            self.grow(now());
        }
        match self.left[abuse as usize].checked_sub(1) {
            Some(left) => {
                self.left[abuse as usize] = left;
                Ok(())
            }
            None => Err(abuse),
        }
    }

    /// Gives what whole seconds since the last time have earned. Only asked when one is used up, so that an honest
    /// client's frames read no clock.
    fn grow(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.grown).as_secs();
        self.grown += Duration::from_secs(seconds);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        for (left, abuse) in self.left.iter_mut().zip(Abuse::ALL) {
            let Allowance { at_once, a_second } = abuse.allowance();
            let grown = left.saturating_add(seconds.saturating_mul(a_second)).min(at_once);
            *left = (*left).max(grown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Head = Head { length: 8, kind: kind::PING, flags: 0 };

    fn spend(allowances: &mut Allowances, head: Head, now: Instant) -> u32 {
        let mut passed = 0;
        while allowances.take(head, || now).is_ok() {
            passed += 1;
        }
        passed
    }

    #[test]
    fn an_allowance_is_spent_at_once_and_grows_with_time() {
        let start = Instant::now();
        let mut allowances = Allowances::begin(start);
        assert_eq!(spend(&mut allowances, PING, start), 100);
        assert_eq!(allowances.take(PING, || start), Err(Abuse::Pings));
        assert_eq!(spend(&mut allowances, PING, start + Duration::from_millis(2_500)), 20);
        // The half second is not lost.
        assert_eq!(spend(&mut allowances, PING, start + Duration::from_secs(3)), 10);
        // However long it was quiet: never more than at once.
        assert_eq!(spend(&mut allowances, PING, start + Duration::from_secs(3_600)), 100);
    }

    #[test]
    fn kinds_do_not_share_an_allowance() {
        let now = Instant::now();
        let mut allowances = Allowances::begin(now);
        spend(&mut allowances, PING, now);
        for (kind, flags, length, abuse, at_once) in [
            (kind::RST_STREAM, 0, 4, Abuse::Resets, 200),
            (kind::SETTINGS, 0, 0, Abuse::Settings, 16),
            (kind::PRIORITY, 0, 5, Abuse::Priorities, 200),
            (kind::DATA, 0, 0, Abuse::EmptyData, 16),
            (kind::CONTINUATION, 0, 0, Abuse::Continuations, 64),
            (kind::WINDOW_UPDATE, 0, 4, Abuse::WindowUpdates, 1_000),
            (0xee, 0, 4, Abuse::Unknown, 64),
        ] {
            let head = Head { length, kind, flags };
            assert_eq!(spend(&mut allowances, head, now), at_once, "{abuse:?}");
            assert_eq!(allowances.take(head, || now), Err(abuse));
        }
    }

    #[test]
    fn what_carries_something_is_no_abuse() {
        let now = Instant::now();
        let mut allowances = Allowances::begin(now);
        for head in [
            Head { length: 1, kind: kind::DATA, flags: 0 },
            Head { length: 0, kind: kind::DATA, flags: END_OR_ACK },
            Head { length: 0, kind: kind::HEADERS, flags: 0 },
        ] {
            for _ in 0..10_000 {
                assert_eq!(allowances.take(head, || now), Ok(()));
            }
        }
    }

    #[test]
    fn who_reads_may_give_back() {
        let now = Instant::now();
        let mut allowances = Allowances::begin(now);
        let head = Head { length: 4, kind: kind::WINDOW_UPDATE, flags: 0 };
        spend(&mut allowances, head, now);
        for _ in 0..4 {
            allowances.sent(512);
        }
        assert_eq!(spend(&mut allowances, head, now), 2);
    }
}
