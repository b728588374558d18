//! The queue in NATS JetStream, shared by machines.
//!
//! A bucket holds what is known of each job, and is changed by compare-and-swap. A work-queue stream holds *tickets*:
//! a message for each job that waits or runs, pulled by all workers through one durable consumer. A ticket is the right
//! to run one job, whichever is first in order when it is pulled; that is how the soonest airing and what was raised
//! can go first, which the order of a stream, or of one for each priority, cannot say. As long as a worker holds its
//! ticket it has its job: the consumer's acknowledgement wait is the lease, by the server's clock alone; beats are
//! `+WPI`, a back-off is a delayed `-NAK`, the end is `+ACK`.
//!
//! | what happens | what is left | what mends it |
//! |---|---|---|
//! | a worker dies | a ticket without a holder | it is delivered again; who gets it finds the job that was bound to it |
//! | dies between job and ticket (adding) | a job without a ticket | workers count now and then ([`mend`]), and add what is missing |
//! | dies between job and ticket (ending) | a ticket too many | who pulls it finds nothing to do and acknowledges it |
//! | dies between what was done and job | a job that is known as done | its ticket comes again, and the lesson takes no work |
//! | the stream of tickets is emptied | a job that runs for ever | it counts as lost after some leases ([`mend`]) |
//! | a worker is cut off and goes on | two at one job | the first to note its end wins; the other is told it lost its lease |
//!
//! Jobs are read, in a [`mirror`], up to the bucket's present end before anything is decided, so that a ticket is never
//! taken for one too many because its job has not arrived yet.

mod mend;
mod mirror;
mod server;

use crate::clock::{Clock, Deadline};
use crate::entry::{Ended, Ending, Entry, LeaseLost};
use crate::error::QueueError;
use crate::job::{Job, JobKey};
use crate::order::{self, Pick};
use crate::policy::Policy;
use crate::{Added, Change, Claim, Hold, MAX_JOBS, Queue, Repeat};
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt;
use mend::Mended;
use mirror::Mirror;
use server::{Address, Server};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Mutex, OnceCell};

/// How often a change is tried anew because somebody else was quicker.
const ROUNDS: usize = 64;
/// The shortest pull: a server answers "nothing there" within it.
const SHORTEST_PULL: Duration = Duration::from_millis(50);

/// A queue on a server.
pub struct Nats {
    runtime: Runtime,
    server: Server,
    workers: OnceCell<PullConsumer>,
    mirror: Mutex<Mirror>,
    mended: Mended,
    policy: Policy,
    clock: Arc<dyn Clock>,
}

