//! The store that several controls share, in NATS JetStream.
//!
//! | part of fleet `f` | holds |
//! |---|---|
//! | stream `airclass-f-records` | records: a record's number is its sequence, and is appended only after the one before |
//! | stream `airclass-f-bodies` | bodies of orders in pieces, for [`BODIES_KEPT`] |
//! | stream `airclass-f-reports` | the last report of each node |

use super::{Appended, Away, Heard};
use crate::error::ControlError;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, DiscardPolicy, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, ServerAddr};
use bytes::{Bytes, BytesMut};
use fleet::{MAX_BODY_BYTES, NodeName};
use futures_util::StreamExt;
use package::Digest;
use std::time::Duration;

/// How long connecting may take, and any answer.
const ANSWER: Duration = Duration::from_secs(3);
/// How soon a lost connection is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Bodies are asked for by nodes that were away; longer than that, and the day of their plan is over.
const BODIES_KEPT: Duration = Duration::from_secs(31 * 86_400);
/// A server takes messages of 1 MiB unless it is told otherwise.
const PIECE: usize = 512 << 10;
/// Messages read at once.
const READ_AT_ONCE: usize = 500;
/// How long the server keeps the means of reading when the reader is gone.
const READER_KEPT: Duration = Duration::from_secs(30);
/// The longest name of a fleet.
const MAX_NAME: usize = 32;
/// Its name when the address has none.
const DEFAULT_NAME: &str = "fleet";

/// The parts on a server.
pub(crate) struct Nats {
    client: Client,
    context: Context,
    records: Stream,
    bodies: Stream,
    reports: Stream,
    name: String,
    shown: String,
}

impl Nats {
    pub(super) async fn open(address: &str) -> Result<Self, ControlError> {
        let (servers, name, shown) = parse(address)?;
        let fail = |doing: &'static str, problem: String| ControlError::Nats {
            address: shown.clone(),
            doing,
            problem,
        };
        let options = ConnectOptions::new()
            .name("airclass-control")
            .connection_timeout(ANSWER)
            .request_timeout(Some(ANSWER))
            .reconnect_delay_callback(|_| AGAIN_AFTER);
        let client = options.connect(servers).await.map_err(|error| fail("connect", error.to_string()))?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER);
        let make = |part: &str, subjects: &str| stream::Config {
            name: format!("airclass-{name}-{part}"),
            subjects: vec![format!("airclass.{name}.{subjects}")],
            discard: DiscardPolicy::New,
            ..stream::Config::default()
        };
        let records = stream::Config { deny_delete: true, deny_purge: true, ..make("records", "records") };
        let bodies = stream::Config {
            max_age: BODIES_KEPT,
            max_messages_per_subject: 1,
            ..make("bodies", "body.*.*")
        };
        // The newest word of a node takes the place of the one before.
        let reports = stream::Config {
            max_messages_per_subject: 1,
            discard: DiscardPolicy::Old,
            ..make("reports", "report.>")
        };
        let mut streams = Vec::with_capacity(3);
        for config in [records, bodies, reports] {
            let made = context.get_or_create_stream(config).await;
            streams.push(made.map_err(|error| fail("make a stream", error.to_string()))?);
        }
        let (Some(reports), Some(bodies), Some(records)) = (streams.pop(), streams.pop(), streams.pop())
        else {
            return Err(fail("make a stream", "one is missing".to_owned()));
        };
        Ok(Self { client, context, records, bodies, reports, name, shown })
    }

    pub(super) fn place(&self) -> String {
        self.shown.clone()
    }

    pub(super) async fn append(&self, number: u64, line: Vec<u8>) -> Result<Appended, Away> {
        self.is_there()?;
        let message = PublishMessage::build().payload(line.into()).expected_last_sequence(number - 1);
        let sent = self.context.send_publish(format!("airclass.{}.records", self.name), message).await;
        match sent.map_err(away)?.await {
            Ok(_) => Ok(Appended::Written),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(Appended::Taken),
            Err(error) => Err(away(error)),
        }
    }

    pub(super) async fn read_after(&self, number: u64) -> Result<Vec<Bytes>, Away> {
        let mut lines = Vec::new();
        self.read(&self.records, number, |_, _, line| lines.push(line)).await?;
        Ok(lines)
    }

    pub(super) async fn keep_body(&self, digest: Digest, body: Bytes) -> Result<(), Away> {
        self.is_there()?;
        let mut at = 0;
        for number in 0.. {
            let piece = body.slice(at..body.len().min(at + PIECE));
            at += piece.len();
            let subject = format!("airclass.{}.body.{digest}.{number}", self.name);
            let sent = self.context.publish(subject, piece.clone()).await.map_err(away)?;
            match sent.await {
                Ok(_) => {}
                // It is there already: bodies are named by what they are.
                Err(error) if error.to_string().contains("per subject") => {}
                Err(error) => return Err(away(error)),
            }
            // The last piece is a short one, were it empty.
            if piece.len() < PIECE {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn body(&self, digest: Digest) -> Result<Option<Bytes>, Away> {
        self.is_there()?;
        let mut body = BytesMut::new();
        for number in 0..=MAX_BODY_BYTES / PIECE {
            let subject = format!("airclass.{}.body.{digest}.{number}", self.name);
            let piece = match self.bodies.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => message.payload,
                Err(error) if error.kind() == stream::LastRawMessageErrorKind::NoMessageFound => {
                    return Ok(None);
                }
                Err(error) => return Err(away(error)),
            };
            body.extend_from_slice(&piece);
            if piece.len() < PIECE {
                return Ok(Some(body.freeze()));
            }
        }
        Ok(None)
    }

    pub(super) async fn tell(&self, node: &NodeName, report: Bytes) -> Result<(), Away> {
        self.is_there()?;
        let subject = format!("airclass.{}.report.{}", self.name, node.as_label());
        let sent = self.context.publish(subject, report).await.map_err(away)?;
        sent.await.map(drop).map_err(away)
    }

    pub(super) async fn reports_after(&self, position: u64) -> Result<Vec<Heard>, Away> {
        let before = format!("airclass.{}.report.", self.name);
        let mut heard = Vec::new();
        self.read(&self.reports, position, |position, subject, report| {
            let node = subject.strip_prefix(&before).map(|label| label.replace('.', "/"));
            if let Some(node) = node.and_then(|node| node.parse().ok()) {
                heard.push(Heard { position, node, report });
            }
        })
        .await?;
        Ok(heard)
    }

    /// What is published while there is no connection would be sent once there is one, when nobody waits for it any more.
    fn is_there(&self) -> Result<(), Away> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            _ => Err(Away("no connection to the server".to_owned())),
        }
    }

    /// Every message after `after` that is there now.
    async fn read(
        &self,
        stream: &Stream,
        after: u64,
        mut each: impl FnMut(u64, &str, Bytes),
    ) -> Result<(), Away> {
        self.is_there()?;
        if stream.get_info().await.map_err(away)?.state.last_sequence <= after {
            return Ok(());
        }
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            inactive_threshold: READER_KEPT,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let reader = stream.create_consumer(config).await.map_err(away)?;
        let mut left = reader.cached_info().num_pending;
        while left > 0 {
            let mut batch = reader.fetch().max_messages(READ_AT_ONCE).messages().await.map_err(away)?;
            let before = left;
            while let Some(message) = batch.next().await {
                let message = message.map_err(away)?;
                let info = message.info().map_err(away)?;
                left = info.pending;
                each(info.stream_sequence, &message.subject, message.payload.clone());
            }
            // What was counted has been overwritten since: there is nothing left of it.
            if left == before {
                break;
            }
        }
        let name = reader.cached_info().name.clone();
        stream.delete_consumer(&name).await.map(drop).map_err(away)
    }
}

