//! Attacks 59, 60 and 66 to 68: many at once, whether they mean it or not.

use journeys::raw::{Loose, answers, exchange_only, read_to_end, statuses};
use journeys::{Airclass, process};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long the origin of a storm takes for an answer.
const SLOW: Duration = Duration::from_millis(5);

fn request(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").into()
}

/// An origin whose every answer may be kept.
fn origin() -> Loose {
    Loose::start(|request| cacheable(&request.target))
}

fn cacheable(text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {length}\r\n\r\n{text}").into()
}

fn status(edge: SocketAddr, target: &str) -> Vec<u16> {
    statuses(&answers(&exchange_only(edge, &request(target))))
}

/// For edges whose clients are thousands that come one after the other: nobody is too slow.
const PATIENT: [&str; 4] = ["--header-timeout", "10min", "--idle-timeout", "10min"];

/// Requests of a storm.
const STORM: usize = 400;
/// Questions a second that the origin was promised.
const RATE: u32 = 20;
/// Connections that the origin was promised not to see more than.
const AT_ONCE: usize = 8;

/// A slow origin, an edge before it, and how many the origin ever answered at once.
fn scene(answer: fn(&str) -> Vec<u8>) -> (Loose, Airclass, Arc<AtomicUsize>) {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let origin = Loose::start({
        let most = Arc::clone(&most);
        move |request| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let (_never, wait) = mpsc::sync_channel::<()>(0);
            let _ = wait.recv_timeout(SLOW);
            now.fetch_sub(1, Ordering::SeqCst);
            answer(&request.target)
        }
    });
    let (at_once, rate) = (AT_ONCE.to_string(), RATE.to_string());
    let options = [
        "--ram",
        "16MiB",
        "--upstream-connections",
        &at_once,
        "--upstream-rate",
        &rate,
        "--negative-ttl",
        "10min",
        "--error-ttl",
        "10min",
    ];
    let edge = Airclass::edge(origin.address, &options);
    assert_eq!(status(edge.address(), "/lesson.m4s"), [200]);
    (origin, edge, most)
}

/// Asks for all of `targets` at once; meanwhile a lesson plays. The statuses.
fn storm(edge: &Airclass, targets: impl Iterator<Item = String>) -> Vec<u16> {
    let storm: Vec<_> = targets
        .map(|target| {
            let mut stream = TcpStream::connect(edge.address()).expect("the edge listens");
            stream.write_all(&request(&target)).expect("a request");
            stream
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(status(edge.address(), "/lesson.m4s"), [200]);
    }
    storm.into_iter().flat_map(|mut stream| statuses(&answers(&read_to_end(&mut stream)))).collect()
}

#[expect(clippy::disallowed_methods, reason = "a rate is of the real time")]
fn now() -> Instant {
    Instant::now()
}

/// What the origin was asked by a storm that began then: a second's worth at once, and what the time has brought.
fn is_bounded(origin: &Loose, began: Instant) {
    let (asked, allowed) = (origin.targets().len(), f64::from(RATE) * (1.0 + began.elapsed().as_secs_f64()));
    assert!(asked as f64 <= allowed, "{asked} questions, {allowed} allowed");
    assert!(asked < STORM, "nobody was put off");
}

/// Queries that nobody has asked before: the origin gets as many at once and a second as it was promised, and lessons go on.
#[test]
fn attack_59_a_storm_of_unique_queries() {
    let began = now();
    let (origin, edge, most) = scene(cacheable);
    let statuses = storm(&edge, (0..STORM).map(|number| format!("/x?n={number}")));
    // Answered, or told to wait; nobody is left alone.
    assert_eq!(statuses.len(), STORM);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503 | 504)), "{statuses:?}");
    assert!(most.load(Ordering::SeqCst) <= AT_ONCE, "{most:?} at once");
    is_bounded(&origin, began);
    let targets = origin.targets();
    assert_eq!(targets.iter().filter(|target| *target == "/lesson.m4s").count(), 1);
}

