//! The day of one grade: nothing at the same time, nothing over the bell, breaks, an eye exercise.

use super::Placed;
use crate::file::{Timetable, clock_text};
use crate::finding::{Finding, Rule, Weight};
use crate::school::Kind;
use package::Grade;

pub(super) fn check(timetable: &Timetable, grade: Grade, day: &[Placed<'_>], findings: &mut Vec<Finding>) {
    overlaps(grade, day, findings);
    overruns(timetable, day, findings);
    eye_exercise(grade, day, findings);
    let limits = timetable.policies().effective(&timetable.place, grade).limits;
    if let Some(limit) = limits.break_minutes {
        breaks(grade, day, limit.value, findings);
    }
}

/// Lessons of one subject in different editions are for different pupils, and may be at the same time.
pub(super) fn may_be_parallel(a: &Placed<'_>, b: &Placed<'_>) -> bool {
    let (a, b) = (a.item, b.item);
    a.kind.shows_lesson()
        && b.kind.shows_lesson()
        && a.subject.is_some()
        && a.subject == b.subject
        && a.edition.as_ref().zip(b.edition.as_ref()).is_some_and(|(a, b)| a != b)
}

fn overlaps(grade: Grade, day: &[Placed<'_>], findings: &mut Vec<Finding>) {
    let mut running: Vec<&Placed<'_>> = Vec::new();
    for placed in day {
        running.retain(|other| other.end() > placed.start);
        if let Some(other) = running.iter().find(|other| !may_be_parallel(other, placed)) {
            let text = format!(
                "`{}` begins at {} for grade {} while `{}` (line {}) runs until {}, move one of them or make it shorter",
                placed.item.id,
                clock_text(placed.start),
                grade.year(),
                other.item.id,
                other.item.spot.line,
                clock_text(other.end())
            );
            findings.push(placed.item.spot.error(Rule::Overlap, text));
        }
        running.push(placed);
    }
}

fn overruns(timetable: &Timetable, day: &[Placed<'_>], findings: &mut Vec<Finding>) {
    for placed in day.iter().filter(|placed| placed.item.kind.shows_lesson()) {
        let item = placed.item;
        let next = timetable.bells.iter().copied().find(|&bell| bell > item.start);
        if let Some(bell) = next.filter(|&bell| item.start.saturating_add(item.length) > bell) {
            let text = format!(
                "`{}` ends at {}, after the bell at {}, make it shorter or change the bells",
                item.id,
                clock_text(item.start.saturating_add(item.length)),
                clock_text(bell)
            );
            findings.push(item.spot.error(Rule::Overrun, text));
        }
    }
}

/// The lessons that one pupil sees, one after the other: of two at the same time, which are for different pupils, the first.
pub(super) fn lessons<'a>(day: &'a [Placed<'a>]) -> Vec<&'a Placed<'a>> {
    let mut lessons: Vec<&Placed<'_>> = Vec::new();
    for placed in day.iter().filter(|placed| placed.item.kind == Kind::Lesson) {
        if lessons.last().is_none_or(|before| before.end() <= placed.start) {
            lessons.push(placed);
        }
    }
    lessons
}

fn breaks(grade: Grade, day: &[Placed<'_>], least: u32, findings: &mut Vec<Finding>) {
    for pair in lessons(day).windows(2) {
        let &[before, after] = pair else { continue };
        let pause = (after.start - before.end()) / 60;
        if pause < least {
            let text = format!(
                "{pause} min between `{}` and `{}` for grade {}, leave {least} min",
                before.item.id,
                after.item.id,
                grade.year()
            );
            findings.push(after.item.spot.error(Rule::MissingBreak, text));
        }
    }
}

fn eye_exercise(grade: Grade, day: &[Placed<'_>], findings: &mut Vec<Finding>) {
    let lessons = lessons(day);
    let (Some(first), Some(last)) = (lessons.first(), lessons.last()) else { return };
    let among = |placed: &&Placed<'_>| (first.start..last.end()).contains(&placed.start);
    let exercised =
        day.iter().filter(|placed| placed.item.kind == Kind::EyeExercise).any(|placed| among(&placed));
    if lessons.len() > 1 && !exercised {
        let text = format!(
            "{} lessons of grade {} and no eye exercise among them, add an item of kind eye_exercise",
            lessons.len(),
            grade.year()
        );
        findings.push(Finding {
            spot: last.item.spot.clone(),
            rule: Rule::EyeExercise,
            weight: Weight::Error,
            text,
        });
    }
}
