//! 板块: what the home page is divided into. Data, because the national platform's own have changed three times in two years.

use crate::manifest::json;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// The longest name of a section.
const MAX_NAME: usize = 40;
/// The most editions in a file, and sections in one of them.
const MAX_ENTRIES: usize = 100;
/// The longest name that people read, in characters.
const MAX_TEXT: usize = 40;
/// The file that comes with the program.
const SHIPPED: &str = include_str!("../../../config/sections.toml");

/// A section's name in descriptions and addresses: `a-z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SectionId(String);

/// A text that names no section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no section's name: 1 to 40 of a-z 0-9 -, such as courses")]
pub struct InvalidSection(String);

/// All editions, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sections {
    /// At least one.
    #[serde(rename = "edition")]
    pub editions: Vec<Edition>,
}

/// What the home page was divided into from some day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Since when: a day, a month or a year. The greatest text is the newest.
    pub edition: String,
    /// In the order in which they are shown.
    pub sections: Vec<Section>,
}

/// One section of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its name in descriptions.
    pub id: SectionId,
    /// In Simplified Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Sections of other editions whose lessons are here now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<SectionId>,
}

impl Sections {
    /// Those that come with the program.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED, Path::new("config/sections.toml")).expect("a test reads the shipped file")
    }

    /// Reads a file of this form. `path` is for the error.
    ///
    /// # Errors
    /// No TOML of this form, no edition, editions out of order, a section twice in one edition.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let sections: Self = settings::parse(text, path)?;
        let wrong = |problem: String| Err(SettingsError::value("edition", problem));
        if sections.editions.is_empty() || sections.editions.len() > MAX_ENTRIES {
            return wrong(format!("must be there 1 to {MAX_ENTRIES} times"));
        }
        if let Some(pair) = sections.editions.windows(2).find(|pair| pair[0].edition >= pair[1].edition) {
            return wrong(format!("{:?} must come before {:?}", pair[1].edition, pair[0].edition));
        }
        for Edition { edition, sections } in &sections.editions {
            if sections.is_empty() || sections.len() > MAX_ENTRIES {
                return wrong(format!("{edition:?} must have 1 to {MAX_ENTRIES} sections"));
            }
            let mut names = BTreeSet::new();
            for section in sections {
                if !std::iter::once(&section.id).chain(&section.was).all(|id| names.insert(id)) {
                    return wrong(format!("{edition:?} has `{}` or one of its `was` twice", section.id));
                }
                let plain = |text: &str| {
                    (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control)
                };
                if !plain(&section.zh) || !plain(&section.en) {
                    let id = &section.id;
                    return wrong(format!(
                        "{edition:?}: zh and en of `{id}` must be 1 to {MAX_TEXT} characters"
                    ));
                }
            }
        }
        Ok(sections)
    }

    /// The newest edition.
    pub fn newest(&self) -> Option<&Edition> {
        self.editions.last()
    }

    /// Reads what was published; `None` where it is nothing of the kind.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// As published.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

impl Edition {
    /// Where lessons of `id` are in this edition, even if they were described for another one.
    pub fn section(&self, id: &SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == *id || section.was.contains(id))
    }
}

impl SectionId {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SectionId {
    type Error = InvalidSection;

    fn try_from(text: String) -> Result<Self, InvalidSection> {
        let is_name = (1..=MAX_NAME).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_name { Ok(Self(text)) } else { Err(InvalidSection(text.chars().take(MAX_NAME).collect())) }
    }
}

impl From<SectionId> for String {
    fn from(id: SectionId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Sections, String> {
        Sections::parse(text, Path::new("s.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_file_has_four_editions_and_loses_nothing_on_the_way() {
        let sections = Sections::shipped();
        assert_eq!(sections.editions.len(), 4);
        for pair in sections.editions.windows(2) {
            for section in &pair[0].sections {
                assert!(
                    pair[1].section(&section.id).is_some(),
                    "{} is lost in {}",
                    section.id,
                    pair[1].edition
                );
            }
        }
        assert_eq!(Sections::from_json(&sections.to_bytes()), Some(sections));
    }

    #[test]
    fn a_mistake_is_named() {
        let edition = |edition: &str, id: &str, was: &str| {
            format!(
                "[[edition]]\nedition = \"{edition}\"\nsections = [{{ id = \"{id}\", zh = \"一\", en = \"a\"{was} }}]\n"
            )
        };
        assert!(parse(&edition("2020", "a", "")).is_ok());
        for (text, words) in [
            ("edition = []\n".to_owned(), "must be there"),
            (edition("2021", "a", "") + &edition("2020", "a", ""), "\"2020\" must come before \"2021\""),
            (edition("2020", "a", ", was = [\"a\"]"), "twice"),
            (edition("2020", "A b", ""), "is no section's name"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
