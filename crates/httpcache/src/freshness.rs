//! How old a stored response is and how long it may be used (RFC 9111 §4.2).

use crate::directives::ResponseDirectives;
use crate::{directives, fields};
use http::{HeaderMap, header};
use std::time::{Duration, SystemTime};

/// A stored response's clock: its age when it was received and how long it stays fresh.
///
/// Time spent in this cache is measured by the caller's monotonic clock and passed as `resident`, so that a wall
/// clock that jumps neither ages nor rejuvenates anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// `corrected_initial_age` of §4.2.3.
    pub initial_age: Duration,
    /// From the directives or Expires; zero when the response names none.
    pub lifetime: Duration,
    /// What it may be used for beyond its lifetime.
    pub stale: StaleUse,
}

/// How a response may be used beyond its lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        headers: &HeaderMap,
        directives: &ResponseDirectives,
        received_at: SystemTime,
        delay: Duration,
    ) -> Self {
        Self {
            initial_age: initial_age(headers, received_at, delay),
            lifetime: lifetime(headers, directives, received_at),
            stale: StaleUse {
                while_revalidating: directives.stale_while_revalidate.unwrap_or_default(),
                if_error: directives.stale_if_error,
                forbidden: directives.forbids_stale(),
                only_by_word: directives.stale_only_by_word(),
            },
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
/// `s-maxage` wins over `max-age`, which wins over Expires minus Date (§4.2.1). `no-cache` makes it zero: it may be
/// kept, and is asked for each time. No heuristic (§4.2.2): a lesson's origin always says, and a guess for someone
/// else's origin would be wrong on the one morning that counts.
pub fn lifetime(headers: &HeaderMap, directives: &ResponseDirectives, received_at: SystemTime) -> Duration {
    if directives.no_cache {
        return Duration::ZERO;
    }
    directives.s_maxage.or(directives.max_age).or_else(|| expires(headers, received_at)).unwrap_or_default()
}

/// Whether the response says at all how long it is fresh.
pub fn is_explicit(headers: &HeaderMap, directives: &ResponseDirectives) -> bool {
    directives.s_maxage.is_some() || directives.max_age.is_some() || headers.contains_key(header::EXPIRES)
}

/// Expires minus Date. Several Expires lines, or one that is no date, mean "already expired" (§5.3).
fn expires(headers: &HeaderMap, received_at: SystemTime) -> Option<Duration> {
    let mut lines = headers.get_all(header::EXPIRES).iter();
    let first = lines.next()?;
    let at = if lines.next().is_none() { first.to_str().ok().and_then(date) } else { None };
    let from = date_of(headers).unwrap_or(received_at);
    Some(at.and_then(|at| at.duration_since(from).ok()).unwrap_or_default())
}

/// `corrected_initial_age` (§4.2.3): the larger of what Date and Age say.
fn initial_age(headers: &HeaderMap, received_at: SystemTime, delay: Duration) -> Duration {
    let apparent =
        date_of(headers).and_then(|date| received_at.duration_since(date).ok()).unwrap_or_default();
    apparent.max(age_value(headers).saturating_add(delay))
}

/// The Age field. Of several members the first counts, and one that is no number counts as none (§5.1).
fn age_value(headers: &HeaderMap) -> Duration {
    fields::members(headers, &header::AGE).next().and_then(directives::delta_seconds).unwrap_or_default()
}

/// The Date field, where it is a date.
pub fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    headers.get(header::DATE).and_then(|value| value.to_str().ok()).and_then(date)
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const NOW: &str = "Mon, 10 Feb 2020 00:30:00 GMT";
    const HOUR_AGO: &str = "Sun, 09 Feb 2020 23:30:00 GMT";
    const IN_AN_HOUR: &str = "Mon, 10 Feb 2020 01:30:00 GMT";

    fn now() -> SystemTime {
        date(NOW).unwrap()
    }

    fn of(fields: &[(&'static str, &'static str)]) -> Freshness {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Freshness::of(&headers, &ResponseDirectives::read(&headers), now(), Duration::from_secs(2))
    }

    #[test]
    fn lifetimes_by_the_order_of_section_4_2_1() {
        for (fields, seconds) in [
            (&[("cache-control", "max-age=10, s-maxage=60")][..], 60),
            (&[("cache-control", "max-age=10"), ("expires", IN_AN_HOUR), ("date", NOW)], 10),
            (&[("expires", IN_AN_HOUR), ("date", NOW)], 3_600),
            (&[("expires", IN_AN_HOUR), ("date", HOUR_AGO)], 7_200),
            (&[("expires", IN_AN_HOUR)], 3_600),
            (&[("expires", HOUR_AGO), ("date", NOW)], 0),
            (&[("expires", "0")], 0),
            (&[("expires", IN_AN_HOUR), ("expires", IN_AN_HOUR), ("date", NOW)], 0),
            (&[("cache-control", "max-age=10, no-cache")], 0),
            (&[("last-modified", HOUR_AGO), ("date", NOW)], 0),
        ] {
            assert_eq!(of(fields).lifetime.as_secs(), seconds, "{fields:?}");
        }
    }

    #[test]
    fn the_initial_age_is_the_larger_of_date_and_age() {
        assert_eq!(of(&[("date", HOUR_AGO)]).initial_age.as_secs(), 3_600);
        assert_eq!(of(&[("date", NOW), ("age", "100")]).initial_age.as_secs(), 102);
        assert_eq!(of(&[("date", IN_AN_HOUR)]).initial_age.as_secs(), 2);
        assert_eq!(of(&[("age", "-5")]).initial_age.as_secs(), 2);
        assert_eq!(of(&[("age", "7, 9")]).initial_age.as_secs(), 9);
    }

    #[test]
    fn an_age_that_has_reached_the_lifetime_is_stale() {
        let response = of(&[("cache-control", "max-age=12, stale-while-revalidate=5, stale-if-error=100")]);
        let state = |seconds| response.state(Duration::from_secs(seconds));
        assert_eq!(state(9), State::Fresh);
        assert_eq!(state(10), State::StaleWhileRevalidate);
        assert_eq!(state(15), State::Stale);
        assert!(response.may_serve_on_error(Duration::from_secs(109), Duration::ZERO));
        assert!(!response.may_serve_on_error(Duration::from_secs(110), Duration::MAX));
    }

    #[test]
    fn what_demands_validation_is_never_served_stale() {
        let ten = Duration::from_secs(10);
        for (control, on_error) in [
            ("max-age=1", true),
            ("max-age=1, must-revalidate", false),
            ("max-age=1, proxy-revalidate, stale-if-error=99", false),
            ("no-cache", false),
            ("s-maxage=1", false),
            ("s-maxage=1, stale-if-error=99", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
            let directives = ResponseDirectives::read(&headers);
            let response = Freshness::of(&headers, &directives, now(), Duration::ZERO);
            assert_eq!(response.may_serve_on_error(ten, Duration::MAX), on_error, "{control}");
        }
    }
}
