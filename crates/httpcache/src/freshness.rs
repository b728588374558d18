//! How old a stored response is and how long it may be used (RFC 9111 §4.2).

use crate::directives::{RequestDirectives, ResponseDirectives};
use crate::policy::{Policy, UnreadableAge};
use crate::{date, directives, fields};
use http::{HeaderMap, StatusCode, header};
use std::time::{Duration, SystemTime};

/// A stored response's clock: its age when it was received and how long it stays fresh.
///
/// Time spent in this cache is measured by the caller's monotonic clock and passed as `resident`, so that a wall
/// clock that jumps neither ages nor rejuvenates anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// `corrected_initial_age` of §4.2.3.
    pub initial_age: Duration,
    /// From the directives or Expires, or guessed; zero when there is nothing to go by.
    pub lifetime: Duration,
    /// What it may be used for beyond its lifetime.
    pub stale: StaleUse,
    /// It will not change while it is fresh: asking again brings nothing (RFC 8246).
    pub immutable: bool,
}

/// How a response may be used beyond its lifetime. By default as an operator has it, where it says nothing of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StaleUse {
    /// For this long while a new one is fetched (RFC 5861 §3).
    pub while_revalidating: Duration,
    /// For this long when the origin fails (RFC 5861 §4); `None` where the response does not say, so that the
    /// operator's own limit holds.
    pub if_error: Option<Duration>,
    /// Never (§4.2.4): `must-revalidate` and its like.
    pub forbidden: bool,
    /// Not by an operator's word alone: `s-maxage` (§5.2.2.10).
    pub only_by_word: bool,
}

/// What may be done with a stored response at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Use it.
    Fresh,
    /// Use it, and fetch a new one meanwhile.
    StaleWhileRevalidate,
    /// Ask the origin first.
    Stale,
}

impl Freshness {
    /// Of a response received at `received_at` to a request sent `delay` before.
    pub fn of(
        status: StatusCode,
        headers: &HeaderMap,
        directives: &ResponseDirectives,
        received_at: SystemTime,
        delay: Duration,
        policy: &Policy,
    ) -> Self {
        let age = age_value(headers, policy.unreadable_age);
        let lifetime = lifetime(status, headers, directives, received_at, policy);
        let mut while_revalidating = directives.stale_while_revalidate.unwrap_or_default();
        if is_error(status) {
            // The refresh of a mistake may be put off, or fail: used meanwhile it would outlive its repair all the same.
            while_revalidating = while_revalidating.min(policy.error_ttl.saturating_sub(lifetime));
        }
        Self {
            initial_age: initial_age(headers, age.unwrap_or_default(), received_at, delay),
            // An age that nobody knows is too old.
            lifetime: if age.is_some() { lifetime } else { Duration::ZERO },
            stale: StaleUse {
                while_revalidating,
                if_error: directives.stale_if_error,
                forbidden: directives.forbids_stale(),
                only_by_word: directives.stale_only_by_word(),
            },
            immutable: directives.immutable,
        }
    }

    /// `current_age` after `resident` in this cache (§4.2.3).
    pub fn age(&self, resident: Duration) -> Duration {
        self.initial_age.saturating_add(resident)
    }

    /// How long it has been stale; zero while fresh.
    pub fn staleness(&self, resident: Duration) -> Duration {
        self.age(resident).saturating_sub(self.lifetime)
    }

    /// What may be done with it after `resident` in this cache. An age equal to the lifetime is stale (§4.2).
    pub fn state(&self, resident: Duration) -> State {
        if self.age(resident) < self.lifetime {
            State::Fresh
        } else if !self.stale.forbidden && self.staleness(resident) < self.stale.while_revalidating {
            State::StaleWhileRevalidate
        } else {
            State::Stale
        }
    }

    /// Whether it is as fresh as the client wants, after `resident` in this cache: `no-cache`, `max-age` and `min-fresh`
    /// (§5.2.1). What will not change while fresh is always fresh enough while it is (RFC 8246 §2).
    pub fn suits(&self, asked: &RequestDirectives, resident: Duration) -> bool {
        let age = self.age(resident);
        if self.immutable && age < self.lifetime {
            return true;
        }
        !asked.no_cache
            && asked.max_age.is_none_or(|limit| age <= limit)
            && asked.min_fresh.is_none_or(|least| self.lifetime.saturating_sub(age) >= least)
    }

    /// Whether a client takes it although it is stale: `max-stale` (§5.2.1.2), where the response does not forbid it.
    pub fn is_stale_enough_for(&self, asked: &RequestDirectives, resident: Duration) -> bool {
        let within =
            asked.max_stale.is_some_and(|limit| limit.is_none_or(|limit| self.staleness(resident) <= limit));
        within
            && !self.stale.only_by_word
            && !asked.no_cache
            && asked.max_age.is_none_or(|limit| self.age(resident) <= limit)
    }

