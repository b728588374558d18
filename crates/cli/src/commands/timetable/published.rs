//! Plans that are published already, and what a timetable would make of them.

use super::fault::TimetableFault;
use super::read;
use faults::AnyFault;
use jiff::Timestamp;
use jiff::civil::Date;
use storage::Store;
use timetable::{
    Change, Finding, MAX_ENVELOPE_BYTES, Making, Plan, SignedPlan, Stock, Timetable, Zone, plan_path,
};

/// The newest plan of `date` on any shelf.
pub(super) async fn last(
    shelves: &[Store],
    date: Option<Date>,
) -> Result<Option<(SignedPlan, Plan)>, AnyFault> {
    let Some(date) = date else { return Ok(None) };
    let mut newest: Option<(SignedPlan, Plan)> = None;
    for shelf in shelves {
        let Some(found) = shelf.get(&plan_path(date), MAX_ENVELOPE_BYTES).await? else { continue };
        let name = format!("{}/{}", shelf.name(), plan_path(date));
        let found = read::plan_in(&name, &found.bytes)?;
        if newest.as_ref().is_none_or(|(_, plan)| plan.edition < found.1.edition) {
            newest = Some(found);
        }
    }
    Ok(newest)
}

/// The plan of the day before `date`: the newest of those that were made just now, or the published one.
pub(super) async fn day_before(
    shelves: &[Store],
    date: Date,
    made: Option<(Date, &Plan)>,
) -> Result<Option<Plan>, AnyFault> {
    Ok(match made {
        Some((before, plan)) if before.tomorrow().ok() == Some(date) => Some(plan.clone()),
        _ => last(shelves, date.yesterday().ok()).await?.map(|(_, plan)| plan),
    })
}

/// Everything that is wrong with `timetable`, and worth knowing, over what the store has and what has begun by `now`.
pub(super) async fn findings(
    shelves: &[Store],
    timetable: &Timetable,
    stock: &Stock,
    now: Timestamp,
) -> Result<Vec<Finding>, AnyFault> {
    let mut on_air = stock.clone();
    for date in timetable.days() {
        if let Some((_, plan)) = last(shelves, Some(date)).await? {
            on_air = on_air.with_begun(&plan, now);
        }
    }
    let mut findings = timetable::days_over(timetable, now);
    findings.extend(timetable::begun_otherwise(timetable, stock, &on_air));
    findings.extend(timetable::check(timetable, Some(&on_air)));
    Ok(findings)
}

/// Somebody else's day is there: their lessons would be on no plan any more, and open to everybody.
pub(super) fn same_place(last: &Plan, timetable: &Timetable, now: Timestamp) -> Result<(), TimetableFault> {
    let clock = |zone: Zone| zone.local(now);
    if last.place == timetable.place && clock(last.zone) == clock(timetable.zone) {
        return Ok(());
    }
    Err(TimetableFault::OtherPlace {
        date: last.date,
        there: format!("{} by the clock of {}", last.place, last.zone),
        here: format!("{} by the clock of {}", timetable.place, timetable.zone),
        next: last.edition.saturating_add(1),
    })
}

/// What the next edition of a published day would say differently.
pub(super) struct Next {
    pub(super) date: Date,
    /// The edition that is published.
    pub(super) edition: u64,
    pub(super) changes: Vec<Change>,
}

/// What `timetable` would change of the days that are published, and what keeps it from that beside `findings`, which go there.
/// Lessons that are not there yet keep nothing from being compared.
pub(super) async fn next(
    shelves: &[Store],
    timetable: &Timetable,
    stock: &Stock,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Next>, AnyFault> {
    let mut days = Vec::new();
    let mut made: Option<(Date, Plan)> = None;
    for date in timetable.days() {
        let Some((_, previous)) = last(shelves, Some(date)).await? else { continue };
        same_place(&previous, timetable, now)?;
        let before = made.as_ref().map(|(date, plan)| (*date, plan));
        let before = day_before(shelves, date, before).await?;
        let making = Making {
            made_at: now,
            edition: None,
            previous: Some(&previous),
            day_before: before.as_ref(),
            allow_missing: true,
        };
        match timetable::compile(timetable, date, stock, making) {
            Ok(plan) => {
                let changes = timetable::diff(&previous, &plan);
                days.push(Next { date, edition: previous.edition, changes });
                made = Some((date, plan));
            }
            Err(found) => {
                let new: Vec<_> = found.into_iter().filter(|one| !findings.contains(one)).collect();
                findings.extend(new);
            }
        }
    }
    Ok(days)
}
