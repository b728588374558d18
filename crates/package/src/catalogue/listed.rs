//! What the catalogue says about one lesson.

use crate::layout::LessonId;
use crate::lesson::{Grade, Lesson, Stage};
use crate::sections::SectionId;
use serde::{Deserialize, Serialize};

/// One line of the list. It names no package: the name is what opens it, and the list is read before a lesson is open. Keys that it does not know are passed over: older lists named packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name; the pointer is `/lessons/<lesson>/main.m3u8`.
    pub lesson: LessonId,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// What the list shows.
    pub title: String,
    /// 学段.
    pub stage: Stage,
    /// 年级.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// 学科.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// 版本.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// 册次.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// 单元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The place in the volume, as the syllabus has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syllabus: Option<String>,
    /// Shown first of all that have this place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canonical: bool,
    /// 板块.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<SectionId>,
    /// Who teaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<String>,
    /// RFC 5646.
    pub language: String,
    /// Who provides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Under which terms it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

impl From<Lesson> for Listed {
    fn from(lesson: Lesson) -> Self {
        lesson.listed
    }
}