/// Segments that never were: each name is asked for once, as many at once as promised, and lessons go on.
#[test]
fn attack_60_a_storm_of_names_that_are_none() {
    let began = now();
    let (origin, edge, most) = scene(|target| match target {
        "/lesson.m4s" => cacheable(target),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
    });
    let statuses = storm(&edge, (0..STORM).map(|number| format!("/{}.m4s", number % (STORM / 4))));
    is_bounded(&origin, began);
    assert!(statuses.iter().all(|status| matches!(status, 404 | 503 | 504)), "{statuses:?}");
    assert!(most.load(Ordering::SeqCst) <= AT_ONCE, "{most:?} at once");
    // Once more: what is not there is known by now.
    let asked = origin.targets().len();
    assert!(asked <= STORM / 4 + 1, "{asked}");
    let known = statuses.iter().position(|status| *status == 404).expect("some were told") % (STORM / 4);
    storm(&edge, (0..STORM).map(|_| format!("/{known}.m4s")));
    assert_eq!(origin.targets().len(), asked);
}

/// Everybody within a second.
#[test]
fn attack_66_a_burst_of_connections() {
    const BURST: usize = 800;
    let origin = origin();
    let edge = Airclass::edge(origin.address, &PATIENT);
    let mut students: Vec<_> =
        (0..BURST).map(|_| TcpStream::connect(edge.address()).expect("the kernel takes it")).collect();
    for stream in &mut students {
        stream.write_all(&request("/1.m4s")).expect("a request");
    }
    for mut stream in students {
        assert_eq!(statuses(&answers(&read_to_end(&mut stream))), [200]);
    }
    assert_eq!(origin.targets(), ["/1.m4s"]);
}

/// The process runs out of descriptors, whatever it had counted on.
#[test]
fn attack_67_no_descriptors_left() {
    const FLOOD: usize = 200;
    let origin = origin();
    let edge = Airclass::edge(origin.address, &["--cores", "1", "--park-after", "10ms", "--shed", "false"]);
    let mut kept = TcpStream::connect(edge.address()).expect("the edge listens");
    let ask = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = |stream: &mut TcpStream| {
        stream.write_all(ask).expect("the connection is kept");
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n/x") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            bytes.push(byte[0]);
        }
    };
    answer(&mut kept);
    let most = edge.descriptors() + 30;
    edge.limit_descriptors(most);
    let flood: Vec<_> =
        (0..FLOOD).map(|_| TcpStream::connect(edge.address()).expect("the kernel takes it")).collect();
    while edge.descriptors() < most {
        answer(&mut kept);
    }
    for _ in 0..20 {
        answer(&mut kept);
    }
    drop(flood);
    assert_eq!(status(edge.address(), "/x"), [200]);
    answer(&mut kept);
    while process::metric(edge.admin, "serve_accept_errors_total") < 0.5 {
        std::thread::yield_now();
    }
}

/// A school, or a carrier's NAT: one address, and nobody of them is refused.
#[test]
fn attack_68_a_school_behind_one_address() {
    const STUDENTS: usize = 5_000;
    let most = process::most_descriptors();
    assert!(most >= STUDENTS + 1_024, "a process may have {most} descriptors");
    let origin = origin();
    let edge = Airclass::edge(origin.address, &PATIENT);
    let mut students: Vec<_> =
        (0..STUDENTS).map(|_| TcpStream::connect(edge.address()).expect("the kernel takes it")).collect();
    let keep = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    for target in ["/main.m3u8", "/video.m3u8", "/1.m4s", "/2.m4s"] {
        for stream in &mut students {
            stream.write_all(&keep(target)).expect("the connection is kept");
        }
        for stream in &mut students {
            let mut bytes = Vec::new();
            let mut more = [0; 1_024];
            while !bytes.ends_with(target.as_bytes()) {
                let length = stream.read(&mut more).expect("an answer");
                assert!(length > 0, "cut off after {:?}", String::from_utf8_lossy(&bytes));
                bytes.extend_from_slice(&more[..length]);
            }
            assert!(bytes.starts_with(b"HTTP/1.1 200 OK"), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
    assert_eq!(origin.targets().len(), 4);
}
