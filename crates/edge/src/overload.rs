//! Too much at once: what is given up, in which order.
//!
//! ```text
//! every second:  samples ─► pressure ─► level        every request:  class + standing + client + level ─► shed?
//! ```
//! First go fills that nobody waits for, then new sessions that would need a fill, then new sessions, and those from an
//! address that has more than its share one level sooner; playback that runs is not given up, short of memory that is all taken: then
//! what the RAM tier holds is answered, and nothing else is begun. Nobody is remembered for it: what runs is known by what is asked for (media) and by what the
//! connection has got before.

mod class;
mod client;
mod disk;
mod limits;
mod machine;
mod memory;
mod pressure;
mod rates;

pub(crate) use class::Class;
pub(crate) use client::{Session, Share};
pub(crate) use disk::strain;
pub(crate) use machine::Ticker;
pub(crate) use memory::{
    Asking, Promise, half as half_of_memory, least_room, too_little as too_little_memory,
};
pub(crate) use pressure::Reason;
pub(crate) use rates::{Pace, Rates};

use crate::metrics::Metrics;
use machine::Machine;
use memory::Memory;
use pressure::Judge;
use serve::{Level, Load, Pressure};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;
use units::{BitRate, ByteCount};

/// What is given up, most of it under pressure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shed {
    /// A refresh of something stale that may still be served.
    Refresh,
    /// The beginning of a session, for which the upstream would have to be asked.
    ColdSession,
    /// The beginning of a session.
    Session,
    /// The beginning of a session from where more than their share have come, and others' would go on.
    Crowded,
    /// A request beyond those that one client may have in flight.
    Requests,
    /// A request beyond those that one client may have a second.
    Rate,
    /// A download beyond those that share the line for them.
    Resources,
    /// A body that would have to be brought into memory, which is all taken.
    Memory,
}

impl Label for Shed {
    const ALL: &'static [Self] = &[
        Self::Refresh,
        Self::ColdSession,
        Self::Session,
        Self::Crowded,
        Self::Requests,
        Self::Rate,
        Self::Resources,
        Self::Memory,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::ColdSession => "cold_session",
            Self::Session => "session",
            Self::Crowded => "crowded",
            Self::Requests => "requests",
            Self::Rate => "rate",
            Self::Resources => "resources",
            Self::Memory => "memory",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Shed {
    /// From which level on.
    const fn at(self) -> Level {
        match self {
            Self::Refresh | Self::Crowded => Level::Busy,
            Self::ColdSession => Level::High,
            Self::Session => Level::Critical,
            Self::Requests | Self::Rate | Self::Resources | Self::Memory => Level::Calm,
        }
    }
}

/// Seconds after which who was refused may ask again: long enough for a second's rush to pass.
const LEAST_WAIT_S: u64 = 5;
/// Seconds over which those who were refused at once come back.
const SPREAD_S: u64 = 20;

/// The limits that shares are shares of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    /// What may be sent; `None`: as much as the line takes.
    pub(crate) bandwidth: Option<BitRate>,
    /// Room of the RAM tier, which is meant to be full.
    pub(crate) ram: ByteCount,
    /// What the process may take of memory, the RAM tier included; `None`: by the machine.
    pub(crate) memory: Option<ByteCount>,
    /// Runtimes, and so the most CPU seconds a second.
    pub(crate) cores: usize,
    /// Whether the level has consequences.
    pub(crate) shed: bool,
}

/// One for all cores.
#[derive(Clone)]
pub(crate) struct Overload {
    pressure: Pressure,
    watch: Arc<Watch>,
}

struct Watch {
    caps: Caps,
    state: Mutex<(Machine, Judge)>,
    memory: Memory,
    ticker: Ticker,
    turn: AtomicU64,
    metrics: Arc<Metrics>,
}

impl Overload {
    /// Calm, until [`govern`](Self::govern) and [`look`](Self::look).
    pub(crate) fn new(caps: Caps, metrics: &Arc<Metrics>) -> Self {
        let state = Mutex::new((Machine::new(&caps), Judge::default()));
        let watch = Watch {
            caps,
            state,
            memory: Memory::new(caps.memory, caps.ram),
            ticker: Ticker::default(),
            turn: AtomicU64::new(0),
            metrics: Arc::clone(metrics),
        };
        Self { pressure: Pressure::default(), watch: Arc::new(watch) }
    }

    /// From now on the level is `pressure`'s, which connections look at, too.
    pub(crate) fn govern(&mut self, pressure: Pressure) {
        self.pressure = pressure;
    }

    /// As a look at the machine would.
    #[cfg(test)]
    pub(crate) fn press(&self, level: Level) {
        self.pressure.set(level);
    }

    /// How late cores are.
    pub(crate) fn ticker(&self) -> &Ticker {
        &self.watch.ticker
    }

    /// Looks at the machine and judges; once a second. `disks` is their share, see [`strain`]; `bandwidth` is what may be sent now.
    pub(crate) fn look(&self, load: &Load, disks: f64, bandwidth: Option<BitRate>, now: Instant) {
        let caps = Caps { bandwidth, ..self.watch.caps };
        let metrics = &self.watch.metrics;
        let mut state = self.watch.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (machine, judge) = &mut *state;
        let late = self.watch.ticker.worst();
        let mut samples = machine.sample(&caps, late, metrics.sent_bytes(), load, now);
        samples[Reason::Memory.index()] = self.watch.memory.share(metrics.cached_bytes());
        samples[Reason::Disk.index()] = disks;
        let before = judge.level();
        let level = judge.judge(now, &samples);
        // It holds before anybody hears of it.
        if self.watch.caps.shed {
            self.pressure.set(level);
        }
        metrics.pressed(level, |reason| judge.share(reason));
        metrics.in_flight(load.in_flight());
        if level != before {
            let reason = judge.worst();
            tracing::warn!(
                level = level.as_str(),
                reason = reason.as_str(),
                share = judge.share(reason),
                "pressure"
            );
        }
    }