impl Nats {
    /// Connects, and makes the queue's parts when they are not there.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn open(address: &str, policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let address = Address::parse(address)?;
        let runtime = runtime()?;
        let server = runtime.block_on(Server::open(address))?;
        let (workers, mirror, mended) = (OnceCell::new(), Mutex::default(), Mended::at(clock.now()));
        Ok(Self { runtime, server, workers, mirror, mended, policy, clock })
    }

    /// Whether somebody has made the queue: none is made for the question.
    ///
    /// # Errors
    /// [`QueueError::Missing`], or when the server cannot be asked.
    pub fn look(address: &str) -> Result<(), QueueError> {
        let address = Address::parse(address)?;
        runtime()?.block_on(server::look(&address))
    }

    /// Waits for an answer, also where a runtime of the caller's is at work on this thread: a worker asks between two steps of an upload,
    /// and no runtime lets another one wait within it.
    fn wait<F>(&self, answer: F) -> F::Output
    where
        F: Future<Output: Send> + Send,
    {
        if Handle::try_current().is_err() {
            return self.runtime.block_on(answer);
        }
        let waited = std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(answer)).join());
        waited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Changes one job: reads what there is, lets `change` decide, writes, and starts anew when somebody was quicker.
    async fn change<T>(
        &self,
        key: &JobKey,
        mut change: impl FnMut(Option<Entry>, &Mirror) -> Step<T>,
    ) -> Result<T, QueueError> {
        let mut mirror = self.mirror.lock().await;
        for _ in 0..ROUNDS {
            self.server.catch_up(&mut mirror).await?;
            let (written, result) = match change(mirror.job(key).cloned(), &mirror) {
                Step::Leave(result) => (true, result),
                Step::Write(entry, result) => (self.server.write(&mut mirror, &entry).await?, result),
                Step::TakeOut(result) => (self.server.take_out(&mirror, key).await?, result),
            };
            if written {
                return Ok(result);
            }
        }
        Err(QueueError::Contended)
    }

    async fn add_one(&self, job: &Job, repeat: Repeat) -> Result<Added, QueueError> {
        let key = job.key();
        if repeat == Repeat::Unwanted && self.server.was_done(&key).await? {
            return Ok(Added::Done);
        }
        let now = self.clock.now();
        let added = self
            .change(&key, |there, mirror| match there {
                Some(mut entry) => match entry.add_again(job) {
                    Added::Raised => Step::Write(Box::new(entry), Ok(Added::Raised)),
                    added => Step::Leave(Ok(added)),
                },
                None if mirror.count() >= MAX_JOBS => Step::Leave(Err(QueueError::Full(MAX_JOBS))),
                // The bucket's own count orders by arrival, whoever adds.
                None => {
                    Step::Write(Box::new(Entry::new(job.clone(), mirror.position + 1, now)), Ok(Added::New))
                }
            })
            .await??;
        if added == Added::New {
            self.server.ticket().await?;
        }
        Ok(added)
    }

    async fn claim_one(&self, worker: &str, wait: Duration) -> Result<Option<Claim>, QueueError> {
        let workers = self.workers.get_or_try_init(|| self.server.workers(self.policy.lease)).await?;
        let deadline = Deadline::after(wait);
        self.mend_if_due().await?;
        loop {
            let Some((number, ticket)) = self.pull(workers, deadline.left()).await? else {
                self.mend().await?;
                return Ok(None);
            };
            if let Some(claim) = self.use_ticket(worker, number, ticket).await? {
                return Ok(Some(claim));
            }
            // Nothing can run now, however many tickets there are: each would be put off, and the first of them come back.
            if deadline.left().is_zero() {
                return Ok(None);
            }
        }
    }

    /// The next ticket and its number.
    async fn pull(
        &self,
        workers: &PullConsumer,
        wait: Duration,
    ) -> Result<Option<(u64, String)>, QueueError> {
        const DOING: &str = "pull a ticket";
        let batch = workers.batch().max_messages(1).expires(wait.max(SHORTEST_PULL)).messages().await;
        let mut batch = batch.map_err(|error| self.server.fault(DOING, error))?;
        let Some(message) = batch.next().await else { return Ok(None) };
        let message = message.map_err(|error| self.server.fault(DOING, error))?;
        let number = message.info().map_err(|error| self.server.fault(DOING, error))?.stream_sequence;
        Ok(message.reply.as_ref().map(|reply| (number, reply.to_string())))
    }

    /// Takes the first job in order; `None` when this ticket is good for none now.
    async fn use_ticket(
        &self,
        worker: &str,
        number: u64,
        ticket: String,
    ) -> Result<Option<Claim>, QueueError> {
        let mut mirror = self.mirror.lock().await;
        for _ in 0..ROUNDS {
            self.server.catch_up(&mut mirror).await?;
            let now = self.clock.now();
            // It was somebody's lease, and they did not say that they were still at it.
            if let Some(mut lost) = mirror.bound_to(number).cloned() {
                lost.lapse(now, &self.policy);
                self.server.write(&mut mirror, &lost).await?;
                continue;
            }
            let answer = match mirror.pick(now) {
                Pick::Ready(mut entry) => {
                    entry.take(worker, Some(number), now, &self.policy);
                    if self.server.write(&mut mirror, &entry).await? {
                        return Ok(Some(Claim { entry: *entry, ticket: Some(ticket) }));
                    }
                    continue;
                }
                Pick::Later(wait) => AckKind::Nak(Some(wait)),
                Pick::Nothing => AckKind::Ack,
            };
            self.server.answer(&ticket, answer).await?;
            return Ok(None);
        }
        Err(QueueError::Contended)
    }

    async fn beat_one(&self, claim: &Claim) -> Result<Hold, QueueError> {
        let now = self.clock.now();
        let key = claim.entry.key();
        let beat = self.change(&key, |there, _| {
            let Some(mut entry) = there else { return Step::Leave(Hold::Lost) };
            match entry.beat(&claim.entry, now, &self.policy) {
                Ok(()) => Step::Write(Box::new(entry), Hold::Held),
                Err(LeaseLost) => Step::Leave(Hold::Lost),
            }
        });
        let hold = beat.await?;
        if let (Hold::Held, Some(ticket)) = (hold, &claim.ticket) {
            self.server.answer(ticket, AckKind::Progress).await?;
        }
        Ok(hold)
    }

    async fn end_one(&self, claim: &Claim, ending: Ending) -> Result<Result<Ended, LeaseLost>, QueueError> {
        let now = self.clock.now();
        let key = claim.entry.key();
        if ending == Ending::Done {
            // Who has lost it has nothing to say: it may run elsewhere, or have been taken out.
            let is_mine = self.change(&key, |there, _| {
                let ends =
                    |mut entry: Entry| entry.end(&claim.entry, Ending::Done, now, &self.policy).is_ok();
                Step::Leave(there.is_some_and(ends))
            });
            if !is_mine.await? {
                return Ok(Err(LeaseLost));
            }
            // Before it leaves the jobs, so that it is never in neither. The lesson is there in any case.
            let mut entry = claim.entry.clone();
            if entry.end(&claim.entry, Ending::Done, now, &self.policy).is_ok() {
                self.server.remember(&entry).await?;
            }
            self.take_out_outdated(&claim.entry).await?;
        }
        let end = self.change(&key, |there, _| {
            let Some(mut entry) = there else { return Step::Leave(Err(LeaseLost)) };
            match entry.end(&claim.entry, ending.clone(), now, &self.policy) {
                Ok(Ended::Done) => Step::TakeOut(Ok(Ended::Done)),
                Ok(ended) => Step::Write(Box::new(entry), Ok(ended)),
                Err(lost) => Step::Leave(Err(lost)),
            }
        });
        let ended = end.await?;
        // A lost lease is another's ticket: it is not ours to answer for.
        if let (Ok(ended), Some(ticket)) = (ended, &claim.ticket) {
            let answer = match ended {
                Ended::Done | Ended::SetAside => AckKind::Ack,
                Ended::GivenBack => AckKind::Nak(None),
                Ended::Later(then) => AckKind::Nak(Some(then.since(now))),
            };
            self.server.answer(ticket, answer).await?;
        }
        Ok(ended)
    }

    /// Their tickets are too many then, and end as such.
    async fn take_out_outdated(&self, done: &Entry) -> Result<(), QueueError> {
        let outdated: Vec<JobKey> = {
            let mut mirror = self.mirror.lock().await;
            self.server.catch_up(&mut mirror).await?;
            mirror.all().filter(|entry| entry.is_outdated_by(done)).map(Entry::key).collect()
        };
        for key in &outdated {
            let take_out = self.change(key, |there, _| match there {
                Some(entry) if entry.is_outdated_by(done) => Step::TakeOut(()),
                _ => Step::Leave(()),
            });
            take_out.await?;
        }
        Ok(())
    }

    async fn retry_one(&self, key: &JobKey) -> Result<Change, QueueError> {
        let retry = self.change(key, |there, _| {
            let Some(mut entry) = there else { return Step::Leave(Change::Unknown) };
            match entry.retry() {
                Change::Made => Step::Write(Box::new(entry), Change::Made),
                change => Step::Leave(change),
            }
        });
        let change = retry.await?;
        if change == Change::Made {
            // What was set aside had its ticket acknowledged; for what was delayed this is one too many.
            self.server.ticket().await?;
        }
        Ok(change)
    }

    async fn remove_one(&self, key: &JobKey) -> Result<Change, QueueError> {
        let remove = self.change(key, |there, _| match there.map(|entry| entry.may_remove()) {
            None => Step::Leave(Change::Unknown),
            Some(Change::Made) => Step::TakeOut(Change::Made),
            Some(change) => Step::Leave(change),
        });
        remove.await
    }
}

