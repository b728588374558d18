//! How many devices have said what.

use crate::code::ClassCode;
use crate::word::{MAX_MINUTES, Word};
use jiff::civil::Date;
use package::{LessonId, lesson::Grade};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use timetable::Band;

/// Classes times lessons that a node counts a day: five lessons each of ten thousand classes, some 20 MB.
pub const MAX_TABLES: usize = 50_000;

/// Why a word is not counted. Names label metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Not one.
    Malformed,
    /// No lesson of the day.
    Unplanned,
    /// Of the lower primary grades (1 to 3), who are not counted: nothing is asked of them.
    LowerGrades,
    /// [`MAX_TABLES`] are counted.
    Full,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Malformed, Self::Unplanned, Self::LowerGrades, Self::Full];

    /// For metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unplanned => "unplanned",
            Self::LowerGrades => "lower_grades",
            Self::Full => "full",
        }
    }
}

/// What one class has seen of one lesson, in numbers of devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Devices that have begun it.
    pub began: u32,
    /// For each minute, those that have seen it.
    pub seen: Vec<u32>,
    /// For each minute, those that have gone back to it.
    pub again: Vec<u32>,
}

impl Table {
    fn add(&mut self, word: &Word) {
        self.began = self.began.saturating_add(u32::from(word.began));
        count(&mut self.seen, &word.seen);
        count(&mut self.again, &word.again);
    }

    fn merge(&mut self, other: &Self) {
        self.began = self.began.saturating_add(other.began);
        sum(&mut self.seen, &other.seen);
        sum(&mut self.again, &other.again);
    }

    fn fits(&self) -> bool {
        self.seen.len().max(self.again.len()) <= usize::from(MAX_MINUTES)
    }
}

fn count(counts: &mut Vec<u32>, minutes: &[u16]) {
    let needed = minutes.last().map_or(0, |&last| usize::from(last) + 1);
    counts.resize(counts.len().max(needed), 0);
    for &minute in minutes {
        if let Some(count) = counts.get_mut(usize::from(minute)) {
            *count = count.saturating_add(1);
        }
    }
}

fn sum(counts: &mut Vec<u32>, others: &[u32]) {
    counts.resize(counts.len().max(others.len()), 0);
    for (count, other) in counts.iter_mut().zip(others) {
        *count = count.saturating_add(*other);
    }
}

/// What kind of paper this is; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TallyKind {
    /// The first edition of the form.
    #[default]
    #[serde(rename = "airclass-coverage/1")]
    Coverage1,
}

/// A day's numbers, of a node or of all.
///
/// Holds small numbers: for operators and for [`crate::publish`], never for publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Always the same.
    #[serde(default)]
    pub kind: TallyKind,
    /// Which day.
    pub day: Date,
    /// By class and lesson.
    pub classes: BTreeMap<ClassCode, BTreeMap<LessonId, Table>>,
}

/// Why tallies cannot be read or put together.
#[derive(Debug, thiserror::Error)]
pub enum TallyError {
    /// Not JSON, or not of this shape.
    #[error("not a tally of class coverage: {0}")]
    Json(#[from] serde_json::Error),
    /// A lesson of more minutes than there are.
    #[error("a lesson of class {0} has more than {MAX_MINUTES} minutes")]
    Long(ClassCode),
    /// Of different days.
    #[error("a tally of {other} cannot be put together with one of {day}; give those of one day")]
    Days {
        /// The first one's.
        day: Date,
        /// The other one's.
        other: Date,
    },
}

impl Tally {
    /// Of nothing yet.
    pub fn new(day: Date) -> Self {
        Self { kind: TallyKind::Coverage1, day, classes: BTreeMap::new() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TallyError> {
        let tally: Self = serde_json::from_slice(bytes)?;
        let long = |lessons: &BTreeMap<LessonId, Table>| !lessons.values().all(Table::fits);
        match tally.classes.iter().find(|(_, lessons)| long(lessons)) {
            Some((class, _)) => Err(TallyError::Long(*class)),
            None => Ok(tally),
        }
    }

    /// As it is kept and handed on.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("our types have string keys and no failing serializer")
    }

    /// How many classes times lessons there are.
    pub fn tables(&self) -> usize {
        self.classes.values().map(BTreeMap::len).sum()
    }

    /// Counts a word about a lesson for `grades` that lasts for `minutes`; what it says beyond the lesson's end is left out.
    ///
    /// # Errors
    /// [`Refusal::LowerGrades`], [`Refusal::Full`].
    pub fn count(&mut self, mut word: Word, grades: &[Grade], minutes: u16) -> Result<(), Refusal> {
        if grades.iter().any(|&grade| Band::of(grade) == Band::PrimaryLower) {
            return Err(Refusal::LowerGrades);
        }
        let known = self.classes.get(&word.class).is_some_and(|lessons| lessons.contains_key(&word.lesson));
        if !known && self.tables() >= MAX_TABLES {
            return Err(Refusal::Full);
        }
        word.seen.retain(|&minute| minute < minutes);
        word.again.retain(|&minute| minute < minutes);
        let lessons = self.classes.entry(word.class).or_default();
        lessons.entry(word.lesson.clone()).or_default().add(&word);
        Ok(())
    }

    /// Both together.
    ///
    /// # Errors
    /// When they are of different days.
    pub fn merge(&mut self, other: &Self) -> Result<(), TallyError> {
        if self.day != other.day {
            return Err(TallyError::Days { day: self.day, other: other.day });
        }
        for (class, lessons) in &other.classes {
            let ours = self.classes.entry(*class).or_default();
            for (lesson, table) in lessons {
                ours.entry(lesson.clone()).or_default().merge(table);
            }
        }
        Ok(())
    }
}
