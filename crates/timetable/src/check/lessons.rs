//! Items against what they show: is it there, is it as long, is it the only one.

use crate::file::{Item, clock_text};
use crate::finding::{Finding, Rule};
use crate::school::Kind;
use crate::stock::Stock;
use grid::SegmentCount;
use package::LessonId;
use std::collections::BTreeMap;
use std::time::Duration;

/// A lesson may be so much shorter than its item: the slate fills the rest.
pub const SLACK_S: u32 = 60;

pub(super) fn check(items: &[&Item], stock: Option<&Stock>, findings: &mut Vec<Finding>) {
    for item in items {
        named(item, stock, findings);
    }
    syllabus(items, findings);
    replays(items, findings);
}

fn named(item: &Item, stock: Option<&Stock>, findings: &mut Vec<Finding>) {
    let Some(lesson) = &item.lesson else {
        if item.kind.shows_lesson() {
            let text = format!("`{}` shows no lesson, write lesson = \"…\"", item.id);
            findings.push(item.spot.error(Rule::NoLesson, text));
        }
        return;
    };
    let Some(stock) = stock else { return };
    let Some(shown) = stock.shown(item) else {
        let text = format!(
            "lesson `{lesson}` is not in the store, ingest it (airclass ingest run FILE --lesson {lesson}); compile --allow-missing plans the day without it"
        );
        findings.push(item.spot.error(Rule::NotStored, text));
        return;
    };
    let (planned, found) = (segments(item), shown.segments);
    let shortest = segments_of(item.length.saturating_sub(SLACK_S));
    if found > planned || found < shortest {
        let length = |second: u32| format!("{}:{:02}", second / 60, second % 60);
        let lasts = u32::try_from(found.millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        let text = format!(
            "lesson `{lesson}` lasts {} in the store and `{}` {} here, change minutes or ingest the right recording",
            length(lasts),
            item.id,
            // As it is written: the grid rounds it up.
            length(item.length)
        );
        findings.push(item.spot.error(Rule::WrongLength, text));
    }
}

/// How many segments an item lasts.
pub(crate) fn segments(item: &Item) -> SegmentCount {
    segments_of(item.length)
}

fn segments_of(seconds: u32) -> SegmentCount {
    SegmentCount::covering(Duration::from_secs(seconds.into()))
}

/// One place in the syllabus has one lesson for everybody: two would split its viewers, and one of them is a mistake.
fn syllabus(items: &[&Item], findings: &mut Vec<Finding>) {
    let mut places: BTreeMap<_, (&LessonId, usize)> = BTreeMap::new();
    for item in items.iter().filter(|item| item.kind.shows_lesson()) {
        let (Some(place), Some(lesson)) = (&item.syllabus, &item.lesson) else { continue };
        for grade in &item.grades {
            let key = (grade, &item.subject, &item.edition, &item.volume, place);
            let (first, line) = *places.entry(key).or_insert((lesson, item.spot.line));
            if first != lesson {
                let text = format!(
                    "`{lesson}` and `{first}` (line {line}) are both the lesson of grade {} for `{place}`, decide for one",
                    grade.year()
                );
                findings.push(item.spot.error(Rule::Syllabus, text));
            }
        }
    }
}

fn replays(items: &[&Item], findings: &mut Vec<Finding>) {
    let first = |lesson: &LessonId| {
        let shown =
            items.iter().filter(|item| item.kind == Kind::Lesson && item.lesson.as_ref() == Some(lesson));
        shown.map(|item| item.start).min()
    };
    for item in items.iter().filter(|item| item.kind == Kind::Replay) {
        let Some(lesson) = &item.lesson else { continue };
        if let Some(start) = first(lesson).filter(|&start| start > item.start) {
            let text = format!(
                "`{}` shows `{lesson}` again before it is shown at {}, move it behind",
                item.id,
                clock_text(start)
            );
            findings.push(item.spot.error(Rule::EarlyReplay, text));
        }
    }
}
