//! Requests and answers, and requests that mean nothing or two things.

use super::client::*;
use crate::server::{GREETING, LARGE};
use http::Request;
use quinn::{TransportConfig, VarInt};
use serve::{LimitOptions, Options};
use std::rc::Rc;

fn scene() -> Scene {
    Scene::start(LimitOptions::default())
}

#[test]
fn a_client_that_is_not_ours_gets_its_answers() {
    let scene = scene();
    run(async {
        let mut client = scene.client().await;
        let answer = client.get("/").await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, GREETING));
        assert_eq!(answer.headers["content-length"], "5");
        assert!(answer.headers["date"].to_str().unwrap().ends_with(" GMT"));
        assert_eq!(client.get("/large").await.unwrap().body, vec![b'x'; LARGE]);
        let who = String::from_utf8(client.get("/who").await.unwrap().body).unwrap();
        assert!(who.starts_with("127.0.0.1:") && who.ends_with(" https"), "{who}");
        let request = Request::head("https://localhost/").body(()).unwrap();
        let answer = client.ask(request, &[]).await.unwrap();
        assert_eq!((&answer.headers["content-length"], answer.body.len()), (&"5".parse().unwrap(), 0));
        assert_eq!(scene.server.metric("serve_protocol_connections_total", Some("h3")), 1.0);
        assert_eq!(scene.server.metric("serve_connections", None), 1.0);
    });
}

#[test]
fn many_at_once_share_a_connection() {
    let scene = scene();
    run(async {
        let wire = Rc::new(scene.wire().await);
        let mut answers = tokio::task::JoinSet::new();
        // Three times as many as may be open.
        for _ in 0..300 {
            let wire = Rc::clone(&wire);
            answers.spawn_local(async move { wire.send(&get("/")).await });
        }
        while let Some(answer) = answers.join_next().await {
            assert!(answer.unwrap().has_status(200));
        }
    });
}

#[test]
fn a_body_comes_whole_or_is_known_not_to() {
    let scene = scene();
    run(async {
        let mut client = scene.client().await;
        let post = |length: Option<&str>| {
            let request = Request::post("https://localhost/echo");
            let request =
                length.into_iter().fold(request, |request, length| request.header("content-length", length));
            request.body(()).unwrap()
        };
        for (length, pieces, body) in [
            (None, &[&b"what"[..], b"ever"][..], &b"whatever"[..]),
            (Some("8"), &[b"what", b"ever"], b"whatever"),
            (None, &[], b""),
            (Some("0"), &[], b""),
        ] {
            let answer = client.ask(post(length), pieces).await.unwrap();
            assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, body), "{length:?}");
        }
        // Attack 33: another server would take the rest for something else.
        for (length, pieces) in [("9", &[&b"whatever"[..]][..]), ("3", &[b"whatever"]), ("1", &[])] {
            let answer = client.ask(post(Some(length)), pieces).await;
            assert!(answer.as_ref().map_or(true, |answer| answer.status == 400), "{length}: {answer:?}");
        }
        assert_eq!(client.get("/").await.unwrap().body, GREETING);
    });
}

#[test]
fn a_client_that_waits_to_be_told_is_told_to_go_on() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        let (mut sender, mut receiver) = wire.connection.open_bi().await.unwrap();
        let head = head("POST", "/echo", &[("content-length", "4"), ("expect", "100-continue")]);
        sender.write_all(&frame(HEADERS, &head)).await.unwrap();
        let mut interim = [0; 6];
        receiver.read_exact(&mut interim).await.unwrap();
        assert_eq!(interim, [1, 4, 0, 0, 0xff, 0]);
        sender.write_all(&frame(DATA, b"body")).await.unwrap();
        sender.finish().unwrap();
        let outcome = wire.outcome(receiver).await;
        assert!(outcome.has_status(200), "{outcome:?}");
    });
}

