//! A fill that asks for a part: what is asked for, and what becomes of a 206 (RFC 9110 §15.3.7, RFC 9111 §3.3, §3.4).

use super::arrived::{self, Arrived};
use super::blocks::{Due, feed};
use super::flight::{Guard, Landed};
use super::lots::RUN;
use super::place;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::request::Asked;
use crate::store::{BLOCK_SIZE, Body, LONGEST, Object, Sparse};
use crate::upstream::Way;
use http::{HeaderValue, Method, StatusCode, header};
use httpcache::content_range::{self, ContentRange};
use httpcache::etag::Etag;
use httpcache::fields::OF_CONTENT;
use httpcache::range::{self, Spec};
use std::ops::Range;
use std::sync::Arc;

/// The longest run of bytes that is asked for in one piece.
pub(super) const MOST: u64 = RUN * BLOCK_SIZE;

/// Which part a fill for `asked` asks for; `None` for the whole.
///
/// A client that wants all from the first byte on is served by the whole, and so is one that wants parts that lie apart or more
/// of the end than is asked for at once. What is stored in blocks is asked about with one of them.
pub(crate) fn wanted(asked: &Asked, stale: Option<&Object>) -> Option<Spec> {
    let range = asked.headers.get(header::RANGE).filter(|_| asked.method == Method::GET);
    let wanted = range.and_then(range::together);
    match wanted {
        Some(Spec::From { first: 0, last: None }) => None,
        Some(Spec::Suffix(count)) if count > MOST => None,
        Some(spec) => Some(spec),
        None => stale
            .is_some_and(|stale| matches!(stale.body, Body::Sparse(_)))
            .then_some(Spec::From { first: 0, last: Some(0) }),
    }
}

/// The Range field of a question for it: whole blocks. Where the end is, is not known yet, so the last bytes are asked
/// for as they are.
pub(crate) fn question(spec: Spec) -> HeaderValue {
    match spec {
        Spec::From { first, last } => range::request(&aligned(first, last)),
        Spec::Suffix(count) => range::request_suffix(count),
    }
}

fn aligned(first: u64, last: Option<u64>) -> Range<u64> {
    let start = first - first % BLOCK_SIZE;
    let most = start.saturating_add(MOST);
    let end = last.map_or(most, |last| (last - last % BLOCK_SIZE).saturating_add(BLOCK_SIZE).min(most));
    start..end
}

/// What a 206 is good for.
pub(crate) enum Part {
    /// All there is, by another name; whether that is more than was asked for.
    Whole { beyond: bool },
    /// Blocks that others can be added to: it has a strong validator, and says where it belongs.
    Blocks(ContentRange, HeaderValue),
    /// Itself and no more: parts of it may be served (RFC 9111 §3.3), nothing may be added.
    Alone,
    /// Not what was asked for, or malformed beyond use.
    Useless,
}

/// States the length of a 206 that comes without one, as its Content-Range has it (RFC 9110 §14.4): a body of another is an error.
pub(crate) fn state_length(arrived: &mut Arrived) {
    let headers = &mut arrived.head.headers;
    if !headers.contains_key(header::CONTENT_LENGTH)
        && let Some(ContentRange { part, .. }) = content_range::of(headers)
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    }
}

/// Judges a 206 that answers a question for `spec`.
pub(crate) fn judge(edge: &Edge, spec: Spec, arrived: &Arrived) -> Part {
    let headers = &arrived.head.headers;
    let (Some(ContentRange { part, length }), Some(stated)) = (content_range::of(headers), arrived.length())
    else {
        return Part::Useless;
    };
    let (answers, end) = match spec {
        Spec::From { first, last } => {
            let asked = aligned(first, last);
            (part.start == asked.start && part.contains(&first), asked.end)
        }
        Spec::Suffix(_) => (part.end == length, length),
    };
    if !answers || length > LONGEST {
        return Part::Useless;
    }
    let complete = stated == part.end - part.start;
    let fits = stated <= edge.memory.largest_object();
    if complete && fits && part == (0..length) {
        return Part::Whole { beyond: length > end };
    }
    let strong =
        headers.get(header::ETAG).filter(|etag| Etag::parse(etag).is_some_and(|etag| !etag.is_weak()));
    match strong {
        // Each block is an object of its own. Attack 53: what an origin sends beyond what was asked for is nobody's, and is not waited for.
        Some(etag) if complete => {
            let part = part.start..part.end.min(end);
            Part::Blocks(ContentRange { part, length }, etag.clone())
        }
        _ if fits => Part::Alone,
        _ => Part::Useless,
    }
}

