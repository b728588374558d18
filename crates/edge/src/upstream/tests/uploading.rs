//! Bodies of clients on their way to a server: slow ones, and such that the server does not want.

use super::*;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

/// What a client's connection holds of what nobody reads.
const PIPE: usize = 1_024;

/// A client that sends a body of `length` bytes, by what is written to its connection.
async fn client(length: usize) -> (DuplexStream, serve::RequestBody) {
    client_by(&format!("content-length: {length}")).await
}

/// The same, its body's length told by `framing`.
async fn client_by(framing: &str) -> (DuplexStream, serve::RequestBody) {
    let (mut client, ours) = tokio::io::duplex(PIPE);
    let (bodies, mut body) = mpsc::channel(1);
    drop(tokio::task::spawn_local(async move {
        let service = service_fn(move |request: Request<Incoming>| {
            let _ = bodies.try_send(request.into_body());
            std::future::pending::<Result<http::Response<String>, Infallible>>()
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(ours), service).await;
    }));
    let head = format!("POST /x HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    (client, body.recv().await.unwrap().into())
}

impl Scene {
    async fn send(&self, body: serve::RequestBody) -> Answer {
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question { method: &Method::POST, ..Question::get("h", &target, &headers) };
        let body = self.edge.uploads.admit(body).unwrap();
        let (head, body) = self.edge.upstream.exchange(question, body).await?.into_parts();
        Ok((head.status, body.collect().await.map(http_body_util::Collected::to_bytes)))
    }
}

fn one(replies: Vec<Reply>) -> Scene {
    Scene::new("tiers = [[\"http://a\"]]", [replies])
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_due_when_its_question_has_been_sent() {
    local(async {
        let scene = one(vec![ok("a").after_reading().after(14 * SECOND)]);
        let (mut client, body) = client(22_000).await;
        let begun = Instant::now();
        drop(tokio::task::spawn_local(async move {
            for _ in 0..22 {
                tokio::time::sleep(SECOND).await;
                client.write_all(&[7; 1_000]).await.unwrap();
            }
            std::future::pending::<()>().await;
        }));
        assert_eq!(scene.send(body).await, whole(200, "a"));
        assert_eq!(begun.elapsed().as_secs(), 22 + 14);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_stops_sending_is_to_blame_and_no_server_is() {
    local(async {
        let scene = one((0..5).map(|_| ok("a").after_reading()).collect());
        for _ in 0..4 {
            let begun = Instant::now();
            let (mut client, body) = client(22_000).await;
            client.write_all(&[7; 1_000]).await.unwrap();
            assert_eq!(scene.send(body).await, Err(UpstreamError::RequestTooSlow));
            assert_eq!(begun.elapsed().as_secs(), 15);
        }
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 1.0);
        // A byte now and then is not enough.
        let (mut client, body) = client(22_000).await;
        drop(tokio::task::spawn_local(async move {
            while client.write_all(&[7]).await.is_ok() {
                tokio::time::sleep(10 * SECOND).await;
            }
        }));
        assert_eq!(scene.send(body).await, Err(UpstreamError::RequestTooSlow));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_is_to_blame() {
    local(async {
        let scene = one(vec![ok("a").without_reading().after(60 * SECOND)]);
        let (mut client, body) = client(4 << 20).await;
        drop(tokio::task::spawn_local(async move { client.write_all(&[7; 4 << 20]).await }));
        assert_eq!(scene.send(body).await, Err(UpstreamError::ResponseTimeout));
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unanswered"]), 1.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_answers_without_reading_holds_neither_the_upload_nor_the_connection() {
    local(async {
        let scene = one((0..4).map(|_| ok("a").without_reading()).collect());
        scene.servers[0].keep_connections(3600 * SECOND);
        for _ in 0..4 {
            let (mut client, body) = client(4 << 20).await;
            drop(tokio::task::spawn_local(async move { client.write_all(&[7; 4 << 20]).await }));
            assert_eq!(scene.send(body).await, whole(200, "a"));
        }
        // Once those have run that close what is over.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(scene.metric("edge_upstream_connections", &[]), 0.0);
        let places = scene.edge.config.upload_caps.at_once;
        assert_eq!(scene.edge.uploads.free(), places);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_does_not_stop_what_is_still_read() {
    local(async {
        let echo = Reply::new(200).while_reading().data("begun").pause(9 * SECOND).data("ended");
        let scene = one(vec![echo, ok("b")]);
        scene.servers[0].keep_connections(3600 * SECOND);
        let (mut client, body) = client(4_000).await;
        drop(tokio::task::spawn_local(async move {
            for _ in 0..4 {
                tokio::time::sleep(SECOND).await;
                client.write_all(&[7; 1_000]).await.unwrap();
            }
            std::future::pending::<()>().await;
        }));
        assert_eq!(scene.send(body).await, whole(200, "begunended"));
        // All was sent: the connection is as good as any, once it is back.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(scene.ask(&Uri::from_static("/x")).await, whole(200, "b"));
        assert_eq!(scene.servers[0].connections(), 1);
    })
    .await;
}

/// A server that answers before it has read the body is not to blame for what its client does then.
#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_its_clients_body_is_nobodys_fault_but_the_clients() {
    local(async {
        let early = || Reply::new(200).while_reading().data("begun").pause(60 * SECOND).data("ended");
        let mut config = config("tiers = [[\"http://a\"]]");
        config.upload_caps.size = units::ByteCount(2_000);
        let scene = Scene::by(config, [(0..6).map(|_| early()).collect()]);
        let too_large = ("transfer-encoding: chunked", [b"bb8\r\n", &[7; 3_000][..]].concat());
        let broken_off = ("content-length: 2000", vec![7; 1_000]);
        for (framing, sent) in [too_large, broken_off].iter().cycle().take(6).cloned() {
            let (mut client, body) = client_by(framing).await;
            drop(tokio::task::spawn_local(async move {
                tokio::time::sleep(SECOND).await;
                let _ = client.write_all(&sent).await;
            }));
            assert_eq!(scene.send(body).await, Ok((StatusCode::OK, Err(BodyError::Cut))), "{framing}");
        }
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "answer"]), 6.0);
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 0.0);
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 1.0);
    })
    .await;
}
