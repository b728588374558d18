//! A herd: thousands of requests for one object that the edge does not have yet.
//!
//! Everybody is connected before the first asks. The origin holds its answer back until all have asked and 200 ms have
//! gone by, so that none of them can be a late comer who finds the object in the cache. How long the answer then takes
//! to a client is told by the kernel's receive timestamps, and only some are watched, so that the clients take no CPU
//! from the edge while it works. All are read to the end and compared afterwards.

mod crowd;
mod floor;
mod rivals;
mod trouble;
mod watch;

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::peers::{Kind, Peer, Setup};
use crate::statistics::{Spread, percentile};
use crate::tls::Certificate;
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result, ensure};
use crowd::{Arrival, Crowd, End};
use rivals::Rivals;
use std::time::Duration;
use trouble::Trouble;

/// A segment of the highest rung, and one of a low one.
const OBJECTS: [(usize, &str); 2] = [(1_100_000, "1.1 MB"), (64_000, "64 kB")];
const HERDS: [usize; 3] = [100, 1_000, 10_000];
/// Rounds of each herd, of the largest fewer: it moves 11 GB.
const ROUNDS: (usize, usize) = (5, 2);
const ROUNDS_OF_LARGEST: (usize, usize) = (3, 1);

/// From the last question to the origin's answer.
const ORIGIN_TAKES: Duration = Duration::from_millis(200);
/// For the first question to reach the origin.
const REACH_WITHIN: Duration = Duration::from_secs(5);
/// What the issue asks for, from the leader's first byte to a follower's: the median, and the p99.
const FOLLOWER_MS: (f64, f64) = (5.0, 25.0);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let largest = HERDS[HERDS.len() - 1];
    let rivals = Rivals::measure(options, workplace, largest)?;
    let mut field = Field::start(Kind::Airclass, options, workplace)?;
    let mut lines = Vec::new();
    for (length, name) in OBJECTS {
        for count in HERDS {
            let herd =
                field.herd(options, count, length, name).with_context(|| format!("{count} for {name}"))?;
            lines.extend(if count == largest { rivals.stand_beside(herd, length) } else { herd });
        }
        for trouble in Trouble::ALL {
            let round = field
                .round(largest, length, trouble)
                .with_context(|| format!("{largest} for {name}, {}", trouble.name()))?;
            lines.extend(trouble.lines(&round, largest, name));
        }
    }
    lines.extend(floor::measure(&HERDS, options.pick(ROUNDS.0, ROUNDS.1))?);
    Ok(lines)
}

/// Where herds meet.
struct Field {
    upstream: Upstream,
    peer: Peer,
    /// Counts objects, so that each is cold.
    cold: u32,
}

/// One herd's answers, all compared byte by byte.
struct Round {
    at_origin: u64,
    /// Those whom another's question brought the answer, by the edge's own word.
    collapsed: usize,
    /// Clients that have the whole body.
    answered: usize,
    /// Clients that have a part of it, and know.
    broken_off: usize,
    /// From the leader's first byte to each follower's, in ms, sorted. A follower may come first. From the first of
    /// all where the leader has left.
    after_leader: Vec<f64>,
    /// From anybody's first byte to each client's, in ms, sorted.
    after_first: Vec<f64>,
}

impl Field {
    fn start(kind: Kind, options: &Options, workplace: &Workplace) -> Result<Self> {
        let upstream = Upstream::start()?;
        let certificate = Certificate::issue(workplace.path())?;
        let directory = workplace.directory("peer-")?;
        let peer = kind.start(Setup::Full, options, &upstream, &certificate, directory)?;
        Ok(Self { upstream, peer, cold: 0 })
    }