/// What a change of one job comes to.
enum Step<T> {
    Leave(T),
    Write(Box<Entry>, T),
    TakeOut(T),
}

impl Queue for Nats {
    fn add(&self, jobs: &[Job], repeat: Repeat) -> Result<Vec<Added>, QueueError> {
        self.wait(async {
            let mut added = Vec::with_capacity(jobs.len());
            for job in jobs {
                added.push(self.add_one(job, repeat).await?);
            }
            Ok(added)
        })
    }

    fn claim(&self, worker: &str, wait: Duration) -> Result<Option<Claim>, QueueError> {
        self.wait(self.claim_one(worker, wait))
    }

    fn beat(&self, claim: &Claim) -> Result<Hold, QueueError> {
        self.wait(self.beat_one(claim))
    }

    fn end(&self, claim: &Claim, ending: Ending) -> Result<Result<Ended, LeaseLost>, QueueError> {
        self.wait(self.end_one(claim, ending))
    }

    fn list(&self) -> Result<Vec<Entry>, QueueError> {
        self.wait(async {
            let mut mirror = self.mirror.lock().await;
            self.server.catch_up(&mut mirror).await?;
            let mut entries: Vec<Entry> = mirror.all().cloned().collect();
            order::sort(&mut entries);
            Ok(entries)
        })
    }

    fn done(&self) -> Result<Vec<Entry>, QueueError> {
        self.wait(async {
            let mut entries = self.server.all_done().await?;
            order::sort(&mut entries);
            Ok(entries)
        })
    }

    fn retry(&self, key: &JobKey) -> Result<Change, QueueError> {
        self.wait(self.retry_one(key))
    }

    fn remove(&self, key: &JobKey) -> Result<Change, QueueError> {
        self.wait(self.remove_one(key))
    }
}

fn runtime() -> Result<Runtime, QueueError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("nats")
        .enable_all()
        .build()
        .map_err(QueueError::System)
}
