//! Server CPU a gigabyte and a request, against nginx.

use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::load::{Amount, Load, Target};
use crate::options::Options;
use crate::peers::{KINDS, Kind, Peer, Size};
use crate::statistics::Spread;
use crate::tls::{self, Certificate};
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result, ensure};
use rustls::ClientConfig;
use std::sync::Arc;

/// A segment of the highest rung.
const LARGE: usize = 1_100_000;
/// A segment of a middle one.
const MIDDLE: usize = 200_000;
/// A playlist of 250 segments, or a few of them gzipped.
const PLAYLIST: usize = 8_000;

/// One row of the result.
struct Case {
    what: &'static str,
    length: usize,
    encrypted: bool,
    /// A round's requests in the full run; a quick look takes a quarter.
    requests: u64,
    per: Per,
    bar: Option<Bar>,
}

/// What the CPU time is divided by.
#[derive(Clone, Copy)]
enum Per {
    Gigabyte,
    Request,
}

impl Per {
    const fn unit(self) -> &'static str {
        match self {
            Self::Gigabyte => "CPU s/GB",
            Self::Request => "CPU µs/request",
        }
    }
}

/// Connections at once: a few requests wait at any moment, as on a busy node.
const CONNECTIONS: usize = 64;

const CASES: [Case; 6] = [
    Case {
        what: "1.1 MB segments",
        length: LARGE,
        encrypted: false,
        requests: 4_000,
        per: Per::Gigabyte,
        bar: Some(Bar::RatioAtMost(0.9)),
    },
    Case {
        what: "200 kB segments",
        length: MIDDLE,
        encrypted: false,
        requests: 20_000,
        per: Per::Gigabyte,
        bar: Some(Bar::RatioAtMost(0.9)),
    },
    Case {
        what: "1.1 MB segments, TLS",
        length: LARGE,
        encrypted: true,
        requests: 2_000,
        per: Per::Gigabyte,
        bar: Some(Bar::RatioAtMost(0.6)),
    },
    Case {
        what: "200 kB segments, TLS",
        length: MIDDLE,
        encrypted: true,
        requests: 10_000,
        per: Per::Gigabyte,
        bar: Some(Bar::RatioAtMost(0.6)),
    },
    Case {
        what: "8 kB playlists",
        length: PLAYLIST,
        encrypted: false,
        requests: 120_000,
        per: Per::Request,
        bar: Some(Bar::RatioAtMost(0.8)),
    },
    Case {
        what: "8 kB playlists, TLS",
        length: PLAYLIST,
        encrypted: true,
        requests: 80_000,
        per: Per::Request,
        bar: None,
    },
];

/// Rounds, each peer by turns. An odd number, so that the median is a measurement.
const ROUNDS: (usize, usize) = (5, 3);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let certificate = Certificate::issue(workplace.path())?;
    let client = certificate.client()?;
    let start =
        |kind: Kind| kind.start(Size::Full, options, &upstream, &certificate, workplace.directory("peer-")?);
    let peers = [start(KINDS[0])?, start(KINDS[1])?];
    CASES.iter().map(|case| measure_case(case, options, &upstream, &client, &peers)).collect()
}

fn measure_case(
    case: &Case,
    options: &Options,
    upstream: &Upstream,
    client: &Arc<ClientConfig>,
    peers: &[Peer; 2],
) -> Result<Line> {
    let mut rounds: [Vec<Round>; 2] = Default::default();
    for number in 1..=options.pick(ROUNDS.0, ROUNDS.1) {
        for (peer, rounds) in peers.iter().zip(&mut rounds) {
            let round = measure_round(case, options, upstream, client, peer)
                .with_context(|| format!("{}, round {number}", case.what))?;
            rounds.push(round);
        }
        let [ours, theirs] = [&rounds[0][number - 1], &rounds[1][number - 1]];
        eprintln!(
            "bench: {}: round {number}: {:.3} against {:.3} {}",
            case.what,
            ours.cost,
            theirs.cost,
            case.per.unit()
        );
    }
    let spread = |rounds: &[Round], of: fn(&Round) -> f64| {
        Spread::of(&rounds.iter().map(of).collect::<Vec<_>>()).context("there is a round")
    };
    let latency = |rounds| -> Result<String> {
        Ok(format!(
            "{:.2}/{:.2} ms, {:.0} MB/s",
            spread(rounds, |round| round.p50_ms)?.median,
            spread(rounds, |round| round.p99_ms)?.median,
            spread(rounds, |round| round.megabytes_per_s)?.median,
        ))
    };
    let mut note = format!("latency p50/p99: ours {}; nginx {}", latency(&rounds[0])?, latency(&rounds[1])?);
    if case.encrypted {
        note.push_str(&format!("; {}", tls::SUITE));
    }
    Ok(Line::ours(case.what, case.per.unit(), spread(&rounds[0], |round| round.cost)?, case.bar)
        .against("nginx", spread(&rounds[1], |round| round.cost)?)
        .note(note))
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
    options: &Options,
    upstream: &Upstream,
    client: &Arc<ClientConfig>,
    peer: &Peer,
) -> Result<Round> {
    let target = Target {
        address: if case.encrypted { peer.tls } else { peer.plain },
        tls: case.encrypted.then(|| Arc::clone(client)),
        path: upstream::path(case.length, if case.length == PLAYLIST { "index.m3u8" } else { "00001.m4s" }),
        length: case.length,
    };
    let requests = options.pick(case.requests, case.requests / 4);
    // Opened, compared and warm before the clock starts: handshakes and the fill are not what is measured here.
    let load = Load::open(&target, Amount { connections: CONNECTIONS, requests })?;
    let (asked_before, cpu_before, began) = (upstream.requests(), peer.cpu()?, crate::clock::now());
    let loaded = load.run()?;
    let (wall, cpu) = (began.elapsed(), peer.cpu()?.saturating_sub(cpu_before));
    let asked = upstream.requests() - asked_before;
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
