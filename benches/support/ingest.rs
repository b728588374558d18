//! A lesson from file to package, against one `ffmpeg` process that makes the same ladder.

mod package;

use crate::bits::{FIXED_KBPS, OF_FIXED, once};
use crate::cleanup::Workplace;
use crate::lesson::Lesson;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::process::{self, Cost};
use crate::statistics::Spread;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Peak memory that ingest may take.
const MOST_MEMORY_GB: f64 = 1.2;
/// Longest a program may run, for each second of lesson: several times what two slow cores need.
const LIMIT_PER_SECOND: u32 = 6;
/// And at least.
const LEAST_LIMIT: Duration = Duration::from_secs(300);
/// AV1 may take so much longer.
const AV1_LIMIT: u32 = 4;
/// Survey, trials, checks and everything else a package needs, beside a process that makes the plain ladder.
const WALL: f64 = 1.3;
/// The same with AV1, which the plain ladder does not have.
const WALL_WITH_AV1: f64 = 2.5;
/// A lesson takes minutes, which is its own average; a short one is run more often.
const ROUNDS: (usize, usize) = (1, 2);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let program = process::sibling(
        options.airclass_ingest.as_ref(),
        "airclass-ingest",
        "cargo build --release -p ingest",
    )?;
    let seconds = options.lesson_seconds();
    let limit = LEAST_LIMIT.max(Duration::from_secs(u64::from(seconds * LIMIT_PER_SECOND)));
    let directory = workplace.directory("ingest-")?;
    let root = directory.path();
    let shipped = Lesson::new(&program, workplace, seconds);
    let lesson = shipped.file(limit)?;

    let h264 = root.join("h264.toml");
    std::fs::write(&h264, h264_only()?)?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut package = None;
    for round in 1..=options.pick(ROUNDS.0, ROUNDS.1) {
        let store = root.join(format!("store-{round}"));
        let mut run = Command::new(&program);
        run.arg("run").arg(&lesson).arg("--store").arg(&store).args(["--lesson", "bench"]);
        run.arg("--config").arg(&h264);
        let (cost, _) = process::run(&run, root, limit).context("airclass-ingest run")?;
        report("airclass-ingest", round, &cost);
        ours.push(cost);
        package = Some(package::read(&store).context("the package is not what it should be")?);
        std::fs::remove_dir_all(&store)?;

        let output = root.join(format!("ffmpeg-{round}"));
        let command = equivalent(&program, &lesson, root, &output)?;
        let (cost, _) = process::run(&command, root, limit).context("ffmpeg")?;
        report("ffmpeg", round, &cost);
        theirs.push(cost);
        std::fs::remove_dir_all(&output)?;
    }
    let package = package.context("there is a round")?;
    let (store, with_av1) = shipped.store(limit * AV1_LIMIT)?;
    let with_av1 = with_av1.context("nobody made it before")?;
    report("airclass-ingest with AV1", 1, &with_av1);
    let av1 = package::read(&store).context("the package is not what it should be")?;
    let segments = seconds.saturating_mul(1_000).div_ceil(package::SEGMENT_MS);
    let spread = |costs: &[Cost], of: fn(&Cost) -> f64| {
        Spread::of(&costs.iter().map(of).collect::<Vec<_>>()).context("there is a round")
    };
    let against = |what: &str, unit, of, bar, ratio| -> Result<Line> {
        let what = format!("{seconds} s lesson: {what}");
        Ok(Line::ours(what, unit, spread(&ours, of)?, bar).against("ffmpeg", spread(&theirs, of)?, ratio))
    };
    let count = |what: &str, unit, found: usize, wanted: usize| {
        let what = format!("{seconds} s lesson: {what}");
        Line::once(what, unit, found as f64, Some(Bar::Exactly(wanted as f64)))
    };
    Ok(vec![
        against("wall time", "s", |cost| cost.wall_s, None, Some(Bar::RatioAtMost(WALL)))?,
        Line::once(format!("{seconds} s lesson: wall time with AV1"), "s", with_av1.wall_s, None).against(
            "ffmpeg",
            spread(&theirs, |cost| cost.wall_s)?,
            Some(Bar::RatioAtMost(WALL_WITH_AV1)),
        ),
        against("CPU, user and system", "s", |cost| cost.cpu_s, None, None)?,
        against(
            "peak memory",
            "GB",
            |cost| cost.peak_rss_bytes as f64 / 1e9,
            Some(Bar::AtMost(MOST_MEMORY_GB)),
            None,
        )?,
        Line::once(
            format!("{seconds} s lesson: peak memory with AV1"),
            "GB",
            with_av1.peak_rss_bytes as f64 / 1e9,
            Some(Bar::AtMost(MOST_MEMORY_GB)),
        ),
        Line::once(format!("{seconds} s lesson: six H.264 rungs"), "kbit/s", av1.h264_kbps(), None).against(
            "fixed ladder",
            once(FIXED_KBPS),
            Some(Bar::RatioAtMost(OF_FIXED)),
        ),
        count("video rungs with AV1", "rungs", av1.video, package::VIDEO + package::AV1),
        count("video rungs", "rungs", package.video, package::VIDEO),
        count("audio renditions", "renditions", package.audio, package::AUDIO),
        count("fewest segments in a track", "segments", package.fewest, segments as usize),
        count("most segments in a track", "segments", package.most, segments as usize),
        count("segments that are not exactly 4.8 s", "segments", package.odd, 0),
    ])
}

/// The shipped ladder without AV1.
pub(crate) fn h264_only() -> Result<String> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/ladder.toml");
    let text = std::fs::read_to_string(&shipped).with_context(|| shipped.display().to_string())?;
    let without = text.replacen("[av1]\nenabled = true", "[av1]\nenabled = false", 1);
    ensure!(without != text, "the shipped ladder does not say `enabled = true` under [av1]");
    Ok(without)
}

fn report(program: &str, round: usize, cost: &Cost) {
    eprintln!(
        "bench: {program}, round {round}: {:.1} s, {:.1} s of CPU, {:.2} GB",
        cost.wall_s,
        cost.cpu_s,
        cost.peak_rss_bytes as f64 / 1e9
    );
}

/// The `ffmpeg` command that `airclass-ingest` itself names as its equal, for a shell to run.
fn equivalent(program: &Path, lesson: &Path, root: &Path, output: &Path) -> Result<Command> {
    // It looks at the whole lesson for it.
    const LIMIT: Duration = Duration::from_secs(300);
    let mut print = Command::new(program);
    print.arg("run").arg(lesson).arg("--store").arg(root.join("none")).arg("--print-ffmpeg").arg(output);
    let (_, said) = process::run(&print, root, LIMIT).context("airclass-ingest --print-ffmpeg")?;
    let line = said.lines().find(|line| line.contains("ffmpeg ")).context("no ffmpeg command was printed")?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    Ok(command)
}
