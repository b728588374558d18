//! What writing down every answer costs: one edge with an access log, one without, by turns.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Amount, Load, Question, Target};
use crate::options::Options;
use crate::peers::{Kind, Peer, Setup};
use crate::statistics::Spread;
use crate::tls::Certificate;
use crate::upstream::Upstream;
use anyhow::{Context, Result};
use std::sync::Arc;

/// A playlist's size: the smaller an answer, the more of it is the log.
const ANSWER: usize = 8_192;
const ASKERS: usize = 64;
/// Requests a second at which the log must not be felt.
const RATE: u32 = 20_000;
/// Of the throughput without a log so much may be lost.
const MAY_COST: f64 = 1.05;
/// The same at [`RATE`], where no throughput is lost: of all the machine's processors, in percent.
const MAY_TAKE: f64 = 5.0;
/// Rounds, the edges by turns.
const ROUNDS: (usize, usize) = (5, 3);
/// Requests of a round: five seconds and more.
const REQUESTS: (u64, u64) = (200_000, 60_000);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let certificate = Certificate::issue(workplace.path())?;
    let start =
        |setup| Kind::Airclass.start(setup, options, &upstream, &certificate, workplace.directory("peer-")?);
    let (logged, plain) = (start(Setup::Logged)?, start(Setup::Full)?);
    let questions: Arc<[Question]> = [Question::whole(ANSWER, "logged.m3u8")].into();
    let requests = options.pick(REQUESTS.0, REQUESTS.1);
    let (mut fast, mut steady) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 1..=options.pick(ROUNDS.0, ROUNDS.1) {
        for (at, peer) in [&logged, &plain].into_iter().enumerate() {
            let (wall, _) = ask(peer, &questions, requests, None)?;
            let (_, cpu) = ask(peer, &questions, requests / 2, Some(RATE))?;
            eprintln!(
                "bench: logging: round {round}, {}: {wall:.2} µs, {cpu:.2} CPU µs",
                ["log", "none"][at]
            );
            fast[at].push(wall);
            steady[at].push(cpu);
        }
    }
    let spread = |figures: &[f64]| Spread::of(figures).context("there is a round");
    let line = |what: &str, unit: &str, [with, without]: &[Vec<f64>; 2], bar| -> Result<Line> {
        Ok(Line::ours(what, unit, spread(with)?, None).against("no log", spread(without)?, bar))
    };
    let cores = std::thread::available_parallelism()?.get() as f64;
    let [with, without] = &steady;
    let takes = |(with, without): (&f64, &f64)| (with - without) * f64::from(RATE) / 1e6 / cores * 100.0;
    let taken: Vec<f64> = with.iter().zip(without).map(takes).collect();
    Ok(vec![
        Line::ours(
            "access log: what 20,000 lines a second take of the machine",
            "% of its CPU",
            spread(&taken)?,
            Some(Bar::AtMost(MAY_TAKE)),
        ),
        line(
            "access log: time a request, 8 KiB answers as fast as they go",
            "µs/request",
            &fast,
            Some(Bar::RatioAtMost(MAY_COST)),
        )?,
        line("access log: the same at 20,000 requests/s", "CPU µs/request", &steady, None)?
            .note("the lines' own CPU among it, in a thread of its own"),
    ])
}

/// Wall and CPU time a request, in microseconds.
fn ask(peer: &Peer, questions: &Arc<[Question]>, requests: u64, rate: Option<u32>) -> Result<(f64, f64)> {
    let load = Load::open(&Target::plain(peer.plain), questions, Amount { askers: ASKERS, requests, rate })?;
    let (cpu_before, began) = (peer.cpu()?, clock::now());
    let loaded = load.run()?;
    let (wall, cpu) = (began.elapsed(), peer.cpu()?.saturating_sub(cpu_before));
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / loaded.requests as f64;
    Ok((each(wall), each(cpu)))
}
