//! One stored response.

use super::body::Body;
use bytes::BytesMut;
use diskstore::Generation;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use httpcache::content_range::{self, ContentRange};
use httpcache::digest;
use httpcache::etag::Etag;
use httpcache::freshness::{self, Freshness, State};
use httpcache::range::{self, Spec};
use httpcache::validation;
use serve::LastingFields;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A response as the edge keeps it. Never changed: a validation makes a new one that shares the body.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) status: StatusCode,
    /// End-to-end fields as the upstream sent them, without Age.
    pub(crate) headers: HeaderMap,
    pub(crate) freshness: Freshness,
    /// When its freshness began to count in this cache.
    pub(crate) stored_at: Instant,
    /// Read once; hits compare.
    pub(crate) etag: Option<Etag>,
    /// Read once; hits compare.
    pub(crate) last_modified: Option<SystemTime>,
    /// Whether that is a strong validator (RFC 9110 §8.8.2.2), by the Date that came with the bytes: a 304 since has another.
    pub(crate) strong_date: bool,
    /// Of a 206: which bytes it says it is. Read once; hits compare.
    pub(crate) part: Option<ContentRange>,
    pub(crate) body: Body,
    /// The fields of an answer from it, made for the first one.
    answer: OnceLock<HeaderMap>,
    /// The same as they are sent, where that is possible.
    ready: OnceLock<Option<Arc<LastingFields>>>,
    /// Which version on the disk has this body, once there is one.
    on_disk: OnceLock<Generation>,
    refreshes: Refreshes,
    /// Those that were given up under pressure, as far as they are counted.
    given_up: Refreshes,
    /// Repr-Digest, made for the first client that asked for it; `None` within: it cannot be had.
    digest: OnceLock<Option<HeaderValue>>,
}

/// What an object costs beside its body and its fields: the structs, the key, moka's own bookkeeping.
const OVERHEAD: usize = 768;
/// What a field costs beside its text: a place in two maps, which share the text.
const FIELD_OVERHEAD: usize = 192;
/// Places that its text is in: those, and an answer's head.
const TEXTS: usize = 2;

/// When a refresh may begin, in milliseconds of an object's stay.
#[derive(Debug, Default)]
struct Refreshes(AtomicU64);

impl Refreshes {
    /// Between two of one object, when the first has brought nothing.
    const APART: Duration = Duration::from_secs(5);

    /// Whether one is due after `resident`.
    fn is_due(&self, resident: Duration) -> bool {
        u128::from(self.0.load(Ordering::Relaxed)) <= resident.as_millis()
    }

