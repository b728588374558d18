//! Plans that are published already, and what a timetable would make of them.

use super::fault::TimetableFault;
use super::read;
use faults::{AnyFault, note};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use storage::Store;
use timetable::{
    Change, Finding, MAX_ENVELOPE_BYTES, Making, Plan, SignedPlan, Stock, Timetable, Zone, plan_path,
};

/// What shelves have of a timetable's days, and of those beside them: each read once.
pub(super) struct Published(BTreeMap<Date, (SignedPlan, Plan)>);

impl Published {
    /// Reads it.
    pub(super) async fn read(shelves: &[Store], timetable: &Timetable) -> Result<Self, AnyFault> {
        let beside = |date: Date| [date.yesterday().ok(), Some(date), date.tomorrow().ok()];
        let days = timetable.days();
        let dates: BTreeSet<Date> = days.iter().copied().flat_map(beside).flatten().collect();
        let mut plans = BTreeMap::new();
        for date in dates {
            if let Some(found) = newest(shelves, date, days.contains(&date)).await? {
                plans.insert(date, found);
            }
        }
        Ok(Self(plans))
    }

    /// The newest plan of `date` on any shelf.
    pub(super) fn of(&self, date: Date) -> Option<&(SignedPlan, Plan)> {
        self.0.get(&date)
    }

    /// The plan of the day before `date`: the newest of those that were made just now, or the published one.
    pub(super) fn day_before<'a>(&'a self, date: Date, made: Option<(Date, &'a Plan)>) -> Option<&'a Plan> {
        match made {
            Some((before, plan)) if before.tomorrow().ok() == Some(date) => Some(plan),
            _ => self.of(date.yesterday().ok()?).map(|(_, plan)| plan),
        }
    }
}

/// The newest plan of `date`. One that cannot be read keeps nobody from another day: only where the day itself `is_asked` for is it a
/// fault.
async fn newest(
    shelves: &[Store],
    date: Date,
    is_asked: bool,
) -> Result<Option<(SignedPlan, Plan)>, AnyFault> {
    let mut newest: Option<(SignedPlan, Plan)> = None;
    for shelf in shelves {
        let Some(found) = shelf.get(&plan_path(date), MAX_ENVELOPE_BYTES).await? else { continue };
        let name = format!("{}/{}", shelf.name(), plan_path(date));
        let found = match read::plan_in(&name, &found.bytes) {
            Ok(found) => found,
            Err(problem) if !is_asked => {
                note!("note: {problem}; what it shows over midnight is not known here");
                continue;
            }
            Err(problem) => return Err(problem.into()),
        };
        if newest.as_ref().is_none_or(|(_, plan)| plan.edition < found.1.edition) {
            newest = Some(found);
        }
    }
    Ok(newest)
}

/// Everything that is wrong with `timetable`, and worth knowing, over what the store has and what has begun by `now`.
pub(super) fn findings(
    published: &Published,
    timetable: &Timetable,
    stock: &Stock,
    now: Timestamp,
) -> Vec<Finding> {
    let mut on_air = stock.clone();
    for date in timetable.days() {
        if let Some((_, plan)) = published.of(date) {
            on_air = on_air.with_begun(plan, now);
        }
    }
    let mut findings = timetable::days_over(timetable, now);
    findings.extend(timetable::begun_otherwise(timetable, stock, &on_air));
    findings.extend(timetable::check(timetable, Some(&on_air)));
    findings
}

/// Whether `date` is over: what was published of it is what was shown, and no node follows another edition.
pub(super) fn is_over(timetable: &Timetable, date: Date, now: Timestamp) -> bool {
    date < timetable.zone.local(now).date()
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
pub(super) fn next(
    published: &Published,
    timetable: &Timetable,
    stock: &Stock,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Next>, AnyFault> {
    let mut days = Vec::new();
    let mut made: Option<(Date, Plan)> = None;
    for date in timetable.days().into_iter().filter(|&date| !is_over(timetable, date, now)) {
        let Some((_, previous)) = published.of(date) else { continue };
        same_place(previous, timetable, now)?;
        let before = made.as_ref().map(|(date, plan)| (*date, plan));
        let making = Making {
            made_at: now,
            edition: None,
            previous: Some(previous),
            day_before: published.day_before(date, before),
            allow_missing: true,
        };
        match timetable::compile(timetable, date, stock, making) {
            Ok(plan) => {
                let changes = timetable::diff(previous, &plan);
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
