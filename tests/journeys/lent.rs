//! What is sent without a copy is what it was when it was asked for, whatever becomes of the memory behind it.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::Airclass;
use journeys::process::metric;
use journeys::raw::Loose;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Three blocks and a piece: what the kernel takes at once, and what is copied behind it.
const LENGTH: usize = 3 * 256 * 1_024 + 5_000;
/// Clients that wait with an answer before them, each with another; memory holds twenty.
const WAITING: usize = 24;
/// Objects that are asked for meanwhile, and how often: they take the place of the others.
const OTHERS: usize = 60;
const TIMES: usize = 3;
/// The longest wait for bytes. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every page of every object is another one.
fn body(number: usize) -> Vec<u8> {
    let page = |at: usize| [number.to_le_bytes(), at.to_le_bytes()].concat().repeat(256);
    (0..LENGTH.div_ceil(4_096)).flat_map(page).take(LENGTH).collect()
}

/// A client that has asked, and read no more than that the answer comes.
fn ask(edge: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(edge).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{number} HTTP/1.1\r\nHost: lessons.example\r\n\r\n").unwrap();
    stream.peek(&mut [0]).unwrap();
    stream
}

/// Whether the rest of it is what was asked for.
fn is_right(mut stream: TcpStream, number: usize) -> bool {
    let mut got = Vec::new();
    let mut piece = vec![0; 64 * 1_024];
    let body = body(number);
    loop {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "an answer that ends");
        got.extend_from_slice(&piece[..count]);
        if let Some(end) = got.windows(4).take(4_096).position(|four| four == b"\r\n\r\n")
            && got.len() >= end + 4 + LENGTH
        {
            return got.starts_with(b"HTTP/1.1 200") && got[end + 4..] == body;
        }
    }
}

fn journey(zero_copy: &str) -> f64 {
    let origin = Loose::start(|request| {
        let number = request.target.trim_start_matches('/').parse().unwrap_or(0);
        let head =
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {LENGTH}\r\n\r\n");
        [head.into_bytes(), body(number)].concat()
    });
    // The kernel takes whole answers, so that nothing but it knows of the memory that they lie in.
    let listener = format!(r#"address = "127.0.0.1:0", send_buffer = "4MiB"{zero_copy}"#);
    let edge = Airclass::edge(origin.address, &["--ram", "16MiB", "--listener", &listener]);
    let address = *edge.addresses.last().unwrap();
    let waiting: Vec<_> = (0..WAITING)
        .map(|number| {
            assert!(is_right(ask(address, number), number));
            (ask(address, number), number)
        })
        .collect();
    for number in WAITING..WAITING + OTHERS {
        assert!((0..TIMES).all(|_| is_right(ask(address, number), number)));
    }
    for (stream, number) in waiting {
        assert!(is_right(stream, number), "{number} for who has waited");
    }
    metric(edge.admin, "serve_lent_bytes_total")
}

#[test]
fn memory_that_was_lent_is_another_s_and_the_answer_is_still_right() {
    let lent = journey(", zero_copy = true");
    assert!(lent > (WAITING * LENGTH) as f64 / 2.0, "{lent}");
}

#[test]
fn a_listener_that_is_told_to_copies() {
    assert!(journey(", zero_copy = false").abs() < 1.0);
}
