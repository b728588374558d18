//! What is asked of people: when to come, how long to look.

use super::programme::{InvalidId, id_type, is_id};
use crate::place::Place;
use crate::school::{Band, Class};
use jiff::civil::Date;
use package::Grade;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const MAX_ID: usize = 80;

/// When new sessions of some grades of a place are let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionSlot {
    /// Where. The nearest to a student counts.
    pub place: Place,
    /// Who goes first.
    pub class: Class,
    /// Whose limits are theirs.
    pub band: Band,
    /// Which grades, in order.
    pub grades: Vec<Grade>,
    /// The slot opens so many seconds behind a lesson's release.
    pub after_s: u32,
    /// Within the slot new sessions are spread over so many seconds; 0: all at once.
    pub window_s: u32,
    /// The place's term begins on this day. Before it the slot is soft: "continue anyway" works while there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term_start: Option<Date>,
    /// Whether the plan's day is before that.
    pub soft: bool,
}

/// The limits that hold for some grades of a place, each with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Where. The nearest to a student counts; it holds everything, also what it has from further up.
    pub place: Place,
    /// Which band.
    pub band: Band,
    /// Which of its grades, in order.
    pub grades: Vec<Grade>,
    /// The limits.
    #[serde(flatten)]
    pub limits: Limits,
}

/// What may be asked of a pupil's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Minutes of lessons a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_minutes: Option<Limit>,
    /// Minutes of one lesson at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sitting_minutes: Option<Limit>,
    /// Minutes between two lessons at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_minutes: Option<Limit>,
    /// Lessons a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lessons_a_day: Option<Limit>,
}

/// One limit and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How much.
    pub value: u32,
    /// Whose it is: the place itself, or one that it lies in.
    pub place: Place,
    /// What says so; `None`: the timetable itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
}

/// A document that sets limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its name in these files.
    pub id: DocumentId,
    /// What it is called.
    pub title: String,
    /// Who has issued it.
    pub authority: String,
    /// When: a day, a month or a year, as far as it is known; empty where it is not. Within one place the newest counts.
    pub issued: String,
    /// Where it can be read, or where it was read.
    pub source: String,
}

id_type! {
    /// A document's name.
    DocumentId
}

impl Limits {
    /// Those that are set.
    pub fn all(&self) -> impl Iterator<Item = &Limit> {
        [&self.day_minutes, &self.sitting_minutes, &self.break_minutes, &self.lessons_a_day]
            .into_iter()
            .flatten()
    }
}
