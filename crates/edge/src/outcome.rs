//! What became of a request, in one word: for metrics, logs and Cache-Status alike.

use httpcache::storable::NotStored;
use telemetry::Label;

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// From RAM, fresh.
    Hit,
    /// From the disk, fresh; by now in RAM.
    HitDisk,
    /// From RAM, and from the upstream what is missing there.
    Partial,
    /// From RAM, stale, while a new one is fetched (RFC 5861 §3).
    StaleWhileRevalidate,
    /// From RAM, stale, because the upstream failed (RFC 5861 §4, RFC 9111 §4.2.4).
    StaleOnError,
    /// From RAM, after the upstream said that it still holds.
    Revalidated,
    /// From the upstream; this request began the fill.
    Miss,
    /// From the upstream, by a fill that another request had begun.
    Collapsed,
    /// From the upstream to this client alone.
    Pass,
    /// Not in the cache, and the client wanted nothing else (RFC 9111 §5.2.1.7).
    OnlyIfCached,
    /// Put off, for want of room.
    Shed,
    /// It is not open yet.
    NotYet,
    /// Others begin before, by the day plan's slots or in line.
    Waiting,
    /// A question for a day plan.
    Plan,
    /// A channel's playlist, made here.
    OnAir,
    /// A word about what a class has seen.
    Counted,
    /// A report of a page.
    Reported,
    /// Which groups of servers can be reached.
    Standing,
    /// The same URL by HTTPS, where the listener wants everybody.
    Moved,
    /// The request was refused before anything was looked up.
    Refused,
    /// The upstream gave nothing usable.
    Failed,
}

/// Why a request was not answered by the cache, as operators sort it: more room or an earlier fill helps against the first,
/// repair against the second, nothing here against the third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissClass {
    /// It was not here.
    Content,
    /// This node or all servers behind it were in trouble.
    Health,
    /// It is not to be cached, or the client wanted it so.
    Other,
}

impl Label for MissClass {
    const ALL: &'static [Self] = &[Self::Content, Self::Health, Self::Other];

    fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Health => "health",
            Self::Other => "other",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Where an answer's bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Memory.
    Ram,
    /// The disk.
    Disk,
    /// The upstream, wholly or in part.
    Upstream,
    /// This node's own words.
    Own,
}

