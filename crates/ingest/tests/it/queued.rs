//! Through a queue: enqueued, worked on, watched for, killed, set aside.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn program(bench: &Bench, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_airclass-ingest"));
    program
        .arg(command)
        .env("AIRCLASS_QUEUE", bench.path("queue"))
        .env("AIRCLASS_STORE", bench.path("store"));
    program.env("XDG_STATE_HOME", bench.path("state")).stdin(Stdio::null());
    program
}

fn enqueue(bench: &Bench, file: &Path, more: &[&str]) -> Output {
    program(bench, "enqueue").arg(file).args(more).output().unwrap()
}

fn work(bench: &Bench, more: &[&str]) -> Output {
    program(bench, "work").args(more).output().unwrap()
}

/// A worker that has begun a job, and what it says from there on.
fn begin(bench: &Bench, more: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut worker = program(bench, "work");
    let mut child =
        worker.arg("--json").args(more).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"begin\"")));
    (child, lines)
}

fn status(bench: &Bench) -> Value {
    let output = program(bench, "status").arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn clip(bench: &Bench, name: &str, seconds: u32) -> std::path::PathBuf {
    bench.clip(name, &format!("{} {} {H264} {AAC}", pictures("320x180", 25, seconds), tone(seconds)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A new one was made, without a word, and had nothing to do for ever.
#[test]
fn a_queue_by_a_mistyped_name_is_told() {
    let bench = Bench::new();
    let output = program(&bench, "status").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("QUEUE_ADDRESS: there is no queue at "), "{output:?}");
    assert!(!bench.path("queue").exists());
    // A worker may be there before the first job.
    let output = work(&bench, &["--once"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stderr).contains("a new queue was made at "), "{output:?}");
    assert_eq!(work(&bench, &["--once"]).stderr, b"");
    assert_eq!(status(&bench)["counts"]["waiting"], 0);
}

#[test]
fn the_most_urgent_is_made_first_and_bad_input_is_set_aside_at_once() {
    let bench = Bench::new();
    let (later, sooner) = (clip(&bench, "later.mp4", 2), clip(&bench, "sooner.mp4", 3));
    std::fs::write(bench.path("poison.mp4"), "no video").unwrap();
    for (file, more) in [
        (&later, &["--priority", "re-encode"][..]),
        (&bench.path("poison.mp4"), &[]),
        (&sooner, &["--airs", "2030-09-01T08:00:00+08:00"]),
        // The same again is the same job.
        (&sooner, &[]),
    ] {
        let output = enqueue(&bench, file, more);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let before = status(&bench);
    assert_eq!(before["counts"]["waiting"], 3);
    assert_eq!(before["jobs"][0]["airs_at"], "2030-09-01T00:00:00Z");
    let output = work(&bench, &["--drain"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let (first, second) = (said.find("lesson sooner"), said.find("lesson later"));
    assert!(first.is_some() && first < second, "{said}");
    let after = status(&bench);
    assert_eq!((&after["counts"]["set-aside"], &after["counts"]["done"]), (&Value::from(1), &Value::from(2)));
    let poison = &after["jobs"][0];
    assert_eq!((&poison["lesson"], &poison["tries"]), (&Value::from("poison"), &Value::from(1)));
    assert_eq!(poison["code"], "SOURCE_NOT_MEDIA");

    // A person lets it run again, in vain, and takes it out.
    let key = &poison["key"].as_str().unwrap()[..10];
    assert!(program(&bench, "status").args(["--retry", key]).status().unwrap().success());
    assert_eq!(work(&bench, &["--once"]).status.code(), Some(2));
    assert!(program(&bench, "status").args(["--remove", key]).status().unwrap().success());
    assert_eq!(program(&bench, "status").args(["--remove", key]).status().unwrap().code(), Some(2));
    assert!(status(&bench)["jobs"].as_array().unwrap().is_empty());
}

#[test]
fn a_worker_that_is_killed_gives_its_job_to_the_next_and_never_two_at_once() {
    let bench = Bench::new();
    let file = clip(&bench, "a.mp4", 20);
    assert_eq!(enqueue(&bench, &file, &[]).status.code(), Some(0));
    let (mut child, _lines) = begin(&bench, &["--lease", "10s"]);
    // Held: another worker finds nothing.
    assert_eq!(work(&bench, &["--once", "--lease", "10s"]).status.code(), Some(0));
    assert_eq!(status(&bench)["jobs"][0]["state"], "running");
    child.kill().unwrap();
    child.wait().unwrap();
    let output = work(&bench, &["--drain", "--lease", "10s"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("lesson a package"), "{}", text(&output.stdout));
    assert_eq!(status(&bench)["counts"]["done"], 1);
}

/// It was cut off from the queue, others ended its job and a later one of the same lesson, and it put the old lesson in the new one's place.
#[test]
fn a_worker_that_has_lost_its_job_between_two_beats_publishes_nothing() {
    let bench = Bench::new();
    let file = clip(&bench, "a.mp4", 2);
    assert_eq!(enqueue(&bench, &file, &[]).status.code(), Some(0));
    // No beat within the test.
    let (mut child, mut lines) = begin(&bench, &["--once", "--lease", "1h"]);
    std::fs::remove_file(bench.path("queue")).unwrap();
    assert!(!lines.any(|line| line.unwrap().contains("\"done\"")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!bench.path("store/lessons/a").exists());
}

#[test]
fn a_worker_that_is_interrupted_gives_its_job_back() {
    let bench = Bench::new();
    let file = clip(&bench, "a.mp4", 20);
    assert_eq!(enqueue(&bench, &file, &[]).status.code(), Some(0));
    let (mut child, _lines) = begin(&bench, &[]);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let job = &status(&bench)["jobs"][0];
    assert_eq!((&job["state"], &job["tries"]), (&Value::from("waiting"), &Value::from(0)));
}

#[test]
fn a_watched_folder_is_enqueued_once() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("in")).unwrap();
    let file = clip(&bench, "in/第1课.mp4", 2);
    std::fs::write(file.with_extension("toml"), "title = \"分数\"\n").unwrap();
    std::fs::write(bench.path("in/half.mp4.part"), "x").unwrap();
    let watch = || {
        let output = program(&bench, "watch")
            .arg(bench.path("in"))
            .args(["--once", "--settle", "100ms", "--every", "50ms"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(watch().contains("waits, priority new"));
    assert_eq!(watch(), "", "remembered");
    // Without its memory the queue still knows.
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    assert!(watch().contains("waits already"));
    assert_eq!(work(&bench, &["--drain"]).status.code(), Some(0));
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    assert!(watch().contains("was done already"));
    assert_eq!(status(&bench)["counts"]["waiting"], 0);
}

/// Both were panics, the first behind the first of several files.
#[test]
fn what_is_said_and_not_heard_or_not_kept_ends_no_work() {
    let bench = Bench::new();
    let files = ["a.mp4", "b.mp4"].map(|name| clip(&bench, name, 1));
    let enqueue = |stdout: Stdio, stderr: Stdio| {
        program(&bench, "enqueue").args(&files).stdout(stdout).stderr(stderr).output().unwrap()
    };
    let full = || Stdio::from(std::fs::File::create("/dev/full").unwrap());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = enqueue(writer.into(), Stdio::piped());
    assert_eq!(output.status.code(), Some(0), "nobody reads: {}", text(&output.stderr));
    assert_eq!(status(&bench)["jobs"].as_array().map(Vec::len), Some(2), "{}", status(&bench));
    let output = enqueue(full(), Stdio::piped());
    assert_eq!(output.status.code(), Some(1), "the disk is full: {}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("OUTPUT_LOST: "), "{}", text(&output.stderr));
    let mut missing = program(&bench, "enqueue");
    missing.arg(bench.path("missing.mp4")).stdout(Stdio::null()).stderr(full());
    assert_eq!(missing.status().unwrap().code(), Some(2), "what is wrong cannot be said");
}
