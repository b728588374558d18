//! Every bad input: its code, exit status 2, one line, nothing published.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::{program, said};
use std::fs;
use std::path::Path;
use std::process::Output;

/// Runs it and expects the line.
fn refused(bench: &Bench, file: &Path, code: &str) {
    let output = program(bench, &[file]).output().unwrap();
    assert_refused(&output, code);
    assert_nothing_published(bench);
}

fn assert_refused(output: &Output, code: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("{code}: ")), "{code} expected:\n{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with(code)).count(), 1, "{said}");
}

fn assert_nothing_published(bench: &Bench) {
    for folder in ["p", "lessons", "catalogue", "ingests"] {
        assert!(!bench.path("store").join(folder).exists(), "{folder}");
    }
    let spools = bench.path("store/.ingest");
    assert!(!spools.exists() || fs::read_dir(spools).unwrap().next().is_none());
}

fn written(bench: &Bench, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = bench.path(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn no_file_at_all() {
    let bench = Bench::new();
    refused(&bench, &bench.path("nowhere.mp4"), "SOURCE_UNREADABLE");
    refused(&bench, Path::new("/"), "SOURCE_NOT_A_FILE");
    refused(&bench, &written(&bench, "empty.mp4", b""), "SOURCE_EMPTY");
}

#[test]
fn text_and_playlists_are_no_video() {
    let bench = Bench::new();
    refused(&bench, &written(&bench, "a.mp4", b"dear all, the lesson is attached\n"), "SOURCE_NOT_MEDIA");
    // FFmpeg would follow these.
    let playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    refused(&bench, &written(&bench, "a.m3u8", playlist), "SOURCE_IS_PLAYLIST");
    refused(
        &bench,
        &written(&bench, "a.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        "SOURCE_IS_CONCAT_SCRIPT",
    );
    let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    refused(&bench, &written(&bench, "noise.mp4", &noise), "SOURCE_NOT_MEDIA");
}

#[test]
fn a_picture_and_other_containers_are_no_video() {
    let bench = Bench::new();
    refused(
        &bench,
        &bench.clip("a.png", &format!("{} -frames:v 1", pictures("64x64", 25, 1))),
        "SOURCE_IS_PICTURE",
    );
    refused(
        &bench,
        &bench.clip("a.avi", &format!("{} -c:v mjpeg", pictures("64x64", 25, 1))),
        "SOURCE_NOT_MEDIA",
    );
}

#[test]
fn cut_off_files() {
    let bench = Bench::new();
    let whole = fs::read(bench.plain("whole.mp4", 4)).unwrap();
    refused(&bench, &written(&bench, "a.mp4", &whole[..whole.len() / 2]), "SOURCE_TRUNCATED");
    refused(&bench, &written(&bench, "b.mp4", &whole[..whole.len() - 100]), "SOURCE_TRUNCATED");
    let options = format!("{} {} {H264} {AAC} -movflags +faststart", pictures("320x180", 25, 4), tone(4));
    let front = fs::read(bench.clip("front.mp4", &options)).unwrap();
    refused(&bench, &written(&bench, "c.mp4", &front[..front.len() * 2 / 3]), "SOURCE_TRUNCATED");
    let matroska = fs::read(bench.plain("whole.mkv", 8)).unwrap();
    refused(&bench, &written(&bench, "d.mkv", &matroska[..matroska.len() / 2]), "SOURCE_TRUNCATED");
}

#[test]
fn nothing_to_look_at() {
    let bench = Bench::new();
    refused(&bench, &bench.clip("a.mp4", &format!("{} {AAC}", tone(2))), "SOURCE_NO_VIDEO");
    // A cover picture is no video.
    let cover = bench.clip("cover.png", &format!("{} -frames:v 1", pictures("64x64", 25, 1)));
    let options = format!(
        "{} -i {} -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic",
        tone(2),
        cover.display()
    );
    refused(&bench, &bench.clip("b.mp4", &options), "SOURCE_NO_VIDEO");
    refused(
        &bench,
        &bench.clip("c.mp4", &format!("{} {H264} -t 0", pictures("320x180", 25, 1))),
        "SOURCE_NO_VIDEO",
    );
    // A track that says how large its pictures are and holds none.
    let mut no_time =
        fs::read(bench.clip("d.mp4", &format!("{} {H264} -an", pictures("320x180", 25, 1)))).unwrap();
    for kind in [b"mvhd", b"tkhd", b"mdhd", b"stts"] {
        zero_durations(&mut no_time, kind);
    }
    refused(&bench, &written(&bench, "e.mp4", &no_time), "SOURCE_NO_DURATION");
}

/// Overwrites the duration in every box of this type (version 0).
fn zero_durations(file: &mut [u8], kind: &[u8; 4]) {
    let places: Vec<usize> = (0..file.len() - 4).filter(|&at| &file[at..at + 4] == kind).collect();
    for at in places {
        let field = match kind {
            b"mvhd" | b"mdhd" => 4 + 4 + 4 + 4 + 4,
            b"tkhd" => 4 + 4 + 4 + 4 + 4 + 4,
            // Each sample of the only entry lasts nothing.
            _ => 4 + 4 + 4 + 4,
        };
        file[at + field..at + field + 4].fill(0);
    }
}

#[test]
fn under_lock_and_key() {
    let bench = Bench::new();
    let options = format!(
        "{} {H264} -an -encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8",
        pictures("320x180", 25, 1)
    );
    refused(&bench, &bench.clip("a.mp4", &options), "SOURCE_ENCRYPTED");
}

#[test]
fn codecs_nobody_asked_for() {
    let bench = Bench::new();
    refused(&bench, &bench.clip("a.mkv", &format!("{} -c:v ffv1", pictures("64x64", 25, 1))), "SOURCE_CODEC");
    refused(
        &bench,
        &bench.clip("b.mkv", &format!("{} -c:v huffyuv", pictures("64x64", 25, 1))),
        "SOURCE_CODEC",
    );
    refused(
        &bench,
        &bench.clip("c.mkv", &format!("{} {} {H264} -c:a dca -strict -2", pictures("64x64", 25, 1), tone(1))),
        "SOURCE_CODEC",
    );
}

#[test]
fn absurd_sizes_and_lengths() {
    let bench = Bench::new();
    let options = format!("-f lavfi -i color=s=4200x2400:r=25:d=0.2 {H264}");
    refused(&bench, &bench.clip("large.mp4", &options), "SOURCE_TOO_LARGE");
    // Two pictures, 30 hours apart.
    let options = format!("-f lavfi -i color=s=64x64:r=1/108000:d=216000 {H264} -frames:v 2");
    refused(&bench, &bench.clip("long.mkv", &options), "SOURCE_TOO_LONG");
}

#[test]
fn stores_that_are_none() {
    let bench = Bench::new();
    let file = bench.plain("a.mp4", 1);
    let with = |store: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_airclass-ingest"));
        command.arg("run").arg(&file).args(["--store", store]).output().unwrap()
    };
    // Also root cannot make a directory below a file.
    assert_refused(&with(&format!("{}/store", file.display())), "STORE_NOT_WRITABLE");
    assert_refused(&with("/proc/store"), "STORE_NOT_WRITABLE");
    assert_refused(&with("ftp://lessons"), "STORE_UNSUPPORTED");
}

#[test]
fn unknown_keys() {
    let bench = Bench::new();
    let file = bench.plain("a.mp4", 1);
    let meta = written(&bench, "meta.toml", b"title = \"x\"\nteecher = \"y\"\n");
    let config =
        written(&bench, "ladder.toml", &[ingest::plan::SHIPPED.as_bytes(), b"colour = 1\n"].concat());
    for (flag, path) in [("--meta", meta), ("--config", config)] {
        let output = program(&bench, &[&file]).arg(flag).arg(&path).output().unwrap();
        assert_refused(&output, "CONFIG_INVALID");
        assert!(said(&output).contains(".toml:"), "file and line: {}", said(&output));
    }
    let output = program(&bench, &[&file]).args(["--meta", "/nowhere.toml"]).output().unwrap();
    assert_refused(&output, "CONFIG_UNREADABLE");
}

#[test]
fn a_bad_file_does_not_stop_the_good_ones() {
    let bench = Bench::new();
    let bad = written(&bench, "bad.mp4", b"no");
    let good = bench.plain("good.mp4", 1);
    let output = program(&bench, &[&bad, &good]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(bench.path("store/lessons/good/main.m3u8").exists());
    assert!(!bench.path("store/lessons/bad").exists());
}
