//! What may go wrong with a herd, and what it may cost the others: nothing.

use super::{FOLLOWER_MS, Round, at};
use crate::line::{Bar, Line};
use crate::upstream::Manner;
use std::time::Duration;

/// How long a slow origin takes for a body: half of what plays meanwhile.
const SLOW: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// The first client takes one byte a second.
    FirstCrawls,
    /// The first client is gone before the answer comes.
    FirstLeaves,
    /// The origin's answer takes [`SLOW`].
    SlowOrigin,
    /// The origin closes the connection in the middle of the body, and has the rest for who asks.
    BrokenOff,
    /// The same, and nobody can ask for the rest: there is no validator to ask by.
    BrokenOffForGood,
}

impl Trouble {
    pub(super) const ALL: [Self; 5] =
        [Self::FirstCrawls, Self::FirstLeaves, Self::SlowOrigin, Self::BrokenOff, Self::BrokenOffForGood];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "no trouble",
            Self::FirstCrawls => "the first reads 1 byte/s",
            Self::FirstLeaves => "the first leaves",
            Self::SlowOrigin => "the origin takes 2 s",
            Self::BrokenOff => "the origin breaks off",
            Self::BrokenOffForGood => "the origin breaks off for good",
        }
    }

    pub(super) const fn manner(self) -> Manner {
        match self {
            Self::None | Self::FirstCrawls | Self::FirstLeaves => Manner::AtOnce,
            Self::SlowOrigin => Manner::Over(SLOW),
            Self::BrokenOff => Manner::BreaksOff,
            Self::BrokenOffForGood => Manner::BreaksOffForGood,
        }
    }

    /// What has to become of `count` clients: their number and what they have.
    const fn end(self, count: usize) -> (usize, &'static str) {
        match self {
            Self::None | Self::SlowOrigin | Self::BrokenOff => (count, "clients with the whole of it"),
            Self::FirstCrawls | Self::FirstLeaves => (count - 1, "others with the whole of it"),
            Self::BrokenOffForGood => (count, "clients that know that it is not whole"),
        }
    }

    /// One for the herd, and one for the rest of a body that broke off.
    const fn requests(self) -> f64 {
        match self {
            Self::BrokenOff => 2.0,
            _ => 1.0,
        }
    }

    /// Four lines: requests at the origin, what the clients have, and the followers' first byte by median and p99.
    pub(super) fn lines(self, round: &Round, count: usize, name: &str) -> [Line; 4] {
        let what = |figure: &str| format!("{count} for a cold {name}, {}: {figure}", self.name());
        let (expected, has) = self.end(count);
        let ended = if self == Self::BrokenOffForGood { round.broken_off } else { round.answered };
        // Who left has no first byte.
        let (after, delays) = if self == Self::FirstLeaves {
            ("a follower's first byte after anybody's first", &round.after_first)
        } else {
            ("a follower's first byte after the leader's", &round.after_leader)
        };
        let delay =
            |unit, percent, most| Line::once(what(after), unit, at(delays, percent), Some(Bar::AtMost(most)));
        [
            Line::once(
                what("requests at the origin"),
                "requests",
                round.at_origin as f64,
                Some(Bar::Exactly(self.requests())),
            ),
            Line::once(what(has), "clients", ended as f64, Some(Bar::Exactly(expected as f64))),
            delay("ms, median", 50.0, FOLLOWER_MS.0),
            delay("ms, p99", 99.0, FOLLOWER_MS.1).note(format!(
                "after anybody's first: median {:.2}, p99 {:.2}",
                at(&round.after_first, 50.0),
                at(&round.after_first, 99.0),
            )),
        ]
    }
}
