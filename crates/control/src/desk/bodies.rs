//! Texts that go with records: bodies of orders, and what carriers count as free.
//!
//! A store lets the oldest go. Most are asked for within days, but some for as long as nothing takes their place: those stay.

use super::Desk;
use crate::clock;
use crate::store::Away;
use bytes::Bytes;
use fleet::Refusal;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use package::Digest;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often a shared store, which keeps each body for a month, is given those anew that last.
const KEEP_EVERY: Duration = Duration::from_secs(24 * 3_600);

impl Desk {
    /// Keeps the body of an order to come.
    pub(crate) async fn keep_body(&self, body: Bytes) -> Result<Digest, Refusal> {
        let digest = Digest::of(&body);
        let lasting = self.lasting(clock::now());
        self.store.keep_body(digest, body, lasting).await.map_err(|away| self.away(&away))?;
        Ok(digest)
    }

    /// The body of an order.
    pub(crate) async fn body(&self, digest: Digest) -> Result<Bytes, Refusal> {
        let found = self.store.body(digest).await.map_err(|away| self.away(&away))?;
        found.ok_or(Refusal::NotFound)
    }

    /// Keeps what lasts, until the end.
    pub(crate) async fn keep_lasting(&self) {
        if !self.store.is_shared() {
            return;
        }
        let mut ticks = interval(KEEP_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.keep_anew(clock::now()).await;
        }
    }

    /// Gives the store anew what somebody may ask for at `now`, however long ago that was sent.
    pub(super) async fn keep_anew(&self, now: Timestamp) {
        let lasting = self.lasting(now);
        for digest in &lasting {
            let body = match self.zero_rated(*digest) {
                Some(text) => Ok(text),
                None => self.body(*digest).await,
            };
            let kept = match body {
                Ok(body) => self.store.keep_body(*digest, body, lasting.clone()).await,
                Err(refusal) => Err(Away(refusal.to_string())),
            };
            if let Err(Away(problem)) = kept {
                tracing::warn!(problem, %digest, "a body that may still be asked for is not kept anew");
            }
        }
    }

    fn lasting(&self, now: Timestamp) -> BTreeSet<Digest> {
        self.registry().lasting_bodies(TimeZone::UTC.to_datetime(now).date())
    }
}
