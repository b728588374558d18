//! Readers of a byte a second, fifteen thousand of them, who ask for more than there is memory for.

use super::edge::Home;
use super::watch::Watch;
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Connection, Question, SMALL};
use crate::options::Options;
use crate::process::Process;
use crate::upstream::{self, Upstream};
use crate::{machine, memory};
use anyhow::{Context, Result, bail, ensure};
use journeys::client::Certificate;
use journeys::slow::Plan;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many there are, and what they meet.
struct Crowd {
    readers: usize,
    cap_mib: usize,
    /// Who takes nothing for so long is let go.
    stall: Duration,
}

const CROWD: (Crowd, Crowd) = (
    Crowd { readers: 15_000, cap_mib: 1_536, stall: Duration::from_secs(30) },
    Crowd { readers: 3_000, cap_mib: 384, stall: Duration::from_secs(8) },
);
const RAM: &str = "64MiB";
/// A segment that two thirds of them share, and how many of these there are.
const SEGMENT: usize = 1_100_000;
const SHARED: usize = 16;
/// Of what every third has for itself.
const OWN: usize = 400_000;
/// Of what others ask for that the edge lacks.
const COLD: usize = 2_000;
/// Questions a second for what the edge holds, and for what it lacks.
const RATES: (u32, u32) = (10, 4);
/// Until all readers have the beginning of an answer. A bound, not a pace.
const COME_WITHIN: Duration = Duration::from_secs(120);
/// How long they stay once who stalls should be gone, and how long the edge is watched after they went.
const LINGER: Duration = Duration::from_secs(10);
/// Between two looks at the edge's memory.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let Crowd { readers, cap_mib, stall } = options.pick(CROWD.0, CROWD.1);
    let upstream = Upstream::start()?;
    let home = Home::new(options, workplace)?;
    let (cap, limit) = (format!("{cap_mib}MiB"), format!("{}s", stall.as_secs()));
    // How long it takes so many to come is not what is asked here.
    let patience = ["--handshake-timeout", "10min", "--header-timeout", "10min", "--idle-timeout", "10min"];
    let flags = ["--ram", RAM, "--memory-cap", &cap, "--stall-timeout", &limit];
    let edge = home.start_before(upstream.address(), &[&flags[..], &patience].concat())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(&edge.target(), SMALL).await?;
        for number in 0..SHARED {
            connection.ask_and_compare(&shared(number)).await?;
        }
        anyhow::Ok(())
    })?;

    let (pid, done) = (edge.id(), AtomicBool::new(false));
    let (most, met) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| most_resident(pid, &done));
        let met = meet(&home, edge.target(), readers, stall);
        done.store(true, Ordering::Relaxed);
        (looking.join(), met)
    });
    let Ok(most) = most else { bail!("nobody has looked at the edge's memory") };
    let Met { begun, asked, failed, put_off, staying, gone } = met?;
    let name = format!("{readers} readers of a byte a second");
    let seconds = stall.as_secs_f64();
    Ok(vec![
        Line::once(
            format!("{name}: most memory, of its cap"),
            "%",
            most? as f64 / (cap_mib << 20) as f64 * 100.0,
            Some(Bar::AtMost(100.0)),
        )
        .note(format!(
            "{cap} with {RAM} for objects; half over TLS, a third for an object of its own each; {begun} got the beginning of an answer"
        )),
        Line::once(format!("{name}: held objects that failed"), "requests", failed as f64, Some(Bar::Exactly(0.0)))
            .note(format!("of {asked} of 1.1 MB meanwhile; {put_off} for what is not held were put off")),
        Line::once(
            format!("{name}: until what is not held is answered, while they stay"),
            "s",
            staying,
            Some(Bar::AtMost(seconds)),
        )
        .note(format!("from when all have asked; who takes nothing for {limit} is let go")),
        Line::once(format!("{name}: the same once they are gone"), "s", gone, Some(Bar::AtMost(seconds))),
    ])
}

/// What came of it.
struct Met {
    /// Readers who were answered.
    begun: usize,
    asked: usize,
    failed: usize,
    put_off: usize,
    /// Seconds until what the edge lacks was answered.
    staying: f64,
    gone: f64,
}

/// Lets the readers come, stay and go, while others ask.
fn meet(home: &Home, target: crate::load::Target, readers: usize, stall: Duration) -> Result<Met> {
    let held = Watch::start(target.clone(), RATES.0, |number| shared(number % SHARED))?;
    let cold = Watch::start(target, RATES.1, |number| Question::whole(COLD, &format!("cold-{number}.m4s")))?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("--slow-errand")
        .args([home.ports.plain.to_string(), home.ports.tls.to_string(), readers.to_string()])
        .arg(&home.certificate.cert);
    let log = home.path("readers.log");
    let mut crowd = Process::start(command, &log)?;
    let (mut begun, mut ended) = (None, Ok(()));
    clock::wait_until(COME_WITHIN, || {
        ended = crowd.check(&log);
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        begun = said.lines().find_map(|line| line.strip_prefix("asked ")?.parse().ok());
        begun.is_some() || ended.is_err()
    });
    ended?;
    let begun = begun.with_context(|| format!("not all readers have asked within {COME_WITHIN:?}"))?;
    let came = clock::now();
    clock::pause(stall + LINGER);
    let left = clock::now();
    drop(crowd);
    clock::pause(LINGER);
    let over = clock::now();
    let (held, cold) = (held.end()?, cold.end()?);
    ensure!(held.asked() > 0 && cold.asked() > 0, "nobody has asked");
    Ok(Met {
        begun,
        asked: held.asked(),
        failed: held.failed_unexpectedly(),
        put_off: cold.failed(),
        staying: cold.seconds_to_recover(came, left),
        gone: cold.seconds_to_recover(left, over),
    })
}

fn shared(number: usize) -> Question {
    Question::whole(SEGMENT, &shared_name(number))
}

/// A segment's: what counts as a session's beginning is put off sooner.
fn shared_name(number: usize) -> String {
    format!("shared-{number}.m4s")
}

/// The most memory that a process has in use, in bytes, until it is `done`.
fn most_resident(pid: u32, done: &AtomicBool) -> Result<u64> {
    let mut most = 0;
    while !done.load(Ordering::Relaxed) {
        most = most.max(memory::resident(pid)?);
        clock::pause(LOOK);
    }
    Ok(most)
}

/// The readers' part.
pub(crate) fn run_errand(errand: &[OsString]) -> Result<()> {
    let words: Vec<_> = errand.iter().filter_map(|word| word.to_str()).collect();
    let [plain, tls, count, certificate] = words[..] else { bail!("--slow-errand wants four words") };
    machine::raise_descriptor_limit()?;
    let path = |number: usize| {
        if number.is_multiple_of(3) {
            upstream::path(OWN, &format!("own-{number}.m4s"))
        } else {
            upstream::path(SEGMENT, &shared_name(number % SHARED))
        }
    };
    let certificate = Certificate::read(PathBuf::from(certificate), PathBuf::new());
    Plan { plain: plain.parse()?, tls: tls.parse()?, count: count.parse()?, certificate, path }.follow();
    Ok(())
}
