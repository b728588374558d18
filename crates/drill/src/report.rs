//! What a drill has shown, as numbers. Text, page and bars are made of it.

mod bars;
mod chart;
mod page;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use bars::Bars;
pub(crate) use text::sparkline;

use crate::downloads::Taken;
use crate::origin::Origin;
use crate::outcome::{CacheResult, ErrorKind, Hold};
use crate::script::Bell;
use crate::speed::Speed;
use crate::swarm::SECOND;
use crate::tally::{Group, Screens, Tally};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;
use telemetry::Label;

/// What a drill has shown.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When it began, UTC.
    pub(crate) began: String,
    pub(crate) lasted_s: f64,
    /// Ended before everybody had come and gone.
    pub(crate) interrupted: bool,
    pub(crate) speed: String,
    /// That were to come.
    pub(crate) players: u64,
    pub(crate) total: Figures,
    pub(crate) bells: Vec<Part>,
    pub(crate) nodes: Vec<Part>,
    /// Bytes by rendition, and of playlists.
    pub(crate) renditions: Vec<Amount>,
    /// How many started within how long.
    pub(crate) startups: Vec<Bucket>,
    pub(crate) seconds: Vec<Second>,
    pub(crate) origin: Option<Origin>,
    /// Beside the players; `None` where there were to be none.
    pub(crate) downloads: Option<Taken>,
    pub(crate) swarm: Own,
}

/// The figures of one bell or node.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) figures: Figures,
}

/// Figures of any set of players.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) arrived: u64,
    /// Have seen a picture.
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) gave_up: u64,
    /// `None` when nobody started.
    pub(crate) startup: Option<Quantiles>,
    /// How long those who were put off were.
    pub(crate) held: Option<Quantiles>,
    pub(crate) holds: BTreeMap<&'static str, u64>,
    pub(crate) rebuffers: Rebuffers,
    /// Tries that gave nothing, by kind; kinds that did not occur are left out.
    pub(crate) errors: BTreeMap<&'static str, u64>,
    pub(crate) retries: u64,
    pub(crate) requests: u64,
    pub(crate) connections: u64,
    pub(crate) bytes: u64,
    pub(crate) rate: Rate,
    pub(crate) cache: BTreeMap<&'static str, u64>,
}

/// Times in milliseconds that so many hundredths do not exceed (nearest rank).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50_ms: u32,
    pub(crate) p95_ms: u32,
    pub(crate) p99_ms: u32,
    pub(crate) most_ms: u32,
}

/// Pictures that stood still.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rebuffers {
    pub(crate) count: u64,
    /// That have seen one.
    pub(crate) players: u64,
    pub(crate) stalled_s: f64,
    /// Of the time that players meant to watch.
    pub(crate) ratio: f64,
}

/// Bits a second of bodies.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Rate {
    /// From the first second with a byte to the last.
    pub(crate) mean: u64,
    pub(crate) peak_1s: u64,
    pub(crate) peak_5s: u64,
}

/// Bytes under a name.
#[derive(Debug, Serialize)]
pub(crate) struct Amount {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// Players that started within a time, and not within the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Bucket {
    /// `None`: any longer.
    pub(crate) within_ms: Option<u32>,
    pub(crate) players: u64,
}

/// One second.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Second {
    pub(crate) bytes: u64,
    #[serde(flatten)]
    pub(crate) screens: Screens,
}

/// What the drill itself took: a swarm that is short of CPU measures itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Own {
    pub(crate) threads: usize,
    pub(crate) cpu_s: f64,
    /// The latest that a thread noticed the end of a second.
    pub(crate) late_ms: u64,
}

/// What a report is made of.
pub(crate) struct Ended<'a> {
    pub(crate) began: String,
    pub(crate) lasted: Duration,
    pub(crate) interrupted: bool,
    pub(crate) speed: Speed,
    pub(crate) players: u64,
    pub(crate) bells: &'a [Bell],
    pub(crate) nodes: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) tally: Tally,
    pub(crate) origin: Option<Origin>,
    pub(crate) downloads: usize,
    pub(crate) threads: usize,
    pub(crate) cpu: Duration,
}

