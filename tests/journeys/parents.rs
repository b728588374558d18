//! Several servers behind an edge: one dies in the middle of a body, one comes and goes, all are gone, one wants to know who
//! asks, and two edges that point at each other.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::Airclass;
use journeys::client;
use journeys::door::Door;
use journeys::store::{pattern, put, segment};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// A bound on every test that waits, never a pace.
const PATIENCE: Duration = Duration::from_secs(600);

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("no test takes so long") });
}

/// Reads a request's head; empty when the other side is gone.
async fn request_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}

async fn metric(edge: &Airclass, series: &str) -> f64 {
    let text = client::get(edge.admin, "/metrics", &[]).await.body;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.starts_with(series));
    line.unwrap_or_else(|| panic!("{series} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until the edge has logged `line` so many times: what it logs comes by a pipe, in its own time.
async fn logged(edge: &Airclass, line: &str, times: usize) {
    while edge.log().matches(line).count() < times {
        tokio::task::yield_now().await;
    }
}

/// An edge over two servers of one tier. Their names, and so which of them a path prefers, are the same each time.
fn edge_over(one: SocketAddr, other: SocketAddr, more: &str) -> Airclass {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("edge.toml");
    let server =
        |name: &str, address: SocketAddr| format!("{{ name = \"{name}\", url = \"http://{address}\" }}");
    let tier = format!("{}, {}", server("one", one), server("other", other));
    std::fs::write(&file, format!("[[group]]\nname = \"lessons\"\ntiers = [[{tier}]]\n{more}")).unwrap();
    Airclass::start(&["edge", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"])
}

/// Answers every question like the origin, up to the middle of the body, and breaks the connection.
async fn break_off_in_the_middle(
    listener: TcpListener,
    etag: Arc<Mutex<String>>,
    bytes: Vec<u8>,
    asked: Arc<AtomicUsize>,
) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (etag, bytes, asked) = (Arc::clone(&etag), bytes.clone(), Arc::clone(&asked));
        tokio::spawn(async move {
            if request_head(&mut stream).await.is_empty() {
                return;
            }
            asked.fetch_add(1, Ordering::Relaxed);
            let etag = etag.lock().unwrap().clone();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\netag: {etag}\r\ncache-control: max-age=60\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&bytes[..bytes.len() / 2]).await.unwrap();
            // Everything has arrived before the connection breaks.
            stream.shutdown().await.unwrap();
        });
    }
}

#[test]
fn attack_49_a_parent_that_dies_in_the_middle_of_a_body_costs_no_byte() {
    let store = tempfile::tempdir().unwrap();
    let bytes = pattern(1_000_003);
    for number in 0..20 {
        put(store.path(), &segment(number), &bytes);
    }
    let origin = Airclass::origin(store.path());
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dying = listener.local_addr().unwrap();
        // One that is late is given no company here, which would overtake it before its body breaks off.
        let edge = edge_over(dying, origin.address(), "hedge = false\n");
        // Each path has a tag of its own; the dying parent gives the one of the path that is about to be asked for.
        let (etag, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(break_off_in_the_middle(listener, Arc::clone(&etag), bytes.clone(), Arc::clone(&asked)));
        for number in 0..20 {
            let path = format!("/{}", segment(number));
            let sample = client::get(origin.address(), &path, &[("range", "bytes=0-0")]).await;
            sample.field("etag").clone_into(&mut etag.lock().unwrap());
            let answer = client::get(edge.address(), &path, &[]).await;
            assert!(answer.status == 200 && answer.body == bytes, "{} {}", answer.status, answer.body.len());
            let again = client::get(edge.address(), &path, &[]).await;
            assert!(again.field("cache-status").starts_with("airclass; hit") && again.body == bytes);
        }
        let resumed = metric(&edge, "edge_broken_bodies_total{group=\"lessons\",outcome=\"resumed\"}").await;
        assert!(asked.load(Ordering::Relaxed) > 0, "the dying parent was asked");
        assert!((resumed - asked.load(Ordering::Relaxed) as f64).abs() < f64::EPSILON, "{resumed}");
        // Three in a row took it out.
        logged(&edge, "parent down", 1).await;
    });
}

#[test]
fn a_parent_that_comes_and_goes_is_not_noticed_and_not_asked_too_much() {
    const LESSONS: u32 = 120;
    let store = tempfile::tempdir().unwrap();
    for number in 0..LESSONS {
        put(store.path(), &segment(number), &pattern(1_000));
    }
    let origin = Airclass::origin(store.path());
    run(async {
        // In front of the same origin stands a door that is opened and shut.
        let door = Door::before(origin.address()).await;
        let edge = edge_over(door.address, origin.address(), "");
        let begun = tokio::time::Instant::now();
        for number in 0..LESSONS {
            door.set_open(number / 10 % 2 == 0);
            let answer = client::get(edge.address(), &format!("/{}", segment(number)), &[]).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 1_000), "{number}");
        }
        let at_the_origin = sum(origin.admin, "origin_requests_total{").await;
        let asked = at_the_origin + f64::from(door.turned_away());
        let lessons = f64::from(LESSONS);
        let allowed = lessons * 1.2 + 20.0 + begun.elapsed().as_secs_f64() + 1.0;
        assert!(asked >= lessons && asked <= allowed, "{asked} of {allowed}");
    });
}

