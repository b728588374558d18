//! Why a plan is not followed, each with a name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a plan is not followed. What a node has it goes on following.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Larger than any plan.
    TooLong,
    /// It ends in the middle.
    HalfWritten,
    /// It is no plan in an envelope.
    Malformed,
    /// Nobody has signed it.
    Unsigned,
    /// Somebody has whom this node does not know.
    UnknownKey,
    /// A known key has, on a day on which it does not count.
    OutdatedKey,
    /// A known key is said to have, and has not signed this text.
    WrongSignature,
    /// It is signed, and what it says cannot be followed.
    Contradictory,
    /// It is for another day than the one asked for.
    AnotherDay,
    /// A newer one has been followed.
    OldEdition,
    /// One of the same edition has been followed that says something else.
    SameEdition,
    /// It counts later.
    NotYetValid,
    /// It counts no more.
    Expired,
}

impl Refusal {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::TooLong,
        Self::HalfWritten,
        Self::Malformed,
        Self::Unsigned,
        Self::UnknownKey,
        Self::OutdatedKey,
        Self::WrongSignature,
        Self::Contradictory,
        Self::AnotherDay,
        Self::OldEdition,
        Self::SameEdition,
        Self::NotYetValid,
        Self::Expired,
    ];

    /// As JSON, metrics and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::HalfWritten => "half_written",
            Self::Malformed => "malformed",
            Self::Unsigned => "unsigned",
            Self::UnknownKey => "unknown_key",
            Self::OutdatedKey => "outdated_key",
            Self::WrongSignature => "wrong_signature",
            Self::Contradictory => "contradictory",
            Self::AnotherDay => "another_day",
            Self::OldEdition => "old_edition",
            Self::SameEdition => "same_edition",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
        }
    }

    /// What is wrong and what to do.
    pub const fn problem(self) -> &'static str {
        match self {
            Self::TooLong => "the plan is longer than any; see what lies in its place",
            Self::HalfWritten => "the plan ends in the middle; publish it again",
            Self::Malformed => "this is no plan; publish what `airclass timetable compile` makes",
            Self::Unsigned => "nobody has signed the plan; compile it with --key",
            Self::UnknownKey => {
                "this node does not know the key; add its public half to the file of trusted keys"
            }
            Self::OutdatedKey => {
                "the key does not count today; see from and until in the file of trusted keys"
            }
            Self::WrongSignature => "the signature is not the key's over this plan; compile it again",
            Self::Contradictory => {
                "the plan contradicts itself; compile it again, with the release that nodes run"
            }
            Self::AnotherDay => "the plan is for another day; see what was published under its name",
            Self::OldEdition => {
                "a newer edition of the plan is followed; compile again with a higher --edition"
            }
            Self::SameEdition => {
                "another plan of this edition is followed; compile again with a higher --edition"
            }
            Self::NotYetValid => "the plan counts later; set the clocks, or wait",
            Self::Expired => "the plan counts no more; compile the day's",
        }
    }

    /// Whether the same plan may be followed later.
    pub const fn passes(self) -> bool {
        matches!(self, Self::NotYetValid)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.as_str(), self.problem())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_in_order_and_named_alike_everywhere() {
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(*refusal as usize, at);
            assert_eq!(serde_json::to_value(refusal).unwrap(), refusal.as_str());
        }
        assert_eq!(Refusal::ALL.len(), Refusal::Expired as usize + 1);
    }
}
