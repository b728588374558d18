//! One request after another on a connection: attacks 22 to 26.

use crate::{HIDDEN, Scene, get, post};
use journeys::raw::{LAST, Loose, answers, exchange, exchange_only, read_to_end, statuses};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The class of CVE-2025-4366: a hit that leaves the request's body in the connection makes it the next request.
#[test]
fn attack_22_a_body_on_get_and_head() {
    let origin = Loose::start(|request| {
        let text = request.echo();
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\n\r\n{text}")
            .into()
    });
    let scene = Scene::before(origin);
    let edge = scene.edge.address();
    exchange(edge, get(""));
    assert_eq!(scene.origin.take().len(), 2);
    for (method, body) in [("GET", "GET /x "), ("HEAD", "")] {
        for lines in [
            format!("Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len()),
        ] {
            let payload = format!("{method} /x HTTP/1.1\r\nHost: lessons.example\r\n{lines}");
            // A HEAD's answer states a length and has no body.
            let bytes = exchange_only(edge, format!("{payload}{LAST}").as_bytes());
            let text = String::from_utf8_lossy(&bytes);
            assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("; hit"), "{text}");
            assert!(text.contains(body) && !text.contains("hidden"), "{text}");
            assert_eq!(scene.origin.targets(), [""; 0], "{payload}");
        }
    }
    // On a miss, too; and what does not come in one piece ends the connection.
    let large = "x".repeat(300_000);
    let answers =
        exchange(edge, format!("GET /new HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n{large}"));
    assert!(answers.len() <= 1, "{answers:?}");
    for request in scene.origin.take() {
        assert_eq!((request.target.as_str(), request.body.len()), ("/new", 0));
        assert!(request.values("content-length").is_empty());
    }
}

/// CVE-2026-2833 and CVE-2026-58055: what follows an upgrade that did not happen is HTTP/1.1 as before.
#[test]
fn attack_23_upgrade_and_a_second_request() {
    let scene = Scene::new();
    let settings = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    for lines in [
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n".to_owned(),
        format!("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n{settings}"),
        "Upgrade: TLS/1.2\r\n".to_owned(),
    ] {
        let answers = exchange(scene.edge.address(), format!("{}{}", get(&lines), get("")));
        assert_eq!(statuses(&answers), [200, 200, 200], "{lines}");
        let seen = scene.origin.take();
        assert_eq!(seen.len(), 3);
        for request in seen {
            for name in ["upgrade", "http2-settings"] {
                assert!(request.values(name).is_empty(), "{request:?}");
            }
        }
    }
    // Upgrade beside a body: the body is one.
    let lines = format!("Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: {}\r\n", HIDDEN.len());
    let heard = format!("POST /x {HIDDEN}");
    scene.forwards(post(&lines, HIDDEN), &[&heard]);
    // The HTTP/2 preface is no request of HTTP/1.1.
    scene.refuses("PRX * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

#[test]
fn attack_24_expect_and_a_body_that_does_not_wait() {
    let scene = Scene::new();
    let edge = scene.edge.address();
    let expect = "Expect: 100-continue\r\n";
    // Sent along: taken once, whether or not somebody said 100.
    let body = format!("{expect}Content-Length: {}\r\n", HIDDEN.len());
    scene.forwards(post(&body, HIDDEN), &[&format!("POST /x {HIDDEN}")]);
    // Waited for: the edge says 100 and the origin is not asked to.
    let mut stream = TcpStream::connect(edge).unwrap();
    stream.write_all(post(&format!("{expect}Content-Length: 5\r\n"), "").as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(format!("01234{LAST}").as_bytes()).unwrap();
    assert_eq!(statuses(&answers(&read_to_end(&mut stream))), [200, 200]);
    for request in scene.origin.take() {
        assert!(request.values("expect").is_empty(), "{request:?}");
    }
    // On GET nobody reads it: no 100, and what was announced is not taken for a request.
    let answers = exchange(edge, get(&format!("{expect}Content-Length: 500000\r\n")));
    assert_eq!(statuses(&answers), [200]);
    assert_eq!(scene.origin.take().len(), 1);
    // What is expected and unknown is refused.
    let answers = exchange(edge, post("Expect: tea\r\nContent-Length: 5\r\n", "01234"));
    assert_eq!(answers[0].status, 417);
    scene.origin.take();
}

#[test]
fn attack_25_requests_behind_one_that_is_refused() {
    let scene = Scene::new();
    let edge = scene.edge.address();
    for bad in [
        "GET /x HTTP/1.1\r\nHost: lessons.example\r\nX : y\r\n\r\n".to_owned(),
        "GET /x HTTP/1.1\r\n\r\n".to_owned(),
        "GET http://evil/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n".to_owned(),
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ] {
        scene.refuses(format!("{bad}{HIDDEN}"));
        // What stood before it is answered; it and what stands behind it is not forwarded.
        let answers = exchange(edge, format!("{}{bad}{HIDDEN}", get("")));
        assert_eq!(statuses(&answers), [200, 400], "{bad}");
        assert_eq!(scene.origin.take().len(), 1, "{bad}");
    }
}

#[test]
fn attack_26_connect_trace_and_methods_unknown() {
    let scene = Scene::new();
    for line in [
        "TRACE /x",
        "TRACK /x",
        "BREW /x",
        "get /x",
        "PURGE /x",
        "CONNECT lessons.example:80",
        "CONNECT /x",
        "GETT /x",
    ] {
        let answers = exchange(
            scene.edge.address(),
            format!(
                "{line} HTTP/1.1\r\nHost: lessons.example\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
                HIDDEN.len()
            ),
        );
        assert!(matches!(answers[0].status, 400 | 405 | 501), "{line}: {answers:?}");
        let targets = scene.origin.take();
        assert!(targets.iter().all(|request| request.target == "/last"), "{line}: {targets:?}");
    }
    for line in ["G\u{1}T /x", "G(T /x", " GET /x", "/x"] {
        scene.refuses(format!("{line} HTTP/1.1\r\nHost: lessons.example\r\n\r\n"));
    }
}
