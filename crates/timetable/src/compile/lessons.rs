//! What opens when, and what is fetched for it.

use super::Making;
use crate::check::segments;
use crate::file::{Item, Timetable};
use crate::plan::{Clip, Fill, Lane, Media, PlannedLesson};
use crate::school::Kind;
use crate::stock::Stock;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use package::{Grade, LessonId};
use std::collections::BTreeMap;

/// One entry a lesson, whatever number of items show it.
pub(super) fn lessons(
    timetable: &Timetable,
    date: Date,
    midnight: Timestamp,
    stock: &Stock,
) -> Vec<PlannedLesson> {
    let mut shown: BTreeMap<&LessonId, Vec<&Item>> = BTreeMap::new();
    for item in timetable.day(date).into_iter().filter(|item| item.kind.shows_lesson()) {
        if let Some(lesson) = &item.lesson {
            shown.entry(lesson).or_default().push(item);
        }
    }
    shown
        .into_iter()
        .filter_map(|(lesson, items)| planned(timetable, midnight, lesson, &items, stock))
        .collect()
}

fn planned(
    timetable: &Timetable,
    midnight: Timestamp,
    lesson: &LessonId,
    items: &[&Item],
    stock: &Stock,
) -> Option<PlannedLesson> {
    // The first showing says what the lesson is; one that is only shown again was released on another day.
    let first = items.iter().find(|item| item.kind == Kind::Lesson).or(items.first())?;
    let mut grades: Vec<Grade> = items.iter().flat_map(|item| &item.grades).copied().collect();
    grades.sort();
    grades.dedup();
    let stagger = first.grades.iter().map(|&grade| timetable.stagger(grade)).min()?;
    let bell = after(midnight, first.start);
    let stocked = stock.get(lesson);
    let told = |own: &Option<String>, store: fn(&crate::stock::Stocked) -> &Option<String>| {
        own.clone().or_else(|| stocked.and_then(|stocked| store(stocked).clone()))
    };
    let title = first.title.clone().or_else(|| stocked.map(|stocked| stocked.title.clone()));
    Some(PlannedLesson {
        lesson: lesson.clone(),
        bell,
        release: if first.kind == Kind::Lesson { after(bell, stagger) } else { midnight },
        kind: first.kind,
        exam: grades.iter().any(|grade| timetable.exam_grades.contains(grade)),
        grades,
        title: title.unwrap_or_else(|| lesson.to_string()),
        subject: told(&first.subject, |stocked| &stocked.subject),
        edition: told(&first.edition, |stocked| &stocked.edition),
        volume: told(&first.volume, |stocked| &stocked.volume),
        segments: segments(first),
        media: stocked.map(|stocked| stocked.media.clone()),
    })
}

/// What nodes fetch: what came late first, then by when it is needed, what examinations need first.
pub(super) fn fill(
    timetable: &Timetable,
    midnight: Timestamp,
    lessons: &[PlannedLesson],
    clips: &[Clip],
    making: &Making<'_>,
) -> Vec<Fill> {
    let (from, until) = timetable.fill_window;
    let (opens, closes) = (after(midnight, from), after(midnight, until));
    let day_ends = after(midnight, crate::time::DAY_S);
    let mut needed: BTreeMap<_, (Timestamp, bool, &Media)> = BTreeMap::new();
    let clips = clips.iter().map(|clip| (midnight, true, &clip.media));
    let lessons =
        lessons.iter().filter_map(|lesson| Some((lesson.release, !lesson.exam, lesson.media.as_ref()?)));
    for (at, usual, media) in lessons.chain(clips) {
        let entry = needed.entry(media.package).or_insert((at, usual, media));
        entry.0 = entry.0.min(at);
        entry.1 = entry.1 && usual;
    }
    let entry = |(package, (needed_at, usual, media)): (_, (Timestamp, bool, &Media))| {
        let lane = lane(package, opens, making);
        // A clip is needed from midnight on, by channels only; nobody waits for it in the night.
        let needed_at = needed_at.max(opens);
        let (from, until) = match lane {
            Lane::Night => (opens, closes),
            Lane::Express => (opens, needed_at.max(closes)),
        };
        (usual, Fill { package, lane, from, until, needed_at, pin_until: day_ends, bytes: media.bytes })
    };
    let mut fill: Vec<_> = needed.into_iter().map(entry).collect();
    fill.sort_by_key(|(usual, fill)| (fill.lane, fill.needed_at, *usual, fill.package));
    fill.into_iter().map(|(_, fill)| fill).collect()
}

/// What an edition adds that was made when fetching had begun is late, and stays so in later editions.
fn lane(package: package::PackageId, opens: Timestamp, making: &Making<'_>) -> Lane {
    let before = making.previous.and_then(|plan| plan.fill.iter().find(|fill| fill.package == package));
    match before {
        Some(before) => before.lane,
        None if making.made_at > opens => Lane::Express,
        None => Lane::Night,
    }
}

pub(super) fn after(moment: Timestamp, seconds: u32) -> Timestamp {
    moment.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(moment)
}
