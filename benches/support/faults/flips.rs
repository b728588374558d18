//! Bits that turn on the disk, under a running edge and while it is down.

use super::edge::{Edge, Home};
use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::load::{Connection, Question, SMALL, Target, Verdict};
use crate::options::Options;
use crate::payload;
use crate::upstream::Upstream;
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use testkit::kills::numbers;

/// Objects, each with one bit turned: several times what memory holds.
const OBJECTS: (usize, usize) = (400, 40);
/// Memory for objects, and room on the disk, in MiB.
const RAM: &str = "16MiB";
const ROOM: (&str, &str) = ("640MiB", "96MiB");
const SEGMENT: usize = 1_100_000;
/// Asked for before it is seen that they are on the disk: less than what may wait to be written.
const STEP: usize = 20;
/// What one checksum is of.
const BLOCK: usize = diskstore::BLOCK;
/// By how an object is known on the disk: all have the same body.
const BEGINNING: usize = 64;
/// For which bits: any number would do.
const SEED: u64 = 66;
/// Read at once of the file.
const PIECE: usize = 8 << 20;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let (count, room) = (options.pick(OBJECTS.0, OBJECTS.1), options.pick(ROOM.0, ROOM.1));
    let upstream = Upstream::start()?;
    let mut lines = Vec::new();
    for (when, while_down) in [("at work", false), ("while it is down", true)] {
        let home = Home::new(options, workplace)?;
        let toll = round(&home, &upstream, count, room, while_down)?;
        lines.push(
            Line::once(
                format!("bits flipped on the disk {when}: found"),
                "%",
                toll.found / toll.read * 100.0,
                Some(Bar::Exactly(100.0)),
            )
            .note(format!(
                "one in the first block of each of {count} objects of 1.1 MB; {} of them were read, the others came from memory, or had not been written",
                toll.read
            )),
        );
        lines.push(Line::once(
            format!("bits flipped on the disk {when}: wrong answers"),
            "answers",
            toll.wrong,
            Some(Bar::Exactly(0.0)),
        ));
    }
    Ok(lines)
}

struct Toll {
    /// Flipped bits in what was read from the disk.
    read: f64,
    found: f64,
    wrong: f64,
}

fn round(home: &Home, upstream: &Upstream, count: usize, room: &str, while_down: bool) -> Result<Toll> {
    let disk = home.path("disk");
    std::fs::create_dir(&disk)?;
    let start = || {
        home.start_with_disk(home.command(), upstream.address(), &disk, &["--ram", RAM, "--disk-size", room])
    };
    let mut edge = start()?;
    // In steps: a disk that is slower than what comes is passed over.
    for first in (0..count).step_by(STEP) {
        let step = first..count.min(first + STEP);
        let end = step.end;
        let (right, _) = ask(edge.target(), step)?;
        ensure!(right == end - first, "objects are not to be had");
        edge.wait_until(|| edge.metric("edge_disk_objects").is_ok_and(|objects| objects as usize >= end))
            .context("not all objects are on the disk")?;
    }
    if while_down {
        edge.kill()?;
        flip(&disk.join("data"), count)?;
        edge = start()?;
    } else {
        flip(&disk.join("data"), count)?;
    }
    let before = if while_down { 0.0 } else { found(&edge)? };
    // The last one's record may have died with the process; then nobody will take its bytes for anything.
    let known = edge.metric("edge_disk_objects")?;
    let (right, from_memory) = ask(edge.target(), 0..count)?;
    Ok(Toll {
        read: known - from_memory as f64,
        found: found(&edge)? - before,
        wrong: (count - right) as f64,
    })
}

fn found(edge: &Edge<'_>) -> Result<f64> {
    edge.metric("edge_checksum_failures_total")
}

/// Asks for objects. How many answers were right, and how many came from memory.
fn ask(target: Target, numbers: Range<usize>) -> Result<(usize, usize)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut right, mut from_memory) = (0, 0);
        for number in numbers {
            let question = Question::whole(SEGMENT, &format!("flip-{number}.m4s"));
            let mut connection = Connection::open(&target, SMALL).await?;
            match connection.judge(&question).await? {
                Verdict::Right(head) => {
                    let status = head.field("cache-status").unwrap_or_default();
                    right += 1;
                    from_memory += usize::from(status.contains("; hit") && !status.contains("detail=disk"));
                }
                Verdict::Wrong(how) => eprintln!("bench: {how}"),
                Verdict::Refused(head) => bail!("{} answered {}", question.path, head.status),
            }
        }
        Ok((right, from_memory))
    })
}

/// Turns one bit in the first block of each object.
fn flip(data: &Path, count: usize) -> Result<()> {
    let file = File::options().read(true).write(true).open(data)?;
    let places = places(&file, count)?;
    ensure!(places.len() == count, "{} objects are on the disk instead of {count}", places.len());
    for (place, number) in places.into_iter().zip(numbers(SEED)) {
        let bit = number % (BLOCK as u64 * 8);
        let (at, mut byte) = (place + bit / 8, [0]);
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], at)?;
    }
    Ok(())
}

/// Where `count` objects begin.
fn places(file: &File, count: usize) -> Result<Vec<u64>> {
    let beginning = payload::of(BEGINNING);
    let (mut places, mut buffer, mut at) = (Vec::new(), vec![0; PIECE + BEGINNING], 0);
    loop {
        let read = file.read_at(&mut buffer, at)?;
        let found = buffer[..read].windows(BEGINNING).take(PIECE).enumerate();
        places.extend(found.filter(|(_, window)| *window == beginning).map(|(index, _)| at + index as u64));
        if read < buffer.len() || places.len() == count {
            return Ok(places);
        }
        at += PIECE as u64;
    }
}
