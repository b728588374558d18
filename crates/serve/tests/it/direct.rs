//! Requests that come whole go a short way, past hyper; the same in pieces do not. Nobody may see a difference.

use crate::server::Server;
use proptest::prelude::*;
use serve::LimitOptions;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Ends the connection, so that all that was answered can be read; hyper's, as it has another method and says so.
const LAST: &str = "HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// In the answer to it.
const CLOSES: &str = "connection: close";

/// First lines of a request; the first is what nearly all are.
const LINES: &[&str] = &[
    "GET /kept/200 HTTP/1.1",
    "GET /kept/206 HTTP/1.1",
    "GET /kept/304 HTTP/1.1",
    "GET /kept/404 HTTP/1.1",
    "GET / HTTP/1.1",
    "GET http://a/kept/200 HTTP/1.1",
    "GET /kept/200 HTTP/1.0",
    "GET  /kept/200 HTTP/1.1",
    "GET /kept/200",
    "get /kept/200 HTTP/1.1",
    "HEAD /kept/200 HTTP/1.1",
    "PATCH /kept/200 HTTP/1.1",
    "GET /kept/\u{1} HTTP/1.1",
    "\r\nGET /kept/200 HTTP/1.1",
];

/// Further fields; the first says nothing of consequence.
const FIELDS: &[&str] = &[
    "accept: */*",
    "connection: keep-alive",
    "connection: close",
    "connection: upgrade",
    "upgrade: websocket",
    "content-length: 0",
    "transfer-encoding: identity",
    "te: trailers",
    "x-empty:",
    "x-space : 1",
    " x-folded: 1",
    "x-bare: a\nb",
    "x-nul: a\0b",
    "no colon",
];

/// What a connection answers to these, one after the other, each written in the pieces that end at `cuts`. Without Date, of which each
/// second has another.
fn exchange(server: &Server, requests: &[&str], cuts: &[usize]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut all = Vec::new();
    for request in requests.iter().chain(&[LAST]) {
        let mut from = 0;
        for to in cuts.iter().map(|cut| cut % request.len()).chain([request.len()]) {
            if to > from {
                // The server has seen one piece before the next one comes, or it has not: both have to be right.
                if stream.write_all(&request.as_bytes()[from..to]).is_err() {
                    break;
                }
                std::thread::yield_now();
                from = to;
            }
        }
        if !read_answer(&mut stream, &mut all, request.starts_with("HEAD")) {
            break;
        }
    }
    String::from_utf8(all)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("date: "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Whether another may follow.
fn read_answer(stream: &mut TcpStream, all: &mut Vec<u8>, is_head: bool) -> bool {
    let from = all.len();
    let mut byte = [0];
    let head_end = loop {
        if all[from..].ends_with(b"\r\n\r\n") {
            break all.len();
        }
        match stream.read(&mut byte) {
            Ok(1) => all.push(byte[0]),
            _ => return false,
        }
    };
    let head = String::from_utf8_lossy(&all[from..head_end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    if !is_head && !head.starts_with("HTTP/1.1 304") {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        all.extend(body);
    }
    !head.contains(CLOSES)
}

/// One of these, the first as often as all others.
fn mostly_first(all: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(all[0]), proptest::sample::select(all)]
}

fn request() -> impl Strategy<Value = String> {
    let fields = proptest::collection::vec(mostly_first(FIELDS), 0..4);
    (mostly_first(LINES), fields).prop_map(|(line, fields)| {
        let mut request = format!("{line}\r\nhost: a\r\n");
        for field in fields {
            request.push_str(field);
            request.push_str("\r\n");
        }
        request + "\r\n"
    })
}

#[test]
fn what_comes_whole_is_answered_as_what_comes_in_pieces() {
    let server = Server::start(LimitOptions::default());
    let runs = (proptest::collection::vec(request(), 1..4), 1..64_usize);
    proptest!(ProptestConfig::with_cases(300), |((requests, cut) in runs)| {
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        let whole = exchange(&server, &requests, &[]);
        let pieces = exchange(&server, &requests, &[cut]);
        // What is wrong is answered and nothing behind it read: a piece that comes then may cost the client that answer.
        let refused = whole.contains("HTTP/1.1 400") && whole.starts_with(&pieces);
        prop_assert!(whole == pieces || refused, "{whole}\n--- in pieces:\n{pieces}");
    });
}

#[test]
fn requests_behind_one_another_are_answered_in_order() {
    let server = Server::start(LimitOptions::default());
    let one = "GET /kept/200 HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let (mut all, asked) = (Vec::new(), 7);
    stream.write_all(&one.as_bytes().repeat(asked)).unwrap();
    stream.write_all(LAST.as_bytes()).unwrap();
    stream.read_to_end(&mut all).unwrap();
    let all = String::from_utf8(all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), asked + 1, "{all}");
    assert!(all.matches("hello").count() == asked && all.contains(CLOSES), "{all}");
}

#[test]
fn a_client_that_leaves_is_not_waited_for() {
    let server = Server::start(LimitOptions::default());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    drop(stream);
    // Not until nobody is there: nobody is there either before it has been accepted.
    while server.metric("serve_connections_ended_total", Some("broken")) < 1.0 {
        std::thread::yield_now();
    }
}
