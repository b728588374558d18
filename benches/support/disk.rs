//! The disk store by itself: a thousand kills under write load, a restart with a million objects, reading.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::statistics::Spread;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use diskstore::{BLOCK, DiskConfig, Disks, Object, State};
use rustix::fs::{Advice, fadvise};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::kills;

/// Processes killed.
const KILLS: (u32, u32) = (1_000, 40);
/// Objects there at the restart.
const OBJECTS: (u64, u64) = (1_000_000, 100_000);
/// Bytes of each: a playlist's.
const SMALL: usize = 1_024;
/// Room for all of them, and as much again.
const SMALL_DISK: u64 = 4 << 30;
/// What the restart may take.
const RESTART_S: f64 = 10.0;
/// Restarts; the first after a kill, the others after one another.
const RESTARTS: usize = 3;
/// Segments read in the reading line, of so many blocks: 1.25 MB.
const SEGMENTS: u64 = 400;
const BLOCKS: u32 = 5;
/// Read at the same time.
const AT_ONCE: usize = 8;
/// Puts between two barriers: less than the queue holds.
const BATCH: u64 = 10_000;

/// Kills under write load.
pub(crate) fn kills(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let directory = workplace.directory("kills-")?;
    let kills = options.pick(KILLS.0, KILLS.1);
    let began = clock::now();
    let toll = kills::kill(directory.path(), kills, |seed| errand("kills", directory.path(), seed))?;
    eprintln!("bench: {} kills in {:.0} s: {toll:?}", toll.kills, began.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "counts of this size are exact")]
    let count = |what: &str, count: u64, bar| Line::once(what, "objects", count as f64, bar);
    Ok(vec![
        Line::once(
            "kill -9 under write load",
            "kills",
            f64::from(toll.kills),
            Some(Bar::Exactly(f64::from(kills))),
        ),
        count("objects compared byte by byte after them", toll.objects, None),
        count("objects with a wrong byte, or back although removed", toll.wrong, Some(Bar::Exactly(0.0))),
        count("blocks refused by their sum", toll.refused, None),
    ])
}

/// A restart with a million objects, and reading.
pub(crate) fn speed(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let mut lines = restart(options, workplace)?;
    lines.push(reading(workplace)?);
    Ok(lines)
}

fn restart(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let directory = workplace.directory("restart-")?;
    let objects = options.pick(OBJECTS.0, OBJECTS.1);
    let mut command = errand("fill", directory.path(), objects);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let said = child.stdout.take().context("its output is piped")?;
    let full = BufReader::new(said).lines().next().transpose()?;
    child.kill()?;
    child.wait()?;
    ensure!(full.as_deref() == Some("full"), "the store was not filled: {full:?}");
    let (mut seconds, mut found, mut index) = (Vec::new(), 0, 0);
    for _ in 0..RESTARTS {
        leave_page_cache(directory.path())?;
        let began = clock::now();
        let disks = Disks::open(&[disk(directory.path(), SMALL_DISK)], |_| false, |_| {})?;
        seconds.push(began.elapsed().as_secs_f64());
        let report = disks.reports().next().context("there is a disk")?;
        ensure!(report.state == State::Online, "the disk is {:?}", report.state);
        (found, index) = (report.objects, report.index_bytes);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of this size are exact")]
    let (objects, found, index) = (objects as f64, found as f64, index as f64);
    let seconds = Spread::of(&seconds).context("there is a restart")?;
    Ok(vec![
        Line::once("objects in the index after kill -9", "objects", found, Some(Bar::Exactly(objects))),
        Line::ours("restart until they are all found", "s", seconds, Some(Bar::AtMost(RESTART_S))),
        Line::once("memory of the index", "B/object", index / found, None),
    ])
}

fn reading(workplace: &Workplace) -> Result<Line> {
    let directory = workplace.directory("reading-")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let disks = Disks::open(&[disk(directory.path(), 2 << 30)], |_| false, |_| {})?;
    let blocks: Vec<_> = (0..BLOCKS).map(|number| (number, Bytes::from(vec![number as u8; BLOCK]))).collect();
    runtime.block_on(async {
        for number in 0..SEGMENTS {
            disks.put(&name(number), Object { blocks: blocks.clone(), ..Object::default() });
            if number % 32 == 31 && !disks.flush().await {
                bail!("the disk takes no writes");
            }
        }
        ensure!(disks.flush().await, "the disk takes no writes");
        let mut rounds = Vec::new();
        for _ in 0..3 {
            leave_page_cache(directory.path())?;
            let began = clock::now();
            let readers = (0..AT_ONCE as u64).map(|reader| {
                let disks = &disks;
                async move {
                    for number in (reader..SEGMENTS).step_by(AT_ONCE) {
                        let stored = disks.look_up(&name(number)).await.context("it is there")?;
                        stored.read(stored.blocks()).await?;
                    }
                    Ok::<_, anyhow::Error>(())
                }
            });
            futures_util::future::try_join_all(readers).await?;
            #[expect(clippy::cast_precision_loss, reason = "megabytes of this size are exact")]
            let megabytes = (SEGMENTS * u64::from(BLOCKS) * BLOCK as u64) as f64 / 1e6;
            rounds.push(megabytes / began.elapsed().as_secs_f64());
        }
        let spread = Spread::of(&rounds).context("there is a round")?;
        Ok(Line::ours("1.3 MB segments read and verified", "MB/s", spread, None)
            .note("nothing of it in the page cache; the machine's disk decides"))
    })
}

/// Has the kernel forget what it holds of a store's files.
fn leave_page_cache(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let file = File::open(entry?.path())?;
        // What is not written out yet stays.
        file.sync_data()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

fn name(number: u64) -> Bytes {
    Bytes::from(format!("http://origin.example/p/{number}"))
}

fn disk(directory: &Path, size: u64) -> DiskConfig {
    DiskConfig { directory: directory.to_owned(), size }
}

/// This program, to do `what` in `directory`.
fn errand(what: &str, directory: &Path, number: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "bench".into()));
    command.arg("--disk-errand").arg(what).arg(directory).arg(number.to_string());
    command
}

/// The child's part.
pub(crate) fn run_errand(errand: &[OsString]) -> Result<()> {
    let [what, directory, number] = errand else { bail!("--disk-errand wants three words") };
    let number = number.to_str().and_then(|number| number.parse().ok()).context("a number")?;
    match what.to_str() {
        Some("kills") => Ok(kills::write_until_killed(Path::new(directory), number)?),
        Some("fill") => fill(Path::new(directory), number),
        _ => bail!("no such errand"),
    }
}

/// Puts so many small objects, says so, and waits for its end.
fn fill(directory: &Path, objects: u64) -> Result<()> {
    let disks = Disks::open(&[disk(directory, SMALL_DISK)], |_| false, |_| {})?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (head, body) = (Bytes::from(vec![1; 150]), Bytes::from(vec![2; SMALL]));
    for number in 0..objects {
        let blocks = vec![(0, body.clone())];
        disks.put(&name(number), Object { head: head.clone(), blocks, ..Object::default() });
        if number % BATCH == BATCH - 1 {
            ensure!(runtime.block_on(disks.flush()), "the disk takes no writes");
        }
    }
    ensure!(runtime.block_on(disks.flush()), "the disk takes no writes");
    println!("full");
    std::io::stdout().flush()?;
    std::io::stdin().lines().for_each(drop);
    Ok(())
}
