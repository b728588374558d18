//! A request's head, where it is all that there is.

use crate::body::RequestBody;
use crate::connection::http1::MAX_HEADERS;
use bytes::Bytes;
use framing::Messages;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use std::mem::MaybeUninit;

/// Reads `head`: one GET, whole, of at most `most` bytes, without a body and without a word about the connection. `None`: it is
/// something else, or wrong, which hyper is to judge.
pub(super) fn read(head: &Bytes, messages: &mut Messages, most: usize) -> Option<Request<RequestBody>> {
    if head.len() > most || !head.starts_with(b"GET ") {
        return None;
    }
    // As strict as before hyper (attacks 1 to 19).
    messages.follow(head).ok()?;
    if !messages.is_between() {
        return None;
    }
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    let read = parsed.parse_with_uninit_headers(head, &mut room);
    if !matches!(read, Ok(httparse::Status::Complete(length)) if length == head.len())
        || parsed.version != Some(1)
    {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        if asks_for_more(&name, field.value) {
            return None;
        }
        headers.append(name, HeaderValue::from_maybe_shared(head.slice_ref(field.value)).ok()?);
    }
    let mut request = Request::new(RequestBody::none());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(parsed.path?.as_bytes())).ok()?;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    Some(request)
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
