//! Faults a person would notice at once: each is told, and what policy does not let pass is not published.

use crate::clip::{Bench, H264, pictures, tone};
use crate::lesson::{program, said};
use std::fs;
use std::path::Path;
use std::process::Output;

fn run(bench: &Bench, file: &Path, flags: &[&str]) -> Output {
    program(bench, &[file]).args(flags).output().unwrap()
}

/// What quality control says about a clip of these options.
fn told(name: &str, options: &str, flags: &[&str]) -> String {
    let bench = Bench::new();
    let output = run(&bench, &bench.clip(name, options), flags);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output).lines().filter(|line| line.contains("quality, ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_good_clip_has_nothing_to_find() {
    assert_eq!(
        told("a.mp4", &format!("{} {} {H264} -c:a aac", pictures("320x180", 25, 6), tone(6)), &[]),
        ""
    );
}

#[test]
fn black_in_the_middle() {
    let black = "-vf drawbox=w=iw:h=ih:t=fill:c=black:enable='between(t,2,6.9)'";
    let told =
        told("a.mp4", &format!("{} {} {black} {H264} -c:a aac", pictures("320x180", 25, 9), tone(9)), &[]);
    assert!(told.contains("black: ") && told.contains("at 0:02 for"), "{told}");
}

#[test]
fn a_camera_that_hangs() {
    let hangs = "-vf tpad=stop_mode=clone:stop_duration=24";
    let options = format!("{} {} {hangs} {H264} -c:a aac", pictures("160x90", 10, 26), tone(50));
    assert!(told("a.mp4", &options, &[]).contains("frozen: "));
}

#[test]
fn a_pause_of_eleven_seconds() {
    let sound = "-f lavfi -i aevalsrc=0.3*sin(2000*t)*not(between(t\\,2\\,13.2)):s=48000:d=16";
    let told = told("a.mp4", &format!("{} {sound} {H264} -c:a aac", pictures("160x90", 10, 16)), &[]);
    assert!(told.contains("silent: "), "{told}");
}

#[test]
fn overdriven_and_one_sided() {
    let sound = "-f lavfi -i aevalsrc=3*sin(2000*t)*sin(3*t)|0:s=48000:d=6";
    let told = told("a.mov", &format!("{} {sound} {H264} -c:a pcm_s16le", pictures("160x90", 10, 6)), &[]);
    assert!(told.contains("clipped: ") && told.contains("one_sided: "), "{told}");
    assert!(told.contains("left only (单边声音); it is played on both sides"), "{told}");
}

#[test]
fn sides_that_cancel_each_other() {
    let sound = "-f lavfi -i aevalsrc=0.3*sin(2000*t)|-0.3*sin(2000*t):s=48000:d=6";
    let told = told("a.mov", &format!("{} {sound} {H264} -c:a pcm_s16le", pictures("160x90", 10, 6)), &[]);
    assert!(told.contains("turned_over: ") && told.contains("turned back"), "{told}");
}

#[test]
fn another_length_than_was_said() {
    let options = format!("{} {} {H264} -c:a aac", pictures("160x90", 10, 6), tone(6));
    assert!(told("a.mp4", &options, &["--expect-length", "20s"]).contains("length: "));
    assert_eq!(told("b.mp4", &options, &["--expect-length", "6s"]), "");
}

/// A page of lines of text, `size` pixels of 720 to the em.
fn page(bench: &Bench, size: u32) -> String {
    let text = bench.path("page.txt");
    let line = "国家中小学网络云平台 同学们好 今天我们学习分数的初步认识 请打开课本第九十三页";
    fs::write(&text, vec![line; 14].join("\n")).unwrap();
    format!(
        "-f lavfi -i color=white:s=1280x720:r=5:d=6,drawtext=font=Noto\\ Sans\\ CJK\\ SC:textfile={}:\
         fontsize={size}:line_spacing={}:fontcolor=black:x=40:y=40",
        text.display(),
        size / 3
    )
}

fn text_is_told(size: u32) -> String {
    let bench = Bench::new();
    let path = bench.path("text.mp4");
    let page = page(&bench, size);
    let mut options: Vec<&str> = Vec::new();
    let (flags, graph) = page.split_once("-i ").unwrap();
    options.extend(flags.split_whitespace());
    options.extend(["-i", graph]);
    let tone = tone(6);
    options.extend(tone.split_whitespace());
    options.extend(H264.split_whitespace());
    options.extend(["-c:a", "aac", path.to_str().unwrap()]);
    crate::clip::ffmpeg(options);
    let output = run(&bench, &path, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output).lines().filter(|line| line.contains("quality, ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn text_nobody_can_read_in_s1() {
    let told = text_is_told(16);
    assert!(told.contains("small_text: ") && told.contains("字太小"), "{told}");
}

#[test]
fn text_that_can_be_read() {
    assert_eq!(text_is_told(36), "");
}

#[test]
fn what_is_no_lesson_at_all_is_not_published_unless_somebody_says_so() {
    for (name, options, code) in [
        (
            "black.mp4",
            format!("-f lavfi -i color=black:s=160x90:r=10:d=6 {} {H264} -c:a aac", tone(6)),
            "QUALITY_BLACK_LESSON",
        ),
        (
            "silent.mp4",
            format!(
                "{} -f lavfi -i anullsrc=r=48000:cl=stereo:d=6 {H264} -c:a aac -t 6",
                pictures("160x90", 10, 6)
            ),
            "QUALITY_SILENT_LESSON",
        ),
    ] {
        let bench = Bench::new();
        let file = bench.clip(name, &options);
        let output = run(&bench, &file, &[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.lines().last().unwrap().starts_with(&format!("{code}: ")), "{text}");
        assert!(!bench.path("store/lessons").exists() && !bench.path("store/p").exists());
        let output = run(&bench, &file, &["--accept-quality"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("quality, "), "{}", said(&output));
    }
}

#[test]
fn policy_is_read_from_a_file() {
    let bench = Bench::new();
    let strict = bench.path("quality.toml");
    let text =
        ingest::quality::SHIPPED.replacen("[black]\naction = \"warning\"", "[black]\naction = \"error\"", 1);
    fs::write(&strict, text).unwrap();
    let black = "-vf drawbox=w=iw:h=ih:t=fill:c=black:enable='between(t,0,3.9)'";
    let file =
        bench.clip("a.mp4", &format!("{} {} {black} {H264} -c:a aac", pictures("160x90", 10, 6), tone(6)));
    let output = run(&bench, &file, &["--quality", strict.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("QUALITY_BLACK: "), "{}", said(&output));
}

#[test]
fn a_package_says_what_was_noticed_whatever_policy_its_run_had() {
    let bench = Bench::new();
    let black = "-vf drawbox=w=iw:h=ih:t=fill:c=black:enable='between(t,0,3.9)'";
    let file =
        bench.clip("a.mp4", &format!("{} {} {black} {H264} -c:a aac", pictures("160x90", 10, 6), tone(6)));
    let published = crate::lesson::ingest(&bench, &file);
    let report: serde_json::Value = serde_json::from_slice(&published.read("report.json")).unwrap();
    let noticed = &report["quality"][0];
    assert_eq!((noticed["what"].as_str(), noticed["severity"].as_str()), (Some("black"), Some("warning")));
    assert_eq!(noticed["from_ms"], 0);
    assert_eq!(
        report["source"]["container"].as_str().map(|name| name.contains("mp4")),
        Some(true),
        "{report}"
    );
    let (loudness, gain) = (&report["loudness"]["integrated_lufs"], &report["gain"]["db"]);
    let sum = loudness.as_f64().unwrap() + gain.as_f64().unwrap();
    assert!((sum + 18.0).abs() < 0.2, "{report}");

    let other = Bench::new();
    let strict = other.path("strict.toml");
    let text = ingest::quality::SHIPPED.replace("action = \"warning\"", "action = \"off\"");
    fs::write(&strict, text).unwrap();
    let output = run(&other, &file, &["--quality", strict.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stdout).contains(&published.package.id().to_string()));
    assert!(!said(&output).contains("quality, "), "{}", said(&output));
}
