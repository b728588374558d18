//! What a thread's players have come to.

use crate::downloads::Taken;
use crate::outcome::{CacheResult, ErrorKind, Hold};
use crate::playback::Playback;
use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// Everything that is counted, for each bell and node.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Bell × nodes + node.
    pub(crate) groups: Vec<Group>,
    /// What was on the screens at the end of each second.
    pub(crate) screens: Vec<Screens>,
    /// The latest that a second's end was noticed: beyond some tens of milliseconds the drill itself is short of CPU.
    pub(crate) latest: Duration,
    /// What was downloaded beside.
    pub(crate) downloads: Taken,
}

/// The players of one bell on one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) arrived: u64,
    /// From arriving, or from the end of being put off, to the first picture; milliseconds.
    pub(crate) startups_ms: Vec<u32>,
    /// How long those that were put off were.
    pub(crate) held_ms: Vec<u32>,
    pub(crate) holds: [u64; Hold::ALL.len()],
    pub(crate) gave_up: u64,
    /// Watched to the end of what they meant to watch.
    pub(crate) finished: u64,
    /// Players that have seen at least one stall.
    pub(crate) disturbed: u64,
    pub(crate) stalls: u64,
    pub(crate) stalled: Duration,
    /// Of the media, all players together.
    pub(crate) watched: Duration,
    /// Tries that gave nothing.
    pub(crate) errors: [u64; ErrorKind::ALL.len()],
    pub(crate) retries: u64,
    pub(crate) requests: u64,
    pub(crate) cache: [u64; CacheResult::ALL.len()],
    /// By the names of [`Names`].
    pub(crate) bytes: Vec<u64>,
    pub(crate) connections: u64,
    /// Bytes that came in each second.
    pub(crate) seconds: Vec<u64>,
}

/// How many players see what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub(crate) struct Screens {
    pub(crate) starting: u64,
    pub(crate) playing: u64,
    pub(crate) waiting: u64,
}

impl Tally {
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            groups: vec![Group::default(); groups],
            screens: Vec::new(),
            latest: Duration::ZERO,
            downloads: Taken::default(),
        }
    }

    /// Takes in another thread's.
    pub(crate) fn add(&mut self, other: Self) {
        for (own, others) in self.groups.iter_mut().zip(other.groups) {
            own.add(&others);
        }
        grow(&mut self.screens, other.screens.len());
        for (own, others) in self.screens.iter_mut().zip(other.screens) {
            *own = own.and(others);
        }
        self.latest = self.latest.max(other.latest);
        self.downloads = self.downloads.and(other.downloads);
    }
}

impl Group {
    pub(crate) fn add(&mut self, other: &Self) {
        let sums: [(&mut u64, u64); 8] = [
            (&mut self.arrived, other.arrived),
            (&mut self.gave_up, other.gave_up),
            (&mut self.finished, other.finished),
            (&mut self.disturbed, other.disturbed),
            (&mut self.stalls, other.stalls),
            (&mut self.retries, other.retries),
            (&mut self.requests, other.requests),
            (&mut self.connections, other.connections),
        ];
        sums.into_iter().for_each(|(own, others)| *own += others);
        self.startups_ms.extend_from_slice(&other.startups_ms);
        self.held_ms.extend_from_slice(&other.held_ms);
        self.stalled += other.stalled;
        self.watched += other.watched;
        sum(&mut self.holds, &other.holds);
        sum(&mut self.errors, &other.errors);
        sum(&mut self.cache, &other.cache);
        grow(&mut self.bytes, other.bytes.len());
        sum(&mut self.bytes, &other.bytes);
        grow(&mut self.seconds, other.seconds.len());
        sum(&mut self.seconds, &other.seconds);
    }