async fn sum(admin: SocketAddr, series: &str) -> f64 {
    let text = client::get(admin, "/metrics", &[]).await.body;
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines = text.lines().filter(|line| line.starts_with(series));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn with_all_parents_gone_what_is_held_is_served_and_the_rest_is_said_plainly() {
    let store = tempfile::tempdir().unwrap();
    put(store.path(), &segment(0), &pattern(1_000));
    let (one, two) = (Airclass::origin(store.path()), Airclass::origin(store.path()));
    let (first, second) = (format!("http://{}", one.address()), format!("http://{}", two.address()));
    let edge =
        Airclass::start(&["edge", "--upstream", &first, "--upstream", &second, "--listen", "127.0.0.1:0"]);
    run(async {
        let held = format!("/{}", segment(0));
        assert_eq!(client::get(edge.address(), &held, &[]).await.status, 200);
        drop((one, two));
        for _ in 0..10 {
            let lacking = client::get(edge.address(), &format!("/{}", segment(1)), &[]).await;
            assert_eq!(lacking.status, 504);
            assert_eq!(lacking.field("cache-status"), "airclass; fwd=uri-miss; detail=connect");
        }
        assert_eq!(client::get(edge.address(), &held, &[]).await.status, 200);
        logged(&edge, "parent down", 2).await;
        assert_eq!(edge.log().matches("parent down").count(), 2, "{}", edge.log());
    });
}

#[test]
fn two_edges_that_point_at_each_other_are_a_loop_and_say_so() {
    run(async {
        let door = Door::to_nowhere().await;
        let first = Airclass::edge(door.address, &[]);
        let second = Airclass::edge(first.address(), &[]);
        door.lead_to(second.address());
        for edge in [&first, &second] {
            let answer = client::get(edge.address(), "/x", &[]).await;
            assert_eq!(answer.status, 508, "{}", answer.field("cache-status"));
            // A loop is nobody's failure: both are still asked.
            assert!((metric(edge, "edge_parent_up{").await - 1.0).abs() < f64::EPSILON);
        }
    });
}

/// A certificate authority and what it has issued, as files.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { key, params, pem }
    }

    /// A certificate for `name` and its key: `NAME.pem`, `NAME.key`.
    fn issue(&self, folder: &Path, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        (certificate, key)
    }
}

/// A server that answers "ok" to whoever shows a certificate of `authority`.
fn mutual_tls(authority: &Authority, folder: &Path) -> tokio_rustls::TlsAcceptor {
    let (certificate, key) = authority.issue(folder, "parent.example");
    let pem = authority.params.self_signed(&authority.key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pem.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config).into()
}

async fn say_ok(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    while !request_head(&mut stream).await.is_empty() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncache-control: no-store\r\n\r\nok";
        if stream.write_all(answer.as_bytes()).await.and(stream.flush().await).is_err() {
            return;
        }
    }
}

#[test]
fn a_parent_over_tls_that_wants_to_know_who_asks() {
    let scratch = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    std::fs::write(scratch.path().join("ca.pem"), &authority.pem).unwrap();
    std::fs::write(scratch.path().join("stranger.pem"), &stranger.pem).unwrap();
    authority.issue(scratch.path(), "edge.example");
    stranger.issue(scratch.path(), "other.example");
    let acceptor = mutual_tls(&authority, scratch.path());
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        say_ok(stream).await;
                    }
                });
            }
        });
        for (keys, status) in [
            ("ca = \"ca.pem\"\ncert = \"edge.example.pem\"\nkey = \"edge.example.key\"", 200),
            // It does not know us.
            ("ca = \"ca.pem\"", 502),
            ("ca = \"ca.pem\"\ncert = \"other.example.pem\"\nkey = \"other.example.key\"", 502),
            // We do not know it.
            ("ca = \"stranger.pem\"\ncert = \"edge.example.pem\"\nkey = \"edge.example.key\"", 502),
        ] {
            let keys = keys.replace(" = \"", &format!(" = \"{}/", scratch.path().display()));
            let file = scratch.path().join("edge.toml");
            let group = format!(
                "[[group]]\nname = \"lessons\"\ntiers = [[\"https://{address}\"]]\nserver_name = \"parent.example\"\n{keys}\n"
            );
            std::fs::write(&file, group).unwrap();
            let edge =
                Airclass::start(&["edge", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
            for _ in 0..3 {
                let answer = client::get(edge.address(), "/x", &[]).await;
                assert_eq!(answer.status, status, "{keys}\n{}", answer.field("cache-status"));
            }
        }
    });
}

#[test]
fn edges_in_tiers_with_neighbours_share_what_they_hold() {
    let store = tempfile::tempdir().unwrap();
    put(store.path(), &segment(0), &pattern(300_000));
    let origin = Airclass::origin(store.path());
    let parent = Airclass::edge(origin.address(), &[]);
    let neighbour = Airclass::edge(parent.address(), &[]);
    let file = store.path().join("edge.toml");
    let group = format!(
        "[[group]]\nname = \"lessons\"\ntiers = [[\"http://{}\"], [\"http://{}\"]]\npeers = [\"http://{}\"]\n",
        parent.address(),
        origin.address(),
        neighbour.address()
    );
    std::fs::write(&file, group).unwrap();
    let edge = Airclass::start(&["edge", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    run(async {
        let path = format!("/{}", segment(0));
        assert_eq!(client::get(neighbour.address(), &path, &[]).await.status, 200);
        drop((parent, origin));
        // A neighbour is asked for a quarter of a second and no longer. On a machine that takes longer there is no answer, and
        // it is asked again.
        let answer = loop {
            let answer = client::get(edge.address(), &path, &[]).await;
            if answer.status != 504 {
                break answer;
            }
        };
        assert!(answer.status == 200 && answer.body == pattern(300_000), "{}", answer.status);
        let peers = metric(&edge, "edge_peer_requests_total{group=\"lessons\",outcome=\"hit\"}").await;
        assert!((peers - 1.0).abs() < f64::EPSILON);
    });
}
