//! The table of tests that both kinds of queue pass.

use crate::stage::{PATIENCE, SHORT, Stage, add, airing, claim, job, name, nothing, states};
use package::Digest;
use queue::{
    Added, Change, Ended, Ending, Hold, Job, LeaseLost, Nats, Policy, Priority, Queue, QueueError, Reason,
    Repeat, System,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::nats::NatsServer;

fn ours() -> Ending {
    Ending::Failed(Reason::new("OURS", "broken"))
}

fn refused() -> Ending {
    Ending::Refused(Reason::new("SOURCE_EMPTY", "the file is empty; copy it again"))
}

fn the_most_urgent_goes_first(stage: &Stage) {
    let queue = stage.open();
    let jobs = [
        job("again", Priority::ReEncode),
        job("new-1", Priority::New),
        airing("airs-late", 9_000),
        job("new-2", Priority::New),
        airing("airs-soon", 8_000),
        job("airs-sometime", Priority::AirsNext),
    ];
    assert_eq!(queue.add(&jobs, Repeat::Allowed).unwrap(), vec![Added::New; 6]);
    let order = ["airs-soon", "airs-late", "airs-sometime", "new-1", "new-2", "again"];
    assert_eq!(states(&*queue), order.map(|name| (name.to_owned(), "waiting")));
    for expected in order {
        let claim = claim(&*queue, "w");
        assert_eq!(name(&claim.entry), expected);
        assert_eq!(queue.end(&claim, Ending::Done).unwrap(), Ok(Ended::Done));
    }
    nothing(&*queue);
    assert_eq!(queue.done().unwrap().len(), 6);
}

fn the_same_job_is_one_job_in_every_state(stage: &Stage) {
    let queue = stage.open();
    let again = || add(&*queue, job("a", Priority::New));
    assert_eq!(again(), Added::New);
    assert_eq!(again(), Added::Waiting);
    assert_eq!(add(&*queue, airing("a", 1)), Added::Raised);
    let held = claim(&*queue, "w");
    assert_eq!(again(), Added::Running);
    nothing(&*queue);
    queue.end(&held, refused()).unwrap().unwrap();
    assert!(matches!(again(), Added::SetAside(reason) if reason.code == "SOURCE_EMPTY"));
    nothing(&*queue);
    assert_eq!(queue.retry(&held.entry.key()).unwrap(), Change::Made);
    let held = claim(&*queue, "w");
    queue.end(&held, Ending::Done).unwrap().unwrap();
    // A watched folder does not bring it again; a person may.
    let unwanted = queue.add(&[job("a", Priority::New)], Repeat::Unwanted).unwrap();
    assert_eq!(unwanted, [Added::Done]);
    nothing(&*queue);
    assert_eq!(again(), Added::New);
    queue.end(&claim(&*queue, "w"), Ending::Done).unwrap().unwrap();
    assert_eq!(queue.done().unwrap().len(), 1, "done twice, noted once");
}

fn what_waits_can_be_raised_over_others(stage: &Stage) {
    let queue = stage.open();
    add(&*queue, job("first", Priority::New));
    add(&*queue, job("second", Priority::New));
    assert_eq!(add(&*queue, job("second", Priority::AirsNext)), Added::Raised);
    assert_eq!(name(&claim(&*queue, "w").entry), "second");
}

fn a_silent_worker_loses_its_job_and_cannot_speak_for_it(stage: &Stage) {
    let (hasty, queue) = (stage.open_for(SHORT), stage.open());
    add(&*queue, job("a", Priority::New));
    let first = claim(&*hasty, "first");
    stage.pass(SHORT + Duration::from_secs(1));
    let second = claim(&*hasty, "second");
    assert_eq!((name(&second.entry), second.entry.tries), ("a", 2));
    // From here on all leases are long. Where a machine has stood still, the second has been silent by now as well.
    let second = queue.claim("third", Duration::ZERO).unwrap().unwrap_or(second);
    assert_eq!(second.entry.fault.as_ref().unwrap().code, "WORKER_LOST");
    assert_eq!(queue.beat(&first).unwrap(), Hold::Lost);
    assert_eq!(queue.end(&first, Ending::Done).unwrap(), Err(LeaseLost));
    assert!(queue.done().unwrap().is_empty(), "nothing is done yet");
    assert_eq!(queue.beat(&second).unwrap(), Hold::Held);
    assert_eq!(queue.end(&second, Ending::Done).unwrap(), Ok(Ended::Done));
    nothing(&*queue);
}

fn a_worker_that_is_heard_of_keeps_its_job(stage: &Stage) {
    // Waited for where time is the server's. What a busy machine may add to a wait is what is left of the lease then.
    const LEASE: Duration = Duration::from_secs(12);
    const WAIT: Duration = Duration::from_secs(5);
    let queue = stage.open_for(LEASE);
    add(&*queue, job("a", Priority::New));
    let held = claim(&*queue, "w");
    // Longer than a lease nobody else gets it: each wait is shorter than what a beat gives.
    for _ in 0..3 {
        assert_eq!(queue.beat(&held).unwrap(), Hold::Held);
        stage.pass(WAIT);
        if matches!(stage, Stage::Server(_)) {
            assert!(queue.claim("other", WAIT).unwrap().is_none());
        } else {
            nothing(&*queue);
        }
    }
    assert_eq!(queue.end(&held, Ending::Done).unwrap(), Ok(Ended::Done));
}

fn our_faults_are_tried_again_later_and_in_the_end_set_aside(stage: &Stage) {
    let queue = stage.open();
    add(&*queue, job("a", Priority::New));
    for tries in 1..3 {
        let held = claim(&*queue, "w");
        assert_eq!(held.entry.tries, tries);
        assert!(matches!(queue.end(&held, ours()).unwrap(), Ok(Ended::Later(_))));
        assert_eq!(states(&*queue), [("a".to_owned(), "retrying")]);
        stage.pass(stage.policy().delay(tries));
    }
    let held = claim(&*queue, "w");
    assert_eq!(queue.end(&held, ours()).unwrap(), Ok(Ended::SetAside));
    nothing(&*queue);
    let entry = queue.list().unwrap().remove(0);
    assert_eq!((entry.state.as_str(), entry.fault), ("set-aside", Some(Reason::new("OURS", "broken"))));
}

fn a_delayed_job_stands_in_nobodys_way(stage: &Stage) {
    // It is waited for where time is the server's, and long enough for the other to be claimed within it.
    let policy = Policy { back_off: Duration::from_secs(8), ..stage.policy() };
    let queue = stage.open_with(policy);
    add(&*queue, job("urgent", Priority::AirsNext));
    let held = claim(&*queue, "w");
    add(&*queue, job("other", Priority::ReEncode));
    queue.end(&held, ours()).unwrap().unwrap();
    assert_eq!(name(&claim(&*queue, "w").entry), "other");
    stage.pass(policy.delay(1));
    assert_eq!(name(&claim(&*queue, "w").entry), "urgent");
}

fn a_job_given_back_is_there_for_the_next(stage: &Stage) {
    let queue = stage.open();
    add(&*queue, job("a", Priority::New));
    for _ in 0..5 {
        let held = claim(&*queue, "w");
        assert_eq!(held.entry.tries, 1, "giving back costs no try");
        assert_eq!(queue.end(&held, Ending::GivenBack).unwrap(), Ok(Ended::GivenBack));
    }
}

fn a_job_that_kills_its_workers_is_set_aside(stage: &Stage) {
    let queue = stage.open_for(SHORT);
    add(&*queue, job("poison", Priority::AirsNext));
    for tries in 1..=3 {
        assert_eq!(claim(&*queue, "w").entry.tries, tries);
        stage.pass(SHORT + Duration::from_secs(1));
    }
    // Another job comes through; on the way the last lease is seen to have ended.
    add(&*queue, job("good", Priority::ReEncode));
    assert_eq!(name(&claim(&*queue, "w").entry), "good");
    let poison = || queue.list().unwrap().into_iter().find(|entry| name(entry) == "poison").unwrap();
    if let Stage::Server(_) = stage {
        // The server hands the lost ticket out when its own clock says so; the good one's lease may end on the way.
        let looks = PATIENCE.as_secs() / SHORT.as_secs();
        for _ in (0..looks).take_while(|_| poison().state.as_str() != "set-aside") {
            let claim = queue.claim("w", SHORT).unwrap();
            assert!(claim.is_none_or(|claim| name(&claim.entry) == "good"));
        }
    }
    let poison = poison();
    assert_eq!((poison.state.as_str(), poison.fault.unwrap().code.as_str()), ("set-aside", "WORKER_LOST"));
}

fn two_jobs_of_one_lesson_run_one_after_the_other(stage: &Stage) {
    let queue = stage.open();
    let old = job("a", Priority::New);
    let new = queue::Job { content: package::Digest::of(b"better"), ..old.clone() };
    assert_eq!(queue.add(&[old.clone(), new.clone()], Repeat::Allowed).unwrap(), [Added::New, Added::New]);
    let first = claim(&*queue, "w");
    assert_eq!(first.entry.job, old);
    nothing(&*queue);
    queue.end(&first, Ending::Done).unwrap().unwrap();
    assert_eq!(claim(&*queue, "w").entry.job, new);
}

/// It was tried again when its delay was over, and the lesson was what it had been before the correction.
fn an_older_job_does_not_run_behind_a_newer_one_of_its_lesson(stage: &Stage) {
    let queue = stage.open();
    let old = job("a", Priority::New);
    let better = |content: &[u8]| queue::Job { content: package::Digest::of(content), ..old.clone() };
    let (wrong, new) = (better(b"wrong"), better(b"better"));
    add(&*queue, old.clone());
    let first = claim(&*queue, "w");
    assert_eq!(
        queue.add(&[wrong, new.clone(), job("b", Priority::ReEncode)], Repeat::Allowed).unwrap(),
        [Added::New, Added::New, Added::New]
    );
    assert!(matches!(queue.end(&first, ours()).unwrap(), Ok(Ended::Later(_))));
    let second = claim(&*queue, "w");
    queue.end(&second, refused()).unwrap().unwrap();
    let third = claim(&*queue, "w");
    assert_eq!(third.entry.job, new);
    assert_eq!(queue.end(&third, Ending::Done).unwrap(), Ok(Ended::Done));
    assert_eq!(
        states(&*queue),
        [("b".to_owned(), "waiting")],
        "neither the delayed nor the refused one is left"
    );
    stage.pass(stage.policy().delay(1));
    assert_eq!(name(&claim(&*queue, "w").entry), "b");
    nothing(&*queue);
}

fn a_person_takes_out_what_does_not_run(stage: &Stage) {
    let queue = stage.open();
    let unknown = job("unknown", Priority::New).key();
    assert_eq!(queue.remove(&unknown).unwrap(), Change::Unknown);
    assert_eq!(queue.retry(&unknown).unwrap(), Change::Unknown);
    add(&*queue, job("a", Priority::New));
    let held = claim(&*queue, "w");
    let key = held.entry.key();
    assert_eq!(queue.remove(&key).unwrap(), Change::NotNow("running"));
    queue.end(&held, refused()).unwrap().unwrap();
    assert_eq!(queue.remove(&key).unwrap(), Change::Made);
    assert!(queue.list().unwrap().is_empty());
    assert_eq!(add(&*queue, job("a", Priority::New)), Added::New);
    assert_eq!(queue.remove(&key).unwrap(), Change::Made, "also what only waits");
    nothing(&*queue);
    // What came after the removal is found.
    assert_eq!(add(&*queue, job("a", Priority::New)), Added::New);
    assert_eq!(claim(&*queue, "w").entry.key(), key);
}

fn everything_is_there_after_opening_anew(stage: &Stage) {
    let queue = stage.open();
    for name in ["aside", "runs", "waits"] {
        add(&*queue, job(name, Priority::New));
    }
    queue.end(&claim(&*queue, "w"), refused()).unwrap().unwrap();
    let held = claim(&*queue, "w");
    let before = queue.list().unwrap();
    drop(queue);
    let queue = stage.open();
    assert_eq!(queue.list().unwrap(), before);
    assert_eq!(queue.end(&held, Ending::Done).unwrap(), Ok(Ended::Done), "a claim outlives a connection");
    let states: Vec<_> = states(&*queue).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["waiting", "set-aside"]);
}

