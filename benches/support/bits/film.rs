//! What is no lesson: grain and motion all over the picture. Nothing is saved there, but nothing may be lost either: no
//! rung takes more than Apple's fixed ladder gives it.

use super::{LIMIT, Manifest, SIZES, once, only, quiet};
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::process;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Seconds of film.
const SECONDS: (u32, u32) = (96, 24);
/// A dive into something endlessly detailed, under the grain of a camera that has too little light. It lasts as long as the
/// film: past `end_pts` the filter dives on, and each picture takes seconds.
const PICTURES: &str =
    "mandelbrot=s=1920x1080:r=25:end_scale=0.002:end_pts=2400,noise=alls=14:allf=t+u,format=yuv420p";

/// Ingests a film with `program`; a line a rung.
pub(super) fn measure(options: &Options, program: &Path, root: &Path) -> Result<Vec<Line>> {
    let seconds = options.pick(SECONDS.0, SECONDS.1).to_string();
    let (film, store) = (root.join("film.mp4"), root.join("film-store"));
    eprintln!("bench: making a film of {seconds} s");
    let mut make = quiet();
    make.args(["-f", "lavfi", "-i", PICTURES, "-f", "lavfi", "-i", "sine=f=300", "-t", &seconds]);
    make.args(["-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-c:a", "aac"]).arg(&film);
    process::run(&make, root, LIMIT).context("the film")?;
    let h264 = root.join("h264.toml");
    std::fs::write(&h264, crate::ingest::h264_only()?)?;
    let mut run = Command::new(program);
    run.arg("run").arg(&film).arg("--store").arg(&store).args(["--lesson", "film", "--config"]).arg(&h264);
    process::run(&run, root, LIMIT).context("airclass-ingest run")?;
    let package = only(&store.join("p"))?;
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(package.join("manifest.json"))?)?;
    let lines = SIZES.iter().map(|size| {
        let rung = manifest.video.iter().find(|rung| rung.slot == size.slot);
        let rung = rung.with_context(|| format!("there is no {}", size.slot))?;
        let kbps = rung.average_bps as f64 / 1e3;
        let line = Line::once(format!("film, {}: pictures", size.slot), "kbit/s", kbps, None);
        Ok(line.against("fixed ladder", once(size.fixed_kbps.into()), Some(Bar::RatioAtMost(1.0))))
    });
    lines.collect()
}
