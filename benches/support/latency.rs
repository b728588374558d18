//! The time to the last byte at a steady rate of requests, against the peers.
//!
//! Askers that ask again as soon as they are answered ask a slow server less often. Here everybody is asked at the same
//! instants, whether answers come in time or not, and a question that had to wait for the answer before it is measured
//! from when it was due.

use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::load::{Amount, Load, Question, Way};
use crate::options::Options;
use crate::peers::{Field, Kind, Peer, Setup};
use crate::turns::{Turns, median};
use anyhow::{Context, Result, ensure};
use std::sync::Arc;

struct Case {
    what: &'static str,
    way: Way,
    length: usize,
    /// Requests a second: about half of what the slowest peer can do on two cores that it shares with us.
    rate: u32,
}

const CASES: [Case; 2] = [
    Case { what: "200 kB segments at 2,000/s", way: Way::Plain, length: 200_000, rate: 2_000 },
    Case { what: "200 kB segments at 1,500/s, TLS", way: Way::Tls, length: 200_000, rate: 1_500 },
];

const ASKERS: usize = 256;
/// How long a round asks, in seconds: for a p99 of many questions.
const SECONDS: (u64, u64) = (5, 3);
/// Many: a tenth of a millisecond is much here, and little for what else the machine does.
const ROUNDS: (usize, usize) = (9, 3);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let field = Field::start(Setup::Full, options, workplace)?;
    CASES.iter().map(|case| measure_case(case, options, &field).context(case.what)).collect()
}

/// In ms.
struct Round {
    p50: f64,
    p99: f64,
}

fn measure_case(case: &Case, options: &Options, field: &Field) -> Result<Line> {
    let questions: Arc<[Question]> = Arc::new([Question::whole(case.length, "00001.m4s")]);
    field.warm(&questions)?;
    let rounds = options.pick(ROUNDS.0, ROUNDS.1);
    let turns = Turns::take(case.way.is_encrypted(), rounds, |kind| {
        let round = measure_round(case, &questions, options, field, field.peer(kind)?)?;
        eprintln!("bench: {}: {} p50 {:.2}, p99 {:.2} ms", case.what, kind.name(), round.p50, round.p99);
        Ok(round)
    })?;
    let line = turns.line(case.what, "ms, p99", |round| round.p99, bar)?;
    let medians = turns.words(|rounds| format!("{:.2}", median(rounds, |round| round.p50)));
    Ok(line.note(format!("{ASKERS} connections; p50 in ms: {medians}")))
}

/// No worse than nginx, better than the others.
fn bar(kind: Kind) -> Option<Bar> {
    Some(if kind == Kind::Nginx { Bar::RatioAtMost(1.0) } else { Bar::RatioBelow(1.0) })
}

fn measure_round(
    case: &Case,
    questions: &Arc<[Question]>,
    options: &Options,
    field: &Field,
    peer: &Peer,
) -> Result<Round> {
    let requests = u64::from(case.rate) * options.pick(SECONDS.0, SECONDS.1);
    let amount = Amount { askers: ASKERS, requests, rate: Some(case.rate) };
    let load = Load::open(&field.target(case.way, peer)?, questions, amount)?;
    let asked_before = field.upstream.requests();
    let loaded = load.run()?;
    let asked = field.upstream.requests() - asked_before;
    ensure!(asked == 0, "{asked} requests reached the origin; what is measured must come from the cache");
    let milliseconds = |percent| loaded.latency(percent).as_secs_f64() * 1e3;
    Ok(Round { p50: milliseconds(50.0), p99: milliseconds(99.0) })
}
