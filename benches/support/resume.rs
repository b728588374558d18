//! What a crash costs: ingests killed with SIGKILL at many instants, and what running again makes of them.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::process::{self, Process};
use crate::statistics::Spread;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Kills, half of them of the parent, half of its media worker.
const KILLS: (u32, u32) = (50, 6);
/// Two chunks of pictures and the sound, in a size that takes seconds: one H.264 rung and no AV1, which add work and no
/// other instants.
const LESSON: [&str; 6] = ["--seconds", "130", "--width", "256", "--height", "144"];
/// The longest any run may take.
const LIMIT: Duration = Duration::from_secs(300);
/// The golden ratio's fraction: its multiples spread evenly over a run, however many there are.
const SPREAD: f64 = 0.618_033_988_749_895;
/// Kills fall between these parts of an undisturbed run.
const WITHIN: (f64, f64) = (0.03, 0.95);

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Parent,
    Worker,
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let program = process::sibling(
        options.airclass_ingest.as_ref(),
        "airclass-ingest",
        "cargo build --release -p ingest",
    )?;
    let directory = workplace.directory("resume-")?;
    let root = directory.path();
    let lesson = root.join("lesson.mp4");
    let mut sample = Command::new(&program);
    sample.arg("sample").args(LESSON).arg("--out").arg(&lesson);
    process::run(&sample, root, LIMIT).context("the sample lesson")?;
    let run = |store: &Path| {
        let mut run = Command::new(&program);
        run.arg("run").arg(&lesson).arg("--store").arg(store).args(["--lesson", "a", "--workers", "1"]);
        run
    };
    let (cost, said) = process::run(&run(&root.join("undisturbed")), root, LIMIT)?;
    let undisturbed = package(&said)?;
    eprintln!("bench: an undisturbed run takes {:.1} s", cost.wall_s);

    let kills = options.pick(KILLS.0, KILLS.1);
    let (mut same, mut struck, mut lost, mut again_s) = (0, 0, Vec::new(), Vec::new());
    for number in 0..kills {
        let part = (f64::from(number) * SPREAD).fract();
        let at = Duration::from_secs_f64(cost.wall_s * (WITHIN.0 + part * (WITHIN.1 - WITHIN.0)));
        let victim = if number % 2 == 0 { Victim::Parent } else { Victim::Worker };
        let store = root.join(format!("store-{number}"));
        let log = root.join("killed.log");
        let mut process = Process::start(run(&store), &log)?;
        struck += u32::from(strike(&process, victim, at)?);
        let (said, again) = match victim {
            Victim::Parent => {
                process.wait(LIMIT)?;
                lost.push(in_work(&store)?);
                let (cost, said) = process::run(&run(&store), root, LIMIT)?;
                (said, cost.wall_s)
            }
            // The parent tries once more by itself.
            Victim::Worker => {
                let status = process.wait(LIMIT)?;
                let said = std::fs::read_to_string(&log)?;
                ensure!(status.success(), "the run whose worker was killed failed ({status}): {said}");
                (said, 0.0)
            }
        };
        if victim == Victim::Parent {
            again_s.push(again);
        }
        same += u32::from(package(&said)? == undisturbed);
        eprintln!("bench: kill {} of {kills}: {victim:?} after {:.1} s", number + 1, at.as_secs_f64());
        std::fs::remove_dir_all(&store)?;
    }
    let most_lost = lost.iter().copied().max().unwrap_or(0);
    Ok(vec![
        Line::once("kills that met their victim", "kills", f64::from(struck), None),
        Line::once(
            "kills after which the package is the same",
            "kills",
            f64::from(same),
            Some(Bar::Exactly(f64::from(kills))),
        ),
        Line::once(
            "most units begun again after a kill",
            "units",
            f64::from(most_lost),
            Some(Bar::AtMost(1.0)),
        ),
        Line::ours(
            "wall time of the run after a kill",
            "s",
            Spread::of(&again_s).context("there is a kill")?,
            None,
        ),
        Line::once("wall time of an undisturbed run", "s", cost.wall_s, None),
    ])
}

/// Waits until `at` and kills. Whether there was somebody to kill: between two units there is no worker.
fn strike(process: &Process, victim: Victim, at: Duration) -> Result<bool> {
    let began = clock::now();
    clock::wait_until(at, || began.elapsed() >= at);
    let tree = process.tree();
    let pid = match victim {
        Victim::Parent => tree.first(),
        Victim::Worker => tree.get(1),
    };
    let Some(&pid) = pid else { return Ok(false) };
    match kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL) {
        Ok(()) => Ok(true),
        Err(nix::errno::Errno::ESRCH) => Ok(false),
        Err(error) => bail!("cannot kill {pid}: {error}"),
    }
}

/// Units that were begun and have no record: what has to be done again.
fn in_work(store: &Path) -> Result<u32> {
    let Ok(lessons) = std::fs::read_dir(store.join("work")) else { return Ok(0) };
    let mut begun = 0;
    for lesson in lessons {
        let folder = lesson?.path();
        for paper in std::fs::read_dir(&folder)? {
            let name = paper?.file_name().to_string_lossy().into_owned();
            if let Some(unit) = name.strip_suffix(".claim.json") {
                begun += u32::from(!folder.join(format!("{unit}.json")).exists());
            }
        }
    }
    Ok(begun)
}

/// The package that a run says it made.
fn package(said: &str) -> Result<String> {
    let mut words = said.split_whitespace().skip_while(|word| *word != "package");
    words.nth(1).map(str::to_owned).with_context(|| format!("no package was told: {said}"))
}
