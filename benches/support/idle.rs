//! Memory of connections that have asked once and now wait, against the peers.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Connection, Question, SMALL, Target, Way};
use crate::options::Options;
use crate::peers::{self, CONNECTIONS, Kind, Peer, Setup};
use crate::tls::Certificate;
use crate::turns::Turns;
use crate::upstream::Upstream;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::task::JoinSet;

struct Case {
    what: &'static str,
    way: Way,
    /// Of nginx's figure, at most.
    of_nginx: f64,
}

const CASES: [Case; 2] = [
    Case { what: "memory of 15,000 idle connections", way: Way::Plain, of_nginx: 1.5 },
    Case { what: "memory of 15,000 idle connections, TLS", way: Way::Tls, of_nginx: 1.0 },
];

/// What each connection asks for before it is idle.
const PLAYLIST: usize = 8_000;
/// Connections opened at the same time: fewer than a listening socket's queue holds.
const AT_ONCE: usize = 250;
/// From the last answer to measuring. nginx gives its buffers back at once, the edge a second later.
const SETTLE: Duration = Duration::from_secs(3);
/// Connections that are asked again at the end, to see that they were idle and not gone.
const PROBES: usize = 100;
/// Opening and asking together: nobody's idle time-out, or the first would be gone when the last comes.
const LIMIT: Duration = Duration::from_secs(70);
const ROUNDS: (usize, usize) = (3, 1);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    CASES.iter().map(|case| measure_case(case, options, workplace).context(case.what)).collect()
}

fn measure_case(case: &Case, options: &Options, workplace: &Workplace) -> Result<Line> {
    let rounds = options.pick(ROUNDS.0, ROUNDS.1);
    let turns = Turns::take(case.way.is_encrypted(), rounds, |kind| {
        let each = measure_round(case, options, workplace, kind)?;
        eprintln!("bench: {}: {} {each:.0} bytes each", case.what, kind.name());
        Ok(each)
    })?;
    let bar = |kind| {
        Some(match kind {
            Kind::Nginx => Bar::RatioAtMost(case.of_nginx),
            _ => Bar::RatioBelow(1.0),
        })
    };
    Ok(turns.line(case.what, "bytes each", |each| *each, bar)?.note(
        "PSS of all processes over the same program at rest; nginx's slots for connections, taken at its start, are in \
         it, the kernel's sockets, equal for all, are not",
    ))
}

/// What the connections of a peer take over what the same program takes at rest. Both peers are fresh: memory that an
/// earlier round left behind would hide what this one takes.
fn measure_round(case: &Case, options: &Options, workplace: &Workplace, kind: Kind) -> Result<f64> {
    let upstream = Upstream::start()?;
    let certificate = Certificate::issue(workplace.path())?;
    let start = |setup| kind.start(setup, options, &upstream, &certificate, workplace.directory("peer-")?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let question = Question::whole(PLAYLIST, "index.m3u8");
    let open = |peer: &Peer, count| {
        let opening = open(peers::target(case.way, peer, &certificate)?, &question, count);
        runtime.block_on(async { tokio::time::timeout(LIMIT, opening).await.context("took too long")? })
    };
    let at_rest = {
        let peer = start(Setup::Least)?;
        // The object is in the cache, and pages that any use touches are touched.
        drop(open(&peer, AT_ONCE)?);
        clock::pause(SETTLE);
        peer.memory()?
    };
    let peer = start(Setup::Full)?;
    let mut connections = open(&peer, CONNECTIONS)?;
    clock::pause(SETTLE);
    let with_connections = peer.memory()?;
    runtime.block_on(async {
        for connection in connections.iter_mut().step_by(CONNECTIONS / PROBES) {
            connection.ask_and_compare(&question).await.context("an idle connection was not kept")?;
        }
        anyhow::Ok(())
    })?;
    Ok((with_connections as f64 - at_rest as f64) / CONNECTIONS as f64)
}

/// Opens `count` connections, each of which asks once.
async fn open(target: Target, question: &Question, count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    let mut opening = JoinSet::new();
    let mut begun = 0;
    while connections.len() < count {
        while begun < count && opening.len() < AT_ONCE {
            let (target, question) = (target.clone(), question.clone());
            opening.spawn(async move {
                let mut connection = Connection::open(&target, SMALL).await?;
                connection.ask_and_compare(&question).await?;
                anyhow::Ok(connection)
            });
            begun += 1;
        }
        let opened = opening.join_next().await.context("one is being opened")?;
        connections.push(opened.context("a connection's task panicked")??);
    }
    Ok(connections)
}
