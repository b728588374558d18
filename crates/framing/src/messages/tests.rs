//! A table of messages, each in one piece, in two at every place, and byte by byte.

use super::*;
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds { head: 4_096 };

/// Judges the same bytes cut in every way that could matter; all ways must agree.
fn judge(make: impl Fn() -> Messages, bytes: &[u8]) -> Result<State, Fault> {
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut messages = make();
        for piece in pieces {
            messages.follow(piece).map_err(|violation| {
                assert!(violation.at < piece.len());
                violation.fault
            })?;
        }
        Ok(messages.state)
    };
    let whole = run(&mut std::iter::once(bytes));
    for cut in 0..bytes.len() {
        assert_eq!(run(&mut [&bytes[..cut], &bytes[cut..]].into_iter()), whole, "cut at {cut}");
    }
    assert_eq!(run(&mut bytes.chunks(1)), whole, "byte by byte");
    whole
}

fn request(bytes: impl AsRef<[u8]>) -> Result<State, Fault> {
    judge(|| Messages::requests(BOUNDS), bytes.as_ref())
}

fn response(bytes: impl AsRef<[u8]>) -> Result<State, Fault> {
    let make = || {
        let mut messages = Messages::responses(BOUNDS);
        messages.expect();
        messages
    };
    judge(make, bytes.as_ref())
}

/// A POST with these field lines and body.
fn post(lines: &str, body: &str) -> Result<State, Fault> {
    request(format!("POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}"))
}

/// A chunked body.
fn chunks(body: &str) -> Result<State, Fault> {
    post("Transfer-Encoding: chunked\r\n", body)
}

const WHOLE: Result<State, Fault> = Ok(State::Start);

#[test]
fn messages_that_have_one_meaning() {
    for bytes in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/x HTTP/1.1\r\nHost: a\r\nCookie: \u{e9}\r\nConnection:\r\nTE: trailers\r\n\r\n",
    ] {
        assert_eq!(request(bytes), WHOLE, "{bytes:?}");
    }
    assert_eq!(post("Content-Length: 0\r\n", ""), WHOLE);
    assert_eq!(post("content-length:\t 5 \r\n", "01234"), WHOLE);
    assert_eq!(post("Content-Length: 5\r\n", "0123"), Ok(State::Body(1)));
    assert_eq!(post("Content-Length: 5\r\n", "01234\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), WHOLE);
    assert_eq!(chunks("0\r\n\r\n"), WHOLE);
    assert_eq!(chunks("5\r\n01234\r\n00000000000000aF;a=\"b\"\r\n"), Ok(State::Data(0xaf)));
    assert_eq!(chunks("1 ;x\r\n0\r\n0\r\nServer-Timing: a\r\n\r\n"), WHOLE);
}

#[test]
fn attacks_1_to_6_two_lengths() {
    for (lines, fault) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Fault::LengthAndEncoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Fault::LengthAndEncoding),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", Fault::ContentLength),
        ("Content-Length: 5\r\ncontent-length: 5\r\n", Fault::ContentLength),
        ("Content-Length: 5, 5\r\n", Fault::ContentLength),
        ("Content-Length: +5\r\n", Fault::ContentLength),
        ("Content-Length: -1\r\n", Fault::ContentLength),
        ("Content-Length: 0x10\r\n", Fault::ContentLength),
        ("Content-Length: 1_0\r\n", Fault::ContentLength),
        ("Content-Length: 1 0\r\n", Fault::ContentLength),
        ("Content-Length:\r\n", Fault::ContentLength),
        ("Content-Length: 18446744073709551616\r\n", Fault::ContentLength),
        ("Content-Length: 9223372036854775808\r\n", Fault::ContentLength),
        ("Content-Length: 5\u{a0}\r\n", Fault::ContentLength),
        ("Content-Length: 5\u{c}\r\n", Fault::ContentLength),
        ("Transfer-Encoding: xchunked\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: ,chunked\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: chunked,chunked\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: identity\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: gzip, chunked\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: \"chunked\"\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding: chunked;q=1\r\n", Fault::TransferEncoding),
        ("Transfer-Encoding:\r\n", Fault::TransferEncoding),
    ] {
        assert_eq!(post(lines, ""), Err(fault), "{lines:?}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(request(old), Err(Fault::TransferEncoding));
}

#[test]
fn attacks_7_to_11_chunks() {
    for (body, fault) in [
        ("0x5\r\n01234\r\n", Fault::Chunk),
        ("+5\r\n01234\r\n", Fault::Chunk),
        ("-1\r\n", Fault::Chunk),
        ("\r\n", Fault::Chunk),
        (";a\r\n", Fault::Chunk),
        (" 5\r\n01234\r\n", Fault::Chunk),
        ("5 \r\n01234\r\n", Fault::Chunk),
        ("5 5\r\n01234\r\n", Fault::Chunk),
        ("00000000000000005\r\n01234\r\n", Fault::Chunk),
        ("10000000000000005\r\n01234\r\n", Fault::Chunk),
        ("5\n01234\r\n", Fault::BareLf),
        ("5\r\n01234\n0\r\n\r\n", Fault::BareLf),
        ("5\r\n01234XX\n0\r\n\r\n", Fault::Chunk),
        ("5\r\n01234\r\rX", Fault::Chunk),
        ("5;a\rb\r\n01234\r\n", Fault::Chunk),
        ("5;a\0b\r\n01234\r\n", Fault::Chunk),
        ("0\r\n\n", Fault::BareLf),
    ] {
        assert_eq!(chunks(body), Err(fault), "{body:?}");
    }
    assert_eq!(chunks(&format!("5;{}\r\n", "a".repeat(MAX_CHUNK_LINE))), Err(Fault::TooLong));
}

#[test]
fn attack_12_trailers() {
    for line in
        ["Content-Length: 5", "host: evil", "Transfer-Encoding: chunked", " folded", "x", ": y", "x : y"]
    {
        assert_eq!(chunks(&format!("0\r\n{line}\r\n\r\n")), Err(Fault::Trailer), "{line:?}");
    }
    assert_eq!(chunks(&format!("0\r\nx: {}\r\n", "a".repeat(MAX_TRAILERS))), Err(Fault::TooLong));
}

#[test]
fn attacks_13_to_19_lines() {
    for (bytes, fault) in [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", Fault::BareLf),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", Fault::BareLf),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", Fault::BareLf),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 5\r\n\r\n", Fault::BareLf),
        ("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n", Fault::Fold),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Fault::Fold),
        ("\n\r\nGET / HTTP/1.1\r\n\r\n", Fault::BareLf),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Fault::EmptyLines),
        ("GET / HTTP/1.10\r\n\r\n", Fault::StartLine),
        ("GET / HTTP/0.9\r\n\r\n", Fault::StartLine),
        ("GET / HTTP/2.0\r\n\r\n", Fault::StartLine),
        ("GET / http/1.1\r\n\r\n", Fault::StartLine),
        ("GET /\r\n\r\n", Fault::StartLine),
        ("GET / HTTP/1.1 \r\n\r\n", Fault::StartLine),
        ("GET HTTP/1.1\r\n\r\n", Fault::StartLine),
        ("GET  HTTP/1.1\r\n\r\n", Fault::Target),
        ("GET  / HTTP/1.1\r\n\r\n", Fault::Target),
        ("GET / /b HTTP/1.1\r\n\r\n", Fault::Target),
        ("GET /\u{e9} HTTP/1.1\r\n\r\n", Fault::Target),
        ("GET /a#b HTTP/1.1\r\n\r\n", Fault::Target),
        ("GET /a\tb HTTP/1.1\r\n\r\n", Fault::Target),
    ] {
        assert_eq!(request(bytes), Err(fault), "{bytes:?}");
    }
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(BOUNDS.head));
    assert_eq!(request(long), Err(Fault::TooLong));
}

