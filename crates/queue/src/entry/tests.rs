use super::*;
use package::{Description, Digest};
use std::time::Duration;

const NOW: Moment = Moment(1_000_000);
const POLICY: Policy = Policy { lease: Duration::from_secs(60), tries: 3, back_off: Duration::from_secs(30) };

fn entry() -> Entry {
    let job = Job {
        source: "/lessons/a.mp4".into(),
        content: Digest::of(b"a"),
        lesson: "a".parse().unwrap(),
        description: Description::default(),
        store: "/store".to_owned(),
        ladder: None,
        recipe: Digest::of(b"ladder"),
        priority: Priority::New,
        airs_at: None,
    };
    Entry::new(job, 1, NOW)
}

fn at(seconds: u64) -> Moment {
    NOW.after(Duration::from_secs(seconds))
}

fn ours() -> Ending {
    Ending::Failed(Reason::new("OURS", "broken"))
}

/// Begun by a worker; also what that worker remembers.
fn running() -> (Entry, Entry) {
    let mut entry = entry();
    entry.take("w", None, NOW, &POLICY);
    let claimed = entry.clone();
    (entry, claimed)
}

#[test]
fn each_ending_leads_to_its_state() {
    let refused = || Ending::Refused(Reason::new("SOURCE_EMPTY", "empty"));
    for (ending, ended, state, tries) in [
        (Ending::Done, Ended::Done, "done", 1),
        (Ending::GivenBack, Ended::GivenBack, "waiting", 0),
        (refused(), Ended::SetAside, "set-aside", 1),
        (ours(), Ended::Later(at(30)), "retrying", 1),
    ] {
        let (mut entry, claimed) = running();
        assert_eq!(entry.end(&claimed, ending.clone(), NOW, &POLICY), Ok(ended), "{ending:?}");
        assert_eq!((entry.state.as_str(), entry.tries), (state, tries), "{ending:?}");
        // Whoever says it twice is told that it is over.
        assert_eq!(entry.end(&claimed, Ending::Done, NOW, &POLICY), Err(LeaseLost));
        assert_eq!(entry.beat(&claimed, NOW, &POLICY), Err(LeaseLost));
    }
}

#[test]
fn our_faults_are_tried_again_with_growing_delays_and_then_set_aside() {
    let mut entry = entry();
    let mut now = NOW;
    for delay in [30, 120] {
        entry.take("w", None, now, &POLICY);
        let claimed = entry.clone();
        let then = now.after(Duration::from_secs(delay));
        assert_eq!(entry.end(&claimed, ours(), now, &POLICY), Ok(Ended::Later(then)));
        assert!(!entry.is_ready(Moment(then.0 - 1)), "not before its time");
        assert!(entry.is_ready(then));
        now = then;
    }
    entry.take("w", None, now, &POLICY);
    let claimed = entry.clone();
    assert_eq!(entry.end(&claimed, ours(), now, &POLICY), Ok(Ended::SetAside));
    assert_eq!(entry.fault, Some(Reason::new("OURS", "broken")));
    assert!(!entry.is_ready(at(u64::from(u32::MAX))), "only a person brings it back");
}

#[test]
fn a_job_that_costs_worker_after_worker_is_set_aside() {
    let mut entry = entry();
    for tries in 1..=3 {
        assert!(entry.is_ready(NOW), "at once: the lease was delay enough");
        entry.take(&format!("w{tries}"), None, NOW, &POLICY);
        entry.lapse(at(61), &POLICY);
    }
    assert_eq!(entry.state, State::SetAside { since: at(61) });
    let reason = entry.fault.unwrap();
    assert_eq!(reason.code, "WORKER_LOST");
    assert!(reason.text.contains("w3 was not heard of for 60s"), "{}", reason.text);
}

#[test]
fn being_given_back_costs_no_try() {
    let mut entry = entry();
    for _ in 0..10 {
        entry.take("w", None, NOW, &POLICY);
        let claimed = entry.clone();
        assert_eq!(entry.end(&claimed, Ending::GivenBack, NOW, &POLICY), Ok(Ended::GivenBack));
    }
    assert_eq!((entry.tries, entry.is_ready(NOW)), (0, true));
}

