//! Grades grouped: bands that limits are made for, classes that admission knows, kinds of what stands in a timetable.

use package::Grade;
use serde::{Deserialize, Serialize};

/// Grades that documents set limits for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 小学低年级, 1 to 3.
    PrimaryLower,
    /// 小学高年级, 4 to 6.
    PrimaryUpper,
    /// 初中, 7 to 9.
    Junior,
    /// 高中, 10 to 12.
    Senior,
}

/// Who is let in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Grades before an examination (毕业年级).
    Exam,
    /// All others.
    Usual,
}

/// What an item of a timetable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 课: a lesson for the first time. Opens the lesson's pointer.
    Lesson,
    /// 重播: a lesson once more, for those who could not be there. Counts towards no limit.
    Replay,
    /// 休息.
    Rest,
    /// 眼保健操.
    EyeExercise,
    /// 课间操.
    Exercise,
    /// 阅读.
    Reading,
    /// Nothing that anybody planned: what a channel shows between items. Not written in timetables.
    Gap,
}

impl Band {
    /// All, youngest first.
    pub const ALL: [Self; 4] = [Self::PrimaryLower, Self::PrimaryUpper, Self::Junior, Self::Senior];

    /// The band of `grade`.
    pub const fn of(grade: Grade) -> Self {
        match grade.year() {
            ..=3 => Self::PrimaryLower,
            4..=6 => Self::PrimaryUpper,
            7..=9 => Self::Junior,
            _ => Self::Senior,
        }
    }

    /// As files and metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrimaryLower => "primary_lower",
            Self::PrimaryUpper => "primary_upper",
            Self::Junior => "junior",
            Self::Senior => "senior",
        }
    }

    /// In Chinese.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrimaryLower => "小学低年级",
            Self::PrimaryUpper => "小学高年级",
            Self::Junior => "初中",
            Self::Senior => "高中",
        }
    }
}

impl Class {
    /// All, first come first.
    pub const ALL: [Self; 2] = [Self::Exam, Self::Usual];

    /// As files and metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exam => "exam",
            Self::Usual => "usual",
        }
    }
}

impl Kind {
    /// What a timetable may say.
    pub const WRITTEN: [Self; 6] =
        [Self::Lesson, Self::Replay, Self::Rest, Self::EyeExercise, Self::Exercise, Self::Reading];

    /// As files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Replay => "replay",
            Self::Rest => "rest",
            Self::EyeExercise => "eye_exercise",
            Self::Exercise => "exercise",
            Self::Reading => "reading",
            Self::Gap => "gap",
        }
    }

    /// In Chinese.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lesson => "课程",
            Self::Replay => "重播",
            Self::Rest => "休息",
            Self::EyeExercise => "眼保健操",
            Self::Exercise => "课间操",
            Self::Reading => "阅读",
            Self::Gap => "间隔",
        }
    }

    /// Whether a lesson is shown.
    pub const fn shows_lesson(self) -> bool {
        matches!(self, Self::Lesson | Self::Replay)
    }
}

/// Every grade, 1 to 12.
pub fn grades() -> impl Iterator<Item = Grade> {
    (1..=12).filter_map(|year: u8| Grade::try_from(year).ok())
}

/// A grade's usual name: 三年级, 高一.
pub const fn grade_name(grade: Grade) -> &'static str {
    match grade.year() {
        1 => "一年级",
        2 => "二年级",
        3 => "三年级",
        4 => "四年级",
        5 => "五年级",
        6 => "六年级",
        7 => "七年级",
        8 => "八年级",
        9 => "九年级",
        10 => "高一",
        11 => "高二",
        _ => "高三",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grade_has_a_band_and_a_name_that_is_read() {
        let bands: Vec<_> = grades().map(Band::of).collect();
        assert!(bands.is_sorted());
        for grade in grades() {
            assert_eq!(grade_name(grade).parse(), Ok(grade));
        }
        for kind in Kind::WRITTEN {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for band in Band::ALL {
            assert_eq!(serde_json::to_value(band).unwrap(), band.as_str());
        }
    }
}
