//! The queue's parts on a server: made when they are not there, read, and written by compare-and-swap.
//!
//! | part of queue `q` | kind | holds |
//! |---|---|---|
//! | `airclass-q-jobs` | key-value bucket | every job that is not done, under its key |
//! | `airclass-q-done` | key-value bucket | what was done, for [`DONE_KEPT`] |
//! | `airclass-q-tickets` | work-queue stream | a message for each job that waits or runs |

use super::mirror::Mirror;
use crate::clock::Moment;
use crate::entry::Entry;
use crate::error::QueueError;
use crate::job::JobKey;
use crate::{DONE_KEPT, MAX_JOBS};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::kv::{self, UpdateErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, AckKind, Context, ErrorCode};
use async_nats::{Client, ConnectOptions, ServerAddr};
use futures_util::StreamExt;
use package::Digest;
use std::error::Error;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long connecting may take, and any answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The durable consumer that all workers share.
const WORKERS: &str = "workers";
/// Tickets handed out and not acknowledged: jobs that run or are delayed.
const MAX_HANDED_OUT: i64 = 20_000;
/// Tickets there may be: some to spare beyond one for each job.
const MAX_TICKETS: i64 = 2 * MAX_JOBS as i64;
/// Entries read from a bucket at once.
const READ_AT_ONCE: usize = 500;
/// How often a bucket is read anew whose end was gone before it was reached.
const LOOKS: usize = 8;
/// A reader that gets nothing for so long has read what there is.
const QUIET: Duration = Duration::from_millis(500);
/// How long the server keeps the means of reading a bucket when the reader is gone.
const READER_KEPT: Duration = Duration::from_secs(30);
/// The part that holds all jobs: where it is, there is the queue.
const JOBS: &str = "jobs";
/// The longest queue name.
const MAX_NAME: usize = 32;
/// The queue's name when the address has none.
const DEFAULT_NAME: &str = "ingest";

/// `nats://user:password@host:4222,other:4222/name`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    servers: Vec<String>,
    name: String,
    /// For messages: without a password.
    pub(super) shown: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, QueueError> {
        let wrong = || QueueError::Address(text.split('@').next_back().unwrap_or(text).to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (hosts, name) = rest.split_once('/').unwrap_or((rest, ""));
        let name = if name.is_empty() { DEFAULT_NAME } else { name };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if hosts.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
            return Err(wrong());
        }
        let servers = hosts.split(',').map(|host| format!("{scheme}://{host}")).collect();
        let hosts: Vec<&str> =
            hosts.split(',').map(|host| host.rsplit_once('@').map_or(host, |(_, host)| host)).collect();
        let shown = format!("{scheme}://{}/{name}", hosts.join(","));
        Ok(Self { servers, name: name.to_owned(), shown })
    }

    async fn connect(&self) -> Result<Client, QueueError> {
        let servers: Vec<ServerAddr> = self
            .servers
            .iter()
            .map(|server| server.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| QueueError::Address(self.shown.clone()))?;
        let options = ConnectOptions::new()
            .name("airclass-ingest")
            .connection_timeout(ANSWER)
            .request_timeout(Some(ANSWER));
        options.connect(servers).await.map_err(|error| self.fault("connect", error.into()))
    }

    fn fault(&self, doing: &'static str, source: Box<dyn Error + Send + Sync>) -> QueueError {
        QueueError::Server { address: self.shown.clone(), doing, source }
    }

    /// The bucket that holds jobs, or what was done of them.
    fn bucket(&self, part: &str) -> String {
        format!("airclass-{}-{part}", self.name)
    }
}

