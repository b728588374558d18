//! A request's head, where it is all that there is.

use crate::body::RequestBody;
use crate::connection::http1::MAX_HEADERS;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

/// Bytes of a field line, less than those that most have: room for a field too many is less than to make more.
const FIELD: usize = 24;

/// Reads `head`: one GET, whole, of at most `most` bytes, without a body and without a word about the connection, in the strictest
/// reading of RFC 9112 (attacks 1 to 19). `None`: it is something else, or wrong, which hyper is to judge, behind the filter that
/// judges its bytes.
///
/// In one walk: what says where a message ends is what this one has not, so neither the filter nor hyper's parser, which are ready for
/// all that there may be, would find anything else in it.
pub(super) fn read(head: &Bytes, most: usize) -> Option<Request<RequestBody>> {
    if head.len() > most {
        return None;
    }
    let mut lines = Lines { text: head, ends: memchr::memchr_iter(b'\n', head), at: 0 };
    let target = lines.next()?.strip_prefix(b"GET ")?.strip_suffix(b" HTTP/1.1")?;
    if !framing::is_target(target) {
        return None;
    }
    let mut request = Request::new(RequestBody::none());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(target)).ok()?;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = read_fields(head, lines)?;
    Some(request)
}

/// The field lines of `head`, from the first to the empty line, which is the last.
fn read_fields(head: &Bytes, mut lines: Lines<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity((head.len() / FIELD).min(MAX_HEADERS));
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            return (lines.at == head.len()).then_some(headers);
        }
        // Names are short. One with white space before it or behind it, as a folded line has, is none.
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = framing::trim(&line[colon + 1..]);
        if asks_for_more(&name, value) || headers.len() == MAX_HEADERS {
            return None;
        }
        headers.append(name, HeaderValue::from_maybe_shared(head.slice_ref(value)).ok()?);
    }
}

/// Lines without their ends. A CR or LF within one is no field's and no target's; an end that is not CR LF ends them.
struct Lines<'a> {
    text: &'a [u8],
    ends: memchr::Memchr<'a>,
    /// Where the next one begins.
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.ends.next()?;
        self.text[std::mem::replace(&mut self.at, end + 1)..end].strip_suffix(b"\r")
    }
}

/// Whether a field is about more than the answer: about the connection, or about a body.
fn asks_for_more(name: &HeaderName, value: &[u8]) -> bool {
    match *name {
        header::CONNECTION => !value.eq_ignore_ascii_case(b"keep-alive"),
        header::CONTENT_LENGTH
        | header::TRANSFER_ENCODING
        | header::UPGRADE
        | header::EXPECT
        | header::TE
        | header::TRAILER => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framing::{Bounds, Messages};
    use proptest::prelude::*;

    const MOST: usize = 16 * 1_024;

    fn read_text(text: &[u8]) -> Option<Request<RequestBody>> {
        read(&Bytes::copy_from_slice(text), MOST)
    }

    #[test]
    fn attacks_1_to_19_what_is_not_plain_is_left_to_who_judges_it() {
        let plain = b"GET /a?b HTTP/1.1\r\nHost: a\r\nX-Y:\t z \t\r\nx-y: \r\nConnection: Keep-Alive\r\n\r\n";
        let request = read_text(plain).unwrap();
        assert_eq!((request.uri(), request.version()), (&Uri::from_static("/a?b"), Version::HTTP_11));
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let fields: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        assert_eq!(
            fields.iter().map(|(name, value)| (*name, &value[..])).collect::<Vec<_>>(),
            [("host", "a"), ("x-y", "z"), ("x-y", ""), ("connection", "Keep-Alive")]
        );
        for head in [
            "",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /é HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost\r\n\r\n",
            "GET / HTTP/1.1\r\n: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nG",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n",
        ] {
            assert!(read_text(head.as_bytes()).is_none(), "{head:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(MOST));
        assert!(read_text(long.as_bytes()).is_none());
        // However much is allowed: room is made for as many fields as there may be, and not for as many bytes.
        let long = Bytes::from(format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "a".repeat(4 << 20)));
        assert!(read(&long, long.len()).is_some());
        let many = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(read_text(many(MAX_HEADERS).as_bytes()).is_some());
        assert!(read_text(many(MAX_HEADERS + 1).as_bytes()).is_none());
    }

    /// Names in lower case, and values.
    type Fields = Vec<(String, Vec<u8>)>;

    /// The target and the fields as hyper would have them, behind the filter: nothing else is in it, and nothing follows it.
    fn as_the_library_has_it(head: &[u8]) -> Option<(String, Fields)> {
        let mut messages = Messages::requests(Bounds { head: MOST });
        messages.follow(head).ok()?;
        let mut room = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut room);
        let whole = parsed.parse(head) == Ok(httparse::Status::Complete(head.len()));
        let is_plain =
            whole && messages.is_between() && parsed.version == Some(1) && parsed.method == Some("GET");
        is_plain.then(|| {
            let field =
                |field: &httparse::Header<'_>| (field.name.to_ascii_lowercase(), field.value.to_vec());
            (parsed.path.unwrap().to_owned(), parsed.headers.iter().map(field).collect())
        })
    }

    proptest! {
        /// Requests with a few bytes of them exchanged: what is read here is read there, too, and as the same.
        #[test]
        fn what_is_read_is_what_the_library_reads(
            parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..8),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let mut head = [b"GET /p/1.m4s HTTP/1.1\r\nHost: a.example:8080\r\n", &parts.concat()[..], b"\r\n"].concat();
            for (at, byte) in changes {
                let at = at.index(head.len());
                head[at] = byte;
            }
            if let Some(request) = read_text(&head) {
                let (target, mut theirs) = as_the_library_has_it(&head).unwrap();
                // A map has those of one name beside each other.
                theirs.sort();
                let mut ours: Fields =
                    request.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
                ours.sort();
                prop_assert_eq!(ours, theirs);
                prop_assert_eq!(request.uri(), &target.parse::<Uri>().unwrap());
            }
        }
    }

    const PARTS: [&[u8]; 10] = [
        b"Accept: */*\r\n",
        b"RANGE:bytes=0-1\r\n",
        b"x-a:  b c \t\r\n",
        b"x-a: d\r\n",
        b"Connection: keep-alive\r\n",
        b"Content-Length: 1\r\n",
        b"x-a: b\r\n c\r\n",
        b"x-a : b\r\n",
        b"\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ];
}
