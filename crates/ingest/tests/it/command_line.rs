//! What the command line accepts and prints.

use crate::clip::Bench;
use crate::lesson::{program, said};
use serde_json::Value;
use std::process::Command;

#[test]
fn a_lesson_has_the_name_and_the_words_it_was_given() {
    let bench = Bench::new();
    let file = bench.plain("分数.mp4", 1);
    let meta = bench.path("meta.toml");
    std::fs::write(&meta, "title = \"分数的初步认识\"\nstage = \"primary\"\ngrade = 3\nsubject = \"数学\"\n")
        .unwrap();
    let output =
        program(&bench, &[&file]).args(["--lesson", "fractions", "--meta"]).arg(&meta).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("lesson fractions package "), "{line}");
    assert!(line.trim_end().ends_with("path lessons/fractions/main.m3u8"), "{line}");
    let lesson = std::fs::read(bench.path("store/lessons/fractions/lesson.json")).unwrap();
    let lesson: Value = serde_json::from_slice(&lesson).unwrap();
    assert_eq!((&lesson["title"], &lesson["subject"]), (&"分数的初步认识".into(), &"数学".into()));

    // Without a name: a stable one, for other letters than ASCII cannot stand in a path.
    let output = program(&bench, &[&file]).output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("lesson lesson-") && line.contains("(unchanged)"), "{line}");
}

#[test]
fn contradictions_are_refused_before_any_work() {
    let bench = Bench::new();
    let (one, two) = (bench.plain("1.mp4", 1), bench.plain("2.mp4", 1));
    let output = program(&bench, &[&one, &two]).args(["--lesson", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).starts_with("LESSON_NAME: "), "{}", said(&output));
    let output = program(&bench, &[&one, &one]).output().unwrap();
    assert!(said(&output).starts_with("LESSON_NAME: "), "{}", said(&output));
    let output = program(&bench, &[&one]).args(["--lesson", "Not A Name"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!bench.path("store").exists());
}

/// The corrected recording was published without a word, and the day went on with the one that its plan names.
#[test]
fn a_lesson_that_becomes_another_package_is_told_so() {
    let bench = Bench::new();
    let (first, second) = (bench.plain("1.mp4", 1), bench.plain("2.mp4", 2));
    for (file, told) in [(&first, false), (&first, false), (&second, true), (&second, false), (&first, true)]
    {
        let output = program(&bench, &[file]).args(["--lesson", "fractions"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let note =
            "note: lesson fractions was another package before; days whose plan shows it keep to that one";
        assert_eq!(said(&output).contains(note), told, "{}: {}", file.display(), said(&output));
    }
}

#[test]
fn a_sample_is_a_lesson() {
    let bench = Bench::new();
    let file = bench.path("sample.mp4");
    let mut sample = Command::new(env!("CARGO_BIN_EXE_airclass-ingest"));
    sample.args(["sample", "--seconds", "5", "--width", "426", "--height", "240", "--out"]).arg(&file);
    let output = sample.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let published = crate::lesson::ingest(&bench, &file);
    assert_eq!(published.manifest().segments.0, 2);
    // Somebody speaks in it.
    let sound = published.samples(package::Rendition::Audio(package::AudioSlot::Lo));
    assert!(sound.iter().any(|sample| sample.unsigned_abs() > 1_000));
}
