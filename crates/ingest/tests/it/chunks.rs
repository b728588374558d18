//! Lessons longer than a chunk: the joins, and who may have made the pieces.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::{Published, ingest, program, said};
use package::{Rendition, Slot};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use std::process::Stdio;

/// The first picture of the second chunk, at 25 a second.
const JOIN: usize = 3_000;

/// Black, but white in the pictures of `white`, which FFmpeg counts with `n`; 123 s.
fn flashes(white: &str) -> String {
    format!(
        "{},drawbox=w=iw:h=ih:t=fill:c=black,drawbox=w=iw:h=ih:t=fill:c=white:enable='{white}'",
        pictures("160x90", 25, 123)
    )
}

/// Which pictures around the join are bright.
fn bright(published: &Published, around: Range<usize>) -> Vec<usize> {
    let grey = published.grey(Rendition::Video(Slot::S0));
    // The middle of the picture; a small source lies between bars.
    let picture = 256 * 144;
    around.filter(|&at| grey[at * picture + picture / 2 + 128] > 128).collect()
}

/// Pictures just before, at and behind the join.
const FLASHES: &str = "eq(n,2999)+eq(n,3001)+eq(n,3004)";

/// Every picture is in its place across the join: of those around it just these are `white`.
fn across_the_join(name: &str, options: &str, white: &[usize]) {
    let bench = Bench::new();
    let published = ingest(&bench, &bench.clip(name, &format!("{options} -an")));
    assert_eq!(published.manifest().segments.0, 26);
    assert_eq!(bright(&published, JOIN - 60..JOIN + 60), white);
}

#[test]
fn a_join_in_an_ordinary_file() {
    across_the_join("a.mp4", &format!("{} {H264}", flashes(FLASHES)), &[2_999, 3_001, 3_004]);
}

#[test]
fn a_join_within_an_open_gop() {
    let codec =
        "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 3 -x264-params open-gop=1:keyint=250:scenecut=0";
    across_the_join("open-gop.mp4", &format!("{} {codec}", flashes(FLASHES)), &[2_999, 3_001, 3_004]);
}

#[test]
fn a_join_two_minutes_behind_the_only_key_picture() {
    let codec = format!("{H264} -g 100000 -x264-params scenecut=0");
    across_the_join("one-key.mkv", &format!("{} {codec}", flashes(FLASHES)), &[2_999, 3_001, 3_004]);
}

#[test]
fn a_join_in_a_transport_stream_that_starts_late() {
    let codec = format!("{H264} -output_ts_offset 40");
    across_the_join("transport.ts", &format!("{} {codec}", flashes(FLASHES)), &[2_999, 3_001, 3_004]);
}

#[test]
fn a_join_in_vp9() {
    let codec = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 240";
    across_the_join("vp9.webm", &format!("{} {codec}", flashes(FLASHES)), &[2_999, 3_001, 3_004]);
}

#[test]
fn a_picture_that_is_shown_over_the_join() {
    // One picture a second: the one of slot 2,978 is shown up to 3,002.
    let seldom = format!("-vf select='eq(n,0)+eq(mod(n,25),3)' -vsync vfr {H264} -g 5");
    let white: Vec<_> = (2_978..3_003).collect();
    across_the_join("slides.mkv", &format!("{} {seldom}", flashes("eq(n,2978)")), &white);
}

#[test]
fn fields_are_woven_across_the_join_as_anywhere_else() {
    let bench = Bench::new();
    let file = bench.clip(
        "a.ts",
        &format!(
            "{} {} -vf interlace -c:v mpeg2video -b:v 2M -flags +ildct+ilme -c:a mp2",
            pictures("320x180", 50, 125),
            tone(125)
        ),
    );
    let published = ingest(&bench, &file);
    assert_eq!(published.manifest().segments.0, 27);
}

fn package(bench: &Bench, file: &Path, workers: &str) -> String {
    let output = program(bench, &[file]).args(["--workers", workers]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().split_whitespace().nth(3).unwrap().to_owned()
}

#[test]
fn one_worker_and_three_make_the_same_bytes() {
    let (one, three) = (Bench::new(), Bench::new());
    let file = one.clip("a.mp4", &format!("{} {} {H264} {AAC}", pictures("160x90", 25, 130), tone(130)));
    assert_eq!(package(&one, &file, "1"), package(&three, &file, "3"));
}

#[test]
fn two_processes_at_one_lesson_share_it() {
    let bench = Bench::new();
    let file = bench.clip("a.mp4", &format!("{} {} {H264} {AAC}", pictures("160x90", 25, 130), tone(130)));
    let mut both = ["one", "two"].map(|lesson| {
        let mut command = program(&bench, &[&file]);
        command.args(["--lesson", lesson, "--workers", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    let packages = both.each_mut().map(|child| {
        let mut line = String::new();
        child.stdout.take().unwrap().read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        line.split_whitespace().nth(3).unwrap().to_owned()
    });
    assert_eq!(packages[0], packages[1]);
    let lessons = std::fs::read_dir(bench.path("store/lessons")).unwrap().count();
    assert_eq!(lessons, 2, "both lessons point to it");
}

#[test]
fn a_killed_run_loses_at_most_the_units_in_work() {
    let bench = Bench::new();
    let file = bench.clip("a.mp4", &format!("{} {} {H264} {AAC}", pictures("160x90", 25, 250), tone(250)));
    let mut child = program(&bench, &[&file])
        .args(["--json", "--workers", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Sound and the first chunk of three are done at a half of all segments.
    assert!(lines.by_ref().map(Result::unwrap).any(|line| part(&line).is_some_and(|part| part > 0.67)));
    child.kill().unwrap();
    child.wait().unwrap();
    let again = program(&bench, &[&file]).args(["--json", "--workers", "1"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let lines = String::from_utf8(again.stdout).unwrap();
    // Nothing but two chunks can have been left to do.
    let first = lines.lines().filter_map(part).find(|&part| part > 0.0).unwrap();
    assert!(first > 0.4, "it began anew, with {first}");
    let undisturbed = Bench::new();
    assert!(lines.contains(&package(&undisturbed, &file, "2")));
}

/// How far transcoding is, if this line of JSON says so.
fn part(line: &str) -> Option<f64> {
    let event: Value = serde_json::from_str(line).unwrap();
    (event["stage"] == "transcode").then(|| event["part"].as_f64())?
}
