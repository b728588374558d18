//! A disk that is full, one that is away for a while, and one that is gone, on a file system of the edge's own: nothing of this
//! machine's is filled.

use super::Held;
use super::edge::{Edge, Home};
use super::watch::Watch;
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::Question;
use crate::options::Options;
use crate::upstream::Upstream;
use anyhow::{Context, Result, ensure};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The file system, in the edge's own mount namespace: it ends with the process.
const MOUNT: &str = "mount -t tmpfs -o size=90m tmpfs \"$0\" && mkdir \"$0/disk\" && exec \"$@\"";
const RAM: &str = "16MiB";
const ROOM: &str = "64MiB";
/// Objects the edge holds, more than there is memory for, and what is asked of them and of new ones each second.
const HELD: Held = Held { count: 200, length: LENGTH };
const RATE: u32 = 100;
const LENGTH: usize = 100_000;
/// How long the disk stays as it has become, and how long it is watched once it is well.
const STAYS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(1));
/// Once the disk is well again, or known to be gone.
const RECOVERS_S: f64 = 2.0;
/// Of junk that is written at once.
const PIECE: usize = 1 << 20;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let home = Home::new(options, workplace)?;
    let room = home.path("room");
    std::fs::create_dir(&room)?;
    let mut around = Command::new("unshare");
    around.args(["--mount", "sh", "-c", MOUNT]).arg(&room);
    let flags = ["--ram", RAM, "--disk-size", ROOM];
    let edge = home
        .start_with_disk(home.command_in(around), upstream.address(), &room.join("disk"), &flags)
        .context("needs root, for a file system of the edge's own")?;
    let scene = Scene { seen: format!("/proc/{}/root{}", edge.id(), room.display()).into(), edge, room };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(HELD.load(&scene.edge.target()))?;

    let stays = options.pick(STAYS.0, STAYS.1);
    let target = || scene.edge.target();
    let watched = |what: &str, event: &dyn Fn() -> Result<Event>| {
        let watches = [
            Watch::start(target(), RATE, |number| HELD.object(number % HELD.count))?,
            // Nothing of it was asked for before.
            Watch::start(target(), RATE, {
                let what = what.replace(' ', "-");
                move |number| Question::whole(LENGTH, &format!("{what}-{number}.m4s"))
            })?,
        ];
        let happened = event().with_context(|| what.to_owned())?;
        clock::pause(stays);
        let until = clock::now();
        let mut line = Toll::default();
        for watch in watches {
            let record = watch.end()?;
            line.asked += record.asked();
            line.failed += record.failed_unexpectedly();
            line.recovered = line.recovered.max(record.seconds_to_recover(happened.ended, until));
        }
        anyhow::Ok(line.lines(what, &happened.note))
    };
    let mut lines = watched("a full disk", &|| scene.fill_up(stays))?;
    lines.extend(watched("a disk that is away", &|| scene.take_away(stays))?);
    lines.extend(watched("a disk that is gone", &|| scene.unmount())?);
    Ok(lines)
}

/// What has happened to the disk.
struct Event {
    ended: Instant,
    note: String,
}

#[derive(Default)]
struct Toll {
    asked: usize,
    failed: usize,
    recovered: f64,
}

impl Toll {
    fn lines(&self, what: &str, note: &str) -> Vec<Line> {
        vec![
            Line::once(
                format!("{what}: requests that failed"),
                "requests",
                self.failed as f64,
                Some(Bar::Exactly(0.0)),
            )
            .note(format!("of {} for what the edge holds and what it lacks; {note}", self.asked)),
            Line::once(
                format!("{what}: until none fails"),
                "s",
                self.recovered,
                Some(Bar::AtMost(RECOVERS_S)),
            ),
        ]
    }
}

struct Scene<'a> {
    edge: Edge<'a>,
    /// Where the file system is, as the edge sees it.
    room: PathBuf,
    /// The same from here.
    seen: PathBuf,
}

impl Scene<'_> {
    /// Takes the room that the disk has reserved, and all the rest, and gives it back.
    fn fill_up(&self, stays: Duration) -> Result<Event> {
        let data = File::options().write(true).open(self.seen.join("disk/data"))?;
        let holes = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&data, holes, 0, data.metadata()?.len())?;
        let junk = self.seen.join("junk");
        write_until_full(&junk)?;
        let noticed = self.until("read_only")?;
        clock::pause(stays);
        std::fs::remove_file(&junk)?;
        let ended = clock::now();
        let used = self.until("online")?;
        Ok(Event {
            ended,
            note: format!(
                "read-only {noticed:.1} s after it was full, in use {used:.1} s after there was room again"
            ),
        })
    }

    /// Renames the disk's folder, and back.
    fn take_away(&self, stays: Duration) -> Result<Event> {
        let (disk, away) = (self.seen.join("disk"), self.seen.join("away"));
        std::fs::rename(&disk, &away)?;
        let noticed = self.until("offline")?;
        clock::pause(stays);
        // It may have been made anew meanwhile, which it must not.
        ensure!(!disk.exists(), "the edge has made itself a disk where none is");
        std::fs::rename(&away, &disk)?;
        let ended = clock::now();
        let used = self.until("online")?;
        Ok(Event {
            ended,
            note: format!("offline after {noticed:.1} s, in use {used:.1} s after it was back"),
        })
    }

    /// Takes the file system away for good.
    fn unmount(&self) -> Result<Event> {
        let mut umount = Command::new("nsenter");
        umount.args(["-t", &self.edge.id().to_string(), "-m", "umount", "-l"]).arg(&self.room);
        ensure!(umount.status()?.success(), "the file system cannot be taken away");
        let ended = clock::now();
        let noticed = self.until("offline")?;
        Ok(Event { ended, note: format!("offline after {noticed:.1} s") })
    }

    /// Waits until the edge says so of its disk. How many seconds.
    fn until(&self, state: &str) -> Result<f64> {
        let began = clock::now();
        self.edge.wait_for_disk(&self.room.join("disk"), state)?;
        Ok(began.elapsed().as_secs_f64())
    }
}

fn write_until_full(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut piece = vec![1; PIECE];
    // In ever smaller pieces, to the last byte.
    while !piece.is_empty() {
        match file.write(&piece) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
            Err(error) => return Err(error).context("junk cannot be written"),
        }
    }
    Ok(())
}