fn many_workers_never_run_one_job_at_once(stage: &Stage) {
    const JOBS: usize = 24;
    const WORKERS: usize = 4;
    let queue = stage.open();
    let jobs: Vec<_> = (0..JOBS).map(|number| job(&format!("lesson-{number}"), Priority::New)).collect();
    queue.add(&jobs, Repeat::Allowed).unwrap();
    let running = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (running, done) = (Arc::clone(&running), Arc::clone(&done));
            // Each as another process would: its own connection.
            let queue = stage.open();
            scope.spawn(move || {
                while done.lock().unwrap().len() < JOBS {
                    let wait = Duration::from_millis(50);
                    let Some(claim) = queue.claim(&format!("w{worker}"), wait).unwrap() else { continue };
                    let key = claim.entry.key();
                    {
                        let mut running = running.lock().unwrap();
                        assert!(!running.contains(&key), "{key} runs twice");
                        running.push(key);
                    }
                    assert_eq!(queue.beat(&claim).unwrap(), Hold::Held);
                    running.lock().unwrap().retain(|running| *running != key);
                    if queue.end(&claim, Ending::Done).unwrap().is_ok() {
                        done.lock().unwrap().push(key);
                    }
                }
            });
        }
    });
    let mut done = done.lock().unwrap().clone();
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), JOBS, "each once");
    assert!(queue.list().unwrap().is_empty());
}

