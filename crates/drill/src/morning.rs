//! A day plan replayed: every bell, its lessons, and the pupils who watch them, as the forecast reckons them.

use crate::arrivals::Curve;
use crate::error::DrillError;
use crate::script::{Bell, Show};
use forecast::{Assumptions, waves};
use jiff::Timestamp;
use jiff::civil::Time;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use timetable::{MAX_ENVELOPE_BYTES, Plan, SignedPlan};

/// Part of a plan's day, by its own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hours {
    pub(crate) from: Option<Time>,
    /// Not itself.
    pub(crate) until: Option<Time>,
}

/// Reads what the forecast assumes about pupils.
///
/// # Errors
/// With file and line.
pub(crate) fn read_assumptions(path: &Path) -> Result<Assumptions, DrillError> {
    let wrong = |problem: String| DrillError::Plan { path: path.to_owned(), problem };
    let assumed: Assumptions = settings::parse(&settings::read(path)?, path)?;
    assumed.check().map_err(|error| wrong(error.to_string()))?;
    Ok(assumed)
}

/// Reads a plan, in its envelope or bare. Its signature is not looked at: a rehearsal opens nothing.
///
/// # Errors
/// When it is none.
pub(crate) fn read_plan(path: &Path) -> Result<Plan, DrillError> {
    let wrong = |problem: String| DrillError::Plan { path: path.to_owned(), problem };
    let bytes = settings::small_file(path, MAX_ENVELOPE_BYTES as u64)
        .map_err(|error| wrong(format!("{error}; give plans/DATE.json")))?;
    let text = match SignedPlan::parse(&bytes) {
        Some(signed) => signed.plan,
        None => String::from_utf8(bytes).map_err(|_| wrong("is no plan; give plans/DATE.json".to_owned()))?,
    };
    Plan::parse(&text).map_err(|error| wrong(format!("is no plan: {error}; give plans/DATE.json")))
}

/// The sessions of one lesson that begin within the same while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Crowd<'a> {
    lesson: &'a str,
    from: Timestamp,
    until: Timestamp,
    length: Duration,
}

/// The plan's bells within `hours`, the first at the beginning. `fullest` players come to the bell with the most sessions, and
/// to the others in proportion; each within its slot.
pub(crate) fn bells(plan: &Plan, assumed: &Assumptions, fullest: usize, hours: Hours) -> Vec<Bell> {
    let mut rung: BTreeMap<Timestamp, BTreeMap<Crowd<'_>, u64>> = BTreeMap::new();
    for wave in waves(plan, assumed, true) {
        let bell = wave.lesson.bell;
        let time = plan.zone.local(bell).time();
        if hours.from.is_none_or(|from| time >= from) && hours.until.is_none_or(|until| time < until) {
            let crowd = Crowd {
                lesson: wave.lesson.lesson.as_str(),
                from: wave.from,
                until: wave.until,
                length: Duration::try_from(wave.length).unwrap_or_default(),
            };
            *rung.entry(bell).or_default().entry(crowd).or_insert(0) += wave.sessions;
        }
    }
    let Some(&first) = rung.keys().next() else { return Vec::new() };
    let most = rung.values().map(|crowds| crowds.values().sum::<u64>()).max().unwrap_or(0);
    let bell = |(at, crowds): (Timestamp, BTreeMap<Crowd<'_>, u64>)| {
        let players = shares(crowds.values().copied(), fullest, most);
        let shows = crowds.keys().zip(players).filter(|&(_, players)| players > 0);
        let show = |(crowd, players): (&Crowd<'_>, usize)| {
            Some(Show {
                // Names of lessons are letters, digits and hyphens.
                path: format!("/lessons/{}/main.m3u8", crowd.lesson).parse().ok()?,
                players,
                after: between(at, crowd.from),
                curve: Curve::Uniform(between(crowd.from, crowd.until)),
                length: Some(crowd.length),
            })
        };
        let name = plan.zone.local(at).strftime("%H:%M").to_string();
        Bell { name, at: between(first, at), shows: shows.filter_map(show).collect() }
    };
    rung.into_iter().map(bell).filter(|bell| bell.players() > 0).collect()
}

/// Zero when `to` is not behind `from`.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// `players` × pupils / `most` for each, so rounded that the sum is too.
fn shares(pupils: impl Iterator<Item = u64>, players: usize, most: u64) -> Vec<usize> {
    let (mut seen, mut given) = (0u128, 0u128);
    let share = |pupils: u64| {
        seen += u128::from(pupils);
        let so_far = seen * players as u128 / u128::from(most.max(1));
        let share = so_far - given;
        given = so_far;
        usize::try_from(share).unwrap_or(usize::MAX)
    };
    pupils.map(share).collect()
}

#[cfg(test)]
mod tests;
