//! Whether a timetable is one that children can follow and nodes can show.
//!
//! Everything that is wrong is told at once, each with its place and the way out. Limits of places that the timetable is
//! not made for are notes: a national timetable cannot keep every city's limit, and whoever is stricter leaves something
//! out.

mod channels;
mod day;
mod lessons;
mod limits;

pub(crate) use channels::airings;
pub use lessons::SLACK_S;
pub(crate) use lessons::segments;

use crate::file::{Item, Timetable, clock_text};
use crate::finding::{Finding, MAX_FINDINGS, Rule, sorted};
use crate::policy::Policies;
use crate::school::grades;
use crate::stock::Stock;
use crate::time::DAY_S;
use jiff::Timestamp;
use jiff::civil::Date;
use package::Grade;
use std::collections::BTreeSet;

/// Before this second of the day no lesson begins that was meant so.
const NIGHT_UNTIL_S: u32 = 6 * 3_600;

/// One item as a grade has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) item: &'a Item,
    /// Second of the day, stagger included.
    pub(crate) start: u32,
}

impl Placed<'_> {
    pub(crate) const fn end(&self) -> u32 {
        self.start.saturating_add(self.item.length)
    }
}

/// Everything that is wrong with `timetable`. `stock` is what the store has of its lessons; without one nothing is said
/// about what only a store can tell.
pub fn check(timetable: &Timetable, stock: Option<&Stock>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let policies = timetable.policies();
    policies.check(&mut findings);
    for date in timetable.days() {
        let items = timetable.day(date);
        within_day(timetable, &items, &mut findings);
        night(&items, &mut findings);
        off_bell(timetable, &items, &mut findings);
        lessons::check(&items, stock, &mut findings);
        channels::check(timetable, date, &mut findings);
        exam_grades(timetable, date, &items, &mut findings);
        for grade in grades() {
            let day = timetable.grade_day(date, grade);
            day::check(timetable, grade, &day, &mut findings);
            limits::check(timetable, &policies, grade, &day, &mut findings);
        }
        if findings.len() > MAX_FINDINGS {
            break;
        }
    }
    if let Some(slate) = &timetable.slate
        && stock.is_some_and(|stock| stock.get(slate).is_none())
    {
        let text = format!("slate `{slate}` is not in the store, ingest it or take slate away");
        findings.push(timetable.spot.error(Rule::NotStored, text));
    }
    if findings.len() <= MAX_FINDINGS {
        channels::silent(timetable, &mut findings);
    }
    if timetable.items.is_empty() {
        let text = "there is no item, write an [[item]] or name a sheet by items; a day without lessons (放假) has one of kind rest";
        findings.push(timetable.spot.error(Rule::Syntax, text));
    }
    sorted(findings)
}

/// A note for each of the first [`MAX_FINDINGS`] days that are over at `now`. A plan of last year's date is a sound plan that
/// no node follows, and whoever wrote it hears of that tomorrow at the bell.
pub fn days_over(timetable: &Timetable, now: Timestamp) -> Vec<Finding> {
    let today = timetable.zone.local(now).date();
    let over = timetable.days().into_iter().take_while(|&date| date < today).take(MAX_FINDINGS);
    let note = |date: Date| {
        let first = timetable.items.iter().find(|item| item.date == date)?;
        let text = format!("{date} is over, it is {today}: look whether year, month and day are right");
        Some(first.spot.note(Rule::DayOver, text))
    };
    over.filter_map(note).collect()
}

/// A note for each lesson and clip that has begun and is another one in the store by now, or none: `on_air` is `stock` as channels
/// show it.
pub fn begun_otherwise(timetable: &Timetable, stock: &Stock, on_air: &Stock) -> Vec<Finding> {
    let mut told = BTreeSet::new();
    let notes = timetable.items.iter().filter_map(|item| {
        let (lesson, shown) = (item.lesson.as_ref()?, on_air.shown(item)?);
        let now = stock.get(lesson).map(|stocked| stocked.media.package);
        if now == Some(shown.package) || !told.insert(lesson) {
            return None;
        }
        let text = match now {
            Some(_) if item.kind.shows_lesson() => format!(
                "`{lesson}` has another recording since it began: that showing stays as it was, its page and later showings have the new one"
            ),
            Some(_) => format!("`{lesson}` has begun and stays as it was until the day is over"),
            None => format!(
                "`{lesson}` has begun and stays on television as it was until the day is over; the store has it no more"
            ),
        };
        Some(item.spot.note(Rule::Past, text))
    });
    notes.collect()
}

impl Timetable {
    pub(crate) fn policies(&self) -> Policies<'_> {
        Policies::new(&self.rulings, &self.documents)
    }

    /// How much later the items of `grade` begin than they are written.
    pub(crate) fn stagger(&self, grade: Grade) -> u32 {
        self.policies().stagger(&self.place, grade)
    }

    /// The day of one grade, in order.
    pub(crate) fn grade_day(&self, date: Date, grade: Grade) -> Vec<Placed<'_>> {
        let stagger = self.stagger(grade);
        let items = self.day(date).into_iter().filter(|item| item.grades.contains(&grade));
        items.map(|item| Placed { item, start: item.start.saturating_add(stagger) }).collect()
    }
}

fn within_day(timetable: &Timetable, items: &[&Item], findings: &mut Vec<Finding>) {
    for item in items {
        let latest = item.grades.iter().map(|&grade| timetable.stagger(grade)).max().unwrap_or(0);
        if item.start.saturating_add(item.length).saturating_add(latest) > DAY_S {
            let text =
                format!("`{}` ends after midnight, let it end by 24:00 or put it into the next day", item.id);
            findings.push(item.spot.error(Rule::OutsideDay, text));
        }
    }
}

/// Sheets often have `2:30` for half past two in the afternoon, and that is a time of the day, too.
fn night(items: &[&Item], findings: &mut Vec<Finding>) {
    for item in items.iter().filter(|item| item.kind.shows_lesson() && item.start < NIGHT_UNTIL_S) {
        let text = format!(
            "`{}` begins at {}, when children sleep: write {} if the afternoon is meant",
            item.id,
            clock_text(item.start),
            clock_text(item.start + DAY_S / 2)
        );
        findings.push(item.spot.note(Rule::Night, text));
    }
}

/// `09:01` for `09:10` is a time of the day, and families wait for the bell.
fn off_bell(timetable: &Timetable, items: &[&Item], findings: &mut Vec<Finding>) {
    if timetable.bells.is_empty() {
        return;
    }
    for item in items.iter().filter(|item| item.kind.shows_lesson() && !timetable.bells.contains(&item.start))
    {
        let text = format!(
            "`{}` begins at {}, which is none of the bells: look whether it is right, and add it to bells if it is",
            item.id,
            clock_text(item.start)
        );
        findings.push(item.spot.note(Rule::OffBell, text));
    }
}

fn exam_grades(timetable: &Timetable, date: Date, items: &[&Item], findings: &mut Vec<Finding>) {
    use crate::school::Kind;
    let lessons = || items.iter().filter(|item| item.kind == Kind::Lesson);
    let Some(first) = lessons().next() else { return };
    for grade in &timetable.exam_grades {
        if !lessons().any(|item| item.grades.contains(grade)) {
            let text = format!(
                "grade {} is before its examination and has no lesson on {date}, add one or take it out of exam_grades{}",
                grade.year(),
                if timetable.is_sheet() { " (of a TOML file that names this sheet by `items`)" } else { "" }
            );
            findings.push(first.spot.error(Rule::ExamGrades, text));
        }
    }
}

#[cfg(test)]
mod tests;
