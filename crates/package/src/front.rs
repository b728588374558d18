//! 门面: what everybody asks for before a lesson (page, catalogue, timetable, guides), as one list, so that edges have all of it
//! before anybody asks, and a morning without origin begins as any.

use crate::manifest::json;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where an origin has the list.
pub const FRONT: &str = "/front.json";
/// The longest list that is read.
pub const MAX_FRONT_BYTES: u64 = 2 << 20;
/// The most addresses of one: a nation's catalogue makes some 500.
pub const MAX_FRONT_PATHS: usize = 10_000;
/// The longest address.
const MAX_PATH: usize = 200;
/// What is never part of it: lessons and files are planned, or fetched when somebody asks.
const ELSEWHERE: [&str; 3] = ["/p/", "/r/", "/lessons/"];

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// Another one whenever what lies at an address has changed.
    pub version: String,
    /// In the order in which they are wanted, from `/` on.
    pub paths: Vec<String>,
}

/// Why something is no such list.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFront {
    /// No JSON of this form.
    #[error("it is no list of addresses: {0}")]
    Json(#[from] serde_json::Error),
    /// More than [`MAX_FRONT_PATHS`].
    #[error("{0} addresses are more than {MAX_FRONT_PATHS}")]
    TooMany(usize),
    /// One that can be none of it.
    #[error("`{0}` is no address of what comes before a lesson")]
    Path(String),
}

impl Front {
    /// Reads a list.
    ///
    /// # Errors
    /// When it is none, is too long, or an address in it is not plain, is another's, or is there twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFront> {
        let front: Self = serde_json::from_slice(bytes)?;
        if front.paths.len() > MAX_FRONT_PATHS {
            return Err(InvalidFront::TooMany(front.paths.len()));
        }
        let mut seen = BTreeSet::new();
        match front.paths.iter().find(|path| !is_one(path) || !seen.insert(path.as_str())) {
            Some(path) => Err(InvalidFront::Path(path.chars().take(MAX_PATH).collect())),
            None => Ok(front),
        }
    }

    /// As it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// Written plainly, so that it means one thing everywhere; no query, no steps.
fn is_one(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.starts_with('/')
        && path.len() <= MAX_PATH
        && path.bytes().all(plain)
        && !path.contains("//")
        && !path.contains("/.")
        && !ELSEWHERE.iter().any(|elsewhere| path.starts_with(elsewhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_pages_and_nothing_that_is_planned_or_fetched_elsewhere() {
        let front = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            Front::parse(&Front { version: "1".into(), paths }.to_bytes())
        };
        let all = ["/", "/assets/main-0A1B2C3D.js", "/list/primary-3/~maths-3", "/catalogue/version.json"];
        assert_eq!(front(&all).unwrap().paths.len(), all.len());
        for path in [
            "",
            "a",
            "//evil.example/",
            "/p/0123/main.m3u8",
            "/r/0123.pdf",
            "/lessons/a/main.m3u8",
            "/a/../p/0123/main.m3u8",
            "/a?b",
            "/a%2fb",
            "/课",
            &format!("/{}", "a".repeat(MAX_PATH)),
        ] {
            assert!(matches!(front(&["/", path]), Err(InvalidFront::Path(_))), "{path}");
        }
        assert!(matches!(front(&["/", "/"]), Err(InvalidFront::Path(_))));
        let many: Vec<_> = (0..=MAX_FRONT_PATHS).map(|number| format!("/{number}")).collect();
        let many = Front { version: String::new(), paths: many }.to_bytes();
        assert!(matches!(Front::parse(&many), Err(InvalidFront::TooMany(_))));
        assert!(matches!(Front::parse(b"<html>"), Err(InvalidFront::Json(_))));
    }
}
