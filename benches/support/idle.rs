//! Memory of connections that have asked once and now wait, against nginx.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Connection, SMALL, Target};
use crate::options::Options;
use crate::peers::{KINDS, Kind, Peer, Size};
use crate::statistics::Spread;
use crate::tls::Certificate;
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::task::JoinSet;

struct Case {
    what: &'static str,
    encrypted: bool,
    connections: usize,
    bar: Option<Bar>,
}

const CASES: [Case; 2] = [
    Case {
        what: "memory of 10,000 idle connections",
        encrypted: false,
        connections: 10_000,
        bar: Some(Bar::RatioAtMost(1.5)),
    },
    Case { what: "memory of 4,000 idle connections, TLS", encrypted: true, connections: 4_000, bar: None },
];

/// What each connection asks for before it is idle.
const PLAYLIST: usize = 8_000;
/// Connections opened at the same time: fewer than a listening socket's queue holds.
const AT_ONCE: usize = 250;
/// From the last answer to measuring. nginx gives its buffers back at once, the edge a second later.
const SETTLE: Duration = Duration::from_secs(3);
/// Connections that are asked again at the end, to see that they were idle and not gone.
const PROBES: usize = 100;
/// Opening, asking and settling together.
const LIMIT: Duration = Duration::from_secs(60);
const ROUNDS: (usize, usize) = (3, 1);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    CASES.iter().map(|case| measure_case(case, options, workplace).context(case.what)).collect()
}

fn measure_case(case: &Case, options: &Options, workplace: &Workplace) -> Result<Line> {
    let mut rounds: [Vec<f64>; 2] = Default::default();
    for number in 1..=options.pick(ROUNDS.0, ROUNDS.1) {
        for (kind, rounds) in KINDS.into_iter().zip(&mut rounds) {
            rounds.push(measure_round(case, options, workplace, kind)?);
        }
        let [ours, theirs] = [rounds[0][number - 1], rounds[1][number - 1]];
        eprintln!("bench: {}: round {number}: {ours:.0} against {theirs:.0} bytes each", case.what);
    }
    let spread = |rounds: &[f64]| Spread::of(rounds).context("there is a round");
    Ok(Line::ours(case.what, "bytes each", spread(&rounds[0])?, case.bar)
        .against("nginx", spread(&rounds[1])?)
        .note(
            "PSS of all processes over the same program at rest; nginx's slots for connections, taken at its start, are \
             in it, the kernel's sockets, equal for both, are not",
        ))
}

/// What the connections of a peer take over what the same program takes at rest. Both peers are fresh: memory that an
/// earlier round left behind would hide what this one takes.
fn measure_round(case: &Case, options: &Options, workplace: &Workplace, kind: Kind) -> Result<f64> {
    let upstream = Upstream::start()?;
    let certificate = Certificate::issue(workplace.path())?;
    let start = |size| kind.start(size, options, &upstream, &certificate, workplace.directory("peer-")?);
    let target = |peer: &Peer| {
        anyhow::Ok(Target {
            address: if case.encrypted { peer.tls } else { peer.plain },
            tls: case.encrypted.then(|| certificate.client()).transpose()?,
            path: upstream::path(PLAYLIST, "index.m3u8"),
            length: PLAYLIST,
        })
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let open = |peer: &Peer, count| {
        let opening = open(target(peer)?, count);
        runtime.block_on(async { tokio::time::timeout(LIMIT, opening).await.context("took too long")? })
    };
    let at_rest = {
        let peer = start(Size::Least)?;
        // The object is in the cache, and pages that any use touches are touched.
        drop(open(&peer, AT_ONCE)?);
        clock::pause(SETTLE);
        peer.memory()?
    };
    let peer = start(Size::Full)?;
    let mut connections = open(&peer, case.connections)?;
    clock::pause(SETTLE);
    let with_connections = peer.memory()?;
    let target = target(&peer)?;
    runtime.block_on(async {
        for connection in connections.iter_mut().step_by(case.connections / PROBES) {
            connection.ask_and_compare(&target).await.context("an idle connection was not kept")?;
        }
        anyhow::Ok(())
    })?;
    Ok((with_connections as f64 - at_rest as f64) / case.connections as f64)
}

/// Opens `count` connections, each of which asks once.
async fn open(target: Target, count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    let mut opening = JoinSet::new();
    let mut begun = 0;
    while connections.len() < count {
        while begun < count && opening.len() < AT_ONCE {
            let target = target.clone();
            opening.spawn(async move {
                let mut connection = Connection::open(&target, SMALL).await?;
                connection.ask_and_compare(&target).await?;
                anyhow::Ok(connection)
            });
            begun += 1;
        }
        let opened = opening.join_next().await.context("one is being opened")?;
        connections.push(opened.context("a connection's task panicked")??);
    }
    Ok(connections)
}
