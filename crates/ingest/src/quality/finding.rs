//! What is told about a lesson, and what ends a run.

use faults::{Blame, Fault};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was found. The name labels reports and makes the code of the error: `QUALITY_BLACK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The whole lesson is black.
    BlackLesson,
    /// A part of it is.
    Black,
    /// The picture stands still while it should move.
    Frozen,
    /// There is a sound track and nothing on it.
    SilentLesson,
    /// A part of it is silent.
    Silent,
    /// Too quiet to be brought to the loudness of other lessons.
    Quiet,
    /// Peaks are cut off.
    Clipped,
    /// Sound from one side only.
    OneSided,
    /// One side is the other turned over: nothing is left in one loudspeaker.
    TurnedOver,
    /// Not as long as its metadata says.
    Length,
    /// Sound and pictures are not equally long.
    SoundLength,
    /// The clock of the sound runs off that of the pictures.
    Drift,
    /// Holes in the sound, or sound over sound.
    Gaps,
    /// Nobody can read it in `s1`.
    SmallText,
}

impl What {
    /// Every one, for tables.
    pub const ALL: [Self; 14] = [
        Self::BlackLesson,
        Self::Black,
        Self::Frozen,
        Self::SilentLesson,
        Self::Silent,
        Self::Quiet,
        Self::Clipped,
        Self::OneSided,
        Self::TurnedOver,
        Self::Length,
        Self::SoundLength,
        Self::Drift,
        Self::Gaps,
        Self::SmallText,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlackLesson => "black_lesson",
            Self::Black => "black",
            Self::Frozen => "frozen",
            Self::SilentLesson => "silent_lesson",
            Self::Silent => "silent",
            Self::Quiet => "quiet",
            Self::Clipped => "clipped",
            Self::OneSided => "one_sided",
            Self::TurnedOver => "turned_over",
            Self::Length => "length",
            Self::SoundLength => "sound_length",
            Self::Drift => "drift",
            Self::Gaps => "gaps",
            Self::SmallText => "small_text",
        }
    }

    /// The code of the error it makes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BlackLesson => "QUALITY_BLACK_LESSON",
            Self::Black => "QUALITY_BLACK",
            Self::Frozen => "QUALITY_FROZEN",
            Self::SilentLesson => "QUALITY_SILENT_LESSON",
            Self::Silent => "QUALITY_SILENT",
            Self::Quiet => "QUALITY_QUIET",
            Self::Clipped => "QUALITY_CLIPPED",
            Self::OneSided => "QUALITY_ONE_SIDED",
            Self::TurnedOver => "QUALITY_TURNED_OVER",
            Self::Length => "QUALITY_LENGTH",
            Self::SoundLength => "QUALITY_SOUND_LENGTH",
            Self::Drift => "QUALITY_DRIFT",
            Self::Gaps => "QUALITY_GAPS",
            Self::SmallText => "QUALITY_SMALL_TEXT",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Told, in the report and on the terminal.
    Warning,
    /// Nothing is published.
    Error,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub what: What,
    /// How grave.
    pub severity: Severity,
    /// From where on, in milliseconds from the lesson's start.
    pub from_ms: u64,
    /// Up to where.
    pub to_ms: u64,
    /// The measure that was judged, in the unit that `text` names.
    pub figure: f64,
    /// For people.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quality, {}: {}", self.what, self.text)
    }
}

/// Findings that policy does not let pass. Nothing was published.
#[derive(Debug, thiserror::Error)]
#[error("{}; mend the recording, or publish it as it is with --accept-quality", summary(.0))]
pub struct QualityFault(Vec<Finding>);

impl QualityFault {
    /// The errors among `findings`, if there are any.
    pub fn of(findings: &[Finding]) -> Option<Self> {
        let errors: Vec<_> =
            findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
        (!errors.is_empty()).then_some(Self(errors))
    }
}

fn summary(errors: &[Finding]) -> String {
    match errors {
        [] => String::new(),
        [one] => one.text.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.text, rest.len()),
    }
}

impl Fault for QualityFault {
    fn code(&self) -> &'static str {
        self.0.first().map_or("QUALITY", |finding| finding.what.code())
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codes_and_files_agree() {
        for what in What::ALL {
            assert_eq!(what.code(), format!("QUALITY_{}", what.as_str().to_uppercase()));
            assert_eq!(serde_json::to_value(what).unwrap(), what.as_str());
        }
    }

    #[test]
    fn only_errors_stop_a_run() {
        let finding = |what, severity| Finding {
            what,
            severity,
            from_ms: 0,
            to_ms: 1,
            figure: 1.0,
            text: "it is dark".to_owned(),
        };
        assert!(QualityFault::of(&[finding(What::Black, Severity::Warning)]).is_none());
        let fault = QualityFault::of(&[
            finding(What::Silent, Severity::Warning),
            finding(What::BlackLesson, Severity::Error),
            finding(What::Length, Severity::Error),
        ])
        .unwrap();
        assert_eq!((fault.code(), fault.blame()), ("QUALITY_BLACK_LESSON", Blame::Input));
        assert!(fault.to_string().starts_with("it is dark (and 1 more); "), "{fault}");
    }
}
