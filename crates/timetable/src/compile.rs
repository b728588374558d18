//! A day's items and what the store has, to the plan that everything follows.
//!
//! The same items, store, edition and time of making give the same bytes, in whatever order the file has them.

mod channels;
mod guidance;
mod lessons;
mod past;

pub(crate) use guidance::policies;

use crate::check::check;
use crate::file::Timetable;
use crate::finding::{Finding, Rule, Weight, sorted};
use crate::plan::{Clip, Document, Plan, PlanKind};
use crate::stock::Stock;
use crate::time::first_segment;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// What a plan is made with beside the timetable.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// Now.
    pub made_at: Timestamp,
    /// The edition; at least one more than that of `previous`.
    pub edition: Option<u64>,
    /// The plan of the day that is followed now.
    pub previous: Option<&'a Plan>,
    /// The plan of the day before, whose channels go on.
    pub day_before: Option<&'a Plan>,
    /// Lessons may come later: their pointers stay shut, and channels show the slate in their place.
    pub allow_missing: bool,
}

/// A plan counts from a day before its own until a day after it, so that nodes can fill, and can go on when they hear nothing.
const AROUND: SignedDuration = SignedDuration::from_hours(24);

/// The plan of `date`, checked.
///
/// # Errors
/// Everything that stops it.
pub fn compile(
    timetable: &Timetable,
    date: Date,
    stock: &Stock,
    making: Making<'_>,
) -> Result<Plan, Vec<Finding>> {
    let begun = making.previous.filter(|previous| previous.date == date);
    let begun = begun.map(|previous| stock.with_begun(previous, making.made_at));
    let stock = begun.as_ref().unwrap_or(stock);
    let mut findings: Vec<_> = check(timetable, Some(stock));
    findings.retain(|finding| {
        finding.weight == Weight::Error && !(making.allow_missing && finding.rule == Rule::NotStored)
    });
    if !findings.is_empty() {
        return Err(findings);
    }
    let whole = |text: String| vec![timetable.spot.error(Rule::Plan, text)];
    let (midnight, next) = days(timetable, date)
        .ok_or_else(|| whole(format!("{date} is outside of all calendars, write another day")))?;
    let lessons = lessons::lessons(timetable, date, midnight, stock);
    let clips = clips(timetable, date, stock);
    let mut plan = Plan {
        kind: PlanKind::Plan1,
        date,
        zone: timetable.zone,
        place: timetable.place.clone(),
        edition: making
            .edition
            .unwrap_or_else(|| making.previous.map_or(1, |previous| previous.edition.saturating_add(1))),
        made_at: making.made_at,
        valid_from: midnight.saturating_sub(AROUND).unwrap_or(midnight),
        valid_until: next.saturating_add(AROUND).unwrap_or(next),
        first_segment: first_segment(midnight).0,
        fill: lessons::fill(timetable, midnight, &lessons, &clips, &making),
        lessons,
        clips,
        slots: guidance::slots(timetable, date),
        channels: Vec::new(),
        policies: guidance::policies(timetable),
        documents: Vec::new(),
    };
    plan.documents = documents(timetable, &plan);
    plan.channels = channels::channels(timetable, stock, &plan, &making);
    plan.check().map_err(|error| whole(format!("{error}, shorten texts or split the timetable")))?;
    let past = making.previous.map(|previous| past::past(timetable, previous, &plan)).unwrap_or_default();
    if past.is_empty() { Ok(plan) } else { Err(sorted(past)) }
}

fn days(timetable: &Timetable, date: Date) -> Option<(Timestamp, Timestamp)> {
    Some((timetable.zone.midnight(date)?, timetable.zone.midnight(date.tomorrow().ok()?)?))
}

/// Everything in the store that is shown and is no lesson, and recordings that have been on air and are their lesson's no more.
fn clips(timetable: &Timetable, date: Date, stock: &Stock) -> Vec<Clip> {
    let shown = timetable.day(date).into_iter().filter(|item| !item.kind.shows_lesson());
    let mut names: Vec<_> =
        shown.filter_map(|item| item.lesson.as_ref()).chain(timetable.slate.as_ref()).collect();
    names.sort();
    names.dedup();
    let clip = |name: &&package::LessonId| {
        let stocked = stock.get(name)?;
        Some(Clip { clip: (*name).clone(), title: stocked.title.clone(), media: stocked.media.clone() })
    };
    let earlier = timetable.day(date).into_iter().filter_map(|item| stock.earlier(item));
    let mut clips: Vec<Clip> = names.iter().filter_map(clip).chain(earlier).collect();
    clips.sort_by(|a, b| a.clip.cmp(&b.clip));
    clips.dedup_by(|a, b| a.clip == b.clip);
    clips
}

/// Those that a limit of the plan comes from.
fn documents(timetable: &Timetable, plan: &Plan) -> Vec<Document> {
    let named = |document: &&Document| {
        let limits = plan.policies.iter().flat_map(|policy| policy.limits.all());
        limits.into_iter().any(|limit| limit.document.as_ref() == Some(&document.id))
    };
    let mut documents: Vec<_> = timetable.documents.iter().filter(named).cloned().collect();
    documents.sort_by(|a, b| a.id.cmp(&b.id));
    documents.dedup_by(|a, b| a.id == b.id);
    documents
}

#[cfg(test)]
pub(crate) mod tests;
