//! Every lesson is equally loud, and no peak passes the ceiling: measured by FFmpeg on what students get.

use crate::clip::{Bench, H264, ffmpeg, pictures};
use crate::lesson::{Published, ingest};
use package::{AudioSlot, Rendition};
use std::path::Path;
use std::process::Command;

/// What the shipped ladder says.
const TARGET: f64 = -18.0;
const CEILING: f64 = -1.0;

/// Integrated loudness and true peak by FFmpeg's `ebur128`; mono counts as what two loudspeakers play of it.
fn measured(path: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-i"])
        .arg(path)
        .args(["-vn", "-af", "aformat=channel_layouts=stereo|mono,ebur128=peak=true:dualmono=true"])
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let summary = said.rsplit("Summary:").next().unwrap();
    let figure = |key: &str| -> f64 {
        let rest = summary.split(key).nth(1).unwrap_or_else(|| panic!("{key} in {said}"));
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    (figure("I:"), figure("Peak:"))
}

/// RMS of each side in the better rendition of what becomes of `sound`, whose loudness is asked for in both.
fn lesson(name: &str, sound: &str, codec: &str) -> [f64; 2] {
    let bench = Bench::new();
    let file = bench.clip(name, &format!("{} {sound} {H264} {codec}", pictures("160x90", 5, 15)));
    let published = ingest(&bench, &file);
    for slot in AudioSlot::ALL {
        let (loudness, peak) = measured(published.joined(Rendition::Audio(slot)));
        println!("{name} {slot}: {loudness} LUFS, {peak} dBTP");
        assert!(peak <= CEILING + 0.3, "{name} {slot}: peak {peak}");
        assert!((loudness - TARGET).abs() <= 0.5, "{name} {slot}: {loudness} LUFS");
    }
    sides(&published)
}

/// RMS of each side.
fn sides(published: &Published) -> [f64; 2] {
    let path = published.joined(Rendition::Audio(AudioSlot::Hi)).to_str().unwrap();
    let bytes = ffmpeg(["-i", path, "-f", "s16le", "-ac", "2", "-"]);
    let samples: Vec<_> =
        bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]]))).collect();
    [0, 1].map(|side| {
        let power: f64 = samples.iter().skip(side).step_by(2).map(|sample| sample.powi(2)).sum();
        (power * 2.0 / samples.len() as f64).sqrt()
    })
}

/// Something like a voice: syllables of a buzz with pauses, each louder or softer; the peaks stand 15 dB and more above it.
fn voice(level: f64, channels: u32) -> String {
    let one = format!(
        "{level}*(0.4+0.6*abs(sin(1.7*t)))*pow(abs(sin(9*t))\\,2)*gt(sin(1.3*t)\\,-0.7)*\
         (pow(abs(sin(377*t))\\,14)*sin(2513*t)+0.3*sin(754*t))"
    );
    let all = vec![one; channels as usize].join("|");
    format!("-f lavfi -i aevalsrc={all}:s=48000:d=15")
}

#[test]
fn a_quiet_tone_is_lifted() {
    lesson(
        "tone.mov",
        "-f lavfi -i aevalsrc=0.03*sin(2765*t)|0.03*sin(2765*t):s=48000:d=15",
        "-c:a pcm_s16le",
    );
}

#[test]
fn a_loud_tone_is_lowered() {
    lesson("tone.mov", "-f lavfi -i aevalsrc=0.9*sin(2765*t)|0.9*sin(2765*t):s=44100:d=15", "-c:a pcm_s16le");
}

#[test]
fn a_voice_in_mono() {
    lesson("voice.mp4", &voice(0.2, 1), "-c:a aac -b:a 96k");
}

#[test]
fn a_quiet_voice_whose_peaks_meet_the_limiter() {
    lesson("voice.mkv", &voice(0.12, 2), "-c:a pcm_s24le");
}

#[test]
fn a_voice_in_the_middle_of_five_loudspeakers() {
    let silence = "0";
    let centre = voice(0.3, 1);
    let centre = centre.trim_start_matches("-f lavfi -i aevalsrc=").trim_end_matches(":s=48000:d=15");
    let all = [silence, silence, centre, silence, silence, silence].join("|");
    let sound = format!("-f lavfi -i aevalsrc={all}:c=5.1:s=48000:d=15");
    lesson("surround.mkv", &sound, "-c:a pcm_s16le");
}

/// It was heard in one ear only, and 3 dB softer beside the smallest picture.
#[test]
fn a_voice_in_one_of_two_sockets_is_heard_on_both_sides() {
    let one = voice(0.2, 1);
    let one = one.trim_start_matches("-f lavfi -i aevalsrc=").trim_end_matches(":s=48000:d=15");
    let sound = format!("-f lavfi -i aevalsrc=0|{one}:s=48000:d=15");
    let [left, right] = lesson("right.mov", &sound, "-c:a pcm_s16le");
    assert!((left / right - 1.0).abs() < 0.05, "{left} and {right}");
}

/// In mono, beside the smallest picture and on a telephone's one loudspeaker, there was silence.
#[test]
fn a_side_that_is_turned_over_is_turned_back() {
    let sound = "-f lavfi -i aevalsrc=0.1*sin(2765*t)|-0.1*sin(2765*t):s=48000:d=15";
    let [left, right] = lesson("over.mov", sound, "-c:a pcm_s16le");
    assert!((left / right - 1.0).abs() < 0.05, "{left} and {right}");
}

#[test]
fn silence_stays_silence() {
    let bench = Bench::new();
    let sound = "-f lavfi -i anullsrc=r=48000:cl=stereo:d=6";
    // Half of it is said, in a room that hums: far below any voice.
    let file = bench.clip(
        "a.mov",
        &format!("{} {sound} -f lavfi -i aevalsrc=0.0005*sin(314*t):s=48000:d=6 -filter_complex amix=2:normalize=0 \
                  {H264} -c:a pcm_s24le -map 0:v", pictures("160x90", 5, 6)),
    );
    let output = crate::lesson::program(&bench, &[&file]).arg("--accept-quality").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", crate::lesson::said(&output));
    let id = String::from_utf8(output.stdout).unwrap().split_whitespace().nth(3).unwrap().parse().unwrap();
    let published = crate::lesson::open(&bench, id, String::new());
    let samples = published.samples(Rendition::Audio(AudioSlot::Hi));
    assert!(samples.iter().all(|sample| sample.unsigned_abs() < 40), "not lifted");
}

#[test]
fn our_measure_is_that_of_ffmpeg() {
    let bench = Bench::new();
    let file = bench.path("voice.f32");
    let sound = voice(0.25, 2);
    let options = format!("{sound} -f f32le -ac 2 {}", file.display());
    ffmpeg(options.split_whitespace());
    let wave = bench.path("voice.wav");
    ffmpeg([
        "-f",
        "f32le",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-i",
        file.to_str().unwrap(),
        "-c:a",
        "pcm_f32le",
        wave.to_str().unwrap(),
    ]);
    let samples: Vec<f32> = std::fs::read(&file)
        .unwrap()
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    let side = |offset: usize| samples.iter().skip(offset).step_by(2).copied().collect::<Vec<f32>>();
    let mut meter = ingest::sound::LoudnessMeter::default();
    meter.hear(&side(0), &side(1));
    let ours = meter.loudness().unwrap();
    let (loudness, peak) = measured(&wave);
    assert!((ours.integrated_lufs - loudness).abs() <= 0.1, "{ours:?} against {loudness}");
    assert!((ours.true_peak_dbtp - peak).abs() <= 0.2, "{ours:?} against {peak}");
}