/// A worker on a server panicked at the end of every upload, where it asks whether the job is still its own.
fn a_worker_may_ask_from_within_a_runtime(stage: &Stage) {
    let queue = stage.open();
    add(&*queue, job("a", Priority::New));
    let held = claim(&*queue, "w");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (hold, jobs) = runtime.block_on(async { (queue.beat(&held).unwrap(), states(&*queue)) });
    assert_eq!((hold, jobs), (Hold::Held, vec![("a".to_owned(), "running")]));
}

/// On a server the name of no queue, mistyped or forgotten, was an empty one.
fn a_queue_that_nobody_made_is_not_found_nor_made_by_looking(stage: &Stage) {
    let look = || queue::find(&stage.address(), stage.policy());
    for _ in 0..2 {
        assert!(matches!(look(), Err(QueueError::Missing(_))));
    }
    add(&*stage.open(), job("a", Priority::New));
    assert_eq!(states(&*look().unwrap()), [("a".to_owned(), "waiting")]);
}

fn a_waiting_worker_is_woken_by_a_job(stage: &Stage) {
    let (queue, other) = (stage.open(), stage.open());
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || claim(&*queue, "w"));
        add(&*other, job("a", Priority::New));
        assert_eq!(name(&waits.join().unwrap().entry), "a");
    });
}

