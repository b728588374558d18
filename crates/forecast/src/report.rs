//! Everything about a day, bell by bell.

use crate::assumptions::Assumptions;
use crate::capacity::{Shortage, shortages};
use crate::demand::Demand;
use crate::stagger::{self, Stagger};
use crate::wave::waves;
use jiff::Timestamp;
use std::collections::BTreeMap;
use timetable::Plan;

/// From a bell on so many minutes are looked at for its peak: slots may be an hour behind it.
const LOOKED_AT: usize = 90;

/// What a day comes to.
#[derive(Debug, Clone)]
pub struct Forecast<'a> {
    /// By time.
    pub bells: Vec<Bell<'a>>,
    /// All markets by minute.
    pub total: Vec<u64>,
    /// Each market's busiest minute, bits a second.
    pub markets: BTreeMap<crate::Market<'a>, u64>,
    /// Ways to spread beginnings.
    pub staggers: Vec<Stagger>,
    /// Bytes of the day.
    pub bytes: u64,
    /// Lessons that the store lacked when the plan was made. Nobody knows their rungs, so nothing is reckoned for them.
    pub lessons_missing: usize,
}

/// What one bell comes to.
#[derive(Debug, Clone)]
pub struct Bell<'a> {
    /// When.
    pub at: Timestamp,
    /// Lessons that begin.
    pub lessons: usize,
    /// Sessions that begin because of it.
    pub sessions: u64,
    /// Its busiest minute of the day.
    pub minute: usize,
    /// What all ask for then, bits a second.
    pub peak: u64,
    /// Who has too little then.
    pub shortages: Vec<Shortage<'a>>,
}

/// The forecast of `plan`'s day; `None` when its calendar has no such midnight.
pub fn forecast<'a>(plan: &'a Plan, assumed: &'a Assumptions) -> Option<Forecast<'a>> {
    let midnight = plan.zone.midnight(plan.date)?;
    let all = waves(plan, assumed, true);
    let demand = Demand::of(&all, assumed, midnight);
    let total = demand.total();
    let mut bells: BTreeMap<Timestamp, (usize, u64)> = BTreeMap::new();
    for lesson in &plan.lessons {
        bells.entry(lesson.bell).or_default().0 += 1;
    }
    for wave in &all {
        bells.entry(wave.lesson.bell).or_default().1 += wave.sessions;
    }
    let starts: Vec<usize> = bells.keys().map(|&bell| minute_of(bell, midnight)).collect();
    let bells = bells.into_iter().enumerate().map(|(place, (at, (lessons, sessions)))| {
        let from = starts[place];
        // Up to the next bell, which has a peak of its own.
        let next = starts.get(place + 1).copied().unwrap_or(usize::MAX);
        let until = next.min(from + LOOKED_AT).min(total.len());
        let busiest = (from..until).max_by_key(|&minute| (total[minute], std::cmp::Reverse(minute)));
        let minute = busiest.unwrap_or(from);
        let peak = total.get(minute).copied().unwrap_or(0);
        Bell { at, lessons, sessions, minute, peak, shortages: shortages(&demand, assumed, minute) }
    });
    let bells = bells.collect();
    let markets = demand.markets();
    let markets =
        markets.map(|(market, minutes)| (market, minutes.iter().copied().max().unwrap_or(0))).collect();
    let bytes = total.iter().fold(0_u64, |bytes, bps| bytes.saturating_add(bps.saturating_mul(60) / 8));
    let lessons_missing = plan.lessons.iter().filter(|lesson| lesson.media.is_none()).count();
    let staggers = stagger::compare(plan, assumed, midnight);
    Some(Forecast { bells, markets, staggers, bytes, total, lessons_missing })
}

fn minute_of(moment: Timestamp, midnight: Timestamp) -> usize {
    usize::try_from(moment.duration_since(midnight).as_mins()).unwrap_or(0)
}
