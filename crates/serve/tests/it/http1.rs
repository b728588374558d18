//! How connections of HTTP/1 begin and end.

use crate::server::{GREETING, LARGE, Server};
use serve::{LimitOptions, Options};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use testkit::http2::{ACK, PREFACE, SETTINGS, Wire, connect, frame};
use units::Span;

fn server() -> Server {
    Server::start(LimitOptions::default())
}

/// Connected, and this sent.
fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn over_http_1_0_an_answer_that_breaks_off_does_not_look_whole() {
    let server = server();
    let mut all = Vec::new();
    let ended = send(&server, b"GET /cut HTTP/1.0\r\n\r\n").read_to_end(&mut all);
    assert!(all.ends_with(GREETING), "{all:?}");
    assert_eq!(ended.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    // Where the length or the last chunk is missing, the client has all that had come by then.
    let mut all = Vec::new();
    let ended = send(&server, b"GET /cut HTTP/1.1\r\nhost: a\r\n\r\n").read_to_end(&mut all);
    assert!(all.ends_with(b"5\r\nhello\r\n"), "{all:?}");
    assert!(ended.is_ok(), "{ended:?}");
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_ended_total", Some("cut")), 2.0);
}

/// A browser that has not heard a byte sends a form again by itself.
#[test]
fn what_has_come_of_an_answer_that_breaks_off_at_once_leaves() {
    let server = server();
    // The short way, and hyper's.
    for (request, end) in [
        ("GET /kept/cut HTTP/1.1\r\nhost: a\r\n\r\n", "\r\n\r\nhello"),
        ("GET /cut HTTP/1.1\r\nhost: a\r\n\r\n", "5\r\nhello\r\n"),
        ("POST /cut HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\na", "5\r\nhello\r\n"),
    ] {
        let mut all = String::new();
        let ended = send(&server, request.as_bytes()).read_to_string(&mut all);
        assert!(all.starts_with("HTTP/1.1 200 ") && all.ends_with(end), "{request}: {all} {ended:?}");
    }
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_ended_total", Some("cut")), 3.0);
}

#[test]
fn a_client_that_asks_no_more_gets_its_answer_whole() {
    let server = server();
    // The short way, and hyper's.
    for request in [
        "GET /kept/large HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /large HTTP/1.0\r\n\r\n",
        "GET /kept/200 HTTP/1.1\r\nhost: a\r\n\r\nGET /kept/large HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let mut stream = send(&server, request.as_bytes());
        stream.shutdown(Shutdown::Write).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert!(all.ends_with(&[b'x'; LARGE]), "{request}: {} bytes", all.len());
    }
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_ended_total", Some("closed")), 4.0);
}

/// As browsers do, which look at an answer once they have sent what it is to.
#[test]
fn an_upload_that_nobody_wants_does_not_take_back_the_answer_that_says_so() {
    let server = server();
    let length = 3 * 1_024 * 1_024;
    let head = format!("POST /200 HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = send(&server, head.as_bytes());
    stream.peek(&mut [0]).unwrap();
    stream.write_all(&vec![7; length]).unwrap();
    let mut all = Vec::new();
    let ended = stream.read_to_end(&mut all);
    assert!(ended.is_ok() && all.starts_with(b"HTTP/1.1 200 OK\r\n"), "{ended:?} {all:?}");
}

#[test]
fn a_status_code_that_has_no_reason_is_given_none() {
    let server = server();
    let mut all = Vec::new();
    send(&server, b"GET /kept/599 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .read_to_end(&mut all)
        .unwrap();
    assert!(all.starts_with(b"HTTP/1.1 599 \r\n"), "{}", all.escape_ascii());
}

/// Closing a socket that has something unread resets it, and takes back what is on its way (RFC 9112 §9.6).
#[test]
fn what_comes_behind_the_last_request_takes_nothing_from_its_answer() {
    let server = server();
    // More than is read with the last one.
    let behind = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(10_000);
    for request in
        ["GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "GET /large HTTP/1.0\r\n\r\n"]
    {
        for first in ["", &behind[..behind.len() / 10_000]] {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            // So that the answer is still on its way when it is all sent.
            socket.set_recv_buffer_size(16 * 1_024).unwrap();
            socket.connect(&server.address().into()).unwrap();
            let mut stream = TcpStream::from(socket);
            stream.write_all(format!("{request}{first}").as_bytes()).unwrap();
            stream.peek(&mut [0]).unwrap();
            stream.write_all(behind.as_bytes()).unwrap();
            let mut all = Vec::new();
            let ended = stream.read_to_end(&mut all);
            assert!(
                ended.is_ok() && all.ends_with(&[b'x'; LARGE]),
                "{request}: {} bytes, {ended:?}",
                all.len()
            );
        }
    }
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_ended_total", Some("closed")), 4.0);
}

#[test]
fn attack_19_a_preface_in_pieces_is_one_and_a_method_like_it_is_not() {
    let server = server();
    for cut in [1, 2, 3, 14, 23] {
        let stream = connect(server.address());
        (&stream).write_all(&PREFACE[..cut]).unwrap();
        // The server has seen this piece before the next one comes, or it has not: both have to be right.
        std::thread::yield_now();
        (&stream).write_all(&[&PREFACE[cut..], &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
        assert!(
            Wire::over(stream).until(|frame| frame.kind == SETTINGS && frame.flags == ACK).is_some(),
            "{cut}"
        );
    }
    for request in [
        "PRI /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "PRI * HTTP/1.1\r\nconnection: close\r\n\r\n",
    ] {
        let mut all = String::new();
        let _ = send(&server, request.as_bytes()).read_to_string(&mut all);
        assert!(all.starts_with("HTTP/1.1 "), "{request}: {all}");
    }
}

#[test]
fn who_stops_within_a_preface_holds_no_core() {
    let soon = Some(Span::secs(5));
    let server = Server::start(LimitOptions { header_timeout: soon, ..LimitOptions::default() });
    let patience = Some(Duration::from_secs(20));
    // One that asks no more, and one that might: the core is the only one.
    let stopped: Vec<_> = (1..PREFACE.len())
        .map(|length| {
            let ended = send(&server, &PREFACE[..length]);
            ended.shutdown(Shutdown::Write).unwrap();
            (ended, send(&server, &PREFACE[..length]))
        })
        .collect();
    let mut other = send(&server, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    other.set_read_timeout(patience).unwrap();
    let mut all = Vec::new();
    other.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(GREETING), "{all:?}");
    for (mut ended, mut waiting) in stopped {
        for stream in [&mut ended, &mut waiting] {
            stream.set_read_timeout(patience).unwrap();
            // A refusal or nothing; where nobody has read what it sent, by a reset.
            let end = stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
            assert!(matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)), "{end:?}");
        }
    }
    server.wait_until_quiet();
    let late = server.metric("serve_connections_ended_total", Some("header_timeout"));
    assert_eq!(late, (PREFACE.len() - 1) as f64);
}

/// With so little room that the end of a large answer is still with the server when it has given it away.
fn narrow(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&server.address().into()).unwrap();
    socket.into()
}

#[test]
fn an_answer_is_whole_where_nobody_reads_the_body_of_the_request() {
    let server = server();
    let mut stream = narrow(&server);
    stream.write_all(b"POST /large HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(&[b'x'; LARGE]), "{} bytes", all.len());
}

#[test]
fn an_answer_before_the_end_of_a_body_is_not_taken_back() {
    let server = server();
    for (head, begins, length) in [
        ("GET /large HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n", "HTTP/1.1 200 OK", LARGE),
        ("POST /large HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000000\r\n\r\n", "HTTP/1.1 200 OK", LARGE),
        // Nobody knows what is behind it.
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, x\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
            0,
        ),
    ] {
        let stream = narrow(&server);
        (&stream).write_all(head.as_bytes()).unwrap();
        std::thread::scope(|scope| {
            // The server may have had enough.
            scope.spawn(|| (&stream).write_all(&[b'x'; 300_000]));
            let mut all = Vec::new();
            (&stream).read_to_end(&mut all).unwrap();
            assert!(all.starts_with(begins.as_bytes()) && all.len() > length, "{head}: {} bytes", all.len());
        });
    }
}

/// A place that a listener held before anybody came to it was missing at all others: with fewer places than listeners on all cores,
/// nobody accepted there.
#[test]
fn with_fewer_places_than_listeners_all_are_heard() {
    let limits = LimitOptions { max_connections: Some(1), ..LimitOptions::default() };
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::with(Options {
        limits: Some(limits),
        listen: Some(vec![any; 3]),
        cores: Some(2),
        ..Options::default()
    });
    let addresses = server.addresses();
    for _ in 0..8 {
        let begun: Vec<_> = addresses
            .iter()
            .map(|address| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
                stream
            })
            .collect();
        // In whichever order they are let in, one at a time.
        for mut stream in begun {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert!(answer.ends_with(GREETING));
        }
    }
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_accepted_total", None), 24.0);
}