/// Whether the queue's jobs have a place on the server.
pub(super) async fn look(address: &Address) -> Result<(), QueueError> {
    let context = jetstream::new(address.connect().await?);
    match context.get_stream(stream_of(&address.bucket(JOBS))).await {
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => Err(QueueError::Missing(address.shown.clone())),
        Err(error) => Err(address.fault("look for the queue", error.into())),
    }
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The stream under a bucket.
fn stream_of(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The parts.
pub(super) struct Server {
    address: Address,
    client: Client,
    context: Context,
    jobs: kv::Store,
    done: kv::Store,
    tickets: stream::Stream,
    subject: String,
}

impl Server {
    pub(super) async fn open(address: Address) -> Result<Self, QueueError> {
        let fail = |doing, source| address.fault(doing, source);
        let client = address.connect().await?;
        let context = jetstream::new(client.clone());
        let jobs = bucket(&context, address.bucket(JOBS), Duration::ZERO).await;
        let jobs = jobs.map_err(|error| fail("make the bucket of jobs", error))?;
        let done = bucket(&context, address.bucket("done"), DONE_KEPT).await;
        let done = done.map_err(|error| fail("make the bucket of what was done", error))?;
        let subject = format!("airclass.{}.ticket", address.name);
        let config = stream::Config {
            name: format!("airclass-{}-tickets", address.name),
            description: Some("one message for each job that waits or runs: its lease".to_owned()),
            subjects: vec![subject.clone()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: MAX_TICKETS,
            ..stream::Config::default()
        };
        let tickets = context.get_or_create_stream(config).await;
        let tickets = tickets.map_err(|error| fail("make the stream of tickets", error.into()))?;
        Ok(Self { address, client, context, jobs, done, tickets, subject })
    }

    pub(super) fn fault(
        &self,
        doing: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> QueueError {
        self.address.fault(doing, source.into())
    }

    /// What all workers pull from. The lease is the server's: an acknowledgement wait.
    pub(super) async fn workers(&self, lease: Duration) -> Result<PullConsumer, QueueError> {
        let config = pull::Config {
            durable_name: Some(WORKERS.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: lease,
            // Tries are counted in the entry, where a person can see them.
            max_deliver: -1,
            max_ack_pending: MAX_HANDED_OUT,
            ..pull::Config::default()
        };
        self.tickets
            .create_consumer(config)
            .await
            .map_err(|error| self.fault("make the workers' consumer", error))
    }

    /// One more ticket.
    pub(super) async fn ticket(&self) -> Result<(), QueueError> {
        let sent = self.context.publish(self.subject.clone(), "".into()).await;
        let sent = sent.map_err(|error| self.fault("add a ticket", error))?;
        sent.await.map(drop).map_err(|error| self.fault("add a ticket", error))
    }

    /// Answers for a ticket, and waits until the server has heard it.
    pub(super) async fn answer(&self, ticket: &str, answer: AckKind) -> Result<(), QueueError> {
        let heard = self.client.request(ticket.to_owned(), answer.into()).await;
        heard.map(drop).map_err(|error| self.fault("answer for a ticket", error))
    }

    /// How many tickets there are.
    pub(super) async fn count_tickets(&self) -> Result<usize, QueueError> {
        let info = self.tickets.get_info().await.map_err(|error| self.fault("count the tickets", error))?;
        Ok(usize::try_from(info.state.messages).unwrap_or(usize::MAX))
    }

    /// Brings `mirror` up to what the bucket holds now, so that whatever was written before is in it.
    pub(super) async fn catch_up(&self, mirror: &mut Mirror) -> Result<(), QueueError> {
        for _ in 0..LOOKS {
            let info = self.jobs.stream.get_info().await;
            let last = info.map_err(|error| self.fault("look at the jobs", error))?.state.last_sequence;
            if last < mirror.position {
                // Somebody made the bucket anew.
                *mirror = Mirror::default();
            }
            if last > mirror.position {
                let span = mirror.position + 1..=last;
                let read =
                    self.read(&self.jobs, span, |key, revision, entry| mirror.apply(key, revision, entry));
                let reached = read.await?;
                mirror.position = reached.max(mirror.position);
            }
            if mirror.position >= last {
                return Ok(());
            }
        }
        Err(QueueError::Contended)
    }

    /// Writes `entry` in place of what `mirror` knows under its key; false when somebody else has written since.
    pub(super) async fn write(&self, mirror: &mut Mirror, entry: &Entry) -> Result<bool, QueueError> {
        let key = entry.key();
        let written = self.jobs.update(key.to_string(), entry.to_bytes().into(), mirror.revision(&key)).await;
        match written {
            Ok(revision) => {
                mirror.apply(key, revision, Ok(entry.clone()));
                mirror.wrote(revision);
                Ok(true)
            }
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                mirror.doubt(&key);
                Ok(false)
            }
            Err(error) => Err(self.fault("write a job", error)),
        }
    }

    /// Takes out what `mirror` knows under `key`; false when somebody else has written since.
    pub(super) async fn take_out(&self, mirror: &Mirror, key: &JobKey) -> Result<bool, QueueError> {
        match self.jobs.delete_expect_revision(key.to_string(), Some(mirror.revision(key))).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Err(error) => Err(self.fault("take out a job", error)),
        }
    }

    /// Remembers that a job was done.
    pub(super) async fn remember(&self, entry: &Entry) -> Result<(), QueueError> {
        let put = self.done.put(entry.key().to_string(), entry.to_bytes().into()).await;
        put.map(drop).map_err(|error| self.fault("note a job as done", error))
    }

    /// Whether a job was done.
    pub(super) async fn was_done(&self, key: &JobKey) -> Result<bool, QueueError> {
        let got = self.done.get(key.to_string()).await;
        got.map(|value| value.is_some()).map_err(|error| self.fault("look for a job", error))
    }

    /// Everything that was done.
    pub(super) async fn all_done(&self) -> Result<Vec<Entry>, QueueError> {
        let info = self.done.stream.get_info().await;
        let last = info.map_err(|error| self.fault("look at what was done", error))?.state.last_sequence;
        let mut entries = Vec::new();
        self.read(&self.done, 1..=last, |_, _, entry| entries.extend(entry.ok())).await?;
        Ok(entries)
    }

    /// Forgets the marker of a job that was gone at `revision`; what came after stays.
    pub(super) async fn sweep(&self, key: &JobKey, revision: u64) -> Result<(), QueueError> {
        let subject = format!("{}{key}", self.jobs.prefix);
        let purged = self.jobs.stream.purge().filter(subject).sequence(revision + 1).await;
        purged.map(drop).map_err(|error| self.fault("sweep a marker", error))
    }

    /// Every message of `span` that a bucket still has, and how far it is known now.
    ///
    /// What is overwritten while it is read comes later under a higher number, and Debian 12's server goes on counting
    /// it as still to come: so neither its count nor its silence says that all was read, only a number does.
    async fn read(
        &self,
        bucket: &kv::Store,
        span: RangeInclusive<u64>,
        mut each: impl FnMut(JobKey, u64, Result<Entry, Moment>),
    ) -> Result<u64, QueueError> {
        const DOING: &str = "read the jobs";
        let (first, last) = span.into_inner();
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: first },
            ack_policy: AckPolicy::None,
            inactive_threshold: READER_KEPT,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let reader = bucket.stream.create_consumer(config).await.map_err(|error| self.fault(DOING, error))?;
        let nothing = reader.cached_info().num_pending == 0;
        let mut reached = if nothing { last } else { 0 };
        while reached < last {
            let batch = reader.batch().max_messages(READ_AT_ONCE).expires(QUIET).messages().await;
            let mut batch = batch.map_err(|error| self.fault(DOING, error))?;
            let before = reached;
            while reached < last {
                let Some(message) = batch.next().await else { break };
                let message = message.map_err(|error| self.fault(DOING, error))?;
                let info = message.info().map_err(|error| self.fault(DOING, error))?;
                reached = info.stream_sequence;
                let key = message.subject.strip_prefix(bucket.prefix.as_str());
                let Some(key) = key.and_then(|key| key.parse::<Digest>().ok()) else { continue };
                let gone =
                    message.headers.as_ref().is_some_and(|headers| headers.get("KV-Operation").is_some());
                let entry = if gone {
                    Err(Moment(u64::try_from(info.published.unix_timestamp()).unwrap_or(0) * 1_000))
                } else {
                    Ok(Entry::parse(&message.payload)?)
                };
                each(JobKey(key), reached, entry);
            }
            // The last of them are gone since: the next look begins where this one ended.
            if reached == before {
                break;
            }
        }
        let name = reader.cached_info().name.clone();
        bucket.stream.delete_consumer(&name).await.map_err(|error| self.fault(DOING, error))?;
        Ok(reached)
    }
}

async fn bucket(
    context: &Context,
    bucket: String,
    max_age: Duration,
) -> Result<kv::Store, Box<dyn Error + Send + Sync>> {
    // The stream under a bucket, as the client would make it; the client's own way begins with a question that Debian
    // 12's server answers in an older form than it reads.
    let config = stream::Config {
        name: stream_of(&bucket),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        max_age,
        discard: DiscardPolicy::New,
        num_replicas: 1,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..stream::Config::default()
    };
    context.get_or_create_stream(config).await?;
    Ok(context.get_key_value(&bucket).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let address = Address::parse("nats://me:secret@a:4222,b:4223/lessons").unwrap();
        assert_eq!(address.servers, ["nats://me:secret@a:4222", "nats://b:4223"]);
        assert_eq!(
            (address.name.as_str(), address.shown.as_str()),
            ("lessons", "nats://a:4222,b:4223/lessons")
        );
        assert_eq!(Address::parse("tls://a").unwrap().shown, "tls://a/ingest");
        for wrong in ["nats://", "nats:///lessons", "nats://a/b/c", "nats://a/b.c", "a:4222"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
        let error = Address::parse("nats://me:secret@a/b.c").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