impl Report {
    pub(crate) fn of(ended: Ended<'_>) -> Self {
        let Ended { tally, speed, .. } = ended;
        let nodes = ended.nodes.len();
        let gather = |groups: &mut dyn Iterator<Item = &Group>| {
            groups.fold(Group::default(), |mut sum, group| {
                sum.add(group);
                sum
            })
        };
        let all = gather(&mut tally.groups.iter());
        let part =
            |name: &str, group: &Group| Part { name: name.to_owned(), figures: Figures::of(group, speed) };
        let bells = ended.bells.iter().zip(tally.groups.chunks(nodes.max(1)));
        let by_node = ended.nodes.iter().enumerate();
        let mut renditions: Vec<Amount> = ended
            .names
            .iter()
            .zip(&all.bytes)
            .map(|(name, &bytes)| Amount { name: name.clone(), bytes })
            .collect();
        renditions.sort_by_key(|amount| Reverse(amount.bytes));
        let seconds = all.seconds.iter().zip(&tally.screens);
        Self {
            began: ended.began,
            lasted_s: ended.lasted.as_secs_f64(),
            interrupted: ended.interrupted,
            speed: speed.to_string(),
            players: ended.players,
            total: Figures::of(&all, speed),
            bells: bells.map(|(bell, groups)| part(&bell.name, &gather(&mut groups.iter()))).collect(),
            nodes: by_node
                .map(|(at, name)| part(name, &gather(&mut tally.groups.iter().skip(at).step_by(nodes))))
                .collect(),
            renditions,
            startups: buckets(&all.startups_ms),
            seconds: seconds.map(|(&bytes, &screens)| Second { bytes, screens }).collect(),
            origin: ended.origin,
            downloads: (ended.downloads > 0).then_some(tally.downloads),
            swarm: Own {
                threads: ended.threads,
                cpu_s: ended.cpu.as_secs_f64(),
                late_ms: u64::try_from(tally.latest.as_millis()).unwrap_or(u64::MAX),
            },
        }
    }

    /// Tries that gave nothing.
    pub(crate) fn errors(&self) -> u64 {
        self.total.errors.values().sum()
    }
}

impl Figures {
    fn of(group: &Group, speed: Speed) -> Self {
        let meant = group.stalled + speed.wall(group.watched);
        let ratio = if meant.is_zero() { 0.0 } else { group.stalled.div_duration_f64(meant) };
        Self {
            arrived: group.arrived,
            started: group.startups_ms.len() as u64,
            finished: group.finished,
            gave_up: group.gave_up,
            startup: Quantiles::of(&group.startups_ms),
            held: Quantiles::of(&group.held_ms),
            holds: told::<Hold>(&group.holds),
            rebuffers: Rebuffers {
                count: group.stalls,
                players: group.disturbed,
                stalled_s: group.stalled.as_secs_f64(),
                ratio,
            },
            errors: told::<ErrorKind>(&group.errors),
            retries: group.retries,
            requests: group.requests,
            connections: group.connections,
            bytes: group.bytes.iter().sum(),
            rate: Rate::of(&group.seconds),
            cache: told::<CacheResult>(&group.cache),
        }
    }
}

/// Those that occurred, by name.
fn told<L: Label>(counts: &[u64]) -> BTreeMap<&'static str, u64> {
    let named = L::ALL.iter().map(|label| (label.as_str(), counts[label.index()]));
    named.filter(|&(_, count)| count > 0).collect()
}

impl Quantiles {
    /// `None` of nothing.
    pub(crate) fn of(times_ms: &[u32]) -> Option<Self> {
        let mut sorted = times_ms.to_vec();
        sorted.sort_unstable();
        let rank =
            |hundredths: usize| sorted.get((sorted.len() * hundredths).div_ceil(100).max(1) - 1).copied();
        Some(Self { p50_ms: rank(50)?, p95_ms: rank(95)?, p99_ms: rank(99)?, most_ms: rank(100)? })
    }
}

impl Rate {
    /// Of the bytes in each second.
    pub(crate) fn of(seconds: &[u64]) -> Self {
        let begin = seconds.iter().position(|&bytes| bytes > 0);
        let end = seconds.iter().rposition(|&bytes| bytes > 0);
        let Some((begin, end)) = begin.zip(end) else { return Self::default() };
        let busy = &seconds[begin..=end];
        let bits_a_second = |bytes: u64, seconds: u64| bytes.saturating_mul(8) / (seconds * SECOND.as_secs());
        let peak = |length: usize| {
            // What lasted less is spread over all of it.
            let sums = seconds.windows(length.min(seconds.len())).map(|window| window.iter().sum::<u64>());
            sums.max().map_or(0, |bytes| bits_a_second(bytes, length as u64))
        };
        Self { mean: bits_a_second(busy.iter().sum(), busy.len() as u64), peak_1s: peak(1), peak_5s: peak(5) }
    }
}

/// The ends of the buckets.
const WITHIN_MS: [u32; 13] = [50, 100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000];

fn buckets(times_ms: &[u32]) -> Vec<Bucket> {
    let mut players = [0; WITHIN_MS.len() + 1];
    for time in times_ms {
        players[WITHIN_MS.partition_point(|within| within < time)] += 1;
    }
    let ends = WITHIN_MS.into_iter().map(Some).chain([None]);
    ends.zip(players).map(|(within_ms, players)| Bucket { within_ms, players }).collect()
}