fn away(error: impl ToString) -> Away {
    Away(error.to_string())
}

/// `nats://user:password@host:4222,other:4222/name`, taken apart: servers, name, and how it is shown.
fn parse(text: &str) -> Result<(Vec<ServerAddr>, String, String), ControlError> {
    let wrong = || ControlError::Store(format!("is {:?}", text.split('@').next_back().unwrap_or(text)));
    let (scheme, rest) =
        text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "nats" | "tls")).ok_or_else(wrong)?;
    let (hosts, name) = rest.split_once('/').unwrap_or((rest, ""));
    let name = if name.is_empty() { DEFAULT_NAME } else { name };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if hosts.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
        return Err(wrong());
    }
    let servers: Result<Vec<ServerAddr>, _> =
        hosts.split(',').map(|host| format!("{scheme}://{host}").parse()).collect();
    let bare = |host: &str| host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned();
    let shown = format!("{scheme}://{}/{name}", hosts.split(',').map(bare).collect::<Vec<_>>().join(","));
    Ok((servers.map_err(|_| wrong())?, name.to_owned(), shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::nats::NatsServer;

    /// The server lets go what is old.
    #[tokio::test]
    async fn a_body_that_is_kept_anew_is_young_again() {
        let server = NatsServer::start();
        let nats = Nats::open(&server.address("east")).await.unwrap();
        let (body, other) = (Bytes::from(vec![7; PIECE + 1]), Bytes::from_static(b"other"));
        let digest = Digest::of(&body);
        for last in [3, 6] {
            nats.keep_body(digest, body.clone()).await.unwrap();
            nats.keep_body(Digest::of(&other), other.clone()).await.unwrap();
            let subject = format!("airclass.east.body.{digest}.1");
            let piece = nats.bodies.get_last_raw_message_by_subject(&subject).await.unwrap();
            assert_eq!(piece.sequence, last - 1);
            assert_eq!(nats.body(digest).await.unwrap(), Some(body.clone()));
        }
    }

    #[test]
    fn addresses_are_taken_apart_and_shown_without_passwords() {
        let (servers, name, shown) = parse("nats://me:secret@a:4222,b:4223/east").unwrap();
        assert_eq!((servers.len(), name.as_str(), shown.as_str()), (2, "east", "nats://a:4222,b:4223/east"));
        assert_eq!(parse("tls://a").unwrap().1, "fleet");
        for wrong in ["nats://", "nats:///x", "nats://a/b/c", "nats://a/b.c", "a:4222", "http://a"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let error = parse("nats://me:secret@a/b.c").map(drop).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