#[test]
fn attack_33_what_could_mean_two_things_is_never_answered() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        let [method, scheme, authority, path] =
            [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")];
        assert!(
            wire.send(&frame(HEADERS, &section(&[method, scheme, authority, path]))).await.has_status(200)
        );
        for fields in [
            // Missing, twice, foreign, behind a field, empty.
            &[method, scheme, authority][..],
            &[scheme, authority, path],
            &[method, authority, path],
            &[method, scheme, path],
            &[method, scheme, authority, path, path],
            &[method, method, scheme, authority, path],
            &[method, scheme, authority, path, (":status", "200")],
            &[method, scheme, authority, path, (":unknown", "")],
            &[method, scheme, authority, ("a", "b"), path],
            &[method, scheme, authority, (":path", "")],
            &[method, scheme, authority, (":path", "elsewhere")],
            &[method, scheme, authority, (":path", "/a b")],
            &[method, scheme, authority, (":path", "/a#b")],
            &[method, scheme, authority, (":path", "/a\r\nhost: b")],
            &[(":method", "GET / HTTP/1.1"), scheme, authority, path],
            &[method, scheme, (":authority", "a b"), path],
            // Two hosts.
            &[method, scheme, authority, path, ("host", "elsewhere")],
            &[method, scheme, authority, path, ("host", "localhost"), ("host", "elsewhere")],
            // Names and values that end early elsewhere.
            &[method, scheme, authority, path, ("Upper", "case")],
            &[method, scheme, authority, path, ("", "nameless")],
            &[method, scheme, authority, path, ("a b", "c")],
            &[method, scheme, authority, path, ("a", "b\r\nc: d")],
            &[method, scheme, authority, path, ("a", "b\nc")],
            &[method, scheme, authority, path, ("a", "b\0c")],
            // What belongs to a connection.
            &[method, scheme, authority, path, ("connection", "close")],
            &[method, scheme, authority, path, ("transfer-encoding", "chunked")],
            &[method, scheme, authority, path, ("upgrade", "h2c")],
            &[method, scheme, authority, path, ("te", "gzip")],
            &[method, scheme, authority, path, ("content-length", "1"), ("content-length", "1")],
            &[method, scheme, authority, path, ("content-length", "-1")],
            // A body that is announced and does not come.
            &[method, scheme, authority, path, ("content-length", "5")],
        ] {
            let outcome = wire.send(&frame(HEADERS, &section(fields))).await;
            assert_eq!(outcome, Outcome::Reset(MESSAGE_ERROR), "{fields:?}");
        }
        // Also where it does not stand in plain letters: `:path` in Huffman's code, behind one from the table.
        let twice =
            [&[0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, b'a', 0x2c, 0xb9, 0x58, 0xd3, 0x3f, 2][..], b"/x"].concat();
        assert_eq!(wire.send(&frame(HEADERS, &twice)).await, Outcome::Reset(MESSAGE_ERROR));
        let once = [&[0, 0, 0xd1, 0xd7, 0x50, 1, b'a', 0x2c, 0xb9, 0x58, 0xd3, 0x3f, 1][..], b"/"].concat();
        assert!(wire.send(&frame(HEADERS, &once)).await.has_status(200));
    });
}

#[test]
fn trailers_pass_and_pseudo_fields_in_them_do_not() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        let post = [frame(HEADERS, &head("POST", "/echo", &[])), frame(DATA, b"a")].concat();
        let with = |trailers: &[(&str, &str)]| [post.clone(), frame(HEADERS, &section(trailers))].concat();
        assert!(wire.send(&with(&[("checksum", "1")])).await.has_status(200));
        let outcome = wire.send(&with(&[(":path", "/other")])).await;
        assert!(!outcome.has_status(200), "{outcome:?}");
    });
}

#[test]
fn frames_that_h3_would_misread() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        // An empty DATA frame is not the end of a body, and one of no known type is nothing.
        let post = frame(HEADERS, &head("POST", "/echo", &[]));
        let body = [post, frame(DATA, b""), frame(DATA, b"wh"), frame(0x21, b"grease"), frame(DATA, b"ole")]
            .concat();
        let Outcome::Answered(bytes) = wire.send(&body).await else { panic!("an answer") };
        assert!(bytes.ends_with(b"whole"), "{bytes:?}");
        // WebTransport's frame has no length, for who knows it.
        let strange = [frame(0x41, b"x"), get("/")].concat();
        assert!(wire.send(&strange).await.has_status(200));
        // A DATA frame that is cut short would be the end of a body, and the trailers behind it a panic.
        for (method, cut) in
            [("GET", &[0, 5][..]), ("POST", &[0, 5]), ("POST", &[0, 5, b'a']), ("GET", &[0x21, 5])]
        {
            let wire = scene.wire().await;
            let path = if method == "GET" { "/" } else { "/echo" };
            let request = [&frame(HEADERS, &head(method, path, &[]))[..], cut].concat();
            assert_eq!(wire.send(&request).await, Outcome::Closed(FRAME_ERROR), "{method} {cut:?}");
        }
        assert!(scene.wire().await.send(&get("/")).await.has_status(200));
    });
}

