//! What became of a request, in one word.

use telemetry::Label;

/// Why a request gave a player nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Nobody takes connections there.
    Connect,
    /// Nor refuses them within the limit.
    ConnectTimeout,
    /// This machine has no port or descriptor left: the drill's own limit, not the node's.
    Ports,
    /// The TLS handshake failed.
    Tls,
    /// The connection ended before an answer.
    Closed,
    /// No answer began within the limit.
    HeadTimeout,
    /// An answer did not end within the limit.
    BodyTimeout,
    /// An answer broke off.
    Truncated,
    /// What came is no HTTP.
    Protocol,
    /// 403 that names no time to come back.
    Forbidden,
    /// 404 or 410.
    NotFound,
    /// 429.
    TooMany,
    /// Another 4xx.
    Refused,
    /// 503.
    Unavailable,
    /// 502 or 504: the node got nothing from behind it.
    Upstream,
    /// Another 5xx, or a status that means nothing here.
    Server,
    /// 3xx. Playlists and segments are not to be redirected (Apple 8.18).
    Redirect,
    /// A playlist that cannot be read, or offers nothing.
    Playlist,
    /// A playlist that leads to another server.
    Elsewhere,
    /// The live window has gone on without this player.
    Behind,
    /// It was put off for longer than it has patience.
    Patience,
}

/// Why a player was told to come later. No error: it is what an overload or an embargo is meant to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// 503 or 429 with Retry-After: full.
    WaitingRoom,
    /// 403 with Retry-After: not yet released.
    Embargo,
}

/// What the node says of its cache (RFC 9211, the last member of Cache-Status).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheResult {
    /// From the cache.
    Hit,
    /// This request made the node ask further.
    Fill,
    /// Another request had, and this one shares its answer.
    Joined,
    /// What was held had to be asked about.
    Refresh,
    /// It does not say.
    Untold,
}

impl CacheResult {
    /// Reads the last member: the node that was asked.
    pub(crate) fn parse(field: &str) -> Self {
        let member = last_member(field);
        let has = |parameter: &str| member.split(';').skip(1).any(|part| part.trim() == parameter);
        let forwarded = member.split(';').skip(1).find_map(|part| part.trim().strip_prefix("fwd="));
        match forwarded {
            None if has("hit") => Self::Hit,
            None => Self::Untold,
            Some(_) if has("collapsed") => Self::Joined,
            Some("stale") => Self::Refresh,
            Some(_) => Self::Fill,
        }
    }
}

/// Behind the last comma that is not inside a String (RFC 9651 §3.3.3).
fn last_member(field: &str) -> &str {
    let (mut begin, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in field.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => begin = at + 1,
            _ => {}
        }
    }
    field[begin..].trim()
}

macro_rules! label {
    ($type:ident { $($value:ident = $name:literal),* $(,)? }) => {
        impl Label for $type {
            const ALL: &'static [Self] = &[$(Self::$value),*];

            fn as_str(self) -> &'static str {
                match self { $(Self::$value => $name),* }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

label!(ErrorKind {
    Connect = "connect",
    ConnectTimeout = "connect_timeout",
    Ports = "ports",
    Tls = "tls",
    Closed = "closed",
    HeadTimeout = "head_timeout",
    BodyTimeout = "body_timeout",
    Truncated = "truncated",
    Protocol = "protocol",
    Forbidden = "forbidden",
    NotFound = "not_found",
    TooMany = "too_many",
    Refused = "refused",
    Unavailable = "unavailable",
    Upstream = "upstream",
    Server = "server",
    Redirect = "redirect",
    Playlist = "playlist",
    Elsewhere = "elsewhere",
    Behind = "behind",
    Patience = "patience",
});

label!(Hold { WaitingRoom = "waiting_room", Embargo = "embargo" });

label!(CacheResult {
    Hit = "hit",
    Fill = "fill",
    Joined = "joined",
    Refresh = "refresh",
    Untold = "untold",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_that_was_asked_has_the_last_word() {
        for (field, result) in [
            ("airclass; hit; ttl=376", CacheResult::Hit),
            ("parent; hit, airclass; fwd=uri-miss; stored", CacheResult::Fill),
            ("parent; fwd=uri-miss, airclass; hit", CacheResult::Hit),
            ("airclass; fwd=uri-miss; collapsed", CacheResult::Joined),
            ("airclass; fwd=stale; fwd-status=304", CacheResult::Refresh),
            ("airclass; detail=shed", CacheResult::Untold),
            ("a; detail=\"x, y; hit\"", CacheResult::Untold),
            ("a; hit; detail=\"\\\", b\"", CacheResult::Hit),
            ("", CacheResult::Untold),
        ] {
            assert_eq!(CacheResult::parse(field), result, "{field}");
        }
    }

    #[test]
    fn labels_are_in_order_and_differ() {
        fn check<L: Label>() {
            let names: std::collections::BTreeSet<_> = L::ALL.iter().map(|label| label.as_str()).collect();
            assert_eq!(names.len(), L::ALL.len());
            assert!(L::ALL.iter().enumerate().all(|(at, label)| label.index() == at));
        }
        check::<ErrorKind>();
        check::<Hold>();
        check::<CacheResult>();
    }
}
