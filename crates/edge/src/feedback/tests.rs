use super::*;
use std::time::Duration;

const NOW: Duration = Duration::from_secs(1_788_226_290);

fn hear(feedback: &Feedback, body: &str, after: u64) -> (StatusCode, String) {
    let after = Duration::from_secs(after);
    hear_at(feedback, body, SystemTime::UNIX_EPOCH + NOW + after, after)
}

fn hear_at(feedback: &Feedback, body: &str, now: SystemTime, elapsed: Duration) -> (StatusCode, String) {
    let Received { status, body, .. } = feedback.0.as_ref().unwrap().hear(body.as_bytes(), now, elapsed);
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn reports_are_numbered_and_written_down_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let feedback = Feedback::start(Some(folder.path().to_owned()), &Telemetry::new("test")).unwrap();
    let (status, said) = hear(&feedback, r#"{"kind":"stalls","fault":"busy","trace":"0123456789abcdef"}"#, 0);
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(hear(&feedback, r#"{"kind":"stalls","name":"小明"}"#, 1).0, StatusCode::BAD_REQUEST);
    assert_eq!(hear(&feedback, r#"{"kind":"page"}"#, 2).0, StatusCode::ACCEPTED);
    let taken = feedback.0.as_ref().unwrap().taken[Fault(FaultSeen::Busy).index()].get();
    assert_eq!(taken, 1);
    drop(feedback);
    let text = std::fs::read_to_string(folder.path().join("reports.jsonl")).unwrap();
    let entries: Vec<_> = text.lines().map(|line| Entry::parse(line).unwrap()).collect();
    assert_eq!(entries.len(), 2, "{text}");
    assert_eq!(said, format!("{{\"id\":\"{}\"}}\n", entries[0].id));
    assert_ne!(entries[0].id, entries[1].id);
    assert_eq!(entries[0].at.as_second() % 60, 0);
}

/// The next report was written behind the half of the one before, and both were none.
#[test]
fn a_line_that_was_cut_off_costs_none_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports.jsonl");
    for _ in 0..2 {
        let feedback = Feedback::start(Some(folder.path().to_owned()), &Telemetry::new("test")).unwrap();
        assert_eq!(hear(&feedback, r#"{"kind":"page"}"#, 0).0, StatusCode::ACCEPTED);
        assert_eq!(hear(&feedback, r#"{"kind":"page"}"#, 1).0, StatusCode::ACCEPTED);
        drop(feedback);
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let whole = text.lines().filter_map(Entry::parse).count();
    assert_eq!((whole, text.lines().count()), (2, 4), "{text}");
}

#[test]
fn a_flood_is_told_to_come_again_and_fills_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let feedback = Feedback::start(Some(folder.path().to_owned()), &Telemetry::new("test")).unwrap();
    let told: Vec<_> = (0..1_000).map(|_| hear(&feedback, r#"{"kind":"page"}"#, 0).0).collect();
    let taken = told.iter().filter(|&&status| status == StatusCode::ACCEPTED).count();
    assert!(taken <= 200 && told.contains(&StatusCode::TOO_MANY_REQUESTS), "{taken}");
}

/// A node whose clock was a year ahead at its start took no report more for a year once that was put right.
#[test]
fn a_clock_that_is_put_right_closes_no_door() {
    let folder = tempfile::tempdir().unwrap();
    let feedback = Feedback::start(Some(folder.path().to_owned()), &Telemetry::new("test")).unwrap();
    let right = SystemTime::UNIX_EPOCH + NOW;
    let ahead = right + Duration::from_secs(365 * 86_400);
    for (now, elapsed) in [(ahead, 1), (right, 2), (right, 3)] {
        let (status, _) = hear_at(&feedback, r#"{"kind":"page"}"#, now, Duration::from_secs(elapsed));
        assert_eq!(status, StatusCode::ACCEPTED, "{now:?}");
    }
}

#[test]
fn without_a_folder_none_are_taken() {
    assert!(Feedback::start(None, &Telemetry::new("test")).unwrap().0.is_none());
}

/// A stop waited for the folder for ever.
#[test]
fn a_folder_that_hangs_holds_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    // Who opens it waits for a reader.
    let hangs = folder.path().join("reports.jsonl");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &hangs,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let feedback = Feedback::start(Some(folder.path().to_owned()), &Telemetry::new("test")).unwrap();
    assert_eq!(hear(&feedback, r#"{"kind":"page"}"#, 0).0, StatusCode::ACCEPTED);
    drop(feedback);
}
