//! Eyes: minutes a sitting, minutes and lessons a day, by the band's limits.

use super::Placed;
use super::day::lessons;
use crate::file::Timetable;
use crate::finding::{Finding, Rule, Weight};
use crate::place::Place;
use crate::plan::Limit;
use crate::policy::Policies;
use package::Grade;

/// A classroom's lesson; on a screen it is two.
const CLASSROOM_MINUTES: u32 = 40;

pub(super) fn check(
    timetable: &Timetable,
    policies: &Policies<'_>,
    grade: Grade,
    day: &[Placed<'_>],
    findings: &mut Vec<Finding>,
) {
    let lessons = lessons(day);
    let Some(last) = lessons.last() else { return };
    let own = policies.effective(&timetable.place, grade).limits;
    for placed in day.iter().filter(|placed| placed.item.kind.shows_lesson()) {
        let minutes = placed.item.length / 60;
        if minutes >= CLASSROOM_MINUTES {
            let text = format!(
                "`{}` is a classroom's {minutes} min on a screen, make two lessons of it",
                placed.item.id
            );
            findings.push(placed.item.spot.error(Rule::ClassroomLength, text));
        }
    }
    // The place itself, and those below it that say something else.
    let below = policies
        .places()
        .into_iter()
        .filter(|place| **place != timetable.place && timetable.place.covers(place));
    let places = std::iter::once(&timetable.place).chain(below);
    for place in places {
        let weight = if *place == timetable.place { Weight::Error } else { Weight::Note };
        let limits = policies.effective(place, grade).limits;
        let stricter = |limit: &Option<Limit>, own: &Option<Limit>| match weight {
            Weight::Error => limit.clone(),
            Weight::Note => limit.clone().filter(|limit| Some(limit) != own.as_ref()),
        };
        let mut tell = |placed: &Placed<'_>, rule, text: String, limit: &Limit| {
            let text = format!("{text}{}", source(place, limit));
            findings.push(Finding { spot: placed.item.spot.clone(), rule, weight, text });
        };
        if let Some(limit) = stricter(&limits.sitting_minutes, &own.sitting_minutes) {
            for placed in lessons.iter().filter(|placed| placed.item.length > limit.value * 60) {
                if placed.item.length / 60 >= CLASSROOM_MINUTES {
                    continue;
                }
                let minutes = placed.item.length.div_ceil(60);
                let text = format!(
                    "`{}` lasts {minutes} min, grade {} may sit {} min",
                    placed.item.id,
                    grade.year(),
                    limit.value
                );
                tell(placed, Rule::Sitting, text, &limit);
            }
        }
        if let Some(limit) = stricter(&limits.day_minutes, &own.day_minutes) {
            let minutes = lessons.iter().map(|placed| placed.item.length).sum::<u32>().div_ceil(60);
            if minutes > limit.value {
                let text = format!(
                    "grade {} has {minutes} min of lessons, the day's limit is {} min",
                    grade.year(),
                    limit.value
                );
                tell(last, Rule::DayTotal, text, &limit);
            }
        }
        if let Some(limit) = stricter(&limits.lessons_a_day, &own.lessons_a_day) {
            let count = u32::try_from(lessons.len()).unwrap_or(u32::MAX);
            if count > limit.value {
                let text =
                    format!("grade {} has {count} lessons, the day's limit is {}", grade.year(), limit.value);
                tell(last, Rule::LessonsADay, text, &limit);
            }
        }
    }
}

/// Whose limit, and the way out.
fn source(place: &Place, limit: &Limit) -> String {
    let document = limit.document.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!(" in {place}{document}, make it shorter or leave something out")
}
