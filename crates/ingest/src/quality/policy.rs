//! What counts as a fault, and how grave it is. Read from `config/quality.toml`, checked once.

use super::Severity;
use crate::sound::Target;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::Path;
use units::Span;

/// The policy this release ships with.
pub const SHIPPED: &str = include_str!("../../../../config/quality.toml");

/// What is done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not even told.
    Off,
    /// It is told.
    Warning,
    /// It is told, and nothing is published.
    Error,
}

impl Action {
    /// How grave a finding is then.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// A fault that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lasting {
    /// What is done about it.
    pub action: Action,
    /// From how long on.
    pub from: Span,
}

/// A fault of a part of the lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What is done about it.
    pub action: Action,
    /// From how much on, in percent.
    pub percent: f64,
}

/// A picture that stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// What is done about it.
    pub action: Action,
    /// From how long on, where pictures move most of the time: a camera or a film.
    pub camera: Span,
    /// From how long on, where they stand most of the time: slides.
    pub slides: Span,
}

/// Sound that stays below the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// What is done about it.
    pub action: Action,
    /// By how many LU it stays below, after it was lifted as far as the ladder allows.
    pub below_lu: f64,
}

/// A clock that runs off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What is done about it; the drift itself is mended.
    pub action: Action,
    /// From how many milliseconds a minute on.
    pub ms_per_minute: f64,
}

/// Text that cannot be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallText {
    /// What is done about it.
    pub action: Action,
    /// Height of Chinese, Japanese and Korean characters in `s1` (416x234), in rows, below which it is too small.
    pub characters: f64,
    /// The same of small letters without what stands up or hangs down (x-height), for all other languages.
    pub letters: f64,
    /// From how long on, or from half of a shorter lesson on.
    pub from: Span,
}

/// What counts as a fault, as the file says it. Every table must be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A black lesson.
    pub black_lesson: Part,
    /// A black part.
    pub black: Lasting,
    /// A picture that stands.
    pub frozen: Frozen,
    /// A sound track with nothing on it.
    pub silent_lesson: Part,
    /// A silent part.
    pub silent: Lasting,
    /// Too quiet.
    pub quiet: Quiet,
    /// Cut-off peaks, in percent of the time somebody speaks.
    pub clipped: Part,
    /// From one side, in percent of the time somebody speaks.
    pub one_sided: Part,
    /// Turned over, in percent of the time somebody speaks.
    pub turned_over: Part,
    /// Not as long as it was said to be; from this difference on.
    pub length: Lasting,
    /// Sound that ends before or after the pictures by this.
    pub sound_length: Lasting,
    /// A clock that runs off.
    pub drift: Drift,
    /// Holes in the sound and sound over sound, together.
    pub gaps: Lasting,
    /// Small text.
    pub small_text: SmallText,
    /// What the ladder brings sound to: what it cannot bring there is quiet.
    #[serde(skip)]
    pub target: Option<Target>,
    /// How long this lesson was said to be: an order's, not the file's.
    #[serde(skip)]
    pub expected_length: Option<Span>,
    /// Publish whatever is found: errors become warnings.
    #[serde(skip)]
    pub accept_all: bool,
}

impl Policy {
    /// Reads and checks a policy. `path` is for the error, which names file and line or the key.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown or missing key, or a value that cannot be.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let policy: Self = settings::parse(text, path)?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy this release ships with.
    ///
    /// # Errors
    /// Never in a release that passed its tests.
    pub fn shipped() -> Result<Self, SettingsError> {
        Self::parse(SHIPPED, Path::new("config/quality.toml"))
    }

    fn check(&self) -> Result<(), SettingsError> {
        for (key, part) in [
            ("black_lesson.percent", &self.black_lesson),
            ("silent_lesson.percent", &self.silent_lesson),
            ("clipped.percent", &self.clipped),
            ("one_sided.percent", &self.one_sided),
            ("turned_over.percent", &self.turned_over),
        ] {
            // Zero would find everything, also where there is nothing.
            if !(part.percent > 0.0 && part.percent <= 100.0) {
                return Err(SettingsError::value(key, "must be above 0 and at most 100"));
            }
        }
        for (key, rows) in [
            ("small_text.characters", self.small_text.characters),
            ("small_text.letters", self.small_text.letters),
        ] {
            if !(1.0..=30.0).contains(&rows) {
                return Err(SettingsError::value(key, "must be from 1 to 30 rows"));
            }
        }
        for (key, value) in
            [("quiet.below_lu", self.quiet.below_lu), ("drift.ms_per_minute", self.drift.ms_per_minute)]
        {
            if !(value > 0.0 && value <= 1_000.0) {
                return Err(SettingsError::value(key, "must be above 0 and at most 1000"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;

    #[test]
    fn the_shipped_policy_stops_only_what_is_no_lesson_at_all() {
        let policy: toml::Table = toml::from_str(SHIPPED).unwrap();
        Policy::shipped().unwrap();
        let errors: Vec<_> = policy
            .iter()
            .filter(|(_, table)| table.get("action").and_then(|action| action.as_str()) == Some("error"))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(errors, ["black_lesson", "silent_lesson"]);
        for what in super::super::What::ALL {
            assert!(policy.contains_key(what.as_str()), "{what} has a table");
        }
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_refused_by_name() {
        for (from, to, said) in [
            ("action = \"error\"", "action = \"shout\"", "shout"),
            ("[black]", "[dark]", "dark"),
            ("percent = 95", "percent = 0", "black_lesson.percent"),
            ("letters = 5", "letters = 0.5", "small_text.letters"),
            ("below_lu = 6", "below_lu = -1", "quiet.below_lu"),
            ("from = \"2s\"", "from = \"2\"", "2"),
        ] {
            let text = SHIPPED.replacen(from, to, 1);
            assert_ne!(text, SHIPPED, "{from} is in the shipped policy");
            let error = Policy::parse(&text, Path::new("mine.toml")).unwrap_err();
            assert!(error.to_string().contains(said), "{to}: {error}");
            assert!(error.code().starts_with("CONFIG_"));
        }
    }
}
