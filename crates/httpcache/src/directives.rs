//! Cache-Control (RFC 9111 §5.2), read once into fields.

use crate::{fields, targeted};
use http::{HeaderMap, HeaderName, header};
use std::time::Duration;

/// The largest delta-seconds we count to (RFC 9111 §1.2.2): some 68 years.
pub(crate) const MAX_DELTA: u64 = 1 << 31;

/// What a response says about its storing and reuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseDirectives {
    /// Keep nothing of it (§5.2.2.5).
    pub no_store: bool,
    /// Ask before every use (§5.2.2.4). The form with field names counts as the one without, as §5.2.2.4 allows.
    pub no_cache: bool,
    /// Not for a shared cache (§5.2.2.7). The form with field names counts as the one without.
    pub private: bool,
    /// For everybody, whatever else (§5.2.2.9).
    pub public: bool,
    /// Fresh this long (§5.2.2.1).
    pub max_age: Option<Duration>,
    /// Fresh this long for a shared cache (§5.2.2.10).
    pub s_maxage: Option<Duration>,
    /// Never use it stale (§5.2.2.2).
    pub must_revalidate: bool,
    /// Never use it stale, for a shared cache (§5.2.2.8).
    pub proxy_revalidate: bool,
    /// Store it only when the status code is understood, and then even against `no-store` (§5.2.2.3).
    pub must_understand: bool,
    /// The bytes may not be changed on the way (§5.2.2.6).
    pub no_transform: bool,
    /// It will not change while fresh; a reload need not ask (RFC 8246).
    pub immutable: bool,
    /// May be used stale this long while a new one is fetched (RFC 5861 §3).
    pub stale_while_revalidate: Option<Duration>,
    /// May be used stale this long when the origin fails (RFC 5861 §4).
    pub stale_if_error: Option<Duration>,
    /// From a targeted field, beside which Expires counts for nothing (RFC 9213 §2.2).
    pub targeted: bool,
}

/// What a request asks of caches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestDirectives {
    /// Do not keep the answer (§5.2.1.5).
    pub no_store: bool,
    /// Ask the origin first (§5.2.1.4), also said by `Pragma: no-cache` (§5.4).
    pub no_cache: bool,
    /// Not older than this (§5.2.1.1).
    pub max_age: Option<Duration>,
    /// Stale by this much is fine; `Some(None)` is any amount (§5.2.1.2).
    pub max_stale: Option<Option<Duration>>,
    /// Fresh for this much longer (§5.2.1.3).
    pub min_fresh: Option<Duration>,
    /// From a cache or not at all: 504 (§5.2.1.7).
    pub only_if_cached: bool,
}

impl ResponseDirectives {
    /// What holds for a cache that is spoken to by `targets`: the first of them that can be read, else Cache-Control
    /// (RFC 9213 §2.2).
    pub fn targeted(headers: &HeaderMap, targets: &[HeaderName]) -> Self {
        targeted::read(headers, targets).unwrap_or_else(|| Self::read(headers))
    }

    /// Reads every Cache-Control line. A time given twice counts with its shorter value, one that is no number
    /// as zero: when in doubt, ask the origin (§4.2.1).
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for (name, argument) in directives(headers) {
            let time = |field: &mut Option<Duration>| shorter(field, argument);
            match Known::of(name) {
                Known::NoStore => read.no_store = true,
                Known::NoCache => read.no_cache = true,
                Known::Private => read.private = true,
                Known::Public => read.public = true,
                Known::MaxAge => time(&mut read.max_age),
                Known::SMaxage => time(&mut read.s_maxage),
                Known::MustRevalidate => read.must_revalidate = true,
                Known::ProxyRevalidate => read.proxy_revalidate = true,
                Known::MustUnderstand => read.must_understand = true,
                Known::NoTransform => read.no_transform = true,
                Known::Immutable => read.immutable = true,
                Known::StaleWhileRevalidate => time(&mut read.stale_while_revalidate),
                Known::StaleIfError => time(&mut read.stale_if_error),
                Known::MaxStale | Known::MinFresh | Known::OnlyIfCached | Known::Other => {}
            }
        }
        read
    }

    /// Whether it must not be used stale on any account (§4.2.4).
    pub fn forbids_stale(&self) -> bool {
        self.must_revalidate || self.proxy_revalidate || self.no_cache
    }

    /// Whether it may be used stale only where it says so itself: `s-maxage` means what `proxy-revalidate` does
    /// (§5.2.2.10), but next to an explicit `stale-…` the origin has said otherwise.
    pub fn stale_only_by_word(&self) -> bool {
        self.forbids_stale() || self.s_maxage.is_some()
    }
}

