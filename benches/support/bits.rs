//! What a lesson's own rates save: bits and likeness of every rung against Apple's fixed ladder, AV1 against H.264.
//!
//! Likeness is FFmpeg's `ssim` over the first two minutes, against the source scaled as ingest scales it. The fixed
//! ladder is made by `ffmpeg` with the same x264 presets, the bit rate held.

mod film;

use crate::cleanup::Workplace;
use crate::lesson::Lesson;
use crate::line::{Bar, Line};
use crate::options::{Options, Part};
use crate::process;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A lesson long enough that excerpts of it are tried; a quick look has the ladder's own quality. Where `ingest` runs as
/// well, its lesson.
const LESSON_SECONDS: (u32, u32) = (480, 96);
/// So much of it is compared, in segments: two minutes.
const COMPARED_SEGMENTS: usize = 25;
/// The same in seconds.
const COMPARED_SECONDS: &str = "120";
/// Seconds that one lasts.
const SEGMENT_S: f64 = 4.8;
/// Longest any one program may run.
const LIMIT: Duration = Duration::from_secs(5_400);
/// What six rungs may take of the fixed ladder, how much less like the original each may be, and what AV1 may take of
/// H.264.
pub(crate) const OF_FIXED: f64 = 0.08;
const LOST: f64 = 0.004;
const OF_H264: f64 = 0.45;
/// Between these constant qualities of x264 lies what AV1 is compared with.
const AROUND: [u32; 2] = [22, 28];

/// A size: slot, its chain from the source, x264's preset, and Apple's rate in kbit/s.
struct Size {
    slot: &'static str,
    /// As `crates/ingest/src/plan/filters.rs` scales: each from two sizes up.
    chain: &'static [&'static str],
    preset: &'static str,
    fixed_kbps: u32,
}

const SIZES: [Size; 6] = [
    Size { slot: "s0", chain: &["1280x720", "640x360", "256x144"], preset: "medium", fixed_kbps: 145 },
    Size { slot: "s1", chain: &["960x540", "416x234"], preset: "medium", fixed_kbps: 365 },
    Size { slot: "s2", chain: &["1280x720", "640x360"], preset: "medium", fixed_kbps: 730 },
    Size { slot: "s3", chain: &["960x540"], preset: "medium", fixed_kbps: 2_000 },
    Size { slot: "s4", chain: &["1280x720"], preset: "faster", fixed_kbps: 3_000 },
    Size { slot: "s5", chain: &[], preset: "veryfast", fixed_kbps: 6_000 },
];

/// All of Apple's fixed ladder.
pub(crate) const FIXED_KBPS: f64 = 12_240.0;

#[derive(Deserialize)]
struct Manifest {
    video: Vec<Rung>,
}

#[derive(Deserialize)]
struct Rung {
    slot: String,
    average_bps: u64,
    #[serde(default = "all")]
    thinning: u32,
}

fn all() -> u32 {
    1
}

