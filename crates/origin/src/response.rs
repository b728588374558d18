//! Headers and bodies of answers: the whole, a part, "you have it", "you meant something else".

use crate::body::Body;
use crate::caching;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use httpcache::conditional::{self, Verdict};
use httpcache::etag::Etag;
use httpcache::range::{self, Requested};
use package::CacheClass;
use prometheus::IntCounter;
use std::ops::Range;
use std::time::{Duration, SystemTime};
use storage::Reading;

/// One representation of something that is there.
pub(crate) struct Representation {
    pub(crate) media_type: &'static str,
    pub(crate) cache: CacheClass,
    pub(crate) etag: Etag,
    /// `None` for what is part of the program.
    pub(crate) last_modified: Option<SystemTime>,
    pub(crate) coding: Forms,
    pub(crate) content: Content,
}

/// In which forms the thing exists, and which one this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forms {
    /// One form for everybody.
    Only,
    /// Plain, of plain and gzip.
    Plain,
    /// Gzip, of plain and gzip.
    Gzip,
}

/// Where its bytes are.
pub(crate) enum Content {
    Memory(Bytes),
    Store {
        reading: Reading,
        /// For each block.
        limit: Duration,
        errors: IntCounter,
    },
}

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
/// What a player on another site's page may read beside the safe fields (Fetch standard): how much came, whether from a cache.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Accept-Ranges, Age, Cache-Status, Content-Length, Content-Range, Date, ETag");
pub(crate) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// What a player may send that makes a browser ask first.
const ALLOWED_FIELDS: HeaderValue = HeaderValue::from_static(
    "Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range",
);
/// A day: browsers keep the answer for two hours at most, and it never changes.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Answers GET or HEAD for something that is there. `now` decides whether a date is a strong validator.
pub(crate) fn respond(
    method: &Method,
    request: &HeaderMap,
    representation: Representation,
    now: SystemTime,
) -> Response<Body> {
    let Representation { etag, last_modified, .. } = &representation;
    match conditional::evaluate(method, request, Some(etag), *last_modified) {
        Verdict::Proceed => {}
        Verdict::NotModified => return not_modified(&representation),
        Verdict::PreconditionFailed => return precondition_failed(),
    }
    let length = representation.length();
    // Only GET knows ranges (RFC 9110 §14.2).
    let wanted = request.get(header::RANGE).filter(|_| method == Method::GET);
    let wanted = wanted.filter(|_| conditional::range_applies(request, Some(etag), *last_modified, || now));
    match range::resolve(wanted, length) {
        Requested::Whole => whole(method, representation),
        Requested::Part(part) => partial(representation, part),
        Requested::Unsatisfiable => unsatisfiable(length),
    }
}

fn whole(method: &Method, representation: Representation) -> Response<Body> {
    let length = representation.length();
    let headers = representation.headers();
    let body = if method == Method::HEAD { Body::empty() } else { representation.content.part(0..length) };
    assembled(StatusCode::OK, headers, length, body)
}

fn partial(representation: Representation, part: Range<u64>) -> Response<Body> {
    let mut headers = representation.headers();
    headers.insert(header::CONTENT_RANGE, range::content_range(&part, representation.length()));
    let length = part.end - part.start;
    assembled(StatusCode::PARTIAL_CONTENT, headers, length, representation.content.part(part))
}

fn unsatisfiable(length: u64) -> Response<Body> {
    let mut headers = common();
    headers.insert(header::CONTENT_RANGE, range::unsatisfied_range(length));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A cache in front keeps the whole and knows better; this answer is for this request.
    headers.insert(header::CACHE_CONTROL, caching::NEVER);
    assembled(StatusCode::RANGE_NOT_SATISFIABLE, headers, 0, Body::empty())
}

/// RFC 9110 §15.4.5: what the 200 would have said that helps a cache, and nothing about the bytes.
fn not_modified(representation: &Representation) -> Response<Body> {
    let mut headers = representation.headers();
    for about_bytes in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ACCEPT_RANGES] {
        headers.remove(about_bytes);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = headers;
    response
}

fn precondition_failed() -> Response<Body> {
    let mut headers = common();
    headers.insert(header::CACHE_CONTROL, caching::NEVER);
    assembled(StatusCode::PRECONDITION_FAILED, headers, 0, Body::empty())
}

/// Answers OPTIONS: a browser's question whether a page of another site may ask (Fetch standard), and the plain one.
pub(crate) fn preflight() -> Response<Body> {
    let mut headers = common();
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_FIELDS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers;
    response
}

/// What every answer says: types are what we say they are, and anybody's page may play.
pub(crate) fn common() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers
}

/// `length` is told even where the body is left out (HEAD).
pub(crate) fn assembled(
    status: StatusCode,
    mut headers: HeaderMap,
    length: u64,
    body: Body,
) -> Response<Body> {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl Representation {
    fn length(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Store { reading, .. } => reading.meta().bytes,
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = common();
        let mut set = |name: HeaderName, value| headers.insert(name, value);
        set(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        set(header::CACHE_CONTROL, caching::cache_control(self.cache));
        set(header::ETAG, self.etag.value().clone());
        set(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if self.coding != Forms::Only {
            set(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.coding == Forms::Gzip {
            set(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let date = self.last_modified.map(httpdate::fmt_http_date);
        if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
            set(header::LAST_MODIFIED, date);
        }
        headers
    }
}

impl Content {
    fn part(self, part: Range<u64>) -> Body {
        match self {
            Self::Memory(bytes) => {
                let index = |place: u64| usize::try_from(place).unwrap_or(bytes.len()).min(bytes.len());
                Body::whole(bytes.slice(index(part.start)..index(part.end)))
            }
            Self::Store { reading, limit, errors } => {
                let length = part.end - part.start;
                Body::stream(reading.stream(part), length, limit, errors)
            }
        }
    }
}
