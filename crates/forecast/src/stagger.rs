//! Ways to spread beginnings, compared by what they cost.

use crate::assumptions::Assumptions;
use crate::demand::Demand;
use crate::wave::{Wave, waves};
use accounting::{Billing, samples_of_minutes};
use jiff::{SignedDuration, Timestamp};
use timetable::{Kind, Plan, Region};

/// School days of a month of thirty days: what a plan is repeated on to see a month's bill.
const SCHOOL_DAYS: usize = 22;
const DAYS: usize = 30;
/// Provinces in four groups, a quarter of an hour apart: the usual proposal.
const GROUPS: usize = 4;
const STEP: SignedDuration = SignedDuration::from_mins(15);

/// One way, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stagger {
    /// What it is called.
    pub name: &'static str,
    /// The busiest minute, bits a second.
    pub peak: u64,
    /// Which minute of the day that is.
    pub minute: usize,
    /// The busiest minute of beginnings: sessions a second.
    pub beginnings: u64,
    /// What is billed for a month of such days, all markets together.
    pub month_95: u64,
}

/// Everybody at the bell; as the plan has it; provinces by quarters of an hour on top.
pub(crate) fn compare(plan: &Plan, assumed: &Assumptions, midnight: Timestamp) -> Vec<Stagger> {
    let mut by_province = waves(plan, assumed, false);
    for wave in &mut by_province {
        if wave.lesson.kind == Kind::Lesson {
            let place = Region::ALL.iter().position(|&region| region == wave.region).unwrap_or(0);
            let later = STEP * i32::try_from(place % GROUPS).unwrap_or(0);
            wave.from = wave.from.saturating_add(later).unwrap_or(wave.from);
            wave.until = wave.until.saturating_add(later).unwrap_or(wave.until);
        }
    }
    vec![
        of("at the bell", &waves(plan, assumed, false), assumed, midnight),
        of("as planned", &waves(plan, assumed, true), assumed, midnight),
        of("provinces 0/15/30/45 min", &by_province, assumed, midnight),
    ]
}

fn of(name: &'static str, waves: &[Wave], assumed: &Assumptions, midnight: Timestamp) -> Stagger {
    let demand = Demand::of(waves, assumed, midnight);
    let (minute, peak) = demand.peak();
    Stagger { name, peak, minute, beginnings: beginnings(waves), month_95: month_95(&demand) }
}

/// Each market is billed by itself: they do not peak together, and no contract nets them.
pub(crate) fn month_95(demand: &Demand) -> u64 {
    let bills = demand.markets().map(|(_, minutes)| {
        let day = samples_of_minutes(minutes);
        let mut month: Vec<u64> = Vec::with_capacity(day.len() * DAYS);
        (0..SCHOOL_DAYS).for_each(|_| month.extend(&day));
        month.resize(day.len() * DAYS, 0);
        Billing::Month95.rate(&month)
    });
    bills.sum()
}

/// Sessions a second in the busiest of all beginnings: where most windows overlap.
fn beginnings(waves: &[Wave]) -> u64 {
    // In thousandths of a session a second, or many small waves would round to nothing.
    let rate = |wave: &Wave| {
        let window = wave.until.duration_since(wave.from).as_millis().max(1_000);
        i64::try_from(i128::from(wave.sessions) * 1_000_000 / window).unwrap_or(i64::MAX)
    };
    let mut edges: Vec<(Timestamp, i64)> = Vec::with_capacity(waves.len() * 2);
    for wave in waves {
        edges.extend([(wave.from, rate(wave)), (wave.until, -rate(wave))]);
    }
    // At one instant those who end leave before others begin.
    edges.sort_unstable();
    let (_, most) = edges.iter().fold((0_i64, 0_i64), |(now, most), (_, change)| {
        let now = now.saturating_add(*change);
        (now, most.max(now))
    });
    u64::try_from(most.saturating_add(500) / 1_000).unwrap_or(0)
}
