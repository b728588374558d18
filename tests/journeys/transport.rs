//! How students connect: plain and TLS, HTTP/1.1 and HTTP/2, kept connections, a server that stops.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use journeys::client::{self, Certificate};
use journeys::http3::Http3;
use journeys::store::{pattern, put, segment};
use journeys::{Airclass, airclass};
use rustls::version::{TLS12, TLS13};
use std::rc::Rc;
use tempfile::TempDir;

const LENGTH: usize = 3_000_000;

struct Scene {
    _store: TempDir,
    _origin: Airclass,
    edge: Airclass,
    certificate: Rc<Certificate>,
}

fn scene(more: &[&str]) -> Scene {
    let store = tempfile::tempdir().unwrap();
    put(store.path(), &segment(0), &pattern(LENGTH));
    let certificate = Rc::new(Certificate::make(store.path()));
    let (cert, key) = (certificate.cert.to_str().unwrap(), certificate.key.to_str().unwrap());
    let origin = Airclass::origin(store.path());
    let mut arguments = vec!["--tls-listen", "127.0.0.1:0", "--cert", cert, "--key", key];
    arguments.extend(more);
    let edge = Airclass::edge(origin.address(), &arguments);
    Scene { _store: store, _origin: origin, edge, certificate }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

fn is_whole(answer: &client::Answer) -> bool {
    answer.status == 200 && answer.body == pattern(LENGTH)
}

fn path() -> String {
    format!("/{}", segment(0))
}

#[test]
fn tls_1_2_and_1_3_with_http_1_and_2() {
    let Scene { edge, certificate, .. } = &scene(&[]);
    let tls = edge.addresses[1];
    run(async {
        for version in [&TLS12, &TLS13] {
            let stream = certificate.connect(tls, version, &[b"http/1.1"]).await;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let answer = client::ask(&mut sender, "GET", &path(), &[]).await;
            assert!(is_whole(&answer), "{}: {} bytes", answer.status, answer.body.len());

            let stream = certificate.connect(tls, version, &[b"h2", b"http/1.1"]).await;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
                TokioExecutor::new(),
                TokioIo::new(stream),
            )
            .await
            .unwrap();
            tokio::spawn(connection);
            let uri = format!("https://localhost{}", path());
            let request = http::Request::get(uri).body(Empty::new()).unwrap();
            let answer = client::read(sender.send_request(request).await.unwrap()).await;
            assert!(is_whole(&answer), "{}: {} bytes", answer.status, answer.body.len());
        }
    });
}

#[test]
fn http_3_where_it_is_asked_for() {
    let Scene { edge, certificate, .. } = &scene(&["--http3", "--cores", "2"]);
    let certificates = [Rc::clone(certificate)];
    run(async {
        let tls = edge.addresses[1];
        let mut connection = Http3::connect(&certificates, tls).await.unwrap();
        for _ in 0..3 {
            let answer = connection.get(&path()).await.unwrap();
            assert!(is_whole(&answer), "{}: {} bytes", answer.status, answer.body.len());
            assert!(answer.field("cache-status").starts_with("airclass; "), "{:?}", answer.headers);
            connection.move_on().unwrap();
        }
        assert_eq!(connection.get("/nothing").await.unwrap().status, 404);
        // Those who come by TCP hear of it, in either protocol, and only over TLS.
        let stream = certificate.connect(tls, &TLS13, &[b"http/1.1"]).await;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let answer = client::ask(&mut sender, "GET", &path(), &[]).await;
        assert_eq!(answer.field("alt-svc"), format!("h3=\":{}\"; ma=86400", tls.port()));
        assert_eq!(client::get(edge.address(), &path(), &[]).await.field("alt-svc"), "");
    });
}

#[test]
fn plain_http_2_begun_with_the_preface() {
    let Scene { edge, .. } = &scene(&[]);
    run(async {
        let mut sender = client::connect_http2(edge.address()).await;
        let request = http::Request::get(format!("http://localhost{}", path())).body(Empty::new()).unwrap();
        let answer = client::read(sender.send_request(request).await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, LENGTH));
    });
}

#[test]
fn a_connection_that_was_parked_serves_the_next_request() {
    let Scene { edge, certificate, .. } = &scene(&["--park-after", "50ms"]);
    run(async {
        let mut plain = client::connect(edge.address()).await;
        let stream = certificate.connect(edge.addresses[1], &TLS13, &[b"http/1.1"]).await;
        let (mut tls, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..3 {
            for sender in [&mut plain, &mut tls] {
                assert_eq!(
                    client::ask(sender, "GET", &path(), &[("range", "bytes=0-99")]).await.body.len(),
                    100
                );
            }
            parked(edge, 2).await;
        }
    });
}

/// Waits until the edge says that so many connections are parked.
async fn parked(edge: &Airclass, count: usize) {
    let wanted = format!("serve_parked_connections {count}\n");
    loop {
        let metrics = client::get(edge.admin, "/metrics", &[]).await;
        if String::from_utf8_lossy(&metrics.body).contains(&wanted) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Also when the fill that it reads was begun by another core's client, who is gone: cores end together.
#[test]
fn a_server_that_is_told_to_stop_finishes_what_it_has_begun() {
    let mut scene = scene(&[]);
    let edge = &scene.edge;
    run(async {
        let mut idle = client::connect(edge.address()).await;
        client::ask(&mut idle, "GET", &path(), &[("range", "bytes=0-0")]).await;
        // More than the sockets' buffers hold, and not read yet.
        let mut busy = client::connect(edge.address()).await;
        let answer = busy.send_request(client::request("GET", &path(), &[])).await.unwrap();
        edge.terminate();
        // The idle connection is closed.
        while !idle.is_closed() {
            tokio::task::yield_now().await;
        }
        // Each core closes its own listener; when the last has, nobody gets in.
        while tokio::net::TcpStream::connect(edge.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body == pattern(LENGTH), "{} bytes came", body.len());
    });
    assert!(scene.edge.wait().success(), "{}", scene.edge.log());
}

#[test]
fn who_comes_without_tls_is_sent_on_by_a_listener_that_says_so() {
    let listener = r#"address = "127.0.0.1:0", to_https = 443"#;
    let Scene { edge, .. } = &scene(&["--listener", listener]);
    let (plain, sending_on) = (edge.addresses[0], *edge.addresses.last().unwrap());
    run(async {
        let moved = client::get(sending_on, &path(), &[]).await;
        assert_eq!((moved.status.as_u16(), moved.body.len()), (308, 0));
        assert_eq!(moved.field("location"), format!("https://lessons.example{}", path()));
        // Nodes ask where they were told to, and the other listener serves everybody.
        assert!(is_whole(&client::get(sending_on, &path(), &[("cdn-loop", "province;node=1")]).await));
        assert!(is_whole(&client::get(plain, &path(), &[]).await));
    });
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (one, two) = (Certificate::make(scratch.path()), Certificate::make(other.path()));
    let refused = airclass(&[
        "edge",
        "--upstream",
        "http://127.0.0.1:1",
        "--tls-listen",
        "127.0.0.1:0",
        "--cert",
        one.cert.to_str().unwrap(),
        "--key",
        two.key.to_str().unwrap(),
        "--admin",
        "127.0.0.1:0",
    ]);
    assert_eq!(refused.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.lines().last().unwrap().starts_with("TLS_MISMATCH: "), "{}", refused.stderr);
}
