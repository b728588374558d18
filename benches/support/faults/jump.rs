//! A wall clock that jumps by an hour, forth and back, under a running edge and between two of its lives.

use super::edge::{Edge, Home};
use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::load::{Connection, Question, SMALL, Target};
use crate::options::Options;
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use journeys::client::Certificate;
use journeys::load::{self, Tally, ask_steadily};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

/// What goes between the edge and its clock.
const SHIM: &str = include_str!("jump.c");
/// An hour ahead and back, an hour behind and back.
const HOUR: i64 = 3_600;
const OFFSETS: [i64; 5] = [0, HOUR, 0, -HOUR, 0];
/// At each of them, in seconds.
const EACH: (u64, u64) = (5, 1);
/// Requests a second.
const RATE: usize = 500;
const LENGTH: usize = 20_000;
/// Objects on the disk.
const HELD: usize = 60;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let home = Home::new(options, workplace)?;
    let clock = Clock::make(&home)?;
    std::fs::create_dir(home.path("disk"))?;
    let edge = start(&home, &clock, &upstream)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let target = Rc::new(load::Target {
        plain: home.ports.plain,
        tls: home.ports.tls,
        certificates: vec![Rc::new(Certificate::read(
            home.certificate.cert.clone(),
            home.certificate.key.clone(),
        ))],
        path: upstream::path(LENGTH, "jump.m4s"),
        length: LENGTH,
    });
    let failed = runtime.block_on(ask_held(&edge.target()))?;
    runtime.block_on(async {
        let mut connection = Connection::open(&edge.target(), SMALL).await?;
        connection.ask_and_compare(&Question::whole(LENGTH, "jump.m4s")).await
    })?;
    ensure!(failed == 0, "{failed} of {HELD} objects are not to be had");
    edge.wait_until(|| edge.metric("edge_disk_objects").is_ok_and(|objects| objects as usize > HELD))
        .context("not all objects are on the disk")?;
    let filled = upstream.requests();

    let each = Duration::from_secs(options.pick(EACH.0, EACH.1));
    let tally = Rc::new(Tally::default());
    let asking = ask_steadily(target, Rc::clone(&tally), RATE);
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let jumping = async {
            for offset in OFFSETS {
                clock.set(offset)?;
                tokio::time::sleep(each).await;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            () = asking => bail!("nobody asks any more"),
            jumped = jumping => jumped,
        }
    })?;
    for why in tally.failed.borrow().iter().take(5) {
        eprintln!("bench: failed: {why}");
    }
    let extra = upstream.requests() - filled;

    // What is on the disk was stored in an hour's time.
    edge.kill()?;
    clock.set(-HOUR)?;
    let edge = start(&home, &clock, &upstream)?;
    ensure!(is_behind(&edge)?, "the edge does not see the clock that it was given");
    let before = upstream.requests();
    let failed_after = runtime.block_on(ask_held(&edge.target()))?;
    let asked_after = upstream.requests() - before;

    let failed = (tally.failed.borrow().len() + failed_after) as f64;
    let name = "the clock jumps by an hour, forth and back";
    Ok(vec![
        Line::once(format!("{name}: requests that failed"), "requests", failed, Some(Bar::Exactly(0.0))).note(format!(
            "of {} at {RATE} a second over HTTP/1.1, HTTP/2, HTTP/3 and TLS, and of {HELD} after a restart an hour before they were \
             stored, of which the origin was asked about {asked_after}",
            tally.answered.get(),
        )),
        Line::once(format!("{name}: questions at the origin"), "questions", extra as f64, Some(Bar::Exactly(0.0)))
            .note("nothing that was asked for had become old"),
    ])
}

/// Asks for all that is held, one after the other. How many failed.
async fn ask_held(target: &Target) -> Result<usize> {
    let mut failed = 0;
    for number in 0..HELD {
        let mut connection = Connection::open(target, SMALL).await?;
        let question = Question::whole(LENGTH, &format!("held-{number}.m4s"));
        if let Err(error) = connection.ask_and_compare(&question).await {
            eprintln!("bench: failed: {error:#}");
            failed += 1;
        }
    }
    Ok(failed)
}

/// Whether the edge lives well before now, by the first line of its log.
fn is_behind(edge: &Edge<'_>) -> Result<bool> {
    let log = edge.log();
    let began: Timestamp = log.split_whitespace().next().context("it logs")?.parse()?;
    Ok(Timestamp::now().as_second() - began.as_second() > HOUR / 2)
}

fn start<'a>(home: &'a Home, clock: &Clock, upstream: &Upstream) -> Result<Edge<'a>> {
    let mut command = home.command();
    command.env("LD_PRELOAD", &clock.shim).env("BENCH_CLOCK", &clock.file);
    home.start_with_disk(
        command,
        upstream.address(),
        &home.path("disk"),
        &["--http3", "--ram", "64MiB", "--disk-size", "64MiB"],
    )
}

/// The edge's wall clock.
struct Clock {
    shim: PathBuf,
    /// By how much it is off.
    file: PathBuf,
}

impl Clock {
    fn make(home: &Home) -> Result<Self> {
        let (source, shim, file) = (home.path("jump.c"), home.path("jump.so"), home.path("offset"));
        std::fs::write(&source, SHIM)?;
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).arg("-ldl");
        ensure!(cc.status().context("no C compiler, cc")?.success(), "cc does not compile the clock");
        let clock = Self { shim, file };
        File::create(&clock.file)?;
        clock.set(0)?;
        Ok(clock)
    }

    fn set(&self, offset: i64) -> Result<()> {
        let file = File::options().write(true).open(&self.file)?;
        Ok(file.write_all_at(&offset.to_ne_bytes(), 0)?)
    }
}
