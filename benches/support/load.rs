//! Our own load: a fixed number of askers that ask again as soon as they have been answered, or at a steady rate, for a
//! bounded number of requests and time.
//!
//! It costs little CPU, because client and server share the machine's cores: bodies of plain connections are thrown
//! away by the kernel (MSG_TRUNC), encrypted ones are read in large pieces.

mod connection;
mod head;
mod http2;
mod question;

pub(crate) use connection::{Connection, SMALL, Verdict};
pub(crate) use head::Head;
pub(crate) use question::Question;

use crate::clock;
use crate::statistics::percentile;
use anyhow::{Context, Result, bail, ensure};
use http2::Streams;
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Whom to ask, and how.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Encrypted, if set.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Several askers on a connection instead of one.
    pub(crate) http2: bool,
}

/// How a peer is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// HTTP/1.1.
    Plain,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS.
    Http2,
}

impl Way {
    pub(crate) fn is_encrypted(self) -> bool {
        self != Self::Plain
    }
}

impl Target {
    /// In plain HTTP/1.1.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, http2: false }
    }
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) askers: usize,
    /// Over all askers.
    pub(crate) requests: u64,
    /// Requests a second over all askers; `None`: as soon as they are answered.
    pub(crate) rate: Option<u32>,
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

/// Askers that are connected and warm, and wait for the word.
pub(crate) struct Load {
    threads: Vec<JoinHandle<Result<Loaded>>>,
    go: Arc<Barrier>,
}

impl Load {
    /// Opens the connections. Each asker asks once and compares every byte of the answer.
    pub(crate) fn open(target: &Target, questions: &Arc<[Question]>, amount: Amount) -> Result<Self> {
        let (ready, go) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
        let threads = (0..THREADS)
            .map(|index| {
                let share = Share {
                    questions: Arc::clone(questions),
                    first: index,
                    askers: amount.askers.div_ceil(THREADS),
                    requests: amount.requests.div_ceil(THREADS as u64),
                    every: amount.rate.map(|rate| {
                        Duration::from_secs(1) * u32::try_from(amount.askers).unwrap_or(1) / rate
                    }),
                };
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

/// What one thread has to do.
struct Share {
    questions: Arc<[Question]>,
    /// Of the threads.
    first: usize,
    askers: usize,
    requests: u64,
    /// From one question of an asker to its next; `None`: as soon as it is answered.
    every: Option<Duration>,
}

/// One thread. It meets both barriers whatever happens.
fn work(target: &Target, share: Share, ready: &Barrier, go: &Barrier) -> Result<Loaded> {
    let opened = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let askers = runtime.block_on(within(open(target, &share)))?;
            Ok((runtime, askers))
        });
    ready.wait();
    go.wait();
    let (runtime, askers) = opened?;
    runtime.block_on(within(ask_all(askers, share)))
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(LIMIT, work)
        .await
        .with_context(|| format!("the load did not end within {LIMIT:?}"))?
}

/// One that asks, waits and asks again.
enum Asker {
    Http1(Connection),
    Http2(Streams),
}

impl Asker {
    async fn compare(&mut self, question: &Question) -> Result<()> {
        match self {
            Self::Http1(connection) => connection.ask_and_compare(question).await.map(drop),
            Self::Http2(streams) => streams.ask_and_compare(question).await,
        }
    }

    async fn discard(&mut self, question: &Question) -> Result<u64> {
        match self {
            Self::Http1(connection) => connection.ask_and_discard(question).await,
            Self::Http2(streams) => streams.ask_and_discard(question).await,
        }
    }
}

/// Askers on one HTTP/2 connection: a player asks for pictures, sound and playlists at a time.
const ASKERS_A_CONNECTION: usize = 4;

async fn open(target: &Target, share: &Share) -> Result<Vec<Asker>> {
    let mut askers = Vec::with_capacity(share.askers);
    let mut shared: Option<Streams> = None;
    for index in 0..share.askers {
        let mut asker = if target.http2 {
            if index % ASKERS_A_CONNECTION == 0 {
                shared = Some(Streams::open(target).await?);
            }
            Asker::Http2(shared.clone().context("the first opens it")?)
        } else {
            Asker::Http1(Connection::open(target, connection::LARGE).await?)
        };
        // All questions, over all askers, and each at least one.
        let own = share.questions.iter().skip(index % share.questions.len()).step_by(share.askers);
        for question in own {
            asker.compare(question).await?;
        }
        askers.push(asker);
    }
    Ok(askers)
}

async fn ask_all(askers: Vec<Asker>, share: Share) -> Result<Loaded> {
    let count = askers.len() as u64;
    let began = clock::now();
    let mut asking = JoinSet::new();
    for (index, mut asker) in askers.into_iter().enumerate() {
        // The first ask once more where the division leaves a rest.
        let requests = share.requests / count + u64::from((index as u64) < share.requests % count);
        let questions = Arc::clone(&share.questions);
        // Spread over the questions, and over the time between two of them.
        let first = questions.len() * index / share.askers;
        let at = index * THREADS + share.first;
        let every = share.every;
        let begins = every.map(|every| began + every.mul_f64(at as f64 / (share.askers * THREADS) as f64));
        asking.spawn(async move {
            let mut loaded = Loaded::default();
            loaded.latencies.reserve_exact(usize::try_from(requests)?);
            for number in 0..requests {
                let question = &questions[(first + number as usize) % questions.len()];
                let asked = match begins.zip(every) {
                    None => clock::now(),
                    Some((begins, every)) => due(begins + every * u32::try_from(number)?).await,
                };
                loaded.bytes += asker.discard(question).await?;
                loaded.latencies.push(asked.elapsed());
                loaded.requests += 1;
            }
            anyhow::Ok(loaded)
        });
    }
    let mut all = Loaded::default();
    while let Some(ended) = asking.join_next().await {
        all.add(ended.context("an asker's task panicked")??);
    }
    ensure!(all.requests == share.requests, "{} of {} requests were answered", all.requests, share.requests);
    Ok(all)
}

/// Waits until a question is due and gives the time its answer is measured from: when it is asked, or, where the answer
/// before it came too late, when it should have been. What a slow answer keeps from being asked counts as well.
async fn due(at: Instant) -> Instant {
    if clock::now() >= at {
        return at;
    }
    tokio::time::sleep_until(at.into()).await;
    // The timer's own lateness, up to a millisecond, is not the server's.
    clock::now()
}