impl RequestDirectives {
    /// Reads every Cache-Control line, and Pragma where there is none.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        if !headers.contains_key(header::CACHE_CONTROL) {
            read.no_cache = fields::members(headers, &header::PRAGMA)
                .any(|member| member.eq_ignore_ascii_case("no-cache"));
            return read;
        }
        for (name, argument) in directives(headers) {
            match Known::of(name) {
                Known::NoStore => read.no_store = true,
                Known::NoCache => read.no_cache = true,
                Known::MaxAge => shorter(&mut read.max_age, argument),
                Known::MaxStale => {
                    // Any amount is said by no argument, not by one that cannot be read.
                    let limit = argument.map(|argument| delta_seconds(argument).unwrap_or_default());
                    read.max_stale = Some(limit);
                }
                Known::MinFresh => read.min_fresh = argument.and_then(delta_seconds),
                Known::OnlyIfCached => read.only_if_cached = true,
                _ => {}
            }
        }
        read
    }
}

/// Names compared without regard to case (§5.2).
#[derive(Clone, Copy)]
enum Known {
    NoStore,
    NoCache,
    Private,
    Public,
    MaxAge,
    SMaxage,
    MustRevalidate,
    ProxyRevalidate,
    MustUnderstand,
    NoTransform,
    Immutable,
    StaleWhileRevalidate,
    StaleIfError,
    MaxStale,
    MinFresh,
    OnlyIfCached,
    Other,
}

impl Known {
    const NAMES: [(&'static str, Self); 16] = [
        ("max-age", Self::MaxAge),
        ("public", Self::Public),
        ("no-cache", Self::NoCache),
        ("no-store", Self::NoStore),
        ("private", Self::Private),
        ("s-maxage", Self::SMaxage),
        ("immutable", Self::Immutable),
        ("must-revalidate", Self::MustRevalidate),
        ("proxy-revalidate", Self::ProxyRevalidate),
        ("must-understand", Self::MustUnderstand),
        ("no-transform", Self::NoTransform),
        ("stale-while-revalidate", Self::StaleWhileRevalidate),
        ("stale-if-error", Self::StaleIfError),
        ("max-stale", Self::MaxStale),
        ("min-fresh", Self::MinFresh),
        ("only-if-cached", Self::OnlyIfCached),
    ];

    fn of(name: &str) -> Self {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Other, |&(_, known)| known)
    }
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = (&str, Option<&str>)> {
    fields::members(headers, &header::CACHE_CONTROL).map(|member| match member.split_once('=') {
        Some((name, argument)) => (name, Some(unquoted(argument))),
        None => (member, None),
    })
}

/// Both the token and the quoted form are read (§5.2), since both are sent.
fn unquoted(argument: &str) -> &str {
    argument.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(argument)
}

fn shorter(field: &mut Option<Duration>, argument: Option<&str>) {
    let given = argument.and_then(delta_seconds).unwrap_or(Duration::ZERO);
    *field = Some(field.map_or(given, |before| before.min(given)));
}

/// Digits only (§1.2.2): no sign, no fraction, no space. Beyond 2^31 counts as 2^31.
pub(crate) fn delta_seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(text.parse().unwrap_or(MAX_DELTA).min(MAX_DELTA)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_static(line));
        }
        headers
    }

    fn max_age(lines: &[&'static str]) -> Option<u64> {
        ResponseDirectives::read(&headers(lines)).max_age.map(|age| age.as_secs())
    }

    #[test]
    fn times_are_digits_and_nothing_else() {
        for (lines, seconds) in [
            (&["max-age=60"][..], Some(60)),
            (&["MAX-AGE=60"], Some(60)),
            (&["max-age=\"60\""], Some(60)),
            (&["public, max-age=60"], Some(60)),
            (&["public", "max-age=60"], Some(60)),
            (&["max-age=60, max-age=5"], Some(5)),
            (&["max-age=99999999999999999999"], Some(1 << 31)),
            (&["max-age=-1"], Some(0)),
            (&["max-age=1.5"], Some(0)),
            (&["max-age="], Some(0)),
            (&["max-age"], Some(0)),
            (&["max-age =60"], None),
            (&["a=\"max-age=60\""], None),
            (&["no-store"], None),
        ] {
            assert_eq!(max_age(lines), seconds, "{lines:?}");
        }
    }

    #[test]
    fn a_max_stale_that_cannot_be_read_is_not_any_amount() {
        let zero = Some(Some(Duration::ZERO));
        for (line, limit) in [
            ("max-stale", Some(None)),
            ("max-stale=5", Some(Some(Duration::from_secs(5)))),
            ("max-stale=", zero),
            ("max-stale=-1", zero),
            ("max-stale=1.5", zero),
        ] {
            assert_eq!(RequestDirectives::read(&headers(&[line])).max_stale, limit, "{line}");
        }
    }

    #[test]
    fn field_names_do_not_make_private_or_no_cache_weaker() {
        let read = ResponseDirectives::read(&headers(&["private=\"set-cookie\", no-cache=\"x, y\""]));
        assert!(read.private && read.no_cache);
    }

    #[test]
    fn pragma_speaks_only_where_cache_control_is_silent() {
        let mut request = HeaderMap::new();
        request.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        assert!(RequestDirectives::read(&request).no_cache);
        request.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-stale"));
        let read = RequestDirectives::read(&request);
        assert!(!read.no_cache);
        assert_eq!(read.max_stale, Some(None));
    }
}
