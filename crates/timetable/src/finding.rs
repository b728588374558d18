//! What is wrong with a timetable: where, by which rule, and the way out.

use std::fmt;
use std::sync::Arc;

/// The most findings that are told; after so many mistakes the file is another file.
pub const MAX_FINDINGS: usize = 1_000;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// As it was given.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub spot: Spot,
    /// By which rule.
    pub rule: Rule,
    /// Whether it stops the plan.
    pub weight: Weight,
    /// What is wrong, and the way out; one line.
    pub text: String,
}

/// Whether a finding stops the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It does.
    Error,
    /// It does not: a place that the timetable is not made for has a stricter limit and will have to leave something out.
    Note,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// It cannot be read.
    Syntax,
    /// Two items have one name.
    Duplicate,
    /// A channel that is not described.
    UnknownChannel,
    /// It begins or ends outside of its day.
    OutsideDay,
    /// A lesson in the small hours.
    Night,
    /// A lesson that begins between the bells.
    OffBell,
    /// A channel that shows nothing.
    SilentChannel,
    /// Two items of a grade or a channel at the same time.
    Overlap,
    /// It goes on after the next bell.
    Overrun,
    /// A lesson that names none.
    NoLesson,
    /// The store does not have it.
    NotStored,
    /// It is longer or shorter in the store than in the timetable.
    WrongLength,
    /// A classroom's 40 or 45 minutes on a screen.
    ClassroomLength,
    /// Longer than a sitting may be.
    Sitting,
    /// Two lessons without a break that is long enough.
    MissingBreak,
    /// Lessons without an eye exercise among them.
    EyeExercise,
    /// More minutes a day than the band's limit.
    DayTotal,
    /// More lessons a day than the limit.
    LessonsADay,
    /// A grade before its examination has nothing.
    ExamGrades,
    /// Two canonical lessons for one place in the syllabus.
    Syllabus,
    /// Shown again before it was shown.
    EarlyReplay,
    /// A limit without the document that it comes from.
    Undocumented,
    /// Two rules of one place that say different things.
    Ambiguous,
    /// It changes what has been on air.
    Past,
    /// The day is over: nobody follows its plan any more.
    DayOver,
    /// The plan cannot be made.
    Plan,
}

impl Rule {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::Duplicate,
        Self::UnknownChannel,
        Self::OutsideDay,
        Self::Night,
        Self::OffBell,
        Self::SilentChannel,
        Self::Overlap,
        Self::Overrun,
        Self::NoLesson,
        Self::NotStored,
        Self::WrongLength,
        Self::ClassroomLength,
        Self::Sitting,
        Self::MissingBreak,
        Self::EyeExercise,
        Self::DayTotal,
        Self::LessonsADay,
        Self::ExamGrades,
        Self::Syllabus,
        Self::EarlyReplay,
        Self::Undocumented,
        Self::Ambiguous,
        Self::Past,
        Self::DayOver,
        Self::Plan,
    ];

    /// As findings name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Duplicate => "duplicate",
            Self::UnknownChannel => "unknown_channel",
            Self::OutsideDay => "outside_day",
            Self::Night => "night",
            Self::OffBell => "off_bell",
            Self::SilentChannel => "silent_channel",
            Self::Overlap => "overlap",
            Self::Overrun => "overrun",
            Self::NoLesson => "no_lesson",
            Self::NotStored => "not_stored",
            Self::WrongLength => "wrong_length",
            Self::ClassroomLength => "classroom_length",
            Self::Sitting => "sitting",
            Self::MissingBreak => "missing_break",
            Self::EyeExercise => "eye_exercise",
            Self::DayTotal => "day_total",
            Self::LessonsADay => "lessons_a_day",
            Self::ExamGrades => "exam_grades",
            Self::Syllabus => "syllabus",
            Self::EarlyReplay => "early_replay",
            Self::Undocumented => "undocumented",
            Self::Ambiguous => "ambiguous",
            Self::Past => "past",
            Self::DayOver => "day_over",
            Self::Plan => "plan",
        }
    }
}

impl Spot {
    /// An error here.
    pub(crate) fn error(&self, rule: Rule, text: impl Into<String>) -> Finding {
        Finding { spot: self.clone(), rule, weight: Weight::Error, text: text.into() }
    }

    /// What is worth knowing here and stops nothing.
    pub(crate) fn note(&self, rule: Rule, text: impl Into<String>) -> Finding {
        Finding { weight: Weight::Note, ..self.error(rule, text) }
    }

    /// The same file at another line.
    pub(crate) fn at(&self, line: usize) -> Self {
        Self { file: Arc::clone(&self.file), line }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = if self.weight == Weight::Note { "note: " } else { "" };
        write!(f, "{}: {note}{}: {}", self.spot, self.rule.as_str(), self.text.replace(['\n', '\r'], " "))
    }
}

/// In order of files and lines, none twice, and not more than anybody reads.
pub(crate) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| (&a.spot, a.rule, &a.text).cmp(&(&b.spot, b.rule, &b.text)));
    findings.dedup();
    findings.truncate(MAX_FINDINGS);
    findings
}