impl Label for Tier {
    const ALL: &'static [Self] = &[Self::Ram, Self::Disk, Self::Upstream, Self::Own];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Disk => "disk",
            Self::Upstream => "upstream",
            Self::Own => "own",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Outcome {
    /// Where the answer's bytes came from.
    pub(crate) const fn tier(self) -> Tier {
        match self {
            Self::Hit | Self::StaleWhileRevalidate | Self::StaleOnError => Tier::Ram,
            Self::HitDisk => Tier::Disk,
            Self::Partial | Self::Revalidated | Self::Miss | Self::Collapsed | Self::Pass => Tier::Upstream,
            Self::OnlyIfCached
            | Self::Shed
            | Self::NotYet
            | Self::Waiting
            | Self::Plan
            | Self::OnAir
            | Self::Counted
            | Self::Reported
            | Self::Standing
            | Self::Moved
            | Self::Refused
            | Self::Failed => Tier::Own,
        }
    }

    /// Whether the cache has answered.
    pub(crate) const fn is_hit(self) -> bool {
        matches!(self.tier(), Tier::Ram | Tier::Disk)
    }

    /// Whether the upstream was asked on the request's behalf.
    pub(crate) const fn asks_upstream(self) -> bool {
        matches!(self.tier(), Tier::Upstream) || matches!(self, Self::StaleOnError | Self::Failed)
    }

    /// As what kind of miss it counts; `None`: as none.
    pub(crate) const fn miss(self) -> Option<MissClass> {
        match self {
            Self::Miss | Self::Collapsed | Self::Partial | Self::Revalidated => Some(MissClass::Content),
            Self::StaleOnError | Self::Shed | Self::Failed => Some(MissClass::Health),
            Self::Pass | Self::OnlyIfCached => Some(MissClass::Other),
            Self::Hit
            | Self::HitDisk
            | Self::StaleWhileRevalidate
            | Self::NotYet
            | Self::Waiting
            | Self::Plan
            | Self::OnAir
            | Self::Counted
            | Self::Reported
            | Self::Standing
            | Self::Moved
            | Self::Refused => None,
        }
    }
}

impl Label for Outcome {
    const ALL: &'static [Self] = &[
        Self::Hit,
        Self::HitDisk,
        Self::Partial,
        Self::StaleWhileRevalidate,
        Self::StaleOnError,
        Self::Revalidated,
        Self::Miss,
        Self::Collapsed,
        Self::Pass,
        Self::OnlyIfCached,
        Self::Shed,
        Self::NotYet,
        Self::Waiting,
        Self::Plan,
        Self::OnAir,
        Self::Counted,
        Self::Reported,
        Self::Standing,
        Self::Moved,
        Self::Refused,
        Self::Failed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::HitDisk => "hit_disk",
            Self::Partial => "partial",
            Self::StaleWhileRevalidate => "stale_while_revalidate",
            Self::StaleOnError => "stale_on_error",
            Self::Revalidated => "revalidated",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
            Self::Pass => "pass",
            Self::OnlyIfCached => "only_if_cached",
            Self::Shed => "shed",
            Self::NotYet => "not_yet",
            Self::Waiting => "waiting",
            Self::Plan => "plan",
            Self::OnAir => "on_air",
            Self::Counted => "counted",
            Self::Reported => "reported",
            Self::Standing => "standing",
            Self::Moved => "moved",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Why the cache could not answer by itself (`fwd` of RFC 9211 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwarded {
    /// Nothing under this URL.
    UriMiss,
    /// Something under this URL, but for other request fields.
    VaryMiss,
    /// A part, but not the one that is wanted.
    Partial,
    /// Something stale.
    Stale,
    /// The client asked for something fresher (RFC 9111 §5.2.1).
    Request,
    /// The method is not answered from a cache.
    Method,
    /// The last answer was not to be shared.
    Bypass,
}

impl Forwarded {
    /// The token of RFC 9211.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::Request => "request",
            Self::Method => "method",
            Self::Bypass => "bypass",
        }
    }
}

/// How a fill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FillOutcome {
    /// Kept.
    Stored,
    /// Found on the disk; the upstream was not asked.
    Loaded,
    /// The same, for one client alone and not kept in memory.
    PassedOn,
    /// The stored response still holds.
    NotModified,
    /// Answered, and not to be kept.
    NotStored,
    /// Broke off in the body.
    BrokenOff,
    /// Its client has what it wanted of it or has gone, and much was still to come.
    GivenUp,
    /// No usable answer.
    Failed,
}

impl Label for FillOutcome {
    const ALL: &'static [Self] = &[
        Self::Stored,
        Self::Loaded,
        Self::PassedOn,
        Self::NotModified,
        Self::NotStored,
        Self::BrokenOff,
        Self::GivenUp,
        Self::Failed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Loaded => "loaded",
            Self::PassedOn => "passed_on",
            Self::NotModified => "not_modified",
            Self::NotStored => "not_stored",
            Self::BrokenOff => "broken_off",
            Self::GivenUp => "given_up",
            Self::Failed => "failed",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// The reason as Cache-Status details and logs write it.
pub(crate) const fn not_stored(reason: NotStored) -> &'static str {
    match reason {
        NotStored::Method => "method",
        NotStored::RequestNoStore => "request-no-store",
        NotStored::ResponseNoStore => "response-no-store",
        NotStored::Private => "private",
        NotStored::Authorized => "authorized",
        NotStored::Cookie => "cookie",
        NotStored::SetCookie => "set-cookie",
        NotStored::Status => "status",
        NotStored::NotUnderstood => "not-understood",
        NotStored::VaryStar => "vary-star",
        NotStored::NoFreshness => "no-freshness",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports of problems once counted as requests that the cache should have answered.
    #[test]
    fn the_fleets_ratio_is_of_what_a_cache_can_answer() {
        let rules = include_str!("../../../deploy/prometheus/airclass-rules.yml");
        let (_, rest) = rules.split_once("edge_requests_total{outcome!~\"").unwrap();
        let (left_out, _) = rest.split_once('"').unwrap();
        let left_out: Vec<&str> = left_out.split('|').collect();
        for &outcome in Outcome::ALL {
            // What was not found here or failed above was for the cache all the same.
            let own =
                outcome.tier() == Tier::Own && !matches!(outcome, Outcome::OnlyIfCached | Outcome::Failed);
            assert_eq!(left_out.contains(&outcome.as_str()), own, "{}", outcome.as_str());
        }
    }
}