/// Makes of a 206 for all bytes what it would have been without Range.
pub(crate) fn as_whole(arrived: &mut Arrived) {
    arrived.head.status = StatusCode::OK;
    arrived.head.headers.remove(header::CONTENT_RANGE);
    // Of the bytes of this part, whatever it is called.
    for name in &OF_CONTENT {
        arrived.head.headers.remove(name);
    }
}

/// Whether the upstream's answer with the whole, too large for one object, says that it can be had in parts.
pub(crate) fn comes_in_parts(arrived: &Arrived) -> Option<(ContentRange, HeaderValue)> {
    let headers = &arrived.head.headers;
    let length = arrived.length().filter(|length| (1..=LONGEST).contains(length))?;
    let etag =
        headers.get(header::ETAG).filter(|etag| Etag::parse(etag).is_some_and(|etag| !etag.is_weak()))?;
    let ranges = headers.get(header::ACCEPT_RANGES)?.as_bytes().eq_ignore_ascii_case(b"bytes");
    let first = ContentRange { part: 0..length.min(MOST), length };
    (arrived.head.status == StatusCode::OK && ranges).then(|| (first, etag.clone()))
}

/// Keeps the head of a representation whose blocks come one by one, tells everybody, and stores what this answer brings
/// of them.
pub(crate) async fn keep_blocks(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    mut arrived: Arrived,
    (range, etag): (ContentRange, HeaderValue),
    mut guard: Guard,
) -> FillOutcome {
    as_whole(&mut arrived);
    let (way, said) = (Way::of(&arrived.head), arrived.said);
    let ContentRange { part, length } = range;
    arrived.head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let (head, body) = arrived::head_of(edge, asked, primary, arrived);
    if part.end - part.start > BLOCK_SIZE {
        // A block comes as it is: the next question, too, finds its connection narrow.
        body.widen();
    }
    let variant = place::variant(edge, asked, primary, &head.headers, &mut guard);
    let key = variant.as_ref().map_or(primary, |variant| &variant.key);
    // Blocks of the same representation that are held already go on being its blocks (RFC 9111 §3.4), unless they have been purged.
    let mut held = None;
    guard.store(|| held = edge.memory.sparse(key));
    let sparse = held
        .filter(|held| *held.etag() == etag && held.length() == length)
        .unwrap_or_else(|| Arc::new(Sparse::new(key.clone(), length, etag)));
    let mut due = Due {
        lots: edge.lots.open_part(&sparse, &part),
        promise: edge.overload.promise(part.end - part.start),
    };
    let object = Arc::new(head.with(Body::Sparse(Arc::clone(&sparse))));
    guard.store(|| place::store(edge, asked, primary, Arc::clone(&object), variant.as_deref()));
    guard.land(Landed::Fetched { object, variant, way, kept: true, said });
    // Who comes from now on finds the head in the store.
    drop(guard);
    if feed(edge, body, 0, &sparse, &mut due).await.is_err() || !due.lots.is_empty() {
        tracing::warn!(key = %sparse.key(), "blocks broke off");
        return FillOutcome::BrokenOff;
    }
    FillOutcome::Stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_are_asked_for_and_never_more_than_a_run() {
        let last = BLOCK_SIZE - 1;
        for (spec, asked) in [
            (Spec::From { first: 0, last: Some(0) }, format!("bytes=0-{last}")),
            (Spec::From { first: 5, last: Some(BLOCK_SIZE) }, format!("bytes=0-{}", 2 * BLOCK_SIZE - 1)),
            (
                Spec::From { first: BLOCK_SIZE, last: Some(BLOCK_SIZE) },
                format!("bytes={BLOCK_SIZE}-{}", 2 * BLOCK_SIZE - 1),
            ),
            (Spec::From { first: 7, last: None }, format!("bytes=0-{}", MOST - 1)),
            (Spec::From { first: 7, last: Some(u64::MAX) }, format!("bytes=0-{}", MOST - 1)),
            (Spec::Suffix(5), "bytes=-5".to_owned()),
        ] {
            assert_eq!(question(spec), asked);
        }
        // Attack 56.
        let far = Spec::From { first: u64::MAX, last: None };
        assert!(question(far).to_str().unwrap().starts_with("bytes=18446744073709"));
    }
}
