//! Bytes of an HTTP/1 connection: whatever they are, they are judged alike in one piece and in many, and what is let
//! through is never both counted and chunked. Requests end where hyper's parser and RFC 9112 have them end.

#![no_main]

use framing::{Bounds, Fault, Messages};
use httparse::{EMPTY_HEADER, Request, Status};
use libfuzzer_sys::fuzz_target;

fn judge<'a>(mut messages: Messages, pieces: impl Iterator<Item = &'a [u8]>) -> Result<bool, Fault> {
    for piece in pieces {
        messages.follow(piece).map_err(|violation| {
            assert!(violation.at < piece.len());
            violation.fault
        })?;
    }
    Ok(messages.is_within_body())
}

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, size) = input;
    let size = usize::from(size).max(1);
    let bounds = Bounds { head: 1_024 };
    for make in [
        || Messages::requests(Bounds { head: 1_024 }),
        || {
            let mut messages = Messages::responses(Bounds { head: 1_024 });
            messages.expect();
            messages
        },
    ] {
        let whole = judge(make(), std::iter::once(bytes));
        assert_eq!(judge(make(), bytes.chunks(size)), whole);
    }
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &bytes[..end]);
    if let Some(head) = head {
        let lower = head.to_ascii_lowercase();
        let has = |name: &[u8]| lower.windows(name.len()).any(|window| window == name);
        if !head.starts_with(b"\r\n") && has(b"\r\ncontent-length:") && has(b"\r\ntransfer-encoding:") {
            assert!(judge(Messages::requests(bounds), std::iter::once(&bytes[..head.len() + 4])).is_err());
        }
    }
    ends_are_agreed_on(bytes);
});

/// Where requests end as `framing` follows them, and where it refuses to.
fn ends(bytes: &[u8]) -> (Vec<usize>, usize) {
    let mut messages = Messages::requests(Bounds { head: 1_024 });
    let mut ends = Vec::new();
    for at in 0..bytes.len() {
        if messages.follow(&bytes[at..=at]).is_err() {
            return (ends, at);
        }
        if messages.is_between() {
            ends.push(at + 1);
        }
    }
    (ends, bytes.len())
}

/// Why a reading of RFC 9112 ends.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// The rest of a message is missing.
    Partial,
    /// hyper refuses it.
    Refused,
    /// Two servers may disagree about the end of the message whose head ends here: it has to be refused by then.
    Ambiguous(usize),
}

/// Both agree about every end, up to where one of them refuses.
fn ends_are_agreed_on(bytes: &[u8]) {
    let (ours, refused) = ends(bytes);
    let mut theirs = Vec::new();
    let mut at = 0;
    let stop = loop {
        match message(&bytes[at..]) {
            Ok(length) => at += length,
            Err(stop) => break stop,
        }
        theirs.push(at);
    };
    theirs.retain(|end| *end <= refused);
    let decided = |end: &&usize| stop == Stop::Partial || **end <= at;
    assert!(ours.iter().filter(decided).eq(&theirs), "{ours:?} {theirs:?} {stop:?}");
    if let Stop::Ambiguous(head) = stop {
        assert!(refused < at + head);
    }
}

/// The length of the request that `bytes` begin with.
fn message(bytes: &[u8]) -> Result<usize, Stop> {
    let mut fields = [EMPTY_HEADER; 100];
    let mut request = Request::new(&mut fields);
    let head = complete(request.parse(bytes))?;
    let values = |name: &str| {
        let named = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value.trim_ascii()).collect::<Vec<_>>()
    };
    match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => Ok(head),
        ([length], []) if !length.is_empty() && length.iter().all(u8::is_ascii_digit) => {
            let length = std::str::from_utf8(length).ok().and_then(|length| length.parse::<i64>().ok());
            let end = head
                .saturating_add(usize::try_from(length.ok_or(Stop::Ambiguous(head))?).unwrap_or(usize::MAX));
            if end <= bytes.len() { Ok(end) } else { Err(Stop::Partial) }
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && request.version == Some(1) => {
            Ok(head + chunks(&bytes[head..])?)
        }
        _ => Err(Stop::Ambiguous(head)),
    }
}

/// The length of the chunked body that `bytes` begin with (RFC 9112 §7.1).
fn chunks(bytes: &[u8]) -> Result<usize, Stop> {
    let mut at = 0;
    loop {
        let line = httparse::parse_chunk_size(&bytes[at..]).map_err(|_| Stop::Refused)?;
        let Status::Complete((line, size)) = line else { return Err(Stop::Partial) };
        at += line;
        if size == 0 {
            let mut fields = [EMPTY_HEADER; 100];
            let (trailers, _) = complete(httparse::parse_headers(&bytes[at..], &mut fields))?;
            return Ok(at + trailers);
        }
        at = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        let end = bytes.get(at..).filter(|rest| rest.len() >= 2).ok_or(Stop::Partial)?;
        if !end.starts_with(b"\r\n") {
            return Err(Stop::Refused);
        }
        at += 2;
    }
}

fn complete<T>(read: httparse::Result<T>) -> Result<T, Stop> {
    match read {
        Ok(Status::Complete(read)) => Ok(read),
        Ok(Status::Partial) => Err(Stop::Partial),
        Err(_) => Err(Stop::Refused),
    }
}
