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
/// Longest any one program may run.
const LIMIT: Duration = Duration::from_secs(5_400);
/// What six rungs may take of the fixed ladder, how much less like the original each may be, and what AV1 may take of
/// H.264.
pub(crate) const OF_FIXED: f64 = 0.08;
const LOST: f64 = 0.004;
const OF_H264: f64 = 0.45;

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

/// A rung of ours: what it takes, and how like its original it is.
struct Made {
    kbps: f64,
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

    let bench = Bench { root, lesson: &lesson, package: &package, manifest: &manifest };
    let mut lines = Vec::new();
    let (mut spent, mut fixed) = (0.0, 0.0);
    for size in &SIZES {
        let ours = bench.ours(size.slot, size)?.with_context(|| format!("there is no {}", size.slot))?;
        let held = bench.fixed(size)?;
        eprintln!("bench: {} {:.1} kbit/s {:.5}, fixed {:.5}", size.slot, ours.kbps, ours.ssim, held.ssim);
        let fixed_kbps = f64::from(size.fixed_kbps);
        spent += ours.kbps;
        fixed += fixed_kbps;
        let bits = Line::once(format!("{}: pictures", size.slot), "kbit/s", ours.kbps, None);
        lines.push(bits.against("fixed ladder", once(fixed_kbps), None));
        let lost = format!("{}: SSIM below the fixed ladder's {:.4}", size.slot, held.ssim);
        lines.push(Line::once(lost, "SSIM", held.ssim - ours.ssim, Some(Bar::AtMost(LOST))));
        let twin = size.slot.replace('s', "a");
        if let Some(av1) = bench.ours(&twin, size)? {
            eprintln!("bench: {twin} {:.1} kbit/s {:.5}", av1.kbps, av1.ssim);
            let note = format!("SSIM {:.4} of {twin}, {:.4} of {}", av1.ssim, ours.ssim, size.slot);
            let line = Line::once(format!("{twin}: pictures"), "kbit/s", av1.kbps, None);
            let bar = Some(Bar::RatioAtMost(OF_H264));
            lines.push(line.against("H.264", once(ours.kbps), bar).note(note));
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
}

impl Bench<'_> {
    /// The rung in `slot`, which has the pictures of `size`; `None` when the package has none.
    fn ours(&self, slot: &str, size: &Size) -> Result<Option<Made>> {
        let Some(rung) = self.manifest.video.iter().find(|rung| rung.slot == slot) else { return Ok(None) };
        let folder = self.package.join(slot);
        let mut joined = std::fs::read(folder.join("init.mp4"))?;
        for number in 0..COMPARED_SEGMENTS {
            match std::fs::read(folder.join(format!("{number:05}.m4s"))) {
                Ok(segment) => joined.extend(segment),
                Err(_) => break,
            }
        }
        let path = self.root.join("rung.mp4");
        std::fs::write(&path, joined)?;
        let ssim = self.likeness(&path, size, rung.thinning)?;
        Ok(Some(Made { kbps: rung.average_bps as f64 / 1e3, ssim }))
    }

    /// The same size with the fixed ladder's bit rate held.
    fn fixed(&self, size: &Size) -> Result<Made> {
        let path = self.root.join("fixed.mp4");
        let rate = format!("{}k", size.fixed_kbps);
        let mut ffmpeg = quiet();
        ffmpeg.arg("-i").arg(self.lesson).args(["-t", COMPARED_SECONDS, "-an", "-vf", &chain(size, 1)]);
        ffmpeg.args(["-c:v", "libx264", "-preset", size.preset, "-g", "120", "-keyint_min", "120"]);
        ffmpeg.args(["-sc_threshold", "0", "-b:v", &rate, "-maxrate", &rate]);
        ffmpeg.args(["-bufsize", &format!("{}k", size.fixed_kbps * 2)]).arg(&path);
        process::run(&ffmpeg, self.root, LIMIT).context("the fixed ladder")?;
        Ok(Made { kbps: f64::from(size.fixed_kbps), ssim: self.likeness(&path, size, 1)? })
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
    fn sizes_are_scaled_as_ingest_scales_them() {
        assert_eq!(chain(&SIZES[5], 1), "select='not(mod(n\\,1))'");
        assert_eq!(
            chain(&SIZES[1], 2),
            "select='not(mod(n\\,2))',zscale=w=960:h=540:filter=bicubic,zscale=w=416:h=234:filter=bicubic"
        );
        assert_eq!(f64::from(SIZES.iter().map(|size| size.fixed_kbps).sum::<u32>()), FIXED_KBPS);
    }
}
