//! Attacks 36, 42 to 45, 47, 48, 51 and 52: what is held under which name, for whom and for how long. Through hyper, the client
//! towards the origin and whatever writes answers, as an attacker has them before him.

use crate::{ALONE, Scene};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use journeys::client::{self, Certificate};
use journeys::raw::{Answered, Loose, answers, exchange_only};
use journeys::{Airclass, process};
use rustls::version::TLS13;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

pub(super) fn answer(status: &str, lines: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {length}\r\n\r\n{body}").into()
}

pub(super) const KEPT: &str = "Cache-Control: max-age=600\r\n";

/// One GET over a connection of its own. Lines are bytes: some are no text.
fn ask_as(edge: SocketAddr, host: &str, target: &str, lines: impl AsRef<[u8]>) -> Answered {
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    let bytes = exchange_only(edge, &[head.as_bytes(), lines.as_ref(), b"\r\n"].concat());
    let mut answers = answers(&bytes);
    assert_eq!(answers.len(), 1, "{}", String::from_utf8_lossy(&bytes));
    answers.remove(0)
}

pub(super) fn ask(scene: &Scene, target: &str, lines: impl AsRef<[u8]>) -> Answered {
    ask_as(scene.edge.address(), "lessons.example", target, lines)
}

pub(super) fn is_hit(answered: &Answered) -> bool {
    answered.head.contains("airclass; hit")
}

/// The value of a field of the answer; empty where it is not there.
fn field<'a>(answered: &'a Answered, name: &str) -> &'a str {
    let lines = answered.head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next()
        .unwrap_or_default()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("scratch folders have plain names")
}

fn run(journey: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(journey);
}

/// Over a connection that is kept, in the names of several hosts.
enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Sender {
    async fn ask(&mut self, host: &str) -> client::Answer {
        let request = http::Request::builder();
        let request = match self {
            Self::Http1(_) => request.uri("/x").header("host", host),
            Self::Http2(_) => request.uri(format!("https://{host}/x")),
        };
        let request = request.body(Empty::new()).expect("a test's request");
        let response = match self {
            Self::Http1(sender) => {
                sender.ready().await.expect("the connection is kept");
                sender.send_request(request).await
            }
            Self::Http2(sender) => sender.send_request(request).await,
        };
        client::read(response.expect("an answer")).await
    }
}

