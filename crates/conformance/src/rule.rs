//! The registry: every rule that is looked at, once, with its number in the standard it comes from.
//!
//! Apple's numbers move between revisions: these are of [`APPLE_REVISION`]. A rule's number is its name everywhere, in
//! reports, in tests and in runbooks.

pub(crate) mod apple;
pub(crate) mod delivery;
pub(crate) mod formats;
pub(crate) mod rfc;

use serde::Serialize;
use std::fmt;

/// The revision of the *HLS Authoring Specification for Apple Devices* whose numbers are used.
pub const APPLE_REVISION: &str = "2025-05-08";
/// The revision of the second edition of the HLS specification whose sections are used.
pub const RFC_REVISION: &str = "draft-pantos-hls-rfc8216bis-22, 2026-05-01";

/// How much a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Broken: the lesson must not be published.
    Must,
    /// Broken: somebody should know.
    Should,
    /// Worth telling, nothing is wrong.
    Info,
}

/// One rule.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// `Apple 8.1`, `RFC 8216bis 6.2.1`, `CMAF edts`.
    pub id: &'static str,
    /// What breaking it means.
    pub severity: Severity,
    /// What it asks for.
    pub text: &'static str,
    /// What is looked at to tell.
    pub looked_at: &'static str,
}

impl Rule {
    /// Why our own packages break this recommendation on purpose; `None` when they do not.
    pub fn deliberate(&self) -> Option<&'static str> {
        DELIBERATE.iter().find(|(id, _)| *id == self.id).map(|(_, reason)| *reason)
    }
}

/// Recommendations that Airclass decided against, each with its reason.
static DELIBERATE: &[(&str, &str)] = &[
    (
        "Apple 1.13",
        "one IDR a segment: on slides a shorter GOP costs up to twice the bits; seeking is the I-frames' work",
    ),
    (
        "Apple 7.5",
        "4.8 s is a whole number of AAC frames and of pictures at every rate of the grid; 6 s is not",
    ),
    (
        "Apple 1.16",
        "slides need fewer pictures a second than film; only whole fractions of the grid's rates are made",
    ),
    ("Apple 2.19", "all lessons are brought to one loudness, so there is nothing to correct for"),
    ("Apple 4.1", "subtitles are published with the lessons that have them"),
    (
        "Apple 1.30",
        "what a title does not need is not sent; a camera's scene beside slides may cost more than twice their average",
    ),
    (
        "Apple 6.2",
        "the MPEG-TS of old devices has the IDR of each segment to seek by; a picture a second is in the main playlist",
    ),
    ("Apple 9.18", "one way to every edge: steering is the carriers' DNS"),
    (
        "Apple 12.4",
        "lessons are public and their segments are cached for ever, so their addresses are static",
    ),
    ("Apple 1.4", "the smallest rungs are Baseline and Main for old phones"),
];

/// All rules, in the order of the standards.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [apple::ALL, delivery::ALL, rfc::ALL, formats::ALL].into_iter().flatten().copied()
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Info => "INFO",
        })
    }
}

/// A table of rules: name in the code, severity, number, what is looked at, what is asked for.
macro_rules! rules {
    ($($name:ident $severity:ident $id:literal $looked_at:literal $text:literal;)*) => {
        $(pub(crate) static $name: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            severity: $crate::rule::Severity::$severity,
            text: $text,
            looked_at: $looked_at,
        };)*
        pub(crate) static ALL: &[&$crate::rule::Rule] = &[$(&$name),*];
    };
}
pub(crate) use rules;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_rule_stands_in_the_registry_once() {
        let ids: Vec<_> = all().map(|rule| rule.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for (id, _) in DELIBERATE {
            let rule = all().find(|rule| rule.id == *id).unwrap_or_else(|| panic!("{id} is no rule"));
            assert_ne!(rule.severity, Severity::Must, "{id}: a MUST has no excuse");
        }
    }
}
