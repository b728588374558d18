//! What goes out on a stream.

use crate::server::{GREETING, Server};
use serve::LimitOptions;
use testkit::http2::*;

#[test]
fn an_answer_to_head_has_no_body_and_says_how_long_it_would_be() {
    // RFC 9110 §9.3.2: a client counts a body there as a broken protocol.
    let server = Server::start(LimitOptions::default());
    let mut wire = Wire::open(server.address());
    let head = section(&[(":method", "HEAD"), (":scheme", "http"), (":authority", "a"), (":path", "/")]);
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &head));
    let answer = wire.until(|frame| frame.kind == HEADERS).expect("an answer");
    assert_eq!(answer.flags & END_STREAM, END_STREAM);
    // Content-Length is the 28th of RFC 7541's table, and this is 5 in its Huffman code.
    assert_eq!(GREETING.len(), 5);
    assert!(answer.payload.windows(4).any(|field| field == [15, 13, 0x81, 0x6f]), "{answer:?}");
    assert!(wire.lives());
}
