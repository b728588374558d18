//! An edge that runs out of places: sessions that want to begin are put off, those that play go on.

use journeys::raw::{Answered, Loose, answers, exchange_only};
use journeys::{Airclass, process};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const PLACES: usize = 200;

fn ask(edge: SocketAddr, target: &str) -> Answered {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answers(&exchange_only(edge, request.as_bytes())).remove(0)
}

/// The status of an answer on a connection that is kept. Every body is the target.
fn ask_on(stream: &mut TcpStream, target: &str) -> String {
    stream
        .write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
        .expect("a kept connection");
    let mut bytes = Vec::new();
    while !bytes.ends_with(target.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        bytes.push(byte[0]);
    }
    String::from_utf8_lossy(&bytes[..15]).into_owned()
}

/// Waits until the edge has seen how it stands.
fn wait_for_level(edge: &Airclass, level: f64) {
    while process::metric(edge.admin, "edge_overload_level") < level - 0.5 {
        std::thread::yield_now();
    }
}

#[test]
fn when_places_run_out_playback_goes_on_and_new_sessions_wait() {
    let origin = Loose::targets_for_keeps();
    let edge = Airclass::edge(
        origin.address,
        &["--max-connections", &PLACES.to_string(), "--header-timeout", "10min", "--idle-timeout", "10min"],
    );
    let address = edge.address();
    let mut playing = TcpStream::connect(address).expect("a place");
    for target in ["/warm.m3u8", "/1.m4s"] {
        assert_eq!(ask_on(&mut playing, target), "HTTP/1.1 200 OK");
    }
    let idle = |count: usize| -> Vec<TcpStream> {
        (0..count).map(|_| TcpStream::connect(address).expect("a place")).collect()
    };
    let _most = idle(PLACES * 9 / 10 - 1);
    wait_for_level(&edge, 2.0);
    assert_eq!(ask(address, "/warm.m3u8").status, 200);
    assert_eq!(ask(address, "/2.m4s").status, 200);
    let put_off = ask(address, "/cold.m3u8");
    assert_eq!(put_off.status, 503);
    assert!(put_off.head.contains("retry-after: ") && put_off.body.contains("请稍候"), "{put_off:?}");

    let _rest = idle(PLACES / 16);
    wait_for_level(&edge, 3.0);
    assert_eq!(ask(address, "/warm.m3u8").status, 503);
    assert_eq!(ask(address, "/3.m4s").status, 200);
    for target in ["/warm.m3u8", "/live.m3u8", "/4.m4s"] {
        assert_eq!(ask_on(&mut playing, target), "HTTP/1.1 200 OK");
    }
    let shed = process::metric(edge.admin, "edge_shed_total{what=\"session\"}");
    assert!((shed - 1.0).abs() < 0.5, "{shed}");
    assert!(process::metric(edge.admin, "edge_overload_share{reason=\"connections\"}") > 0.9);
}

/// Attack 68's other side: one address that has more in flight at once than any school.
#[test]
fn attack_68_requests_in_flight_are_bounded_for_each_client_and_for_the_exempt_not() {
    const MOST: usize = 3;
    let held = Arc::new((Mutex::new(true), Condvar::new()));
    let hold = Arc::clone(&held);
    let origin = Loose::start(move |request| {
        if request.target.starts_with("/held") {
            let held = hold.0.lock().expect("nobody panics with it");
            drop(hold.1.wait_while(held, |held| *held).expect("nobody panics with it"));
        }
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\nx".into()
    });
    let most = MOST.to_string();
    let bounded = ["--client-requests", &most];
    let edge = Airclass::edge(origin.address, &bounded);
    let exempt = Airclass::edge(
        origin.address,
        &[&bounded[..], &["--client-exempt", "10.0.0.0/8,127.0.0.0/8"]].concat(),
    );
    let ask_held = |edge: &Airclass| -> Vec<TcpStream> {
        let streams = (0..MOST).map(|number| {
            let mut stream = TcpStream::connect(edge.address()).expect("a place");
            let request = format!("GET /held-{number} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("an open connection");
            stream
        });
        let streams = streams.collect();
        while process::metric(edge.admin, "edge_client_requests_most") < MOST as f64 - 0.5 {
            std::thread::yield_now();
        }
        streams
    };
    let (waiting, waiting_exempt) = (ask_held(&edge), ask_held(&exempt));
    let refused = ask(edge.address(), "/other.m4s");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("retry-after: ") && refused.body.contains("同一网络"), "{refused:?}");
    assert_eq!(ask(exempt.address(), "/other.m4s").status, 200);
    let count = process::metric(edge.admin, "edge_shed_total{what=\"requests\"}");
    assert!((count - 1.0).abs() < 0.5, "{count}");

    *held.0.lock().expect("nobody panics with it") = false;
    held.1.notify_all();
    for mut stream in waiting.into_iter().chain(waiting_exempt) {
        let answered = journeys::raw::read_to_end(&mut stream);
        assert_eq!(answers(&answered)[0].status, 200);
    }
    assert_eq!(ask(edge.address(), "/other.m4s").status, 200);
}