#[test]
fn a_worker_that_lost_its_lease_cannot_speak_for_the_next() {
    let (mut entry, first) = running();
    entry.lapse(at(61), &POLICY);
    assert_eq!(entry.beat(&first, at(61), &POLICY), Err(LeaseLost));
    entry.take("other", None, at(61), &POLICY);
    let second = entry.clone();
    assert_eq!(entry.beat(&first, at(62), &POLICY), Err(LeaseLost));
    assert_eq!(entry.end(&first, Ending::Done, at(62), &POLICY), Err(LeaseLost));
    assert_eq!(entry, second, "nothing happened to it");
    assert_eq!(entry.beat(&second, at(62), &POLICY), Ok(()));
    assert_eq!(entry.end(&second, Ending::Done, at(63), &POLICY), Ok(Ended::Done));
}

#[test]
fn a_beat_moves_the_end_of_the_lease() {
    let (mut entry, claimed) = running();
    entry.beat(&claimed, at(20), &POLICY).unwrap();
    let State::Running { since, heard, until, .. } = entry.state else { panic!("it runs") };
    assert_eq!((since, heard, until), (NOW, at(20), at(80)));
}

#[test]
fn adding_again_raises_what_waits_and_leaves_the_rest() {
    let soon = |airs| Job { priority: Priority::AirsNext, airs_at: Some(at(airs)), ..entry().job };
    let old = Job { priority: Priority::ReEncode, ..entry().job };
    let mut waiting = entry();
    assert_eq!(waiting.add_again(&old), Added::Waiting);
    assert_eq!(waiting.job.priority, Priority::New);
    assert_eq!(waiting.add_again(&soon(100)), Added::Raised);
    assert_eq!(waiting.add_again(&soon(200)), Added::Waiting, "it airs sooner already");
    assert_eq!(waiting.add_again(&soon(50)), Added::Raised);
    assert_eq!(waiting.urgency(), (Priority::AirsNext, at(50).0));

    let (mut entry, claimed) = running();
    assert_eq!(entry.add_again(&soon(1)), Added::Running);
    entry.end(&claimed, Ending::Refused(Reason::new("A", "b")), NOW, &POLICY).unwrap();
    assert_eq!(entry.add_again(&soon(1)), Added::SetAside(Reason::new("A", "b")));
}

#[test]
fn a_person_brings_back_what_was_set_aside_or_delayed() {
    let (mut entry, claimed) = running();
    assert_eq!(entry.retry(), Change::NotNow("running"));
    assert_eq!(entry.may_remove(), Change::NotNow("running"));
    entry.end(&claimed, ours(), NOW, &POLICY).unwrap();
    assert_eq!(entry.retry(), Change::Made);
    assert!(entry.is_ready(NOW));
    assert_eq!(entry.retry(), Change::NotNow("waiting"));
    entry.take("w", None, NOW, &POLICY);
    let claimed = entry.clone();
    entry.end(&claimed, Ending::Refused(Reason::new("A", "b")), NOW, &POLICY).unwrap();
    assert_eq!(entry.retry(), Change::Made);
    assert_eq!((entry.tries, entry.is_ready(NOW)), (0, true));
}

#[test]
fn an_airing_time_counts_only_among_what_airs_next() {
    let mut entry = entry();
    entry.job.airs_at = Some(at(5));
    assert_eq!(entry.urgency(), (Priority::New, u64::MAX));
}

#[test]
fn a_reason_is_a_line() {
    let reason = Reason::new("X", &format!("a\nb{}", "c".repeat(1_000)));
    assert!(reason.text.starts_with("a bc"));
    assert_eq!(reason.text.chars().count(), MAX_REASON);
}

#[test]
fn entries_are_read_back_and_later_ones_refused() {
    let (entry, _) = running();
    assert_eq!(Entry::parse(&entry.to_bytes()).unwrap(), entry);
    assert!(matches!(Entry::parse(b"{\"format\":2,\"shape\":[]}"), Err(QueueError::Newer { found: 2 })));
    for junk in [&b""[..], b"{}", b"{\"format\":1}", b"[1]"] {
        assert!(matches!(Entry::parse(junk), Err(QueueError::Unreadable(_))));
    }
}