    /// Three lines: requests at the origin, and the followers' first byte by median and p99.
    fn herd(&mut self, options: &Options, count: usize, length: usize, name: &str) -> Result<Vec<Line>> {
        let largest = count == HERDS[HERDS.len() - 1];
        let rounds = if largest { ROUNDS_OF_LARGEST } else { ROUNDS };
        let rounds = (0..options.pick(rounds.0, rounds.1))
            .map(|_| self.round(count, length, Trouble::None))
            .collect::<Result<Vec<_>>>()?;
        let each = |of: &dyn Fn(&Round) -> f64| {
            Spread::of(&rounds.iter().map(of).collect::<Vec<_>>()).context("there is a round")
        };
        let least_collapsed = rounds.iter().map(|round| round.collapsed).min().unwrap_or_default();
        ensure!(
            least_collapsed + 1 == count,
            "only {least_collapsed} followers: the rest came too late to be any"
        );
        let note = format!(
            "p90 {:.2}; after the first byte of anybody: median {:.2}, p99 {:.2}",
            each(&|round| at(&round.after_leader, 90.0))?.median,
            each(&|round| at(&round.after_first, 50.0))?.median,
            each(&|round| at(&round.after_first, 99.0))?.median,
        );
        let what = |figure| format!("{count} for a cold {name}: {figure}");
        let follower = what("a follower's first byte after the leader's");
        Ok(vec![
            Line::ours(
                what("requests at the origin"),
                "requests",
                each(&|round| round.at_origin as f64)?,
                Some(Bar::Exactly(1.0)),
            ),
            Line::ours(
                &follower,
                "ms, median",
                each(&Round::follower_median)?,
                Some(Bar::AtMost(FOLLOWER_MS.0)),
            )
            .note(note),
            Line::ours(&follower, "ms, p99", each(&Round::follower_p99)?, Some(Bar::AtMost(FOLLOWER_MS.1))),
        ])
    }

    fn round(&mut self, count: usize, length: usize, trouble: Trouble) -> Result<Round> {
        self.cold += 1;
        let path = upstream::path(length, &format!("herd-{}.m4s", self.cold));
        let asked_before = self.upstream.requests();
        self.upstream.hold();
        self.upstream.answer(trouble.manner());
        let mut crowd = Crowd::open(self.peer.plain, count)?;
        crowd.ask(0..1, &path)?;
        let reached = clock::wait_until(REACH_WITHIN, || self.upstream.requests() > asked_before);
        ensure!(reached, "the first question did not reach the origin within {REACH_WITHIN:?}");
        crowd.ask(1..count, &path)?;
        clock::pause(ORIGIN_TAKES);
        if trouble == Trouble::FirstLeaves {
            crowd.leave(0);
        }
        let watch = crowd.watch()?;
        self.upstream.release();
        let first = watch.end()?;
        let crawls = (trouble == Trouble::FirstCrawls).then_some(0);
        let arrivals = crowd.take(&first, length, crawls, trouble == Trouble::BrokenOffForGood)?;
        let at_origin = self.upstream.requests() - asked_before;
        let round = Round::of(&arrivals, at_origin);
        eprintln!(
            "bench: {}: {count} for {length} bytes, {}: {at_origin} at the origin, {} answered, first byte \
             median {:.2} ms after the leader's, p99 {:.2}, median {:.2} after anybody's, p99 {:.2}",
            self.peer.kind.name(),
            trouble.name(),
            round.answered,
            round.follower_median(),
            round.follower_p99(),
            at(&round.after_first, 50.0),
            at(&round.after_first, 99.0),
        );
        Ok(round)
    }
}

impl Round {
    fn of(arrivals: &[Option<Arrival>], at_origin: u64) -> Self {
        let all = arrivals.iter().flatten();
        let leader = arrivals.first().and_then(Option::as_ref).and_then(|arrival| arrival.first_byte);
        let followers = || arrivals.iter().skip(1).flatten();
        let first = all.clone().filter_map(|arrival| arrival.first_byte).min().unwrap_or_default();
        let since = |from: Duration, arrival: &Arrival| {
            Some((arrival.first_byte?.as_secs_f64() - from.as_secs_f64()) * 1e3)
        };
        let sorted = |mut delays: Vec<f64>| {
            delays.sort_unstable_by(f64::total_cmp);
            delays
        };
        Self {
            at_origin,
            collapsed: followers().filter(|arrival| arrival.collapsed).count(),
            answered: all.clone().filter(|arrival| arrival.end == End::Whole).count(),
            broken_off: all.clone().filter(|arrival| arrival.end == End::BrokenOff).count(),
            after_leader: sorted(
                followers().filter_map(|arrival| since(leader.unwrap_or(first), arrival)).collect(),
            ),
            after_first: sorted(all.filter_map(|arrival| since(first, arrival)).collect()),
        }
    }

    fn follower_median(&self) -> f64 {
        at(&self.after_leader, 50.0)
    }

    fn follower_p99(&self) -> f64 {
        at(&self.after_leader, 99.0)
    }
}

/// Not a number where nobody was watched.
fn at(sorted: &[f64], percent: f64) -> f64 {
    percentile(sorted, percent).unwrap_or(f64::NAN)
}
