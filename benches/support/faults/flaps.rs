//! A server behind the edge that comes and goes each second.

use super::Held;
use super::edge::Home;
use super::watch::Watch;
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::Question;
use crate::options::Options;
use crate::upstream::Upstream;
use anyhow::Result;
use journeys::door::Door;
use std::net::SocketAddr;
use std::time::Duration;

/// How long it comes and goes, in seconds.
const SECONDS: (u32, u32) = (20, 6);
/// Open or shut.
const EACH: Duration = Duration::from_secs(1);
/// Objects the edge holds, and what is asked of them and of new ones each second.
const HELD: Held = Held { count: 20, length: LENGTH };
const RATE: u32 = 50;
const LENGTH: usize = 20_000;
/// Questions at the servers for each that the edge lacks.
const QUESTIONS: f64 = 1.2;
/// Once it is there again.
const RECOVERS_S: f64 = 1.0;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let mut lines = one(&flap(options, workplace, false)?);
    lines.extend(two(&flap(options, workplace, true)?));
    Ok(lines)
}

/// What came of it.
struct Toll {
    held_failed: f64,
    cold_failed: f64,
    cold_failed_while_open: f64,
    /// At the servers, of those turned away at the door too, for each question that the edge could not answer itself.
    questions: f64,
    /// The longest, in seconds.
    recovered: f64,
    note: String,
}

fn one(toll: &Toll) -> Vec<Line> {
    let name = "the only upstream comes and goes each second";
    vec![
        Line::once(
            format!("{name}: held objects that failed"),
            "requests",
            toll.held_failed,
            Some(Bar::Exactly(0.0)),
        )
        .note(&toll.note),
        Line::once(
            format!("{name}: longest until others are answered again"),
            "s",
            toll.recovered,
            Some(Bar::AtMost(RECOVERS_S)),
        ),
        Line::once(
            format!("{name}: others that failed while it was there"),
            "requests",
            toll.cold_failed_while_open,
            Some(Bar::Exactly(0.0)),
        )
        .note(format!("{} failed while it was not", toll.cold_failed - toll.cold_failed_while_open)),
        Line::once(
            format!("{name}: questions for each object"),
            "questions",
            toll.questions,
            Some(Bar::AtMost(QUESTIONS)),
        ),
    ]
}

fn two(toll: &Toll) -> Vec<Line> {
    let name = "one of two upstreams comes and goes each second";
    vec![
        Line::once(
            format!("{name}: requests that failed"),
            "requests",
            toll.held_failed + toll.cold_failed,
            Some(Bar::Exactly(0.0)),
        )
        .note(&toll.note),
        Line::once(
            format!("{name}: questions for each object"),
            "questions",
            toll.questions,
            Some(Bar::AtMost(QUESTIONS)),
        ),
    ]
}

fn flap(options: &Options, workplace: &Workplace, another: bool) -> Result<Toll> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let upstream = Upstream::start()?;
    let home = Home::new(options, workplace)?;
    let door = runtime.block_on(Door::before(upstream.address()));
    let config = home.path("edge.toml");
    std::fs::write(&config, group(door.address, another.then(|| upstream.address())))?;
    let mut command = home.command();
    command.arg("--config").arg(&config);
    // The door is kept while the runtime runs.
    let _guard = runtime.enter();
    let edge = home.start(command)?;
    runtime.block_on(HELD.load(&edge.target()))?;
    let before = upstream.requests();

    let held = Watch::start(edge.target(), RATE, |number| HELD.object(number % HELD.count))?;
    let cold =
        Watch::start(edge.target(), RATE, |number| Question::whole(LENGTH, &format!("cold-{number}.m4s")))?;
    let mut openings = Vec::new();
    runtime
        .block_on(async {
            for second in 0..options.pick(SECONDS.0, SECONDS.1) {
                let open = second % 2 == 1;
                door.set_open(open);
                let began = clock::now();
                tokio::time::sleep(EACH).await;
                if open {
                    openings.push((began, clock::now()));
                }
            }
            // What is on its way arrives.
            tokio::task::spawn_blocking(move || anyhow::Ok((held.end()?, cold.end()?))).await?
        })
        .map(|(held, cold)| {
            let questions = (upstream.requests() - before) as f64 + f64::from(door.turned_away());
            Toll {
                held_failed: held.failed_unexpectedly() as f64,
                cold_failed: if another { cold.failed_unexpectedly() } else { cold.failed() } as f64,
                cold_failed_while_open: openings
                    .iter()
                    .map(|&(from, until)| cold.failed_within(from, until))
                    .sum::<usize>() as f64,
                questions: questions / cold.asked() as f64,
                recovered: openings
                    .iter()
                    .map(|&(from, until)| cold.seconds_to_recover(from, until))
                    .fold(0.0, f64::max),
                note: format!(
                    "{} requests for {} held objects and {} for new ones",
                    held.asked(),
                    HELD.count,
                    cold.asked()
                ),
            }
        })
}

fn group(door: SocketAddr, another: Option<SocketAddr>) -> String {
    let servers: Vec<_> =
        [door].into_iter().chain(another).map(|address| format!("\"http://{address}\"")).collect();
    format!("[[group]]\nname = \"all\"\ntiers = [[{}]]\n", servers.join(", "))
}
