//! `POST /purge`: whether an order is obeyed, and the answer to who has sent it.

use super::metrics::PurgeMetrics;
use super::options::PurgeConfig;
use crate::clock::Clock;
use ::purge::{Accepted, Group, MAX_ENVELOPE_BYTES, MAX_SEEN, Order, Refusal, Refused, Report, Rules, Seen};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use signing::TrustFile;
use std::sync::{Arc, Mutex, PoisonError};
use telemetry::{Answering, Post};
use tokio::sync::{mpsc, oneshot};

/// An order on its way to be carried out.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) order: Order,
    /// By the clock of who gave it.
    pub(super) given_at: Timestamp,
    pub(super) answer: oneshot::Sender<Report>,
}

/// Where orders come in.
pub(super) struct Door {
    /// `None` where nobody's orders are obeyed.
    keys: Option<Mutex<TrustFile>>,
    group: Option<Group>,
    since: Timestamp,
    clock: Clock,
    seen: Mutex<Seen>,
    sender: mpsc::Sender<Job>,
    metrics: Arc<PurgeMetrics>,
}

impl Door {
    pub(super) fn new(config: &PurgeConfig, sender: mpsc::Sender<Job>, metrics: Arc<PurgeMetrics>) -> Self {
        let clock = Clock;
        Self {
            keys: config.keys.clone().map(Mutex::new),
            group: config.group.clone(),
            since: now(clock),
            clock,
            seen: Mutex::new(Seen::new(MAX_SEEN)),
            sender,
            metrics,
        }
    }

    /// Lets an order in, once. What there is no room for is not remembered, so that it may come again.
    fn admit(&self, sent: &[u8]) -> Result<oneshot::Receiver<Report>, Refusal> {
        let keys = self.keys.as_ref().ok_or(Refusal::Disabled)?;
        let trust = keys.lock().unwrap_or_else(PoisonError::into_inner).now().clone();
        let rules = Rules { trust, group: self.group.clone(), since: self.since };
        let now = now(self.clock);
        let Accepted { order, key } = rules.judge(sent, now)?;
        let place = self.sender.try_reserve().map_err(|_| Refusal::Busy)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).note(&order, now)?;
        tracing::info!(id = %order.id, key = %key.id, by = key.name, "order to purge");
        let (answer, report) = oneshot::channel();
        let given_at = order.made_at;
        place.send(Job { order, given_at, answer });
        Ok(report)
    }
}

impl Post for Door {
    fn max_bytes(&self) -> usize {
        MAX_ENVELOPE_BYTES
    }

    fn take(&self, body: Bytes) -> Answering {
        let admitted = self.admit(&body).inspect_err(|&refusal| {
            self.metrics.refused(refusal);
            tracing::warn!(reason = refusal.as_str(), "order to purge refused");
        });
        Box::pin(async move {
            match admitted {
                Ok(report) => match report.await {
                    Ok(report) => (StatusCode::OK, json(&report)),
                    // Only a panic in the thread does that.
                    Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec()),
                },
                Err(refusal) => {
                    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
                    (status, json(&Refused::from(refusal)))
                }
            }
        })
    }
}

pub(super) fn now(clock: Clock) -> Timestamp {
    // A clock beyond the year 9999 is before all orders.
    Timestamp::try_from(clock.now()).unwrap_or(Timestamp::MIN)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("our types have string keys and no failing serializer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::purge::{Mode, Signed, What};
    use signing::SigningKey;
    use std::time::Duration;
    use telemetry::Telemetry;

    fn order(key: &SigningKey) -> (Order, Vec<u8>) {
        let what = What::Url("http://a/x".parse().unwrap());
        let order = Order::new(what, Mode::Hard, None, now(Clock), Duration::from_secs(60)).unwrap();
        let sent = Signed::by(&order, &[key]).to_bytes();
        (order, sent)
    }

    fn door(key: &SigningKey, waiting: usize) -> (Door, mpsc::Receiver<Job>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let text = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        std::fs::write(&path, text).unwrap();
        let config = PurgeConfig {
            keys: Some(TrustFile::read(&path).unwrap()),
            group: None,
            show_surrogate_keys: false,
        };
        let (sender, orders) = mpsc::channel(waiting);
        let metrics = Arc::new(PurgeMetrics::register(&Telemetry::new("test")));
        (Door::new(&config, sender, metrics), orders)
    }

    #[tokio::test]
    async fn an_order_is_let_in_once_and_its_sender_told_what_it_did() {
        let key = SigningKey::generate().unwrap();
        let (door, mut orders) = door(&key, 4);
        let (given, sent) = order(&key);
        let answering = door.take(sent.clone().into());
        let Job { order, answer, .. } = orders.recv().await.unwrap();
        assert_eq!(order, given);
        let report = Report::new(order.id, order.mode);
        answer.send(report.clone()).unwrap();
        let (status, text) = answering.await;
        assert_eq!((status, serde_json::from_slice(&text).ok()), (StatusCode::OK, Some(report)));
        let (status, text) = door.take(sent.into()).await;
        let refused: Refused = serde_json::from_slice(&text).unwrap();
        assert_eq!((status, refused.refused), (StatusCode::CONFLICT, Refusal::Replayed));
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_may_come_again() {
        let key = SigningKey::generate().unwrap();
        let (door, mut orders) = door(&key, 1);
        let ((_, first), (_, second)) = (order(&key), order(&key));
        assert!(door.admit(&first).is_ok());
        assert_eq!(door.admit(&second).unwrap_err(), Refusal::Busy);
        orders.recv().await.unwrap();
        assert!(door.admit(&second).is_ok());
    }

    #[tokio::test]
    async fn without_keys_nobody_is_obeyed() {
        let key = SigningKey::generate().unwrap();
        let (mut door, _orders) = door(&key, 1);
        door.keys = None;
        assert_eq!(door.admit(&order(&key).1).unwrap_err(), Refusal::Disabled);
    }
}