    /// A player's screen has gone dark.
    pub(crate) fn leave(&mut self, playback: &Playback, begun: Instant, now: Instant) {
        if let Some(started) = playback.started() {
            self.startups_ms.push(millis(started.saturating_duration_since(begun)));
        }
        let (stalls, stalled) = playback.stalls(now);
        self.stalls += u64::from(stalls);
        self.disturbed += u64::from(stalls > 0);
        self.stalled += stalled;
        self.watched += playback.watched(now);
    }

    pub(crate) fn error(&mut self, kind: ErrorKind) {
        self.errors[kind.index()] += 1;
    }

    pub(crate) fn received(&mut self, name: Name, bytes: u64) {
        if self.bytes.len() <= name.0 {
            self.bytes.resize(name.0 + 1, 0);
        }
        self.bytes[name.0] += bytes;
    }
}

impl Screens {
    /// Together with others.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            starting: self.starting + other.starting,
            playing: self.playing + other.playing,
            waiting: self.waiting + other.waiting,
        }
    }
}

fn sum(own: &mut [u64], others: &[u64]) {
    own.iter_mut().zip(others).for_each(|(own, others)| *own += others);
}

fn grow<T: Clone + Default>(list: &mut Vec<T>, length: usize) {
    if list.len() < length {
        list.resize(length, T::default());
    }
}

/// Whole milliseconds; 49 days at most.
pub(crate) fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// What has come in since somebody last looked, for all players of a group on a thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: Cell<u64>,
    connections: Cell<u64>,
}

/// What a [`Meter`] has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) bytes: u64,
    pub(crate) connections: u64,
}

impl Meter {
    pub(crate) fn received(&self, bytes: u64) {
        self.bytes.set(self.bytes.get() + bytes);
    }

    pub(crate) fn connected(&self) {
        self.connections.set(self.connections.get() + 1);
    }

    /// Begins again from zero.
    pub(crate) fn take(&self) -> Reading {
        Reading { bytes: self.bytes.take(), connections: self.connections.take() }
    }
}

/// What bytes are counted under: renditions by their names. Shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Vec<String>>);

/// A name's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name(usize);

/// Names that are told apart; all further ones are one. A ladder has a dozen.
const MOST_NAMES: usize = 64;

impl Names {
    /// Looks `name` up. Done once a rendition and player.
    pub(crate) fn of(&self, name: &str) -> Name {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.iter().position(|known| known == name);
        Name(known.unwrap_or_else(|| {
            if names.len() < MOST_NAMES {
                let name = if names.len() + 1 < MOST_NAMES { name } else { "other" };
                names.push(name.to_owned());
            }
            names.len() - 1
        }))
    }

    /// In the order of [`Group::bytes`].
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up() {
        let group = |bytes: &[u64], seconds: &[u64], startups: &[u32]| Group {
            arrived: 1,
            bytes: bytes.to_vec(),
            seconds: seconds.to_vec(),
            startups_ms: startups.to_vec(),
            ..Group::default()
        };
        let mut all = Tally::new(1);
        for (bytes, seconds, startups) in [(&[1u64][..], &[5u64, 6][..], &[7u32][..]), (&[1, 2], &[1], &[])] {
            let screens = vec![Screens { playing: 1, ..Screens::default() }; seconds.len()];
            all.add(Tally { groups: vec![group(bytes, seconds, startups)], screens, ..Tally::new(0) });
        }
        let sum = &all.groups[0];
        assert_eq!(
            (sum.arrived, &*sum.bytes, &*sum.seconds, &*sum.startups_ms),
            (2, &[2, 2][..], &[6, 6][..], &[7][..])
        );
        assert_eq!(all.screens.iter().map(|screens| screens.playing).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn names_are_few() {
        let names = Names::default();
        assert_eq!(names.of("s0"), names.of("s0"));
        let last = (0..1_000).map(|number| names.of(&number.to_string())).last();
        assert_eq!((names.all().len(), last), (MOST_NAMES, Some(Name(MOST_NAMES - 1))));
        assert_eq!(names.all().last().unwrap(), "other");
    }
}
