//! Fields to items.

use super::field::Field;
use super::text::{clock, clock_text, day_cell, grade_list, grades_text, narrow, span};
use crate::finding::{Finding, Rule, Spot};
use crate::plan::{ChannelId, ItemId};
use crate::school::Kind;
use crate::time::DAY_S;
use jiff::civil::Date;
use package::{Grade, LessonId};
use std::collections::BTreeMap;

/// So many characters of what cannot be read are shown.
pub(super) const MAX_SHOWN: usize = 40;
/// The longest text of one field, in characters.
const MAX_TEXT: usize = 200;

/// One item of a timetable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is written.
    pub spot: Spot,
    /// Its name within its day: what was written, or made of what it is.
    pub id: ItemId,
    /// Which day.
    pub date: Date,
    /// Second of the day, as written: the stagger of its grades comes on top.
    pub start: u32,
    /// Seconds.
    pub length: u32,
    /// For whom, in order.
    pub grades: Vec<Grade>,
    /// What it is.
    pub kind: Kind,
    /// What the guide says; left out: what the store says, or what it is.
    pub title: Option<String>,
    /// 学科.
    pub subject: Option<String>,
    /// 版本.
    pub edition: Option<String>,
    /// 册次.
    pub volume: Option<String>,
    /// Its place in the syllabus, in whatever words.
    pub syllabus: Option<String>,
    /// The lesson or clip in the store.
    pub lesson: Option<LessonId>,
    /// The one channel that shows it; left out: all channels of its grades.
    pub channel: Option<ChannelId>,
}

/// Fields as they were written, each with its line.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) spot: Spot,
    pub(super) fields: BTreeMap<Field, (String, usize)>,
}

/// A name that is never kept: [`name_all`] follows.
const UNNAMED: &str = "-";

/// Reads one item; what is wrong goes to `findings`.
pub(super) fn read(written: &Written, date: Option<Date>, findings: &mut Vec<Finding>) -> Option<Item> {
    let before = findings.len();
    let mut reader = Reader { written, findings };
    let date = reader.parsed(Field::Date, "a day such as 2026-09-01", day_cell).or(date);
    let (start, until) = reader.parsed(Field::Start, "a time such as 08:30", span).unzip();
    let end = reader.parsed(Field::End, "a time such as 08:50", clock);
    let until = until.flatten();
    if until.is_some() && end.is_some() && until != end {
        reader.wrong(Field::End, "end and start say different ends, leave one of them out".into());
    }
    let end = end.or(until);
    let minutes = reader.parsed(Field::Minutes, "whole minutes, 1 to 1440", minutes);
    let grades = reader.parsed(Field::Grades, "grades such as 7, 7-9, 初一 or all", grade_list);
    let kind = reader.parsed(Field::Kind, "lesson (课程), replay (重播), rest (休息), eye_exercise (眼保健操), exercise (课间操) or reading (阅读)", kind);
    let named = "1 to 64 of a-z 0-9 - _ . and not a dot first";
    let lesson = reader.parsed(Field::Lesson, named, |text| text.parse().ok());
    let channel = reader.parsed(Field::Channel, named, |text| text.parse().ok());
    let id = reader.parsed(Field::Id, named, |text| text.parse().ok());
    let plain = |text: &str| is_plain(text).then(|| text.to_owned());
    let mut text = |field| reader.parsed(field, "1 to 200 characters without control characters", plain);
    let (title, subject, edition) = (text(Field::Title), text(Field::Subject), text(Field::Edition));
    let (volume, syllabus) = (text(Field::Volume), text(Field::Syllabus));

    let date = reader.required(Field::Date, date, "write the day here, or once for the whole file");
    let start = reader.required(Field::Start, start, "write when it begins, such as 08:30");
    let grades = reader.required(Field::Grades, grades, "write for whom it is, such as 7-9 or all");
    let length = match (minutes, start, end) {
        (Some(minutes), ..) => Some(minutes * 60),
        (None, Some(start), Some(end)) if end > start => Some(end - start),
        (None, Some(start), Some(end)) => {
            let text =
                format!("ends at {} and begins at {}, write a later end", clock_text(end), clock_text(start));
            reader.wrong(Field::End, text);
            None
        }
        _ => None,
    };
    let length = match end {
        // Whoever writes both says the same twice.
        Some(end)
            if minutes.is_some()
                && start.zip(length).is_some_and(|(start, length)| start + length != end) =>
        {
            reader.wrong(Field::End, "end and minutes say different things, leave one of them out".into());
            None
        }
        // A beginning that cannot be read may have its end with it.
        None if start.is_none() && length.is_none() && written.fields.contains_key(&Field::Start) => None,
        _ => reader.required(Field::Minutes, length, "write how long it lasts, or its end"),
    };
    let id = id.unwrap_or_else(|| UNNAMED.parse().expect("a hyphen"));
    let item = Item {
        spot: written.spot.clone(),
        id,
        date: date?,
        start: start?,
        length: length?,
        grades: grades?,
        kind: kind.unwrap_or(Kind::Lesson),
        title,
        subject,
        edition,
        volume,
        syllabus,
        lesson,
        channel,
    };
    (findings.len() == before).then_some(item)
}