/// A rung of ours: what it takes, of that what is compared, and how like its original it is.
struct Made {
    kbps: f64,
    compared_kbps: f64,
    ssim: f64,
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let program = process::sibling(
        options.airclass_ingest.as_ref(),
        "airclass-ingest",
        "cargo build --release -p ingest",
    )?;
    let shared = options.parts().contains(&Part::Ingest);
    let own = options.lesson_seconds.unwrap_or(options.pick(LESSON_SECONDS.0, LESSON_SECONDS.1));
    let seconds = if shared { options.lesson_seconds() } else { own };
    let directory = workplace.directory("bits-")?;
    let root = directory.path();
    let made = Lesson::new(&program, workplace, seconds);
    let (lesson, (store, _)) = (made.file(LIMIT)?, made.store(LIMIT)?);
    let package = only(&store.join("p"))?;
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(package.join("manifest.json"))?)?;

    let compared_s = f64::from(seconds).min(COMPARED_SEGMENTS as f64 * SEGMENT_S);
    let bench = Bench { root, lesson: &lesson, package: &package, manifest: &manifest, compared_s };
    let mut lines = Vec::new();
    let (mut spent, mut fixed) = (0.0, 0.0);
    for size in &SIZES {
        let ours = bench.ours(size.slot, size)?.with_context(|| format!("there is no {}", size.slot))?;
        let held = bench.fixed(size)?;
        eprintln!("bench: {} {:.1} kbit/s {:.5}, fixed {held:.5}", size.slot, ours.kbps, ours.ssim);
        let fixed_kbps = f64::from(size.fixed_kbps);
        spent += ours.kbps;
        fixed += fixed_kbps;
        let bits = Line::once(format!("{}: pictures", size.slot), "kbit/s", ours.kbps, None);
        lines.push(bits.against("fixed ladder", once(fixed_kbps), None));
        let lost = format!("{}: SSIM below the fixed ladder's {held:.4}", size.slot);
        lines.push(Line::once(lost, "SSIM", held - ours.ssim, Some(Bar::AtMost(LOST))));
        let twin = size.slot.replace('s', "a");
        if let Some(av1) = bench.ours(&twin, size)? {
            eprintln!("bench: {twin} {:.1} kbit/s {:.5}", av1.kbps, av1.ssim);
            let alike = bench.h264_as_like(size, av1.ssim)?;
            eprintln!("bench: {twin} compared {:.1} kbit/s, H.264 as like {alike:.1}", av1.compared_kbps);
            let note =
                format!("SSIM {:.4}; {} takes {:.1} for {:.4}", av1.ssim, size.slot, ours.kbps, ours.ssim);
            let line =
                Line::once(format!("{twin}: pictures of two minutes"), "kbit/s", av1.compared_kbps, None);
            let bar = Some(Bar::RatioAtMost(OF_H264));
            lines.push(line.against("H.264 at the same SSIM", once(alike), bar).note(note));
        }
    }
    let whole = Line::once("six H.264 rungs: pictures", "kbit/s", spent, None);
    lines.push(whole.against("fixed ladder", once(fixed), Some(Bar::RatioAtMost(OF_FIXED))));
    lines.extend(film::measure(options, &program, root)?);
    Ok(lines)
}

pub(crate) fn once(figure: f64) -> crate::statistics::Spread {
    crate::statistics::Spread { median: figure, least: figure, most: figure, rounds: 1 }
}

struct Bench<'a> {
    root: &'a Path,
    lesson: &'a Path,
    package: &'a Path,
    manifest: &'a Manifest,
    compared_s: f64,
}