/// An origin that serves many schools tells them apart by Host alone.
#[test]
fn attack_36_hosts_and_ports_are_never_answered_for_each_other() {
    let origin = Loose::start(|request| {
        assert_eq!(request.target, "/x");
        answer("200 OK", KEPT, request.values("host")[0])
    });
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let certificate = Certificate::make(scratch.path());
    let file = scratch.path().join("edge.toml");
    let group = "[[group]]\nname = \"schools\"\nhosts = [\"*.example\"]\n";
    std::fs::write(&file, format!("{group}tiers = [[\"http://{}\"]]\n", origin.address))
        .expect("a scratch folder");
    let listen = ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"];
    let keys = ["--cert", text(&certificate.cert), "--key", text(&certificate.key)];
    let edge = Airclass::start(&[&["edge", "--config", text(&file)][..], &listen, &keys, &ALONE].concat());
    let tls = edge.addresses[1];
    run(async {
        let encrypted = certificate.connect(tls, &TLS13, &[b"http/1.1"]).await;
        let (encrypted, connection) = http1::handshake(TokioIo::new(encrypted)).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        let http2 = certificate.connect(tls, &TLS13, &[b"h2"]).await;
        let (http2, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(http2)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let plain = client::connect(edge.address()).await;
        let mut senders = [Sender::Http1(plain), Sender::Http1(encrypted), Sender::Http2(http2)];
        for round in 0..2 {
            for number in 0..60 {
                // Who comes first is another one each time.
                senders.rotate_left(1);
                for host in [
                    format!("h{number}.example"),
                    format!("h{number}.example:81"),
                    format!("H{number}.EXAMPLE"),
                ] {
                    for sender in &mut senders {
                        let answered = sender.ask(&host).await;
                        let wanted = host.to_lowercase();
                        assert_eq!(answered.body, wanted, "{host} in round {round}: {:?}", answered.headers);
                        assert!(round == 0 || answered.field("cache-status").starts_with("airclass; hit"));
                    }
                }
            }
        }
    });
    let mut asked = HashMap::<String, usize>::new();
    for request in origin.seen() {
        *asked.entry(request.values("host")[0].to_owned()).or_default() += 1;
    }
    assert!(asked.len() == 120 && asked.values().all(|&times| times == 1), "{asked:?}");
}

/// What a query says in another order, twice, or for a statistician alone, is the same object.
#[test]
fn attack_42_queries_that_mean_the_same_are_asked_for_once() {
    let scene = Scene::before(Loose::start(|request| answer("200 OK", KEPT, &request.target)));
    for target in [
        "/x?a=1&b=2",
        "/x?b=2&a=1",
        "/x?a=1&b=2&a=1",
        "/x?utm_source=evil&a=1&b=2",
        "/x?a=1&CMCD=br%3D100&b=2&utm_campaign=1",
    ] {
        assert_eq!(ask(&scene, target, "").body, "/x?a=1&b=2", "{target}");
    }
    assert_eq!(scene.origin.targets(), ["/x?a=1&b=2"]);
    for target in ["/x?a=2&b=1", "/x?a=1", "/x?a=1&b=2&c", "/x", "/x?a=1&a=2&b=2"] {
        assert!(!is_hit(&ask(&scene, target, "")), "{target}");
    }
}

/// Neither in memory nor on the disk, for nobody, at no time.
#[test]
fn attack_43_what_is_for_one_is_given_to_no_other_and_written_on_no_disk() {
    let disk = tempfile::tempdir().expect("a scratch folder");
    let origin = Loose::start(|request| {
        let lines = match request.target.as_str() {
            "/private" => "Cache-Control: private\r\n",
            "/cookie" => "Cache-Control: public, max-age=600\r\nSet-Cookie: session=1\r\n",
            "/authorized" => "Cache-Control: max-age=600\r\n",
            "/no-store" => "Cache-Control: no-store\r\n",
            _ => "Cache-Control: max-age=600\r\nX-Kept: 1\r\n",
        };
        let asker = [request.values("cookie"), request.values("authorization")].concat().concat();
        answer("200 OK", lines, &asker)
    });
    let folder = text(disk.path());
    let edge =
        Airclass::edge(origin.address, &[&ALONE[..], &["--disk", folder, "--disk-size", "64MiB"]].concat());
    let metric = |name: &str| process::metric(edge.admin, &name.replace("DISK", folder));
    while metric("edge_disk_state{disk=\"DISK\",state=\"online\"}") < 0.5 {
        std::thread::yield_now();
    }
    let written = "edge_disk_operations_total{disk=\"DISK\",op=\"write\"}";
    for target in ["/private", "/cookie", "/authorized", "/no-store"] {
        for _ in 0..2 {
            for asker in ["pupil", "teacher"] {
                let name = if target == "/authorized" { "Authorization" } else { "Cookie" };
                let answered = ask_as(edge.address(), "a", target, format!("{name}: {asker}\r\n"));
                assert!(answered.status == 200 && answered.body == asker, "{target}: {answered:?}");
                assert!(!is_hit(&answered), "{target}: {answered:?}");
            }
        }
        let times = origin.take().iter().filter(|request| request.target == target).count();
        assert_eq!(times, 4, "{target}");
    }
    assert!(metric(written) < 0.5, "{} written", metric(written));
    // And what is for all is written: the disk was there all the time, and nothing stood in line before it.
    ask_as(edge.address(), "a", "/all", "");
    while metric(written) < 0.5 {
        std::thread::yield_now();
    }
    assert!(metric(written) < 1.5, "{} written", metric(written));
}

#[test]
fn attack_44_an_error_is_not_for_ever_whatever_it_says() {
    let forever = "Cache-Control: max-age=31536000, immutable\r\n";
    let origin = Loose::start(move |request| match request.target.as_str() {
        "/404" => answer("404 Not Found", forever, "no"),
        _ => answer("503 Service Unavailable", forever, "no"),
    });
    let scene = Scene::before(origin);
    for (target, status) in [("/404", 404), ("/503", 503)] {
        assert_eq!(ask(&scene, target, "").status, status);
        let held = ask(&scene, target, "");
        let ttl = field(&held, "cache-status").split("ttl=").nth(1).and_then(|ttl| ttl.split(';').next());
        let [ttl, age] =
            [ttl, Some(field(&held, "age"))].map(|seconds| seconds.and_then(|text| text.parse::<u32>().ok()));
        // Of a minute in all, however much of it a busy machine takes between the two; each is rounded for itself.
        let all = ttl.zip(age).map(|(ttl, age)| ttl + age);
        assert!(held.status == status && all.is_some_and(|all| (59..=60).contains(&all)), "{held:?}");
    }
    assert_eq!(scene.origin.targets(), ["/404", "/503"]);
    // It ends.
    let edge = Airclass::edge(scene.origin.address, &[&ALONE[..], &["--error-ttl", "1s"]].concat());
    let scene = Scene { edge, ..scene };
    scene.origin.take();
    for target in ["/404", "/503"] {
        while scene.origin.targets().iter().filter(|asked| *asked == target).count() < 2 {
            ask(&scene, target, "");
        }
    }
}

#[test]
fn attack_44_a_redirect_leads_nobody_where_another_wanted() {
    let origin = Loose::start(|request| {
        let given = ["x-forwarded-host", "x-host", "host"].map(|name| request.values(name).concat());
        let host = given.iter().find(|host| !host.is_empty()).cloned().unwrap_or_default();
        let location = format!("{KEPT}Location: https://{host}/y\r\n");
        answer("301 Moved Permanently", &location, "")
    });
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let file = scratch.path().join("edge.toml");
    let tiers = format!("tiers = [[\"http://{}\"]]\n", origin.address);
    std::fs::write(&file, format!("[[group]]\nname = \"schools\"\nhosts = [\"*.example\"]\n{tiers}"))
        .expect("a scratch folder takes files");
    let start = ["edge", "--config", text(&file), "--listen", "127.0.0.1:0"];
    let edge = Airclass::start(&[&start[..], &ALONE].concat());
    let edge = edge.address();
    for (number, name) in ["X-Forwarded-Host", "X-Host", "Host"].iter().enumerate() {
        let target = format!("/{number}");
        // Two Hosts, or one of somebody else's: refused, or his own affair.
        ask_as(edge, "a.example", &target, format!("{name}: evil.example\r\n"));
        ask_as(edge, "evil.example", &target, "");
        let victim = ask_as(edge, "a.example", &target, "");
        assert_eq!((victim.status, field(&victim, "location")), (301, "https://a.example/y"), "{name}");
        let other = ask_as(edge, "b.example", &target, "");
        assert_eq!((other.status, field(&other, "location")), (301, "https://b.example/y"), "{name}");
        assert!(!is_hit(&other), "{other:?}");
    }
}

#[test]
fn attack_45_an_answer_that_varies_with_everything_is_held_in_few_forms() {
    let origin = Loose::start(|request| match request.target.as_str() {
        "/star" => answer("200 OK", &format!("{KEPT}Vary: *\r\n"), "x"),
        _ => answer("200 OK", &format!("{KEPT}Vary: User-Agent\r\n"), &request.values("user-agent").concat()),
    });
    let scene = Scene::before(origin);
    for _ in 0..3 {
        assert!(!is_hit(&ask(&scene, "/star", "")));
    }
    const FORMS: usize = 200;
    for number in 0..FORMS {
        let name = format!("browser-{number}");
        let answered = ask(&scene, "/agents", format!("User-Agent: {name}\r\n"));
        assert_eq!(answered.body, name);
    }
    // The first ones gave way to the last.
    let held = |number: usize| {
        let answered = ask(&scene, "/agents", format!("User-Agent: browser-{number}\r\n"));
        assert_eq!(answered.body, format!("browser-{number}"));
        is_hit(&answered)
    };
    assert!(held(FORMS - 1));
    assert!(!held(0));
}

/// CVE-2024-35296: what cannot be read led past the cache.
#[test]
fn attack_47_an_accept_encoding_that_is_none_leads_nobody_past_the_cache() {
    let scene = Scene::before(Loose::start(|request| {
        let coding = request.values("accept-encoding").concat();
        answer("200 OK", &format!("{KEPT}Vary: Accept-Encoding\r\n"), &coding)
    }));
    let line = |value: &[u8]| [b"Accept-Encoding: ", value, b"\r\n"].concat();
    let lines: Vec<_> = [
        &b"\xff"[..],
        b"gzip\x80",
        b"\"gzip\"",
        b"*;q=x",
        b"br;q=1;q=1",
        b"\t,",
        b";;;",
        b"gzip;q=2",
        &b"a".repeat(8_000),
        &b"gzip,".repeat(2_000),
    ]
    .into_iter()
    .map(line)
    .chain([[line(b"gzip"), line(b"\xff"), line(b"br")].concat(), line(b"gzip"), Vec::new()])
    .collect();
    // Cold the first time, then warm.
    for round in 0..2 {
        for (number, lines) in lines.iter().enumerate() {
            let shown = String::from_utf8_lossy(lines).chars().take(60).collect::<String>();
            let answered = ask(&scene, "/x", lines);
            assert_eq!(answered.status, 200, "{shown}");
            assert!(round == 0 || is_hit(&answered), "{shown}: {}", answered.head);
            // Each is the first for one object.
            let alone = ask(&scene, &format!("/{number}"), lines);
            assert!(alone.status == 200 && (round == 0 || is_hit(&alone)), "{shown}: {}", alone.head);
        }
    }
    let heard = scene.origin.take();
    assert_eq!(heard.iter().filter(|request| request.target == "/x").count(), 2);
    assert_eq!(heard.len(), 2 + lines.len());
    let codings: Vec<_> = heard.iter().map(|request| request.values("accept-encoding").concat()).collect();
    assert!(codings.iter().all(|coding| coding.is_empty() || coding == "gzip"), "{codings:?}");
}

#[test]
fn attack_48_nothing_that_a_client_says_sends_it_past_the_cache() {
    let scene =
        Scene::before(Loose::start(|_| answer("200 OK", &format!("{KEPT}ETag: \"1\"\r\n"), "0123456789")));
    assert!(!is_hit(&ask(&scene, "/x", "")));
    for (lines, status) in [
        ("Cache-Control: no-cache\r\n", 200),
        ("Cache-Control: max-age=0\r\n", 200),
        ("Cache-Control: max-age=0, must-revalidate\r\n", 200),
        ("Cache-Control: no-store\r\n", 200),
        ("Cache-Control: no-cache, no-store\r\n", 200),
        ("Pragma: no-cache\r\n", 200),
        ("Authorization: Bearer x\r\n", 200),
        ("Cookie: a=1\r\n", 200),
        ("If-None-Match: \"2\"\r\n", 200),
        ("If-None-Match: \"1\"\r\nCache-Control: no-cache\r\n", 304),
        ("If-Modified-Since: x\r\n", 200),
        ("Range: bytes=0-0\r\nCache-Control: no-store\r\n", 206),
        ("Upgrade-Insecure-Requests: 1\r\nTE: trailers\r\n", 200),
    ] {
        let answered = ask(&scene, "/x", lines);
        assert_eq!(answered.status, status, "{lines}");
        assert!(is_hit(&answered), "{lines}: {answered:?}");
    }
    assert_eq!(scene.origin.targets(), ["/x"]);
}

/// An answer to HEAD has no body and gives none to whoever asks for one.
#[test]
fn attack_52_a_head_empties_no_get() {
    let scene = Scene::before(Loose::start(|request| {
        let whole = answer("200 OK", KEPT, "0123456789");
        let length = if request.method == "HEAD" { whole.len() - 10 } else { whole.len() };
        whole[..length].to_vec()
    }));
    for number in 0..3 {
        let head = format!("HEAD /{number} HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n\r\n");
        let bytes = exchange_only(scene.edge.address(), head.as_bytes());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("\r\n\r\n"), "{text}");
        for _ in 0..2 {
            assert_eq!(ask(&scene, &format!("/{number}"), "").body, "0123456789");
        }
    }
}

/// The origin says that another object than the one held is still good: that is asked for anew.
#[test]
fn attack_51_a_304_for_another_object_freshens_nothing() {
    let scene = Scene::before(Loose::start(|request| {
        if request.values("if-none-match").is_empty() {
            answer("200 OK", "Cache-Control: max-age=0\r\nETag: \"1\"\r\n", "one")
        } else {
            b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=600\r\nETag: \"2\"\r\n\r\n".to_vec()
        }
    }));
    for _ in 0..3 {
        let answered = ask(&scene, "/x", "");
        assert_eq!((answered.status, answered.body.as_str()), (200, "one"));
        assert_ne!(field(&answered, "etag"), "\"2\"");
        assert!(!is_hit(&answered), "{answered:?}");
    }
}
