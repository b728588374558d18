//! The edge itself killed while it is asked and writes to its disk. What it says from there afterwards, before nobody who could
//! tell it better, is right in every byte.

use super::edge::{Edge, Home, NOBODY};
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Connection, Question, SMALL, Target, Verdict};
use crate::options::Options;
use crate::upstream::Upstream;
use anyhow::Result;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::kills::numbers;

const ROUNDS: (usize, usize) = (40, 6);
/// Objects, some of each length; a third of them are new in each round.
const OBJECTS: usize = 60;
const LENGTHS: [usize; 4] = [700, 60_000, 300_000, 700_000];
/// From one object's place in the payload to the next's: nothing that a block or a page begins with.
const APART: usize = 40_009;
const ASKERS: u64 = 4;
/// From the first question to the kill, in milliseconds.
const LIVES: std::ops::Range<u64> = 150..800;
const RAM: &str = "16MiB";
const ROOM: &str = "64MiB";

#[derive(Default)]
struct Toll {
    right: usize,
    wrong: usize,
    /// Not held, and said so.
    lacking: usize,
    /// Neither the bytes nor 504.
    other: usize,
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let home = Home::new(options, workplace)?;
    std::fs::create_dir(home.path("disk"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rounds = options.pick(ROUNDS.0, ROUNDS.1);
    let mut toll = Toll::default();
    for (round, dice) in numbers(69).take(rounds).enumerate() {
        let edge = start(&home, upstream.address())?;
        let life = LIVES.start + dice % (LIVES.end - LIVES.start);
        live(edge, round, Duration::from_millis(life))?;
        let edge = start(&home, NOBODY)?;
        runtime.block_on(toll.look(&edge.target(), round))?;
        edge.kill()?;
    }
    let name = format!("kill -9 of the edge under load, {rounds} times");
    let Toll { right, wrong, lacking, other } = toll;
    Ok(vec![
        Line::once(
            format!("{name}: answers with a wrong byte"),
            "answers",
            wrong as f64,
            Some(Bar::Exactly(0.0)),
        )
        .note(format!(
            "of {} from the disk after them, before nobody; {lacking} were not there, and said so",
            right + wrong
        )),
        Line::once(
            format!("{name}: neither the object nor 504"),
            "answers",
            other as f64,
            Some(Bar::Exactly(0.0)),
        ),
    ])
}

fn start(home: &Home, upstream: SocketAddr) -> Result<Edge<'_>> {
    home.start_with_disk(home.command(), upstream, &home.path("disk"), &["--ram", RAM, "--disk-size", ROOM])
}

/// Lets it be asked for a while, and kills it.
fn live(edge: Edge<'_>, round: usize, life: Duration) -> Result<()> {
    let (target, dead) = (edge.target(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for asker in 0..ASKERS {
            let (target, dead) = (&target, &dead);
            scope.spawn(move || ask_until_dead(target, dead, round, asker));
        }
        clock::pause(life);
        let killed = edge.kill();
        dead.store(true, Ordering::Relaxed);
        killed
    })
}

fn ask_until_dead(target: &Target, dead: &AtomicBool, round: usize, asker: u64) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        for number in numbers(round as u64 * ASKERS + asker) {
            if dead.load(Ordering::Relaxed) {
                return;
            }
            // What is cut off in the middle fails, as it must.
            if let Ok(mut connection) = Connection::open(target, SMALL).await {
                let _ = connection.judge(&question((number % OBJECTS as u64) as usize, round)).await;
            }
        }
    });
}

fn question(number: usize, round: usize) -> Question {
    let age = if number.is_multiple_of(3) { round } else { 0 };
    let place = (number * APART + age * 17) % 3_000_000;
    Question::whole_from(place, LENGTHS[number % LENGTHS.len()], &format!("killed-{number}-{age}.m4s"))
}

impl Toll {
    async fn look(&mut self, target: &Target, round: usize) -> Result<()> {
        for number in 0..OBJECTS {
            let mut connection = Connection::open(target, SMALL).await?;
            match connection.judge(&question(number, round)).await? {
                Verdict::Right(_) => self.right += 1,
                Verdict::Wrong(how) => {
                    eprintln!("bench: round {round}: {how}");
                    self.wrong += 1;
                }
                Verdict::Refused(head) if head.status == 504 => self.lacking += 1,
                Verdict::Refused(head) => {
                    eprintln!("bench: round {round}: {number} answered {}", head.status);
                    self.other += 1;
                }
            }
        }
        Ok(())
    }
}