    /// As a look at memory would.
    #[cfg(test)]
    pub(crate) fn fill_memory(&self, full: bool) {
        self.watch.memory.set_full(full);
    }

    /// Whether all memory is taken, so that nothing that is not in it is begun.
    pub(crate) fn is_full(&self) -> bool {
        self.watch.caps.shed && self.watch.memory.is_full(Instant::now())
    }

    /// Takes note of a question whose answer is to come into memory, for as long as that is not there.
    pub(crate) fn ask(&self) -> Asking {
        self.watch.memory.ask()
    }

    /// Questions whose answers are to come into memory.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> u64 {
        self.watch.memory.asked()
    }

    /// Bytes of bodies that are still to come into memory.
    #[cfg(test)]
    pub(crate) fn promised(&self) -> u64 {
        self.watch.memory.promised()
    }

    /// Takes note of a body that begins to come into memory, and of so many bytes.
    pub(crate) fn promise(&self, bytes: u64) -> Promise {
        self.watch.memory.promise(bytes)
    }

    /// The same of a run of blocks, of something that is known already.
    pub(crate) fn promise_more(&self, bytes: u64) -> Promise {
        self.watch.memory.promise_more(bytes)
    }

    /// Takes note of a body that begins to come, of the length that it says, or as long as bodies have been lately.
    pub(crate) fn promise_as_stated(&self, length: Option<u64>) -> Promise {
        match length {
            Some(length) => self.watch.memory.promise(length),
            None => self.watch.memory.promise_usual(),
        }
    }

    /// Takes note of how long a body was that had not said so.
    pub(crate) fn came(&self, bytes: u64) {
        self.watch.memory.note(bytes);
    }

    /// Notes a request for which there is no memory.
    pub(crate) fn refuses_body(&self) -> Shed {
        self.watch.metrics.shed(Shed::Memory);
        Shed::Memory
    }

    /// How hard the node is pressed.
    pub(crate) fn level(&self) -> Level {
        self.pressure.level()
    }

    /// What of `what` is to be given up now. Counted when it is.
    fn gives_up(&self, what: Shed, session: Session) -> Option<Shed> {
        let given_up = session.gives_up(what, self.pressure.level());
        if let Some(what) = given_up {
            self.watch.metrics.shed(what);
        }
        given_up
    }

    /// Notes a request beyond its client's bound on those in flight.
    pub(crate) fn refuses_request(&self) -> Shed {
        self.watch.metrics.shed(Shed::Requests);
        Shed::Requests
    }

    /// Notes a request beyond its client's bound on those a second.
    pub(crate) fn refuses_rate(&self) -> Shed {
        self.watch.metrics.shed(Shed::Rate);
        Shed::Rate
    }

    /// Notes a download for which there is no place.
    pub(crate) fn refuses_download(&self) -> Shed {
        self.watch.metrics.shed(Shed::Resources);
        Shed::Resources
    }

    /// Whether anything is put off at all.
    pub(crate) fn is_calm(&self) -> bool {
        self.pressure.level() == Level::Calm
    }

    /// As what a request that may begin a session is given up before anything is looked up.
    pub(crate) fn sheds_session(&self, session: Session) -> Option<Shed> {
        self.gives_up(Shed::Session, session)
    }

    /// As what one that the cache cannot answer is given up.
    pub(crate) fn sheds_cold_session(&self, session: Session) -> Option<Shed> {
        self.gives_up(Shed::ColdSession, session)
    }

    /// Whether refreshes that nobody waits for are left to later.
    pub(crate) fn sheds_refreshes(&self) -> bool {
        Session::Begins.gives_up(Shed::Refresh, self.pressure.level()).is_some()
    }

    /// Notes one that would have begun now.
    pub(crate) fn refuses_refresh(&self) {
        self.watch.metrics.shed(Shed::Refresh);
    }

    /// When who is refused now may ask again: those who were refused together do not come back together.
    pub(crate) fn retry_after(&self) -> Duration {
        Duration::from_secs(wait_s(self.watch.turn.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Steps through the spread by the golden ratio, so that any few neighbours lie far apart.
const fn wait_s(turn: u64) -> u64 {
    LEAST_WAIT_S + turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % SPREAD_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_first() {
        assert!(Shed::Refresh.at() < Shed::ColdSession.at() && Shed::ColdSession.at() < Shed::Session.at());
    }

    #[test]
    fn those_refused_together_come_back_apart() {
        let mut waits: Vec<u64> = (0..100 * SPREAD_S).map(wait_s).collect();
        waits.sort_unstable();
        let each: Vec<usize> = waits.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
        assert_eq!(each.len() as u64, SPREAD_S);
        assert!(each.iter().all(|count| (50..200).contains(count)), "{each:?}");
        assert!(waits[0] >= LEAST_WAIT_S);
    }
}
