//! What is sent without a copy is what it was when it was asked for, whatever becomes of the memory behind it.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::Airclass;
use journeys::process::metric;
use journeys::raw::Loose;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Three blocks and a piece: what the kernel takes at once, and what is copied behind it.
const LENGTH: usize = 3 * 256 * 1_024 + 5_000;
/// Clients that wait with an answer before them, each with another; memory holds twenty.
const WAITING: usize = 24;
/// Objects that are asked for meanwhile, and how often: they take the place of the others.
const OTHERS: usize = 60;
const TIMES: usize = 3;
/// So many times as often where they come from a disk: only what is asked for again and again is taken into memory from there.
const RETURNS: usize = 4;
/// So often who waits has asked before: only what is read from memory again and again is lent.
const OFTEN: usize = 9;
/// The longest wait for bytes. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(120);
/// Looks at a disk that has something to do, a millisecond and more each. A bound, not a pace.
const LOOKS: usize = 60_000;

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

/// Waits until a metric has at least this value.
fn until(edge: &Airclass, name: &str, least: usize) {
    assert!((0..LOOKS).any(|_| metric(edge.admin, name) >= least as f64), "{name} is not {least}");
}

/// Every object is brought from the origin, and stands on the disk; most of them nowhere else.
fn fill(edge: &Airclass, address: SocketAddr, disk: &Path) {
    let disk = disk.display();
    until(edge, &format!("edge_disk_state{{disk=\"{disk}\",state=\"online\"}}"), 1);
    for number in 0..WAITING + OTHERS {
        assert!(is_right(ask(address, number), number));
        until(edge, &format!("edge_disk_operations_total{{disk=\"{disk}\",op=\"write\"}}"), number + 1);
    }
}

/// Gives how many bytes were lent.
fn journey(zero_copy: &str, disk: Option<&Path>) -> f64 {
    let origin = Loose::start(|request| {
        let number = request.target.trim_start_matches('/').parse().unwrap_or(0);
        let head =
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {LENGTH}\r\n\r\n");
        [head.into_bytes(), body(number)].concat()
    });
    // The kernel takes whole answers, so that nothing but it knows of the memory that they lie in.
    let listener = format!(r#"address = "127.0.0.1:0", send_buffer = "4MiB"{zero_copy}"#);
    let mut options = vec!["--ram", "16MiB", "--listener", &listener];
    options.extend(
        disk.into_iter().flat_map(|disk| ["--disk-size", "256MiB", "--disk", disk.to_str().unwrap()]),
    );
    let edge = Airclass::edge(origin.address, &options);
    let address = *edge.addresses.last().unwrap();
    if let Some(disk) = disk {
        fill(&edge, address, disk);
    }
    let times = if disk.is_some() { RETURNS } else { 1 };
    let waiting: Vec<_> = (0..WAITING)
        .map(|number| {
            assert!((0..times + OFTEN).all(|_| is_right(ask(address, number), number)));
            (ask(address, number), number)
        })
        .collect();
    for number in WAITING..WAITING + OTHERS {
        assert!((0..times * TIMES).all(|_| is_right(ask(address, number), number)));
    }
    for (stream, number) in waiting {
        assert!(is_right(stream, number), "{number} for who has waited");
    }
    metric(edge.admin, "serve_lent_bytes_total")
}

#[test]
fn memory_that_was_lent_is_another_s_and_the_answer_is_still_right() {
    let lent = journey(", zero_copy = true", None);
    assert!(lent > (WAITING * LENGTH) as f64 / 2.0, "{lent}");
}

#[test]
fn memory_that_was_lent_is_not_read_into_from_a_disk_and_the_answer_is_still_right() {
    let disk = tempfile::tempdir().unwrap();
    let lent = journey(", zero_copy = true", Some(disk.path()));
    assert!(lent > (WAITING * LENGTH) as f64 / 2.0, "{lent}");
}

#[test]
fn a_listener_that_is_told_to_copies() {
    assert!(journey(", zero_copy = false", None).abs() < 1.0);
}
