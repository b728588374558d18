//! `kill -9` of processes and servers in the middle of their work.

use crate::stage::{add, claim, job, name};
use queue::{Added, Ending, Local, Nats, Policy, Priority, Queue, Repeat, State, System};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use testkit::nats::NatsServer;

/// Tells the process that is to be killed which queue it works on.
const QUEUE: &str = "AIRCLASS_TEST_CRASHING_QUEUE";
/// Acknowledged changes before each kill: the kill falls into another part of the next change each time.
const KILLS: [usize; 6] = [1, 2, 3, 5, 8, 13];

fn open(path: &Path) -> Local {
    Local::open(path, Policy::default(), Arc::new(System)).unwrap()
}

/// Looks of an idle worker, a tenth of a second each; a bound, not a pace.
const LOOKS: usize = 1_800;
/// A lease that is waited for, and that a busy machine may overstep: what was lost is claimed again, as often as it takes.
const WAITED_FOR: Policy =
    Policy { lease: Duration::from_secs(1), tries: u32::MAX, back_off: Duration::from_secs(30) };

/// Not a test by itself: the process that is killed. Says each change once it is acknowledged.
#[test]
fn the_process_that_is_killed() {
    let Some(path) = std::env::var_os(QUEUE) else { return };
    let queue = open(Path::new(&path));
    let begun = queue.list().unwrap().len() + queue.done().unwrap().len();
    for number in begun.. {
        let lesson = format!("lesson-{number}");
        add(&queue, job(&lesson, Priority::New));
        println!("added {lesson}");
        let held = claim(&queue, "killed");
        println!("claimed {}", name(&held.entry));
        if number % 2 == 0 {
            queue.end(&held, Ending::Done).unwrap().unwrap();
            println!("done {}", name(&held.entry));
        } else {
            queue.end(&held, Ending::GivenBack).unwrap().unwrap();
        }
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    let mut added = Vec::new();
    let mut done = Vec::new();
    for kill_after in KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::the_process_that_is_killed", "--exact", "--nocapture"])
            .env(QUEUE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if let Some((what, lesson)) = line.split_once(' ') {
                match what {
                    "added" => added.push(lesson.to_owned()),
                    "done" => done.push(lesson.to_owned()),
                    "claimed" => {}
                    _ => continue,
                }
                said += 1;
            }
            if said == kill_after {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(said >= kill_after, "it was killed by us and did not end by itself");

        let queue = open(&path);
        let there: Vec<_> = queue.list().unwrap().iter().map(|entry| name(entry).to_owned()).collect();
        let finished: Vec<_> = queue.done().unwrap().iter().map(|entry| name(entry).to_owned()).collect();
        for lesson in &added {
            assert_eq!(
                there.contains(lesson) as u8 + finished.contains(lesson) as u8,
                1,
                "{lesson} is there, and once"
            );
        }
        assert!(done.iter().all(|lesson| finished.contains(lesson)), "what was done stays done");
        // It works on: whatever the killed one held is still its own until the lease ends.
        let fresh = format!("fresh-{kill_after}");
        assert_eq!(add(&queue, job(&fresh, Priority::AirsNext)), Added::New);
        assert_eq!(name(&claim(&queue, "w").entry), fresh);
        queue.remove(&job(&fresh, Priority::New).key()).unwrap();
        for entry in queue.list().unwrap() {
            if name(&entry) == fresh {
                assert!(matches!(entry.state, State::Running { .. }));
            }
        }
    }
}

#[test]
fn a_server_that_is_killed_comes_back_with_everything() {
    let mut server = NatsServer::start();
    let open = |server: &NatsServer| Nats::open(&server.address("q"), WAITED_FOR, Arc::new(System)).unwrap();
    let queue = open(&server);
    let jobs = [job("a", Priority::New), job("b", Priority::New)];
    queue.add(&jobs, Repeat::Allowed).unwrap();
    let held = claim(&queue, "before");
    assert_eq!(name(&held.entry), "a");
    server.kill();
    server.restart();
    let queue = open(&server);
    assert_eq!(queue.list().unwrap().len(), 2);
    let mut left = vec!["a".to_owned(), "b".to_owned()];
    while !left.is_empty() {
        let held = claim(&queue, "after");
        if queue.end(&held, Ending::Done).unwrap().is_ok() {
            left.retain(|lesson| lesson != name(&held.entry));
        }
    }
    assert!(queue.list().unwrap().is_empty());
}

#[test]
fn jobs_without_a_ticket_are_found_by_idle_workers() {
    let server = NatsServer::start();
    let queue = Nats::open(&server.address("q"), WAITED_FOR, Arc::new(System)).unwrap();
    queue.add(&[job("runs", Priority::AirsNext), job("waits", Priority::New)], Repeat::Allowed).unwrap();
    assert_eq!(name(&claim(&queue, "lost").entry), "runs");
    empty_tickets(&server);
    let mut left = vec!["runs".to_owned(), "waits".to_owned()];
    for _ in 0..LOOKS {
        if let Some(held) = queue.claim("w", Duration::from_millis(100)).unwrap()
            && queue.end(&held, Ending::Done).unwrap().is_ok()
        {
            left.retain(|lesson| lesson != name(&held.entry));
        }
        if left.is_empty() {
            return;
        }
    }
    panic!("{left:?} was never found");
}

/// Where there was always something else to do, it ran for ever.
#[test]
fn a_job_without_a_ticket_is_found_by_workers_who_are_never_idle() {
    let server = NatsServer::start();
    let queue = Nats::open(&server.address("q"), WAITED_FOR, Arc::new(System)).unwrap();
    queue.add(&[job("runs", Priority::AirsNext)], Repeat::Allowed).unwrap();
    assert_eq!(name(&claim(&queue, "lost").entry), "runs");
    empty_tickets(&server);
    queue.add(&[job("a", Priority::New), job("b", Priority::New)], Repeat::Allowed).unwrap();
    loop {
        let held = claim(&queue, "w");
        if name(&held.entry) == "runs" {
            return;
        }
        let _ = queue.end(&held, Ending::GivenBack).unwrap();
    }
}

/// As if a process had died between job and ticket, and somebody had emptied the stream.
fn empty_tickets(server: &NatsServer) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(server.address("").trim_end_matches('/')).await.unwrap();
        let stream = async_nats::jetstream::new(client).get_stream("airclass-q-tickets").await.unwrap();
        stream.purge().await.unwrap();
    });
}
