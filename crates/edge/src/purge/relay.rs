//! What one process forgets, one that shares its sockets forgets, too: over a restart without a refused connection both serve for a
//! while, each with a memory of its own, and who is told that something is gone asks either.
//!
//! A process between two others passes on what each of them says. What was forgotten before another process listened is none
//! of its business: it has nothing in memory then, and reads on the disks what was done to them.

use super::asker::Asker;
use super::sweep::{CarriedOut, Reach};
use ::purge::{Order, What};
use futures_util::future::join_all;
use http::Uri;
use serde::{Deserialize, Serialize};
use serve::{Kin, Link};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// What is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// A request has changed it (RFC 9111 §4.4). Whoever hears it makes the key by its own configuration.
    Changed {
        /// As [`crate::request::Asked`] has it.
        host: String,
        /// Path and query.
        target: String,
    },
    /// An order that was obeyed; whoever hears it asks for no signature.
    Ordered(Order),
    /// An order that was obeyed so many seconds before the other process was there: what it means may still come from neighbours.
    /// `None` is about everything.
    Recent(Option<What>, u64),
}

/// The processes that share the sockets. Shared by all cores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relay(Arc<Mutex<Vec<Link>>>);

impl Relay {
    /// Tells all of them at once, and waits until they have done as much, no longer than [`Link::tell`] does.
    pub(crate) async fn tell(&self, word: &Word) {
        let links = self.links().clone();
        let tells = links.iter().map(|link| async {
            if !link.tell(word.to_text()).await {
                not_told(word);
            }
        });
        join_all(tells).await;
    }

    /// Tells all but the one who said so.
    fn pass_on(&self, word: &Word, from: &Link) {
        for link in self.links().iter().filter(|link| !link.is(from)) {
            if !link.tell_later(word.to_text()) {
                not_told(word);
            }
        }
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_told(word: &Word) {
    tracing::warn!(?word, "another process that shares the sockets has not heard of it, or is gone");
}

impl Word {
    fn to_text(&self) -> String {
        serde_json::to_string(self).expect("our types have string keys and no failing serializer")
    }
}

/// Does what others say.
pub(super) struct Hearing {
    pub(super) reach: Arc<Reach>,
    /// To where the disks are asked.
    pub(super) done: mpsc::Sender<(CarriedOut, Asker)>,
}

impl Kin for Hearing {
    fn joined(&self, link: &Link) {
        // Listed first: an order that comes meanwhile is told twice rather than not at all.
        self.reach.relay.links().push(link.clone());
        for (what, ago) in self.reach.recent.all(Instant::now()) {
            link.tell_later(Word::Recent(what, ago.as_secs()).to_text());
        }
        tracing::info!("hears what another process forgets, and tells it");
    }

    fn hear(&self, link: &Link, text: &str) {
        let Ok(word) = serde_json::from_str::<Word>(text) else {
            return tracing::warn!("another version says what this one does not know");
        };
        match &word {
            Word::Changed { host, target } => {
                let Ok(target) = target.parse::<Uri>() else { return };
                self.reach.forget(host, target);
            }
            Word::Ordered(order) => {
                let began = Instant::now();
                let carried_out = self.reach.carry_out(order, began);
                // Who has given the order hears of it where it was given.
                let (answer, _) = oneshot::channel();
                let asker = Asker { answer, given_at: order.made_at, began };
                let _ = self.done.blocking_send((carried_out, asker));
            }
            Word::Recent(what, seconds) => {
                let now = Instant::now();
                // A machine that is younger than the order has no such time.
                let at = now.checked_sub(Duration::from_secs(*seconds)).unwrap_or(now);
                return match what {
                    Some(what) => self.reach.recent.note(what.clone(), at),
                    None => self.reach.recent.note_all(at),
                };
            }
        }
        self.reach.relay.pass_on(&word, link);
    }

    fn left(&self, link: &Link) {
        self.reach.relay.links().retain(|other| !other.is(link));
    }
}