/// It put off one ticket after the other: with some thousands of jobs the first came back before the last was put off, and the worker
/// heard nobody who wanted it to stop.
#[test]
fn a_worker_that_waits_no_longer_does_not_go_through_all_that_cannot_run_now() {
    let server = NatsServer::start();
    let queue = Nats::open(&server.address("q"), Policy::default(), Arc::new(System)).unwrap();
    let again = |number: u8| Job { recipe: Digest::of(&[number]), ..job("a", Priority::New) };
    queue.add(&(0..10).map(again).collect::<Vec<_>>(), Repeat::Allowed).unwrap();
    let _held = claim(&queue, "w");
    nothing(&queue);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handed_out = runtime.block_on(async {
        let client = async_nats::connect(server.address("q").strip_suffix("/q").unwrap()).await.unwrap();
        let stream = async_nats::jetstream::new(client).get_stream("airclass-q-tickets").await.unwrap();
        stream.consumer_info("workers").await.unwrap().num_ack_pending
    });
    assert_eq!(handed_out, 2, "the one that runs, and one that is put off");
}

macro_rules! table {
    ($($case:ident)*) => {
        mod file {
            use super::Stage;
            $(#[test] fn $case() { super::$case(&Stage::file()); })*
        }
        mod server {
            use super::Stage;
            $(#[test] fn $case() { super::$case(&Stage::server()); })*
        }
    };
}

table! {
    the_most_urgent_goes_first
    the_same_job_is_one_job_in_every_state
    what_waits_can_be_raised_over_others
    a_silent_worker_loses_its_job_and_cannot_speak_for_it
    a_worker_that_is_heard_of_keeps_its_job
    our_faults_are_tried_again_later_and_in_the_end_set_aside
    a_delayed_job_stands_in_nobodys_way
    a_job_given_back_is_there_for_the_next
    a_job_that_kills_its_workers_is_set_aside
    two_jobs_of_one_lesson_run_one_after_the_other
    an_older_job_does_not_run_behind_a_newer_one_of_its_lesson
    a_person_takes_out_what_does_not_run
    everything_is_there_after_opening_anew
    many_workers_never_run_one_job_at_once
    a_worker_may_ask_from_within_a_runtime
    a_queue_that_nobody_made_is_not_found_nor_made_by_looking
    a_waiting_worker_is_woken_by_a_job
}