/// And one that asks more often than any school, over a new connection each time.
#[test]
fn attack_68_a_rate_refuses_nobody_before_its_hard_bound_nor_the_exempt() {
    const BURST: usize = 3;
    let origin = Loose::start(|_| {
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\nx".into()
    });
    let refused = ["--client-rate-refused", "1", "--client-burst", "3s"];
    let exempt = [&refused[..], &["--client-exempt", "127.0.0.0/8"]].concat();
    for harmless in [&["--client-rate", "1", "--client-burst", "3s"][..], &exempt] {
        let edge = Airclass::edge(origin.address, harmless);
        for _ in 0..20 * BURST {
            assert_eq!(ask(edge.address(), "/main.m3u8").status, 200, "{harmless:?}");
        }
    }
    let edge = Airclass::edge(origin.address, &refused);
    let mut answered = 0;
    let answer = loop {
        let answer = ask(edge.address(), "/main.m3u8");
        match answer.status {
            200 => answered += 1,
            _ => break answer,
        }
    };
    assert!(answered >= BURST, "{answered}");
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.head.contains("retry-after: ") && answer.body.contains("同一网络"), "{answer:?}");
    assert!(process::metric(edge.admin, "edge_shed_total{what=\"rate\"}") > 0.5);
}

/// Attack 63's other side: readers that take nothing of what they have asked for, each of something else, of what is on a disk
/// and of what has to be fetched. No cache counts what waits for them.
#[test]
fn attack_63_memory_stays_under_its_cap_and_comes_back_by_itself() {
    const MIB: f64 = 1_048_576.0;
    const CAP: f64 = 256.0 * MIB;
    const KEPT: usize = 400;
    const ALL: usize = 900;
    const LENGTH: usize = 600_000;
    let origin = Loose::start(|_| {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"1\"";
        [format!("{head}\r\nContent-Length: {LENGTH}\r\n\r\n").into_bytes(), vec![b'x'; LENGTH]].concat()
    });
    let disk = tempfile::tempdir().expect("a scratch folder");
    let folder = disk.path().to_str().expect("a plain name");
    let edge = Airclass::edge(
        origin.address,
        &["--ram", "64MiB", "--memory-cap", "256MiB", "--disk", folder, "--disk-size", "512MiB"],
    );
    let address = edge.address();
    let resident = || process::metric(edge.admin, "process_resident_memory_bytes");
    for number in 0..KEPT {
        assert_eq!(ask(address, &format!("/{number}.m4s")).status, 200);
    }
    let mut readers = Vec::new();
    for number in 0..ALL {
        let mut reader = TcpStream::connect(address).expect("a place");
        let request = format!("GET /{number}.m4s HTTP/1.1\r\nHost: a\r\n\r\n");
        reader.write_all(request.as_bytes()).expect("an open connection");
        readers.push(reader);
        if number % 20 == 0 {
            assert_eq!(ask(address, "/hot.m4s").status, 200);
            let now = resident();
            assert!(now < CAP, "{now} bytes with {number} readers");
        }
    }
    let put_off = ask(address, "/cold.m4s");
    assert_eq!(put_off.status, 503);
    assert!(put_off.head.contains("retry-after: ") && put_off.head.contains("detail=memory"), "{put_off:?}");
    assert_eq!(ask(address, "/hot.m4s").status, 200);
    let now = resident();
    assert!(now < CAP, "{now} bytes in the end");
    // Who takes nothing loses its place.
    while ask(address, "/cold.m4s").status != 200 {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    assert!(process::metric(edge.admin, "edge_shed_total{what=\"memory\"}") > 0.5);
    drop(readers);
}