    /// Whether it may be used although the origin could not be asked. `operator_limit` holds where the response
    /// itself names no time (§4.2.4 allows it when disconnected).
    pub fn may_serve_on_error(&self, resident: Duration, operator_limit: Duration) -> bool {
        if self.stale.forbidden {
            return false;
        }
        match self.stale.if_error {
            Some(limit) => self.staleness(resident) < limit.max(self.stale.while_revalidating),
            None => !self.stale.only_by_word && self.staleness(resident) < operator_limit,
        }
    }
}

/// How long a response is fresh from its own beginning.
///
/// `s-maxage` wins over `max-age`, which wins over Expires minus Date (§4.2.1), which wins over a guess (§4.2.2).
/// `no-cache` makes it zero: it may be kept, and is asked for each time. Errors live no longer than the policy has it.
pub fn lifetime(
    status: StatusCode,
    headers: &HeaderMap,
    directives: &ResponseDirectives,
    received_at: SystemTime,
    policy: &Policy,
) -> Duration {
    if directives.no_cache {
        return Duration::ZERO;
    }
    let lifetime = directives
        .s_maxage
        .or(directives.max_age)
        .or_else(|| expires(headers, directives, received_at))
        .unwrap_or_else(|| heuristic(status, headers, directives, received_at, policy));
    if is_error(status) { lifetime.min(policy.error_ttl) } else { lifetime }
}

/// Status codes that may be kept without a word about it (RFC 9110 §15.1, RFC 7538).
pub(crate) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Whether it says that something went wrong, here or there (RFC 9110 §15.5, §15.6). What is no status counts as a server's error
/// (§15).
pub fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}

/// A guess for a response that names no lifetime, where one is allowed (§4.2.2): a tenth of the time for which it has
/// not changed, as the RFC suggests, and for errors what the policy has.
fn heuristic(
    status: StatusCode,
    headers: &HeaderMap,
    directives: &ResponseDirectives,
    received_at: SystemTime,
    policy: &Policy,
) -> Duration {
    if !(directives.public || is_heuristically_cacheable(status)) {
        return Duration::ZERO;
    }
    let at = date_of(headers).unwrap_or(received_at);
    let unchanged = last_modified_of(headers).and_then(|modified| at.duration_since(modified).ok());
    // In a response it means nothing by any RFC (§5.4), and says plainly that nothing is to be guessed.
    let says_no_cache =
        || fields::members(headers, &header::PRAGMA).any(|member| member.eq_ignore_ascii_case("no-cache"));
    match unchanged.filter(|_| !says_no_cache()) {
        Some(unchanged) => (unchanged / 10).min(policy.heuristic_ttl),
        None if is_error(status) => policy.negative_ttl,
        None => Duration::ZERO,
    }
}

/// Whether the response says at all how long it is fresh.
pub fn is_explicit(headers: &HeaderMap, directives: &ResponseDirectives) -> bool {
    directives.s_maxage.is_some()
        || directives.max_age.is_some()
        || (!directives.targeted && headers.contains_key(header::EXPIRES))
}

/// Expires minus Date. Several Expires lines, or one that is no date, mean "already expired" (§5.3).
fn expires(
    headers: &HeaderMap,
    directives: &ResponseDirectives,
    received_at: SystemTime,
) -> Option<Duration> {
    if directives.targeted {
        return None;
    }
    let mut lines = headers.get_all(header::EXPIRES).iter();
    let first = lines.next()?;
    let at = if lines.next().is_none() { first.to_str().ok().and_then(date::parse) } else { None };
    let from = date_of(headers).unwrap_or(received_at);
    Some(at.and_then(|at| at.duration_since(from).ok()).unwrap_or_default())
}

/// `corrected_initial_age` (§4.2.3): the larger of what Date and Age say.
fn initial_age(headers: &HeaderMap, age: Duration, received_at: SystemTime, delay: Duration) -> Duration {
    let apparent =
        date_of(headers).and_then(|date| received_at.duration_since(date).ok()).unwrap_or_default();
    apparent.max(age.saturating_add(delay))
}

/// The Age field; zero where it is absent or passed over, `None` where it means "too old".
///
/// Of several members the first counts, and one that is no number counts as none (§5.1). An operator who does not
/// believe that also doubts an Age of several lines, or of lines that a proxy on the way has joined.
fn age_value(headers: &HeaderMap, unreadable: UnreadableAge) -> Option<Duration> {
    let mut lines = headers.get_all(header::AGE).iter();
    let Some(line) = lines.next() else { return Some(Duration::ZERO) };
    let first = fields::members(headers, &header::AGE).next().and_then(directives::delta_seconds);
    match unreadable {
        UnreadableAge::Ignore => Some(first.unwrap_or_default()),
        UnreadableAge::Stale => {
            let joined = lines.next().is_some() || line.as_bytes().windows(2).any(|pair| pair == b", ");
            if joined { None } else { first }
        }
    }
}

/// The Date field, where it is a date.
pub fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    headers.get(header::DATE).and_then(|value| value.to_str().ok()).and_then(date::parse)
}

/// The Last-Modified field, where it is a date.
pub fn last_modified_of(headers: &HeaderMap) -> Option<SystemTime> {
    headers.get(header::LAST_MODIFIED).and_then(|value| value.to_str().ok()).and_then(date::parse)
}

#[cfg(test)]
mod tests;
