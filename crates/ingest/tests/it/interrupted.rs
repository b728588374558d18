//! Stopped, killed, run again, run twice.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::{ingest, open, program};
use grid::SegmentNumber;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Long enough to be interrupted, small enough to be quick.
fn clip(bench: &Bench) -> PathBuf {
    bench.clip("a.mp4", &format!("{} {} {H264} {AAC}", pictures("640x360", 25, 15), tone(15)))
}

/// Runs it to its end; the last event.
fn finish(bench: &Bench, file: &Path) -> Value {
    let output = program(bench, &[file]).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "done");
    last
}

/// Runs it until segments arrive, then sends `signal`.
fn interrupt(bench: &Bench, file: &Path, signal: &str) -> ExitStatus {
    let mut child =
        program(bench, &[file]).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let under_way = |line: &String| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["stage"] == "transcode" && event["part"].as_f64().is_some_and(|part| part > 0.0)
    };
    assert!(lines.by_ref().map(Result::unwrap).any(|line| under_way(&line)), "it was over before it began");
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap()
}

fn visible(bench: &Bench) -> bool {
    ["lessons", "catalogue", "p"].iter().any(|folder| bench.path("store").join(folder).exists())
}

#[test]
fn killed_and_run_again_it_is_the_same_package() {
    let bench = Bench::new();
    let file = clip(&bench);
    assert_eq!(interrupt(&bench, &file, "-KILL").code(), None);
    assert!(!visible(&bench));
    let again = finish(&bench, &file);
    let work = std::fs::read_dir(bench.path("store/work")).unwrap();
    assert!(!work.flatten().any(|folder| folder.path().join("o").exists()), "what it left is gone");

    // The same bytes elsewhere, never interrupted: the same package, byte for byte.
    let other = Bench::new();
    let copy = other.path("another name.mp4");
    std::fs::copy(&file, &copy).unwrap();
    let undisturbed = finish(&other, &copy);
    assert_eq!(again["package"], undisturbed["package"]);

    // And once more here: no work.
    let id = again["package"].as_str().unwrap().parse().unwrap();
    let before = open(&bench, id, String::new()).package;
    let twice = finish(&bench, &file);
    assert_eq!(twice["unchanged"], true);
    assert_eq!(open(&bench, id, String::new()).package, before);
    // Another name for the same bytes is another lesson of the same package.
    let renamed = bench.path("renamed.mp4");
    std::fs::copy(&file, &renamed).unwrap();
    let renamed = finish(&bench, &renamed);
    assert_eq!((&renamed["unchanged"], &renamed["package"]), (&Value::Bool(true), &again["package"]));
    assert_eq!(std::fs::read_dir(bench.path("store/p")).unwrap().count(), 1);
}

#[test]
fn ctrl_c_stops_cleanly() {
    let bench = Bench::new();
    let file = clip(&bench);
    assert_eq!(interrupt(&bench, &file, "-INT").code(), Some(130));
    assert!(!visible(&bench));
}

/// "Ingest its lesson again", says who has read a damaged package, and it was unchanged.
#[test]
fn a_damaged_package_is_made_whole_by_ingesting_again() {
    let bench = Bench::new();
    let file = bench.plain("a.mp4", 2);
    let whole = ingest(&bench, &file);
    let segment = whole.path(whole.top().segment(SegmentNumber(0)).as_str());
    let playlist = whole.path("main.m3u8");
    let intact = [&segment, &playlist].map(|path| std::fs::read(path).unwrap());
    let mut rotten = intact[0].clone();
    rotten[100] ^= 1;
    std::fs::write(&segment, rotten).unwrap();
    std::fs::remove_file(&playlist).unwrap();

    let again = ingest(&bench, &file);
    assert_eq!(again.package.id(), whole.package.id());
    assert_eq!([&segment, &playlist].map(|path| std::fs::read(path).unwrap()), intact);
}
