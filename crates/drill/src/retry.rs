//! Whether a player asks again, and when: the defaults of hls.js (`manifestLoadPolicy`, `playlistLoadPolicy`,
//! `fragLoadPolicy`). Pure.

use crate::outcome::{ErrorKind, Hold};
use http::StatusCode;
use std::time::Duration;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The multivariant playlist.
    Main,
    /// A media playlist.
    Playlist,
    /// An init segment or a segment.
    Media,
    /// A file that is taken home.
    File,
}

impl Class {
    /// The longest wait for an answer to begin.
    pub(crate) const HEAD: Duration = Duration::from_secs(10);

    /// And to end.
    pub(crate) const fn whole(self) -> Duration {
        match self {
            Self::Main | Self::Playlist => Duration::from_secs(20),
            Self::Media => Duration::from_secs(120),
            // It gives way to lessons.
            Self::File => Duration::from_secs(3_600),
        }
    }

    /// Whether its text is read, and not only counted.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Main | Self::Playlist)
    }

    /// How often it is asked for again.
    const fn retries(self, kind: ErrorKind) -> u32 {
        match (self, kind) {
            (Self::Main | Self::Playlist, ErrorKind::HeadTimeout | ErrorKind::BodyTimeout) => 2,
            (Self::Media | Self::File, ErrorKind::HeadTimeout | ErrorKind::BodyTimeout) => 4,
            (Self::Main, _) => 1,
            (Self::Playlist, _) => 2,
            (Self::Media | Self::File, _) => 6,
        }
    }
}

/// The first wait after an error; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// But no further than this.
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// No Retry-After is believed beyond this: a node that says more is a node that is not there.
const LONGEST_TOLD: Duration = Duration::from_secs(600);
/// And none below: players do not hammer.
const SHORTEST_TOLD: Duration = Duration::from_secs(1);

/// What came of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is there.
    Good,
    /// Put off, by right.
    Held(Hold, Duration),
    /// It is not there.
    Bad(ErrorKind),
}

/// Judges a status. Whoever has seen nothing yet may be put off; whoever watches may not.
pub(crate) fn judge(status: StatusCode, retry_after: Option<Duration>, started: bool) -> Verdict {
    let hold = match status.as_u16() {
        200 | 206 => return Verdict::Good,
        503 | 429 => Some(Hold::WaitingRoom),
        403 => Some(Hold::Embargo),
        _ => None,
    };
    match (hold, retry_after) {
        (Some(hold), Some(wait)) if !started => Verdict::Held(hold, wait.clamp(SHORTEST_TOLD, LONGEST_TOLD)),
        _ => Verdict::Bad(kind(status)),
    }
}

fn kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        300..400 => ErrorKind::Redirect,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        429 => ErrorKind::TooMany,
        400..500 => ErrorKind::Refused,
        502 | 504 => ErrorKind::Upstream,
        503 => ErrorKind::Unavailable,
        _ => ErrorKind::Server,
    }
}

/// How long to wait before the next try, after `tries` that failed, the last with `kind`. `None`: the player gives up.
pub(crate) fn wait(
    class: Class,
    kind: ErrorKind,
    tries: u32,
    retry_after: Option<Duration>,
) -> Option<Duration> {
    let final_answer = matches!(
        kind,
        ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Redirect
            | ErrorKind::Playlist
            | ErrorKind::Elsewhere
            | ErrorKind::Patience
    );
    if final_answer || tries > class.retries(kind) {
        return None;
    }
    let own = match kind {
        ErrorKind::HeadTimeout | ErrorKind::BodyTimeout => Duration::ZERO,
        _ => FIRST_WAIT.saturating_mul(1 << (tries.saturating_sub(1)).min(8)).min(LONGEST_WAIT),
    };
    Some(own.max(retry_after.unwrap_or_default().min(LONGEST_TOLD)))
}

/// Retry-After in seconds (RFC 9110 §10.2.3). A date is not read: nothing here sends one.
pub(crate) fn retry_after(field: &str) -> Option<Duration> {
    field.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn whoever_watches_is_not_put_off() {
        for (status, retry_after, started, verdict) in [
            (200, None, false, Verdict::Good),
            (206, Some(5), true, Verdict::Good),
            (503, Some(20), false, Verdict::Held(Hold::WaitingRoom, s(20))),
            (429, Some(0), false, Verdict::Held(Hold::WaitingRoom, s(1))),
            (403, Some(99_999), false, Verdict::Held(Hold::Embargo, s(600))),
            (503, None, false, Verdict::Bad(Unavailable)),
            (503, Some(20), true, Verdict::Bad(Unavailable)),
            (403, None, false, Verdict::Bad(Forbidden)),
            (404, Some(5), false, Verdict::Bad(NotFound)),
            (302, None, false, Verdict::Bad(Redirect)),
            (504, Some(5), false, Verdict::Bad(Upstream)),
            (500, None, false, Verdict::Bad(Server)),
            (204, None, false, Verdict::Bad(Server)),
            (416, None, true, Verdict::Bad(Refused)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(status, retry_after.map(s), started), verdict, "{status}");
        }
    }

    #[test]
    fn tries_are_as_in_hls_js() {
        let waits = |class, kind| (1..).map_while(|tries| wait(class, kind, tries, None)).collect::<Vec<_>>();
        assert_eq!(waits(Class::Main, Connect), [s(1)]);
        assert_eq!(waits(Class::Playlist, Closed), [s(1), s(2)]);
        assert_eq!(waits(Class::Media, Truncated), [1, 2, 4, 8, 8, 8].map(s));
        assert_eq!(waits(Class::Media, HeadTimeout), [s(0); 4]);
        assert_eq!(waits(Class::Media, NotFound), []);
        assert_eq!(wait(Class::Media, Unavailable, 1, Some(s(5))), Some(s(5)));
        assert_eq!(wait(Class::Media, Unavailable, 4, Some(s(5))), Some(s(8)));
    }

    #[test]
    fn a_time_to_come_back_is_a_number_of_seconds() {
        for (field, told) in
            [("5", Some(s(5))), (" 0 ", Some(s(0))), ("", None), ("-1", None), ("soon", None)]
        {
            assert_eq!(retry_after(field), told, "{field}");
        }
    }
}