/// Gives every item that has no name one that says what it is, so that it keeps it when others come and go, and finds names
/// that are there twice.
pub(super) fn name_all(items: &mut [Item], findings: &mut Vec<Finding>) {
    let mut named: BTreeMap<(Date, ItemId), Item> = BTreeMap::new();
    for item in items {
        if item.id.as_str() == UNNAMED {
            item.id = made_name(item).parse().unwrap_or_else(|_| UNNAMED.parse().expect("a hyphen"));
        }
        if let Some(first) = named.insert((item.date, item.id.clone()), item.clone()) {
            let line = first.spot.line;
            findings.push(item.spot.error(
                Rule::Duplicate,
                format!("`{}` is on line {line} already, {}", item.id, way_to_one(&first, item)),
            ));
        }
    }
}

/// What to do where two items have one name.
fn way_to_one(first: &Item, second: &Item) -> String {
    let shown = |item: &Item| (item.lesson.clone(), item.start, item.length, item.channel.clone());
    match second.kind {
        // Sheets have a row for each grade.
        Kind::Lesson if shown(first) == shown(second) && first.kind == second.kind => {
            let mut grades = [&first.grades[..], &second.grades[..]].concat();
            grades.sort();
            grades.dedup();
            format!("write one item for grades {}", grades_text(&grades))
        }
        Kind::Lesson => {
            "say kind = \"replay\" where it is shown again, or give one of them another id".to_owned()
        }
        _ => "give one of them another id".to_owned(),
    }
}

/// A lesson is its own name; what is shown again is told by its time; the rest by kind, time and for whom.
fn made_name(item: &Item) -> String {
    let time = clock_text(item.start).replace(':', "");
    match (&item.lesson, item.kind) {
        (Some(lesson), Kind::Lesson) => lesson.to_string(),
        (Some(lesson), Kind::Replay) => format!("{lesson}-again-{time}"),
        _ => {
            let whom = match &item.channel {
                Some(channel) => channel.to_string().chars().take(40).collect(),
                None => grades_text(&item.grades).replace(',', "_"),
            };
            format!("{}-{time}-{whom}", item.kind.as_str())
        }
    }
}

struct Reader<'a> {
    written: &'a Written,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    /// The field, when it is written and can be read.
    fn parsed<T>(&mut self, field: Field, like: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (text, _) = self.written.fields.get(&field)?;
        let value = parse(text.trim());
        if value.is_none() {
            let shown: String = text.chars().take(MAX_SHOWN).collect();
            self.wrong(field, format!("`{shown}` is no {}, write {like}", field.name()));
        }
        value
    }

    /// What must be there. What was written and could not be read has been told already.
    fn required<T>(&mut self, field: Field, value: Option<T>, way: &str) -> Option<T> {
        let written = |field| self.written.fields.contains_key(&field);
        // An end is as good as minutes.
        let told = written(field) || (field == Field::Minutes && written(Field::End));
        if value.is_none() && !told {
            self.wrong(field, format!("`{}` is missing, {way}", field.name()));
        }
        value
    }

    fn wrong(&mut self, field: Field, text: String) {
        let line = self.written.fields.get(&field).map_or(self.written.spot.line, |(_, line)| *line);
        self.findings.push(self.written.spot.at(line).error(Rule::Syntax, text));
    }
}

fn minutes(text: &str) -> Option<u32> {
    let text = narrow(text);
    let digits = text.trim_end_matches("分钟").trim_end_matches("min").trim();
    digits.parse().ok().filter(|minutes| (1..=DAY_S / 60).contains(minutes))
}

fn kind(text: &str) -> Option<Kind> {
    let also = match text {
        "课" | "新课" => Some(Kind::Lesson),
        "回放" => Some(Kind::Replay),
        "广播体操" => Some(Kind::Exercise),
        "课间" | "午休" | "放假" => Some(Kind::Rest),
        _ => None,
    };
    also.or_else(|| Kind::WRITTEN.into_iter().find(|kind| text == kind.as_str() || text == kind.name()))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}
