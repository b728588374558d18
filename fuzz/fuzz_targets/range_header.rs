//! Any Range and If-Range field and any length: one part at most, within the representation, no more than was asked for and the gaps
//! between; what is asked for upstream holds it.
#![no_main]

use http::{HeaderMap, HeaderValue, header};
use httpcache::conditional::range_applies;
use httpcache::content_range::{self, ContentRange};
use httpcache::etag::Etag;
use httpcache::range::{
    Requested, Spec, content_range, request, resolve, single, together, unsatisfied_range,
};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, UNIX_EPOCH};

/// Bytes between ranges that are answered as one, and the most ranges of a field.
const GAPS: u64 = 80 * 16;

fuzz_target!(|input: (u64, &[u8], &[u8], bool)| {
    let (length, field, condition, small) = input;
    // Lengths that short numbers can reach.
    let length = if small { length % 2_048 } else { length };
    if let Ok(field) = HeaderValue::from_bytes(field) {
        range(&field, length);
    }
    let _ = unsatisfied_range(length);
    if let Ok(condition) = HeaderValue::from_bytes(condition) {
        if_range(&condition);
    }
});

fn range(field: &HeaderValue, length: u64) {
    let resolved = resolve(Some(field), length);
    if let Requested::Part(part) = &resolved {
        assert!(part.start < part.end && part.end <= length);
        let says = content_range::parse(&content_range(part, length));
        assert_eq!(says, Some(ContentRange { part: part.clone(), length }));
        assert_eq!(resolve(Some(&request(part)), length), resolved, "asked for again, it is the same");
        // Every range by itself: what is answered holds each that is there, and little else.
        let wanted: Vec<_> = members(field).filter_map(|spec| spec.within(length)).collect();
        assert!(wanted.iter().all(|wanted| part.start <= wanted.start && wanted.end <= part.end));
        let bytes = wanted.iter().map(|wanted| wanted.end - wanted.start).fold(0, u64::saturating_add);
        assert!(part.end - part.start <= bytes.saturating_add(GAPS));
    }
    if resolved == Requested::Unsatisfiable {
        assert!(members(field).all(|spec| spec.within(length).is_none()));
    }
    if let Some(spec) = single(field) {
        assert_eq!(together(field), Some(spec));
        match spec.within(length) {
            Some(part) => assert_eq!(resolved, Requested::Part(part)),
            None => assert!(!matches!(resolved, Requested::Part(_))),
        }
    }
    if let Some(spec) = together(field) {
        assert!(!matches!(spec, Spec::From { first, last: Some(last) } if last < first));
        if let Requested::Part(part) = resolved {
            let whole = spec.within(length).expect("a part of it is there");
            assert!(whole.start <= part.start && part.end <= whole.end);
        }
    }
}

/// The ranges of a field that is understood, each read in a field of its own.
fn members(field: &HeaderValue) -> impl Iterator<Item = Spec> {
    let set = field.to_str().ok().and_then(|text| text.split_once('=')).map_or("", |(_, set)| set);
    set.split(',').filter_map(|member| single(&HeaderValue::from_str(&format!("bytes={member}")).ok()?))
}

fn if_range(condition: &HeaderValue) {
    let mut request = HeaderMap::new();
    request.insert(header::IF_RANGE, condition.clone());
    let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let later = || modified + Duration::from_secs(1);
    let strong = Etag::strong("a");
    let weak = Etag::parse(&HeaderValue::from_static("W/\"a\""));
    let is_date = httpcache::date::parse(condition.to_str().unwrap_or_default()) == Some(modified);
    assert_eq!(range_applies(&request, strong.as_ref(), None, later), condition == "\"a\"");
    assert!(!range_applies(&request, weak.as_ref(), None, later), "weak tags name no bytes");
    assert_eq!(range_applies(&request, None, Some(modified), later), is_date);
    assert!(!range_applies(&request, None, Some(modified), || modified), "within its second");
    request.append(header::IF_RANGE, condition.clone());
    assert!(!range_applies(&request, strong.as_ref(), Some(modified), later), "it is no list");
}