#[test]
fn responses_are_held_to_the_same() {
    for (bytes, judged) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nanything\n\0", Ok(State::Answered)),
        ("HTTP/1.1 200\r\n\r\n", Ok(State::Answered)),
        ("HTTP/1.0 200 \r\n\r\n", Ok(State::Answered)),
        ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Ok(State::Answered)),
        ("HTTP/1.1 100 Continue\r\n\r\n", Ok(State::Start)),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Err(Fault::Switch)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            Err(Fault::LengthAndEncoding),
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Err(Fault::TransferEncoding)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Err(Fault::TransferEncoding)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", Err(Fault::TransferEncoding)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: QZJ\r\n\r\n", Ok(State::Answered)),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: QZJ\r\n\r\n", Err(Fault::TransferEncoding)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: QZJ\r\nContent-Length: 5\r\n\r\n",
            Err(Fault::TransferEncoding),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: QZJ\r\nTransfer-Encoding: chunked\r\n\r\n",
            Err(Fault::TransferEncoding),
        ),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Err(Fault::TransferEncoding)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", Err(Fault::ContentLength)),
        // RFC 9112 §5.1: a name with white space behind it is that name, and says as much.
        ("HTTP/1.1 200 OK\r\nContent-Length \t: 5\r\n\r\n", Ok(State::Answered)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length : 6\r\n\r\n", Err(Fault::ContentLength)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n",
            Err(Fault::LengthAndEncoding),
        ),
        ("HTTP/1.1 200 OK\nX: a\r\n\r\n", Err(Fault::BareLf)),
        ("HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\n\r\n", Err(Fault::BareLf)),
        ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", Err(Fault::Fold)),
        ("HTTP/2 200\r\n\r\n", Err(Fault::StartLine)),
        ("HTTP/1.1 20 OK\r\n\r\n", Err(Fault::StartLine)),
        ("HTTP/1.1 2000 OK\r\n\r\n", Err(Fault::StartLine)),
    ] {
        assert_eq!(response(bytes), judged, "{bytes:?}");
    }
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(usize::from(MAX_INTERIM) + 1);
    assert_eq!(response(flood), Err(Fault::Interim));
}

#[test]
fn a_kept_connection_brings_one_response_a_request() {
    let mut messages = Messages::responses(BOUNDS);
    for _ in 0..2 {
        messages.expect();
        messages.follow(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    }
    messages.expect();
    // A body's line is no response's first line.
    assert_eq!(messages.follow(b"ok\r\n").unwrap_err().fault, Fault::StartLine);
}

proptest! {
    /// Cut anywhere, the judgement is the same; nothing panics.
    #[test]
    fn pieces_do_not_matter(
        bytes in proptest::collection::vec(
            prop_oneof![
                Just(b"\r\n".to_vec()),
                Just(b"\n".to_vec()),
                Just(b"POST / HTTP/1.1\r\n".to_vec()),
                Just(b"Content-Length: 3\r\n".to_vec()),
                Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
                Just(b"3\r\nabc\r\n".to_vec()),
                Just(b"0\r\n".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..4),
            ],
            0..12,
        )
    ) {
        let _ = request(bytes.concat());
        let _ = response(bytes.concat());
    }
}
