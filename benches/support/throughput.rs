//! Server CPU a gigabyte and a request, against the peers.

mod cases;

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Amount, Load, Question};
use crate::options::Options;
use crate::peers::{Field, Kind, Peer, Setup, airclass};
use crate::tls;
use crate::turns::{Turns, median};
use anyhow::{Context, Result, ensure};
use cases::{CASES, Case, DISK, Per};
use std::sync::Arc;

/// Askers at once: a few requests wait at any moment, as on a busy node.
const ASKERS: usize = 64;
/// Rounds, each peer by turns. An odd number, so that the median is a measurement; of five it was another by a tenth in the next run.
const ROUNDS: (usize, usize) = (9, 3);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let wanted: Vec<_> = CASES.iter().filter(|case| options.wants(case.what)).collect();
    let mut lines = Vec::new();
    if !wanted.is_empty() {
        let field = Field::start(Setup::Full, options, workplace)?;
        for case in wanted {
            lines.push(measure_case(case, options, &field)?);
        }
    }
    if !options.wants(DISK.what) {
        return Ok(lines);
    }
    if airclass::has_disk(options)? {
        let field = Field::start(Setup::Disk, options, workplace)?;
        lines.push(measure_case(&DISK, options, &field)?);
    } else {
        eprintln!("bench: this edge has no disk tier, so {} are not measured", DISK.what);
    }
    Ok(lines)
}

fn measure_case(case: &Case, options: &Options, field: &Field) -> Result<Line> {
    let questions = case.questions();
    field.warm(&questions).context(case.what)?;
    let rounds = options.pick(ROUNDS.0, ROUNDS.1);
    let turns = Turns::take(case.way.is_encrypted(), rounds, |kind| {
        let round = measure_round(case, &questions, options, field, field.peer(kind)?)?;
        eprintln!("bench: {}: {} {:.3} {}", case.what, kind.name(), round.cost, case.per.unit());
        Ok(round)
    });
    let turns = turns.context(case.what)?;
    let line = turns.line(case.what, case.per.unit(), |round| round.cost, |kind| bar(case, kind))?;
    let speeds = turns.words(|rounds| {
        let of = |figure: fn(&Round) -> f64| median(rounds, figure);
        let (p50, p99) = (of(|round| round.p50_ms), of(|round| round.p99_ms));
        format!("{p50:.2}/{p99:.2} ms, {:.0} MB/s", of(|round| round.megabytes_per_s))
    });
    let suite = if case.way.is_encrypted() { format!("; {}", tls::SUITE) } else { String::new() };
    Ok(line.note(format!("as fast as it goes, p50/p99: {speeds}{suite}")))
}

/// Below nginx by a margin of the case, below the others.
fn bar(case: &Case, kind: Kind) -> Option<Bar> {
    match kind {
        Kind::Airclass => None,
        Kind::Nginx => case.of_nginx.map(Bar::RatioAtMost),
        Kind::Varnish | Kind::TrafficServer => Some(Bar::RatioBelow(1.0)),
    }
}

struct Round {
    /// In the case's unit.
    cost: f64,
    p50_ms: f64,
    p99_ms: f64,
    megabytes_per_s: f64,
}

fn measure_round(
    case: &Case,
    questions: &Arc<[Question]>,
    options: &Options,
    field: &Field,
    peer: &Peer,
) -> Result<Round> {
    let target = field.target(case.way, peer)?;
    let requests = options.pick(case.requests, case.requests / 4);
    // Opened, compared and warm before the clock starts: handshakes and the fill are not what is measured here.
    let load = Load::open(&target, questions, Amount { askers: ASKERS, requests, rate: None })?;
    let (asked_before, cpu_before, began) = (field.upstream.requests(), peer.cpu()?, clock::now());
    let loaded = load.run()?;
    let (wall, cpu) = (began.elapsed(), peer.cpu()?.saturating_sub(cpu_before));
    let asked = field.upstream.requests() - asked_before;
    ensure!(asked == 0, "{asked} requests reached the origin; what is measured must come from the cache");
    let cost = match case.per {
        Per::Gigabyte => cpu.as_secs_f64() / (loaded.bytes as f64 / 1e9),
        Per::Request => cpu.as_secs_f64() * 1e6 / loaded.requests as f64,
    };
    let milliseconds = |percent| loaded.latency(percent).as_secs_f64() * 1e3;
    Ok(Round {
        cost,
        p50_ms: milliseconds(50.0),
        p99_ms: milliseconds(99.0),
        megabytes_per_s: loaded.bytes as f64 / 1e6 / wall.as_secs_f64(),
    })
}
