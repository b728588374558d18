//! Attack 73: the time of day jumps by an hour, forward and back, under an edge at work.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use journeys::Airclass;
use journeys::clock::WallClock;
use journeys::raw::{Answered, Loose, answers, exchange_only};
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};

const HOUR: i64 = 3_600;
const CLIENTS: usize = 4;
const OBJECTS: usize = 60;
/// Answers after each jump.
const ANSWERS: usize = 400;
/// Answers that nobody has looked at yet.
const WAITING: usize = 16;
/// Two looks at one clock are not further apart.
const LATE: i64 = 900;

fn ask(edge: SocketAddr, target: &str) -> Answered {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answers(&exchange_only(edge, request.as_bytes())).remove(0)
}

/// Asks for what is held, again and again, until nobody listens.
fn load(edge: SocketAddr, client: usize, answered: &SyncSender<Answered>) {
    for step in 0.. {
        // Seven and sixty have nothing in common.
        let answer = ask(edge, &format!("/held-{}", (client * 17 + step * 7) % OBJECTS));
        if answered.send(answer).is_err() {
            return;
        }
    }
}

/// What the edge takes for the time, in seconds.
fn time(answered: &Answered) -> i64 {
    let date =
        answered.head.lines().find_map(|line| line.strip_prefix("date: ")).expect("an answer has a date");
    let date = rfc2822::parse(date).expect("a date");
    Timestamp::from(date).as_second()
}

#[test]
fn attack_73_a_clock_that_jumps_costs_no_answer_and_no_question() {
    let clock = WallClock::make();
    let origin = Loose::start(|request| {
        let (text, length) = (&request.target, request.target.len());
        format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {length}\r\n\r\n{text}")
            .into()
    });
    let disk = tempfile::tempdir().expect("a scratch folder");
    let folder = disk.path().to_str().expect("scratch folders have plain names");
    let upstream = format!("http://{}", origin.address);
    let edge =
        ["edge", "--upstream", &upstream, "--listen", "127.0.0.1:0", "--cores", "1", "--shed", "false"];
    let edge = Airclass::start_in(
        &clock.environment(),
        &[&edge[..], &["--ram", "64MiB", "--disk", folder, "--disk-size", "64MiB"]].concat(),
    );
    let address = edge.address();
    for number in 0..OBJECTS {
        assert_eq!(ask(address, &format!("/held-{number}")).status, 200);
    }
    let began = time(&ask(address, "/began"));
    origin.take();

    let (sender, answered) = sync_channel(WAITING);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let sender = sender.clone();
            std::thread::spawn(move || load(address, client, &sender))
        })
        .collect();
    for (number, ahead) in [0, HOUR, 0, -HOUR, 0].into_iter().enumerate() {
        clock.set_ahead(ahead);
        for _ in 0..ANSWERS {
            let answer = answered.recv().expect("the edge answers");
            assert!(answer.status == 200 && answer.head.contains("airclass; hit"), "{ahead}: {answer:?}");
        }
        // It has jumped: what is new has the new time, and is held as what was there before.
        let new = format!("/new-{number}");
        let first = ask(address, &new);
        let jumped = time(&first) - began;
        assert!((ahead - 5..ahead + LATE).contains(&jumped), "{ahead}: {jumped}, {first:?}");
        assert!(
            first.status == 200 && ask(address, &new).head.contains("airclass; hit"),
            "{ahead}: {first:?}"
        );
    }
    // And through every jump that came behind.
    for number in 0..5 {
        assert!(ask(address, &format!("/new-{number}")).head.contains("airclass; hit"), "{number}");
    }
    drop(answered);
    for client in clients {
        client.join().expect("every answer was one");
    }
    assert_eq!(origin.targets(), ["/new-0", "/new-1", "/new-2", "/new-3", "/new-4"]);
}
