//! Interim responses (RFC 9110 §15.2): passed on to who waits, never kept, and nothing of them in the answer.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use crate::Scene;
use journeys::raw::Loose;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

const ASKED: &[u8] = b"GET /hints HTTP/1.1\r\nHost: lessons.example\r\n\r\n";

/// All that a connection answers until a body has come whole that ends so.
fn until(stream: &mut TcpStream, end: &str) -> String {
    let (mut all, mut byte) = (Vec::new(), [0]);
    while !all.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).unwrap();
        all.push(byte[0]);
    }
    String::from_utf8(all).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).unwrap()
}

/// An edge before an origin that says these before an answer of one minute.
fn scene(interim: &str) -> Scene {
    let answer =
        format!("{interim}HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody");
    Scene::before(Loose::start(move |_| answer.clone().into_bytes()))
}

#[test]
fn hints_are_passed_on_before_the_answer_and_not_kept() {
    let scene = scene(
        "HTTP/1.1 102 Processing\r\n\r\n\
         HTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n",
    );
    let mut client = connect(scene.edge.address());
    client.write_all(ASKED).unwrap();
    let first = until(&mut client, "body");
    let hints = "HTTP/1.1 102 Processing\r\n\r\n\
                 HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n\
                 HTTP/1.1 200 OK\r\n";
    assert!(first.starts_with(hints), "{first}");
    assert!(!first[hints.len()..].contains("link"), "{first}");
    // From memory, on the same connection and on another.
    client.write_all(ASKED).unwrap();
    let mut other = connect(scene.edge.address());
    other.write_all(ASKED).unwrap();
    for again in [until(&mut client, "body"), until(&mut other, "body")] {
        assert!(again.starts_with("HTTP/1.1 200 OK\r\n") && !again.contains("link"), "{again}");
    }
    assert_eq!(scene.origin.targets(), ["/hints"]);
}

#[test]
fn they_come_when_they_are_said_and_not_with_the_answer() {
    // The answer breaks off behind its hints: whoever waits has them all the same.
    let scene = Scene::before(Loose::start(|_| b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".into()));
    let mut client = connect(scene.edge.address());
    client.write_all(ASKED).unwrap();
    let hint = until(&mut client, "\r\n\r\n");
    assert_eq!(hint, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
}

#[test]
fn hints_come_before_an_answer_of_any_kind() {
    let said = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nbody";
    let scene = Scene::before(Loose::start(move |_| said.into()));
    let mut client = connect(scene.edge.address());
    client.write_all(ASKED).unwrap();
    let answer = until(&mut client, "body");
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\n";
    assert!(answer.starts_with(hint), "{answer}");
}

#[test]
fn who_could_not_be_sent_any_can_with_the_next_request() {
    let scene = scene("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    let mut client = connect(scene.edge.address());
    client.write_all(b"POST /x HTTP/1.1\r\nHost: lessons.example\r\nContent-Length: 5\r\n\r\nhello").unwrap();
    let answer = until(&mut client, "body");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    client.write_all(ASKED).unwrap();
    let answer = until(&mut client, "body");
    assert!(answer.starts_with("HTTP/1.1 103 Early Hints\r\n"), "{answer}");
}

#[test]
fn who_cannot_be_sent_any_gets_the_answer_alone() {
    let scene = scene("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    let mut client = connect(scene.edge.address());
    client.write_all(b"GET /hints HTTP/1.0\r\nHost: lessons.example\r\n\r\n").unwrap();
    let answer = until(&mut client, "body");
    assert!(answer.contains(" 200 OK\r\n") && !answer.contains("103"), "{answer}");
}