#[test]
fn what_belongs_elsewhere_ends_the_connection() {
    let scene = scene();
    run(async {
        for (bytes, code) in [
            (frame(DATA, b"a"), FRAME_UNEXPECTED),
            (frame(SETTINGS, &[]), FRAME_UNEXPECTED),
            (
                [
                    frame(HEADERS, &head("POST", "/echo", &[])),
                    frame(HEADERS, &section(&[])),
                    frame(DATA, b"a"),
                ]
                .concat(),
                FRAME_UNEXPECTED,
            ),
            (frame(HEADERS, &[2, 0, 0x80]), DECOMPRESSION_FAILED),
            (frame(HEADERS, &[0, 0, 0x80]), DECOMPRESSION_FAILED),
        ] {
            let wire = scene.wire().await;
            let (mut sender, _receiver) = wire.connection.open_bi().await.unwrap();
            sender.write_all(&bytes).await.unwrap();
            assert_eq!(wire.closed().await, Outcome::Closed(code), "{bytes:?}");
        }
        let mut wire = scene.wire().await;
        wire.control.write_all(&frame(SETTINGS, &[])).await.unwrap();
        assert_eq!(wire.closed().await, Outcome::Closed(FRAME_UNEXPECTED));
        assert!(scene.wire().await.send(&get("/")).await.has_status(200));
    });
}

#[test]
fn streams_of_one_direction_are_what_a_client_may_open() {
    let scene = scene();
    run(async {
        let lower = [frame(0xd, &[2]), frame(0xd, &[1])].concat();
        for (bytes, ends, code) in [
            // A push of the client's; a table for us to keep; streams of QPACK's that end.
            (&[1, 0][..], false, STREAM_CREATION_ERROR),
            (&[2, 0x3f, 0xe1, 0x1f], false, ENCODER_STREAM_ERROR),
            (&[2], true, CLOSED_CRITICAL_STREAM),
            (&[3, 0x41], true, CLOSED_CRITICAL_STREAM),
        ] {
            let wire = scene.wire().await;
            let mut stream = wire.connection.open_uni().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            if ends {
                stream.finish().unwrap();
            }
            assert_eq!(wire.closed().await, Outcome::Closed(code), "{bytes:?}");
        }
        for (frames, code) in [(lower, ID_ERROR), (frame(3, &[0]), ID_ERROR)] {
            let mut wire = scene.wire().await;
            wire.control.write_all(&frames).await.unwrap();
            assert_eq!(wire.closed().await, Outcome::Closed(code), "{frames:?}");
        }
        // An empty table, word of requests taken back, and what has no meaning are fine, also where that ends.
        let wire = scene.wire().await;
        let mut kept = Vec::new();
        for (bytes, ends) in
            [(&[2, 0x20, 0x20][..], false), (&[3, 0x41], false), (&[0x21, 1], true), (&[], true)]
        {
            let mut stream = wire.connection.open_uni().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            if ends {
                stream.finish().unwrap();
            }
            kept.push(stream);
        }
        assert!(wire.send(&get("/")).await.has_status(200));
    });
}

#[test]
fn a_request_without_an_end_of_its_head_is_given_up() {
    let soon = Some(units::Span::secs(1));
    let scene = Scene::start(LimitOptions { header_timeout: soon, ..LimitOptions::default() });
    run(async {
        let wire = scene.wire().await;
        let (mut sender, receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&get("/")[..9]).await.unwrap();
        // Attack 61: the stream, not the connection, which may be somebody's who has lost a packet.
        assert_eq!(wire.outcome(receiver).await, Outcome::Reset(0x10d));
        assert!(wire.send(&get("/")).await.has_status(200));
    });
}

