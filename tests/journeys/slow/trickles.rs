//! Attacks 62 and 64 by those who are never silent: a byte now and then wins no time.

use crate::{ATTACKERS, connect, edge_with_tls, is_over_now, is_served, wait_for};
use journeys::Airclass;
use journeys::client;
use journeys::raw::{Loose, answers, read_to_end, statuses};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// The edge's patience. Nothing is asserted about when it ends.
const SHORT: &str = "1s";
/// Between an attacker's bytes.
const PAUSE: Duration = Duration::from_millis(20);

/// One more byte from each every `PAUSE`, and the streams that are over.
fn trickle(mut attackers: Vec<TcpStream>, byte: impl Fn(usize) -> Vec<u8>, most: usize) -> Vec<TcpStream> {
    let mut over = Vec::new();
    for number in 0..most {
        let byte = byte(number);
        let (lasting, ended) = attackers.into_iter().partition(|mut stream| {
            // What is answered need not be closed yet.
            stream.write_all(&byte).is_ok() && stream.peek(&mut [0]).is_err()
        });
        attackers = lasting;
        over.extend::<Vec<_>>(ended);
        let Some(first) = attackers.first() else { return over };
        first.set_nonblocking(false).expect("a socket");
        first.set_read_timeout(Some(PAUSE)).expect("a time-out above zero");
        let _ = first.peek(&mut [0]);
        first.set_nonblocking(true).expect("a socket");
    }
    panic!("{} attackers still have their places", attackers.len());
}

/// So that nobody waits for who says nothing.
fn quick(stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).expect("a socket");
    stream.set_nonblocking(true).expect("a socket");
    stream
}

#[test]
fn attack_62_bodies_that_trickle_to_an_origin_that_reads_on() {
    // For ten seconds at least.
    const MOST: usize = 500;
    const UPLOADS: usize = 40;
    let origin = Loose::echo();
    // An origin in a thread of a machine that stands still has its time.
    let edge = Airclass::edge(origin.address, &["--response-timeout", "5s", "--uploads", "40"]);
    for (head, byte) in
        [("Content-Length: 100000", &b"x"[..]), ("Transfer-Encoding: chunked", &b"1\r\nx\r\n"[..])]
    {
        let begin = format!("POST /upload HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n");
        let attackers = (0..UPLOADS).map(|_| quick(connect(edge.address(), begin.as_bytes())));
        let attackers = attackers.collect();
        is_served(edge.address());
        for mut stream in trickle(attackers, |_| byte.to_vec(), MOST) {
            stream.set_nonblocking(false).expect("a socket");
            assert_eq!(statuses(&answers(&read_to_end(&mut stream))), [408], "{head}");
        }
        is_served(edge.address());
    }
    // None of them was taken for whole.
    assert!(origin.targets().iter().all(|target| target == "/x"));
}

#[test]
fn attack_64_handshakes_that_trickle() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let origin = Loose::echo();
    let (edge, certificate) = edge_with_tls(&origin, scratch.path(), SHORT);
    let config = Arc::new(client::config([&certificate], &TLS13, &[b"http/1.1"]));
    let name = ServerName::try_from("localhost").expect("a name");
    let mut hello = Vec::new();
    let mut connection = ClientConnection::new(config, name).expect("a name that can be sent");
    connection.write_tls(&mut hello).expect("a vector takes bytes");
    let attackers = (0..ATTACKERS / 3).map(|_| quick(connect(edge.addresses[1], b""))).collect();
    // Were there time for the last byte, there would be an answer.
    for mut stream in trickle(attackers, |number| vec![hello[number]], hello.len() - 1) {
        assert!(is_over_now(&mut stream), "an answer to the beginning of a handshake");
    }
    wait_for(&edge, "serve_connections_ended_total{reason=\"handshake\"}", ATTACKERS / 3);
    assert_eq!(origin.targets(), [""; 0]);
    is_served(edge.address());
}
