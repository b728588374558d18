use super::*;
use ::coverage::ClassCode;
use dayplan::{Clock, Followed, Plans, Tokens};
use testkit::plans::{self as sample, moment};

fn release(now: &str) -> Release {
    let plan = sample::plan();
    let envelope = sample::envelope(&plan);
    let accepted = timetable::accept(&envelope, &sample::trust(), plan.date, None, plan.valid_from).unwrap();
    let plans = Plans::new(Clock::at(moment(now)), Tokens::parse("nodes-nodes-nodes-nodes").unwrap());
    plans.replace(vec![Arc::new(Followed { accepted, envelope })]);
    Release::new(plans, &["a".to_owned()])
}

fn word(class: ClassCode, lesson: &str) -> String {
    format!(r#"{{"class":"{class}","lesson":"{lesson}","began":true,"seen":[0,1],"again":[1]}}"#)
}

fn hear(coverage: &Coverage, body: &str) -> StatusCode {
    coverage.0.as_ref().unwrap().hear(body.as_bytes())
}

#[test]
fn words_about_open_lessons_are_counted_and_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let class = ClassCode::random().unwrap();
    let open = |now: &str| {
        let telemetry = Telemetry::new("test");
        Coverage::start(Some(folder.path().to_owned()), &release(now), &telemetry).unwrap()
    };
    let before = open("08:29:00");
    assert_eq!(hear(&before, &word(class, "maths-9")), StatusCode::NOT_FOUND);
    drop(before);
    for _ in 0..3 {
        let after = open("08:31:00");
        assert_eq!(hear(&after, &word(class, "maths-9")), StatusCode::NO_CONTENT);
        assert_eq!(hear(&after, &word(class, "unknown")), StatusCode::NOT_FOUND);
        assert_eq!(hear(&after, "{}"), StatusCode::BAD_REQUEST);
    }
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = std::fs::read(&files[0]).unwrap();
    let tally = Tally::parse(&text).unwrap();
    let table = &tally.classes[&class][&"maths-9".parse().unwrap()];
    assert_eq!((table.began, &table.seen[..], &table.again[..]), (3, &[3, 3][..], &[0, 3][..]));
    // Nothing else is kept than what is published of it, in numbers.
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["classes", "day", "kind"]);
    let table = &json["classes"][class.to_string()]["maths-9"];
    assert_eq!(table.as_object().unwrap().keys().collect::<Vec<_>>(), ["again", "began", "seen"]);
}

/// Each of the two wrote all that it knew over what the other had counted.
#[test]
fn a_process_that_makes_way_counts_beside_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let class = ClassCode::random().unwrap();
    let open = || {
        let telemetry = Telemetry::new("test");
        Coverage::start(Some(folder.path().to_owned()), &release("08:31:00"), &telemetry).unwrap()
    };
    let count = |coverage: &Coverage| {
        assert_eq!(hear(coverage, &word(class, "maths-9")), StatusCode::NO_CONTENT);
    };
    let old = open();
    count(&old);
    let new = open();
    count(&old);
    count(&new);
    drop(old);
    count(&new);
    let newest = open();
    drop(new);
    count(&newest);
    drop(newest);
    let text = std::fs::read(folder.path().join("2026-09-01.json")).unwrap();
    let tally = Tally::parse(&text).unwrap();
    assert_eq!(tally.classes[&class][&"maths-9".parse().unwrap()].began, 5);
}

#[test]
fn numbers_that_cannot_be_written_are_kept_until_they_are() {
    let day = "2026-09-01".parse().unwrap();
    let class = ClassCode::random().unwrap();
    let mut counted = Counted::of(Tally::new(day));
    let count = |counted: &mut Counted| {
        let word = Word::parse(word(class, "maths-9").as_bytes()).unwrap();
        counted.tally.count(word.clone(), &[], 40).unwrap();
        counted.fresh.count(word, &[], 40).unwrap();
    };
    let began = |tally: &Tally| tally.classes[&class][&"maths-9".parse().unwrap()].began;
    count(&mut counted);
    let taken = counted.take_fresh();
    count(&mut counted);
    counted.settle(None, &taken);
    assert_eq!((began(&counted.tally), began(&counted.fresh)), (2, 2));
    let mut written = counted.take_fresh();
    count(&mut counted);
    // With one of another process.
    let ours = written.clone();
    written.merge(&taken).unwrap();
    counted.settle(Some(written), &ours);
    assert_eq!((began(&counted.tally), began(&counted.fresh)), (4, 1));
}

#[test]
fn a_file_that_makes_no_sense_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("2026-09-01.json");
    std::fs::write(&path, "half a fi").unwrap();
    let release = release("08:31:00");
    drop(Coverage::start(Some(folder.path().to_owned()), &release, &Telemetry::new("test")).unwrap());
    assert!(!path.exists() && path.with_extension("json.bad").exists());
}

#[test]
fn without_a_folder_nothing_is_counted() {
    let coverage = Coverage::start(None, &release("08:31:00"), &Telemetry::new("test")).unwrap();
    assert!(coverage.0.is_none());
}

/// A stop waited for the folder for ever.
#[test]
fn a_folder_that_hangs_holds_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let coverage =
        Coverage::start(Some(folder.path().to_owned()), &release("08:31:00"), &Telemetry::new("test"));
    let coverage = coverage.unwrap();
    let class = ClassCode::random().unwrap();
    assert_eq!(hear(&coverage, &word(class, "maths-9")), StatusCode::NO_CONTENT);
    // Who opens it waits for a reader.
    let date = *lock(&coverage.0.as_ref().unwrap().days).first_key_value().unwrap().0;
    let hangs = folder.path().join(format!("{date}.json.new"));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &hangs,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    drop(coverage);
}