    /// Whether one may begin after `resident`; the next may be later.
    fn begin(&self, resident: Duration) -> bool {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (at, now) = (self.0.load(Ordering::Relaxed), millis(resident));
        let next = now.saturating_add(millis(Self::APART));
        now >= at && self.0.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Clone for Refreshes {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// The largest body whose digest is reckoned while its client waits, and the others of its core: some 5 ms.
const MOST_DIGESTED: u64 = 8 * 1_024 * 1_024;

/// Has all values in one piece of memory of their own. As they come they are slices of what was read from a connection or a disk, some
/// kilobytes to some hundreds of them, and each would hold all of that.
fn compact(headers: &mut HeaderMap) {
    let mut all = BytesMut::with_capacity(headers.values().map(HeaderValue::len).sum());
    for value in headers.values_mut() {
        let sensitive = value.is_sensitive();
        all.extend_from_slice(value.as_bytes());
        // The bytes of a value are one.
        if let Ok(own) = HeaderValue::from_maybe_shared(all.split().freeze()) {
            *value = own;
            value.set_sensitive(sensitive);
        }
    }
}

impl Object {
    /// `headers` are end-to-end fields only.
    pub(crate) fn new(
        status: StatusCode,
        mut headers: HeaderMap,
        freshness: Freshness,
        stored_at: Instant,
        body: Body,
    ) -> Self {
        headers.remove(header::AGE);
        compact(&mut headers);
        let etag = headers.get(header::ETAG).and_then(Etag::parse);
        let last_modified = freshness::last_modified_of(&headers);
        let strong_date = validation::has_strong_date(&headers);
        let part = content_range::of(&headers).filter(|_| status == StatusCode::PARTIAL_CONTENT);
        Self {
            status,
            headers,
            freshness,
            stored_at,
            etag,
            last_modified,
            strong_date,
            part,
            body,
            answer: OnceLock::new(),
            ready: OnceLock::new(),
            on_disk: OnceLock::new(),
            refreshes: Refreshes::default(),
            given_up: Refreshes::default(),
            digest: OnceLock::new(),
        }
    }

    /// The same response with its bytes kept in another way.
    pub(crate) fn with_body(&self, body: Body) -> Self {
        Self::new(self.status, self.headers.clone(), self.freshness, self.stored_at, body)
            .with_date(self.strong_date)
    }

    /// The same response whose Last-Modified is no strong validator unless `strong`, whatever its fields say.
    pub(crate) fn with_date(mut self, strong: bool) -> Self {
        self.strong_date &= strong;
        self
    }

    /// The fields that every answer from it has. `make` puts them together, once: a hit copies them and hashes no name.
    pub(crate) fn answer_fields(&self, make: impl FnOnce() -> HeaderMap) -> HeaderMap {
        self.answer.get_or_init(make).clone()
    }

    /// The same as they are sent by HTTP/1.1, without what is of one answer. `make` gives `None` where they cannot be written once.
    pub(crate) fn lasting_fields(
        &self,
        make: impl FnOnce() -> Option<LastingFields>,
    ) -> Option<Arc<LastingFields>> {
        self.ready.get_or_init(|| make().map(Arc::new)).clone()
    }

    /// `Repr-Digest` of a whole body that is here (RFC 9530 §3): reckoned once, and only where somebody asks.
    pub(crate) fn digest(&self) -> Option<&HeaderValue> {
        let reckon = || {
            let Body::Complete(blocks) = &self.body else { return None };
            if self.status != StatusCode::OK || blocks.length() > MOST_DIGESTED {
                return None;
            }
            let mut hasher = package::Hasher::new();
            blocks.blocks().iter().for_each(|block| hasher.update(block));
            digest::field(&hasher.finish().0)
        };
        self.digest.get_or_init(reckon).as_ref()
    }

    /// Its body is on the disk, as this version.
    pub(crate) fn note_on_disk(&self, generation: Generation) {
        // Set once: an object is written once, and what it is freshened from or loaded from is told before.
        let _ = self.on_disk.set(generation);
    }

    /// Which version on the disk has its body.
    pub(crate) fn on_disk(&self) -> Option<Generation> {
        self.on_disk.get().copied()
    }

    /// Whether a refresh that nobody waits for may begin now. One that has brought nothing is not followed by another with the next hit.
    pub(crate) fn may_be_refreshed(&self, now: Instant) -> bool {
        self.refreshes.begin(self.resident(now))
    }

    /// Whether a refresh that is given up now is one of its own: it would have begun, and who asked meanwhile would have found it going on.
    pub(crate) fn misses_refresh(&self, now: Instant) -> bool {
        let resident = self.resident(now);
        self.refreshes.is_due(resident) && self.given_up.begin(resident)
    }

    /// Whether it came later.
    pub(crate) fn is_younger_than(&self, other: &Self) -> bool {
        self.stored_at > other.stored_at
    }

    /// How long it has been here.
    pub(crate) fn resident(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.stored_at)
    }

    /// What may be done with it now.
    pub(crate) fn state(&self, now: Instant) -> State {
        self.freshness.state(self.resident(now))
    }

    /// The bytes of this 206's body that `asked` means, and what a 206 with them says of itself (RFC 9111 §3.3). `None`
    /// where not all of them are there.
    ///
    /// An origin may say more than it sends. What is counted from the front is then counted from where it says that it
    /// begins, and what is counted from the end from its end: each as the origin itself has answered.
    pub(crate) fn part_for(&self, asked: Spec) -> Option<(Range<u64>, HeaderValue)> {
        let ContentRange { part, length } = self.part.as_ref()?;
        let held = self.body.length()?;
        let to_the_end = part.end == *length;
        let (bytes, says) = match asked {
            Spec::From { first, last } => {
                let from = first.checked_sub(part.start)?;
                let to = match last {
                    Some(last) if last < *length => last.checked_sub(part.start)?.checked_add(1)?,
                    _ if to_the_end => held,
                    _ => return None,
                };
                (from..to, first..part.start + to)
            }
            Spec::Suffix(count) if to_the_end => {
                let count = count.min(*length);
                (held.checked_sub(count)?..held, length - count..*length)
            }
            Spec::Suffix(_) => return None,
        };
        let whole = bytes == (0..held);
        let sound = bytes.start < bytes.end && bytes.end <= held;
        let says = || range::content_range(&says, *length);
        let own = || self.headers.get(header::CONTENT_RANGE).cloned();
        sound.then(|| (bytes, if whole { own().unwrap_or_else(says) } else { says() }))
    }

    /// The same response, stale from `now` on at the latest: what it may be used for beyond that counts from then.
    pub(crate) fn stale_from(&self, now: Instant) -> Self {
        let lifetime = self.freshness.lifetime.min(self.freshness.age(self.resident(now)));
        Self { freshness: Freshness { lifetime, ..self.freshness }, ..self.clone() }
    }

    /// Bytes of memory it is counted as.
    pub(crate) fn weight(&self) -> u32 {
        let text = |name: &HeaderName, value: &HeaderValue| name.as_str().len() + value.len();
        let fields: usize =
            self.headers.iter().map(|(name, value)| TEXTS * text(name, value) + FIELD_OVERHEAD).sum();
        let body = self.body.weight();
        u32::try_from(body.saturating_add((fields + OVERHEAD) as u64)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn fields_hold_nothing_of_what_they_were_read_in() {
        let read = Bytes::from(vec![b'x'; 400_000]);
        let mut headers = HeaderMap::new();
        for (name, range) in [("etag", 0..3), ("x-a", 7..9), ("x-b", 9..9)] {
            let value = HeaderValue::from_maybe_shared(read.slice(range)).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        let freshness = Freshness::of(
            StatusCode::OK,
            &headers,
            &httpcache::directives::ResponseDirectives::default(),
            SystemTime::UNIX_EPOCH,
            Duration::ZERO,
            &httpcache::policy::Policy::default(),
        );
        let body = Body::Complete(std::sync::Arc::default());
        let object = Object::new(StatusCode::OK, headers, freshness, Instant::now(), body);
        assert_eq!(
            (&object.headers["etag"], &object.headers["x-b"]),
            (&"xxx".parse().unwrap(), &"".parse().unwrap())
        );
        assert!(read.is_unique(), "some of it is held");
    }
}
