//! What the store has of the lessons that a timetable names. The caller looks; rules only read.

use crate::plan::Media;
use package::LessonId;
use std::collections::BTreeMap;

/// What was found, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock(pub BTreeMap<LessonId, Stocked>);

/// One lesson or clip, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stocked {
    /// What the list shows.
    pub title: String,
    /// 学科.
    pub subject: Option<String>,
    /// 版本.
    pub edition: Option<String>,
    /// 册次.
    pub volume: Option<String>,
    /// The package that it is now.
    pub media: Media,
}

impl Stock {
    /// The lesson `lesson`.
    pub fn get(&self, lesson: &LessonId) -> Option<&Stocked> {
        self.0.get(lesson)
    }
}
