//! The plans that are followed, shared by all cores.

use crate::clock::Clock;
use crate::gate::Gate;
use crate::tokens::Tokens;
use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use std::sync::Arc;
use timetable::{Accepted, Plan};
use tokio::sync::watch;

/// What is followed now. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Plans(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Current>,
    tokens: ArcSwap<Tokens>,
    clock: Clock,
    changes: watch::Sender<u64>,
    playlists: channel::Kept,
}

/// The plans of yesterday, today and tomorrow, as far as they are there.
#[derive(Debug, Default)]
pub struct Current {
    /// By day.
    followed: Vec<Arc<Followed>>,
    gate: Gate,
}

/// One plan that is followed.
#[derive(Debug)]
pub struct Followed {
    /// What it says, and whose it is.
    pub accepted: Accepted,
    /// As it was sent.
    pub envelope: Bytes,
}

impl Followed {
    /// What it says.
    pub fn plan(&self) -> &Plan {
        &self.accepted.plan
    }
}

impl Current {
    /// Of plans in any order, one a day.
    pub fn new(mut followed: Vec<Arc<Followed>>) -> Self {
        followed.sort_by_key(|one| one.plan().date);
        let gate = Gate::of(followed.iter().map(|one| one.plan()));
        Self { followed, gate }
    }

    /// All, the earliest day first.
    pub fn followed(&self) -> impl DoubleEndedIterator<Item = &Arc<Followed>> {
        self.followed.iter()
    }

    /// What they say, the earliest day first.
    pub fn plans(&self) -> impl DoubleEndedIterator<Item = &Plan> {
        self.followed.iter().map(|one| one.plan())
    }

    /// The plan of a day.
    pub fn on(&self, date: Date) -> Option<&Arc<Followed>> {
        self.followed.iter().find(|one| one.plan().date == date)
    }

    /// The plan of the day that it is at `now` where the plan is for.
    pub fn today(&self, now: Timestamp) -> Option<&Plan> {
        self.plans().find(|plan| plan.zone.local(now).date() == plan.date)
    }

    /// What is shut.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl Plans {
    /// Follows nothing yet.
    pub fn new(clock: Clock, tokens: Tokens) -> Self {
        Self(Arc::new(Shared {
            current: ArcSwap::default(),
            tokens: ArcSwap::from_pointee(tokens),
            clock,
            changes: watch::Sender::new(0),
            playlists: channel::Kept::default(),
        }))
    }

    /// What is followed at this moment: no lock, no count that cores share. Do not hold it over a wait; [`Plans::snapshot`] is
    /// for that.
    pub fn current(&self) -> Guard<Arc<Current>> {
        self.0.current.load()
    }

    /// The same to keep.
    pub fn snapshot(&self) -> Arc<Current> {
        self.0.current.load_full()
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Now, where this node lives.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The words by which nodes know each other.
    pub fn tokens(&self) -> Guard<Arc<Tokens>> {
        self.0.tokens.load()
    }

    /// Tells of each change of what is followed; the number grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// How often what is followed has changed.
    pub(crate) fn change(&self) -> u64 {
        *self.0.changes.borrow()
    }

    /// Television's playlists as they were made for the clients before.
    pub(crate) fn playlists(&self) -> &channel::Kept {
        &self.0.playlists
    }

    /// From now on these are followed.
    pub fn replace(&self, followed: Vec<Arc<Followed>>) {
        self.0.current.store(Arc::new(Current::new(followed)));
        self.0.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn believe(&self, tokens: Tokens) {
        self.0.tokens.store(Arc::new(tokens));
    }
}
