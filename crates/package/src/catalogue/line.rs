//! A lesson's line in a shard: what is said about it, the five keys of the national catalogue, and its place among others.

use super::Listed;
use crate::layout::LessonId;
use serde::Serialize;
use std::collections::BTreeMap;

/// One line as written; reading takes [`Listed`] and passes the rest over, which follows from it.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    listed: &'a Listed,
    tags: Tags<'a>,
    /// The lesson that is shown first at this place of the syllabus, where this is not the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<&'a LessonId>,
}

/// The keys by which the national platform's catalogue sorts, with their values as it writes them.
#[derive(Debug, Serialize)]
struct Tags<'a> {
    /// 学段
    zxxxd: &'static str,
    /// 年级
    #[serde(skip_serializing_if = "Option::is_none")]
    zxxnj: Option<&'static str>,
    /// 学科
    #[serde(skip_serializing_if = "Option::is_none")]
    zxxxk: Option<&'a str>,
    /// 版本
    #[serde(skip_serializing_if = "Option::is_none")]
    zxxbb: Option<&'a str>,
    /// 册次
    #[serde(skip_serializing_if = "Option::is_none")]
    zxxcc: Option<&'a str>,
}

/// A place in the syllabus, within a shard.
type Place<'a> = (&'a Option<String>, &'a Option<String>, &'a Option<String>, &'a str);

/// The lines of one shard.
pub(super) fn lines<'a>(lessons: &'a BTreeMap<LessonId, Listed>) -> Vec<Line<'a>> {
    let first = firsts(lessons);
    let beside = |lesson: &Listed| {
        let first = *first.get(&place(lesson)?)?;
        (*first != lesson.lesson).then_some(first)
    };
    let line = |listed: &'a Listed| Line { listed, tags: tags(listed), beside: beside(listed) };
    lessons.values().map(line).collect()
}

/// One lesson a place: who says so, else the first by name. As in timetables, grade (here the shard's), subject, edition,
/// volume and place make one.
fn firsts<'a>(lessons: &'a BTreeMap<LessonId, Listed>) -> BTreeMap<Place<'a>, &'a LessonId> {
    let mut firsts: BTreeMap<Place<'a>, &'a Listed> = BTreeMap::new();
    for lesson in lessons.values() {
        let Some(place) = place(lesson) else { continue };
        let first = firsts.entry(place).or_insert(lesson);
        if lesson.canonical && !first.canonical {
            *first = lesson;
        }
    }
    firsts.into_iter().map(|(place, lesson)| (place, &lesson.lesson)).collect()
}

fn place(lesson: &Listed) -> Option<Place<'_>> {
    let place = lesson.syllabus.as_deref()?;
    Some((&lesson.subject, &lesson.edition, &lesson.volume, place))
}

fn tags(lesson: &Listed) -> Tags<'_> {
    Tags {
        zxxxd: lesson.stage.name(),
        zxxnj: lesson.grade.map(|grade| grade.name()),
        zxxxk: lesson.subject.as_deref(),
        zxxbb: lesson.edition.as_deref(),
        zxxcc: lesson.volume.as_deref(),
    }
}

/// Each lesson of a shard that is shown by itself, with those that are listed below it.
pub fn by_place(lessons: &[Listed]) -> Vec<(&Listed, Vec<&Listed>)> {
    let all: BTreeMap<LessonId, Listed> =
        lessons.iter().map(|lesson| (lesson.lesson.clone(), lesson.clone())).collect();
    let first = firsts(&all);
    let first_of = |lesson: &Listed| place(lesson).and_then(|place| first.get(&place).copied());
    let is_first = |lesson: &Listed| first_of(lesson).is_none_or(|first| *first == lesson.lesson);
    let beside = |shown: &Listed| {
        let others = lessons.iter().filter(|other| other.lesson != shown.lesson);
        others.filter(|other| first_of(other) == Some(&shown.lesson)).collect()
    };
    lessons.iter().filter(|lesson| is_first(lesson)).map(|lesson| (lesson, beside(lesson))).collect()
}