#[test]
fn a_connection_that_asks_nothing_is_ended_in_peace() {
    let soon = Some(units::Span::secs(2));
    let scene = Scene::start(LimitOptions { idle_timeout: soon, ..LimitOptions::default() });
    run(async {
        let wire = scene.wire().await;
        assert!(wire.send(&get("/")).await.has_status(200));
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        while scene.server.metric("serve_connections_ended_total", Some("idle")) < 1.0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn attack_62_a_body_that_stops_coming_ends_the_connection() {
    let soon = Some(units::Span::secs(1));
    let scene = Scene::start(LimitOptions { stall_timeout: soon, ..LimitOptions::default() });
    run(async {
        let wire = scene.wire().await;
        let (mut sender, _receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&frame(HEADERS, &head("POST", "/echo", &[]))).await.unwrap();
        // Where that comes too late, it is over already.
        let _ = sender.write_all(&frame(DATA, b"and no more")).await;
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        while scene.server.metric("serve_connections_ended_total", Some("stalled")) < 1.0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_server_that_stops_ends_what_it_has_begun() {
    let scene = Scene::with(Options { cores: Some(2), ..Options::default() });
    run(async {
        let mut client = scene.client().await;
        client.get("/").await.unwrap();
        let wire = scene.wire().await;
        let (mut sender, mut receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&get("/large")).await.unwrap();
        sender.finish().unwrap();
        // It has begun, with more than it may have on its way.
        let first = receiver.read_chunk(1, true).await.unwrap().unwrap();
        let stopping = scene.server.stop();
        let Outcome::Answered(bytes) = wire.outcome(receiver).await else { panic!("an answer") };
        assert!(first.bytes.len() + bytes.len() > LARGE, "{} bytes", bytes.len());
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        tokio::task::spawn_blocking(|| stopping.join()).await.unwrap();
    });
}

/// What the server has said on its control stream by when it says `end`.
async fn control(wire: &Wire, end: &[u8]) -> Vec<u8> {
    let mut stream = wire.connection.accept_uni().await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(end) {
        let piece = stream.read_chunk(usize::MAX, true).await.unwrap().unwrap();
        said.extend_from_slice(&piece.bytes);
    }
    // Its end would be an error.
    std::mem::forget(stream);
    said
}

#[test]
fn a_client_that_asks_no_more_gets_all_that_it_has_asked() {
    let scene = scene();
    run(async {
        let mut transport = TransportConfig::default();
        transport.stream_receive_window(VarInt::from_u32(64 * 1_024));
        let connection = connect(&scene.endpoint(transport), scene.server.address()).await;
        let mut wire = Wire::over(connection).await;
        let (mut sender, receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&get("/large")).await.unwrap();
        sender.finish().unwrap();
        wire.control.write_all(&frame(GOAWAY, &[0])).await.unwrap();
        // What comes behind that may have been sent before it. By the last of them the large answer has been written.
        for _ in 0..10 {
            assert!(wire.send(&get("/")).await.has_status(200));
        }
        let Outcome::Answered(bytes) = wire.outcome(receiver).await else { panic!("an answer") };
        assert!(bytes.len() > LARGE, "{} bytes", bytes.len());
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        while scene.server.metric("serve_connections_ended_total", Some("closed")) < 1.0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_server_that_stops_answers_what_it_does_not_refuse() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        // Kept open, that the server has something to wait for.
        let begun = wire.connection.open_bi().await.unwrap();
        let stopping = scene.server.stop();
        // As many as there may be at once.
        control(&wire, &frame(GOAWAY, &varint(4 * 100))).await;
        for _ in 1..100 {
            assert!(wire.send(&get("/")).await.has_status(200));
        }
        assert_eq!(wire.send(&get("/")).await, Outcome::Reset(REQUEST_REJECTED));
        drop(begun);
        wire.closed().await;
        tokio::task::spawn_blocking(|| stopping.join()).await.unwrap();
    });
}

#[test]
fn a_client_without_room_for_a_farewell_is_ended_all_the_same() {
    let soon = Some(units::Span::secs(1));
    let scene = Scene::start(LimitOptions { idle_timeout: soon, ..LimitOptions::default() });
    run(async {
        let all = control(&scene.wire().await, &frame(GOAWAY, &varint(4 * 100))).await;
        let mut transport = TransportConfig::default();
        transport.stream_receive_window(VarInt::from_u32(all.len() as u32 - 4));
        transport.keep_alive_interval(Some(std::time::Duration::from_millis(20)));
        let connection = connect(&scene.endpoint(transport), scene.server.address()).await;
        let wire = Wire::over(connection).await;
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        while scene.server.metric("serve_connections_ended_total", Some("idle")) < 2.0 {
            tokio::task::yield_now().await;
        }
    });
}
