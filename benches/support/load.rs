//! Our own load: a fixed number of connections that ask again as soon as they have been answered, for a bounded number
//! of requests and time.
//!
//! It costs little CPU, because client and server share the machine's cores: bodies of plain connections are thrown
//! away by the kernel (MSG_TRUNC), encrypted ones are read in large pieces.

mod connection;
mod head;

pub(crate) use connection::{Connection, SMALL};
pub(crate) use head::Head;

use crate::clock;
use crate::statistics::percentile;
use anyhow::{Context, Result, bail, ensure};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::task::JoinSet;

/// Whom to ask, for what.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Encrypted, if set.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) path: String,
    /// Bytes of the object.
    pub(crate) length: usize,
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) connections: usize,
    /// Over all connections.
    pub(crate) requests: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) requests: u64,
    /// Of bodies.
    pub(crate) bytes: u64,
    /// Of each request, sorted once all are there.
    latencies: Vec<Duration>,
}

impl Loaded {
    /// The time that `percent` of the requests did not exceed.
    pub(crate) fn latency(&self, percent: f64) -> Duration {
        percentile(&self.latencies, percent).unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.latencies.extend(other.latencies);
    }
}

/// Threads that ask. As many as the server has, or the client would be what is measured.
const THREADS: usize = 2;
/// Longest time for a load, opening included; beyond it the figure is not worth having.
const LIMIT: Duration = Duration::from_secs(90);

/// Connections that are open and warm, and wait for the word.
pub(crate) struct Load {
    threads: Vec<JoinHandle<Result<Loaded>>>,
    go: Arc<Barrier>,
}

impl Load {
    /// Opens the connections. Each asks once and compares every byte of the answer.
    pub(crate) fn open(target: &Target, amount: Amount) -> Result<Self> {
        let (ready, go) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
        let share = Amount {
            connections: amount.connections.div_ceil(THREADS),
            requests: amount.requests.div_ceil(THREADS as u64),
        };
        let threads = (0..THREADS)
            .map(|index| {
                let (target, ready, go) = (target.clone(), Arc::clone(&ready), Arc::clone(&go));
                std::thread::Builder::new()
                    .name(format!("load-{index}"))
                    .spawn(move || work(&target, share, &ready, &go))
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        ready.wait();
        Ok(Self { threads, go })
    }

    /// Asks, and waits for the last answer.
    pub(crate) fn run(self) -> Result<Loaded> {
        self.go.wait();
        let mut loaded = Loaded::default();
        let mut failure = None;
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(part)) => loaded.add(part),
                Ok(Err(error)) => failure = Some(error),
                Err(_) => bail!("a thread of the load panicked"),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => {
                loaded.latencies.sort_unstable();
                Ok(loaded)
            }
        }
    }
}

/// One thread. It meets both barriers whatever happens.
fn work(target: &Target, share: Amount, ready: &Barrier, go: &Barrier) -> Result<Loaded> {
    let opened = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let connections = runtime.block_on(within(open(target, share.connections)))?;
            Ok((runtime, connections))
        });
    ready.wait();
    go.wait();
    let (runtime, connections) = opened?;
    runtime.block_on(within(ask_all(connections, target, share.requests)))
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(LIMIT, work)
        .await
        .with_context(|| format!("the load did not end within {LIMIT:?}"))?
}

async fn open(target: &Target, count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = Connection::open(target, connection::LARGE).await?;
        connection.ask_and_compare(target).await?;
        connections.push(connection);
    }
    Ok(connections)
}

async fn ask_all(connections: Vec<Connection>, target: &Target, requests: u64) -> Result<Loaded> {
    let count = connections.len() as u64;
    let mut asking = JoinSet::new();
    for (index, mut connection) in connections.into_iter().enumerate() {
        // The first connections ask once more where the division leaves a rest.
        let share = requests / count + u64::from((index as u64) < requests % count);
        let target = target.clone();
        asking.spawn(async move {
            let mut loaded = Loaded::default();
            loaded.latencies.reserve_exact(usize::try_from(share)?);
            for _ in 0..share {
                let asked = clock::now();
                loaded.bytes += connection.ask_and_discard(&target).await?;
                loaded.latencies.push(asked.elapsed());
                loaded.requests += 1;
            }
            anyhow::Ok(loaded)
        });
    }
    let mut all = Loaded::default();
    while let Some(ended) = asking.join_next().await {
        all.add(ended.context("a connection's task panicked")??);
    }
    ensure!(all.requests == requests, "{} of {requests} requests were answered", all.requests);
    Ok(all)
}
