//! Any Vary and any two requests: whose fields differ in what it names never have one key, however the values are written; whose
//! fields differ elsewhere always do.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use httpcache::vary;
use libfuzzer_sys::fuzz_target;

/// Named by the Vary of every response here, in the order of its key, and one that is not.
const NAMES: [&str; 4] = ["accept-language", "b", "c", "unkeyed"];

type Lines = Vec<(u8, Vec<u8>)>;

fuzz_target!(|input: (Vec<Vec<u8>>, Lines, Lines)| {
    let (vary, one, other) = input;
    let mut response = HeaderMap::new();
    for line in &vary {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            response.append("vary", value);
        }
    }
    if let Some(names) = vary::names(&response) {
        let request = headers(&one);
        assert!(!names.secondary_key(&request).contains(['\n', '\r']));
        let _ = (names.own_language_key(&request), names.written_language_key(&request, &request));
    }
    response.insert("vary", HeaderValue::from_static("c, Accept-Language, b"));
    let names = vary::names(&response).expect("three names");
    let (one, mut other) = (headers(&one), headers(&other));
    let (key, other_key) = (names.secondary_key(&one), names.secondary_key(&other));
    let is_alike = ["b", "c"].iter().all(|name| is_alike(&one, &other, name));
    if key == other_key {
        assert!(is_alike, "{one:?} {other:?} {key:?}");
    } else {
        assert!(NAMES[..3].iter().any(|name| !one.get_all(*name).iter().eq(other.get_all(*name).iter())));
    }
    // A language that a client asks for is never the one that a response is in.
    for language in
        [names.own_language_key(&one), names.written_language_key(&one, &one)].into_iter().flatten()
    {
        assert!(language != key && language != other_key);
    }
    other.remove("unkeyed");
    assert_eq!(names.secondary_key(&other), other_key);
});

fn headers(lines: &Lines) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().take(64) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]), value);
        }
    }
    headers
}

/// Whether the lines, joined as any recipient may join them (RFC 9110 §5.3), differ in white space around commas alone. Quotes are
/// not looked at: what is told apart here is a subset of what must be.
fn is_alike(one: &HeaderMap, other: &HeaderMap, name: &str) -> bool {
    let bare = |headers: &HeaderMap| {
        let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let pieces = lines.join(&b","[..]);
        let pieces: Vec<Vec<u8>> =
            pieces.split(|byte| *byte == b',').map(|piece| trimmed(piece).to_vec()).collect();
        (!lines.is_empty()).then_some(pieces)
    };
    bare(one) == bare(other)
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
