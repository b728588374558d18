//! 各省平台: where provinces have platforms of their own, as data; and what to do when one cannot be reached.

use crate::layout::LessonId;
use crate::manifest::json;
use crate::path::StorePath;
use crate::resource::is_link;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The most platforms; China has 32 provinces with the corps (XPCC), and cities have some of their own.
const MAX_PLATFORMS: usize = 500;
/// The longest text, in characters.
const MAX_TEXT: usize = 100;

/// `resources/platforms.json`; in TOML a `[[platform]]` each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platforms {
    /// In the order in which they are shown.
    #[serde(default, rename = "platform")]
    pub platforms: Vec<Platform>,
}

/// One platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Its name.
    pub id: LessonId,
    /// What it is called, in Simplified Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Where it is: https://….
    pub url: String,
    /// The edge's group of servers that stands before it ([[group]] in its configuration), whose health the page shows. Of those
    /// without one it shows what `airclass resource probe` has found ([`Standing`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Where to go meanwhile when it cannot be reached: the `id` of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<LessonId>,
}

/// `resources/standing.json`: which platforms gave an answer when somebody last looked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// When, in seconds since 1970; 0: never.
    pub at_s: u64,
    /// By their names.
    pub platforms: BTreeMap<LessonId, Reach>,
}

/// Whether one can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// It answers.
    Up,
    /// It does not.
    Down,
}

impl Standing {
    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// `resources/standing.json`.
pub fn standing_path() -> StorePath {
    StorePath::known("resources/standing.json".to_owned())
}

impl Platforms {
    /// Reads it as it is stored.
    ///
    /// # Errors
    /// When it is no such JSON.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Reads a file of this form. `path` is for the error.
    ///
    /// # Errors
    /// No TOML of this form, a text or link that cannot be one, a name twice, or `instead` that is none of them.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let told: Self = settings::parse(text, path)?;
        let wrong = |problem: String| Err(SettingsError::value("platform", problem));
        if told.platforms.len() > MAX_PLATFORMS {
            return wrong(format!("is there more than {MAX_PLATFORMS} times"));
        }
        let ids: BTreeSet<_> = told.platforms.iter().map(|platform| &platform.id).collect();
        if ids.len() < told.platforms.len() {
            return wrong("has an `id` twice".to_owned());
        }
        for Platform { id, zh, en, url, group, instead } in &told.platforms {
            let plain = |text: &str| {
                (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control)
            };
            if ![zh, en].into_iter().chain(group).all(|text| plain(text)) {
                return wrong(format!(
                    "{id}: texts must be 1 to {MAX_TEXT} characters without control characters"
                ));
            }
            if !is_link(url) {
                return wrong(format!("{id}: `url` must be https://… without blanks, quotes, `<` and `>`"));
            }
            if instead.as_ref().is_some_and(|other| other == id || !ids.contains(other)) {
                return wrong(format!("{id}: `instead` must be the `id` of another"));
            }
        }
        Ok(told)
    }

    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// `resources/platforms.json`.
pub fn platforms_path() -> StorePath {
    StorePath::known("resources/platforms.json".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_one_and_mistakes_are_named() {
        let shipped = include_str!("../../../config/platforms.toml");
        let parsed = Platforms::parse(shipped, Path::new("platforms.toml")).unwrap();
        assert!(parsed.platforms.len() > 1);
        assert_eq!(Platforms::from_json(&parsed.to_bytes()).unwrap(), parsed);
        let one = |more: &str| format!("[[platform]]\nid = \"a\"\nzh = \"甲\"\nen = \"A\"\n{more}\n");
        let url = "url = \"https://a.example/\"";
        for (text, words) in [
            (one("url = \"http://a.example/\""), "`url` must be https://"),
            (one(&format!("{url}\ninstead = \"b\"")), "`instead` must be the `id` of another"),
            (one(&format!("{url}\ninstead = \"a\"")), "`instead` must be the `id` of another"),
            (one(url) + &one(url), "has an `id` twice"),
            (one(&format!("{url}\nphone = 1")), "unknown field `phone`"),
        ] {
            let error = Platforms::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