impl Bench<'_> {
    /// The rung in `slot`, which has the pictures of `size`; `None` when the package has none.
    fn ours(&self, slot: &str, size: &Size) -> Result<Option<Made>> {
        let Some(rung) = self.manifest.video.iter().find(|rung| rung.slot == slot) else { return Ok(None) };
        let folder = self.package.join(slot);
        let mut joined = std::fs::read(folder.join("init.mp4"))?;
        let (mut bytes, mut segments) = (0, 0);
        for number in 0..COMPARED_SEGMENTS {
            let Ok(segment) = std::fs::read(folder.join(format!("{number:05}.m4s"))) else { break };
            (bytes, segments) = (bytes + segment.len(), segments + 1);
            joined.extend(segment);
        }
        ensure!(segments > 0, "{slot} has no segments");
        let compared_kbps = kbps(bytes as u64, segments as f64 * SEGMENT_S);
        let path = self.root.join("rung.mp4");
        std::fs::write(&path, joined)?;
        let ssim = self.likeness(&path, size, rung.thinning)?;
        Ok(Some(Made { kbps: rung.average_bps as f64 / 1e3, compared_kbps, ssim }))
    }

    /// Likeness of the same size with the fixed ladder's bit rate held.
    fn fixed(&self, size: &Size) -> Result<f64> {
        let rate = format!("{}k", size.fixed_kbps);
        let room = format!("{}k", size.fixed_kbps * 2);
        let path = self.x264(size, &["-b:v", &rate, "-maxrate", &rate, "-bufsize", &room])?;
        self.likeness(&path, size, 1)
    }

    /// What H.264 takes, in kbit/s, to be so like the original: between two constant qualities, over which the logarithm of what is
    /// taken falls with that of what is lost.
    fn h264_as_like(&self, size: &Size, ssim: f64) -> Result<f64> {
        let points = AROUND.map(|crf| {
            let path = self.x264(size, &["-crf", &crf.to_string()])?;
            let taken = kbps(std::fs::metadata(&path)?.len(), self.compared_s);
            anyhow::Ok(((1.0 - self.likeness(&path, size, 1)?).ln(), taken.ln()))
        });
        let [better, worse] = points;
        Ok(on_line(better?, worse?, (1.0 - ssim).ln()).exp())
    }

    /// The size as x264 makes it of the two minutes, one GOP a segment and a fragment.
    fn x264(&self, size: &Size, rate: &[&str]) -> Result<PathBuf> {
        let path = self.root.join("x264.mp4");
        let mut ffmpeg = quiet();
        ffmpeg.arg("-i").arg(self.lesson).args(["-t", COMPARED_SECONDS, "-an", "-vf", &chain(size, 1)]);
        ffmpeg.args(["-c:v", "libx264", "-preset", size.preset, "-g", "120", "-keyint_min", "120"]);
        ffmpeg.args(["-sc_threshold", "0", "-movflags", "frag_keyframe+empty_moov+default_base_moof"]);
        ffmpeg.args(rate).arg(&path);
        process::run(&ffmpeg, self.root, LIMIT).context("x264")?;
        Ok(path)
    }

    /// FFmpeg's own figure.
    fn likeness(&self, path: &Path, size: &Size, thinning: u32) -> Result<f64> {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-hide_banner", "-nostdin", "-v", "info", "-nostats", "-i"]).arg(path);
        ffmpeg.args(["-t", COMPARED_SECONDS, "-i"]).arg(self.lesson);
        let graph = format!("[1:v]{}[original];[0:v][original]ssim=shortest=1", chain(size, thinning));
        ffmpeg.args(["-lavfi", &graph, "-f", "null", "-"]);
        let (_, said) = process::run(&ffmpeg, self.root, LIMIT).context("ffmpeg's ssim")?;
        let figure = said.rsplit("All:").next().and_then(|rest| rest.split_whitespace().next());
        let figure: f64 = figure.and_then(|figure| figure.parse().ok()).context("ffmpeg told no SSIM")?;
        ensure!((0.0..=1.0).contains(&figure), "an SSIM of {figure}");
        Ok(figure)
    }
}

fn quiet() -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostdin", "-y", "-v", "error"]);
    ffmpeg
}

fn kbps(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 * 8.0 / 1e3 / seconds
}

/// The height at `x` of the line through two points.
fn on_line((x0, y0): (f64, f64), (x1, y1): (f64, f64), x: f64) -> f64 {
    y0 + (x - x0) * (y1 - y0) / (x1 - x0)
}

/// The source in `size`, every `thinning`th picture.
fn chain(size: &Size, thinning: u32) -> String {
    let scaled = size.chain.iter().map(|side| {
        let (width, height) = side.split_once('x').unwrap_or((side, side));
        format!("zscale=w={width}:h={height}:filter=bicubic")
    });
    let thinned = format!("select='not(mod(n\\,{thinning}))'");
    std::iter::once(thinned).chain(scaled).collect::<Vec<_>>().join(",")
}

/// The one folder in `folder`.
fn only(folder: &Path) -> Result<PathBuf> {
    let mut entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let first = entries.next().context("no package was made")??.path();
    ensure!(entries.next().is_none(), "more than one package was made");
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_h264_takes_is_read_off_a_line() {
        assert_eq!(on_line((1.0, 10.0), (3.0, 6.0), 2.5), 7.0);
        assert_eq!(on_line((1.0, 10.0), (3.0, 6.0), 4.0), 4.0);
    }

    #[test]
    fn sizes_are_scaled_as_ingest_scales_them() {
        assert_eq!(chain(&SIZES[5], 1), "select='not(mod(n\\,1))'");
        assert_eq!(
            chain(&SIZES[1], 2),
            "select='not(mod(n\\,2))',zscale=w=960:h=540:filter=bicubic,zscale=w=416:h=234:filter=bicubic"
        );
        assert_eq!(f64::from(SIZES.iter().map(|size| size.fixed_kbps).sum::<u32>()), FIXED_KBPS);
    }
}
