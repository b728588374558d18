//! Why an order is not obeyed, each with a name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an order is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No key is trusted here.
    Disabled,
    /// It cannot be read.
    Malformed,
    /// Nobody has signed it.
    Unsigned,
    /// Somebody has whom this node does not know.
    UnknownKey,
    /// A known key has, on a day on which it does not count.
    OutdatedKey,
    /// A known key is said to have, and has not signed these bytes.
    BadSignature,
    /// It is for other nodes.
    OtherGroup,
    /// It would count for longer than nodes remember orders.
    LifeTooLong,
    /// It comes from the future.
    NotYetValid,
    /// It counts no more.
    Expired,
    /// It was given before this process began, which cannot know whether the one before has obeyed it.
    BeforeStart,
    /// It has been obeyed.
    Replayed,
    /// More orders are remembered than there is room for.
    Full,
    /// More orders are waiting to be carried out than may wait.
    Busy,
}

impl Refusal {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Disabled,
        Self::Malformed,
        Self::Unsigned,
        Self::UnknownKey,
        Self::OutdatedKey,
        Self::BadSignature,
        Self::OtherGroup,
        Self::LifeTooLong,
        Self::NotYetValid,
        Self::Expired,
        Self::BeforeStart,
        Self::Replayed,
        Self::Full,
        Self::Busy,
    ];

    /// As JSON, metrics and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Malformed => "malformed",
            Self::Unsigned => "unsigned",
            Self::UnknownKey => "unknown_key",
            Self::OutdatedKey => "outdated_key",
            Self::BadSignature => "bad_signature",
            Self::OtherGroup => "other_group",
            Self::LifeTooLong => "life_too_long",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::BeforeStart => "before_start",
            Self::Replayed => "replayed",
            Self::Full => "full",
            Self::Busy => "busy",
        }
    }

    /// What is wrong and what to do.
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Disabled => "this node trusts no key; name a file of keys by purge.keys",
            Self::Malformed => "this is no order; send what `airclass purge` sends",
            Self::Unsigned => "nobody has signed the order; give a key",
            Self::UnknownKey => {
                "this node does not know the key; add its public half to the file of purge.keys"
            }
            Self::OutdatedKey => "the key does not count today; see from and until in the file of purge.keys",
            Self::BadSignature => "the signature is not the key's over this order; sign it again",
            Self::OtherGroup => "the order is for another group of nodes; see purge.group",
            Self::LifeTooLong => "the order would live too long; ten minutes are the most",
            Self::NotYetValid => {
                "the order comes from the future; set the clocks, or send it again in a moment"
            }
            Self::Expired => "the order has expired; give a new one",
            Self::BeforeStart => "the order is older than this process; give a new one",
            Self::Replayed => "the order has been carried out; give a new one to do it again",
            Self::Full => "too many orders within their lives; use a prefix or a surrogate key, or wait",
            Self::Busy => "too many orders are waiting; send it again in a moment",
        }
    }

    /// As HTTP answers it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unsigned => 401,
            Self::Replayed => 409,
            Self::Full | Self::Busy => 503,
            Self::Disabled
            | Self::UnknownKey
            | Self::OutdatedKey
            | Self::BadSignature
            | Self::OtherGroup
            | Self::LifeTooLong
            | Self::NotYetValid
            | Self::Expired
            | Self::BeforeStart => 403,
        }
    }

    /// Whether the same order may be obeyed in a moment.
    pub const fn passes(self) -> bool {
        matches!(self, Self::NotYetValid | Self::Full | Self::Busy)
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
        assert_eq!(Refusal::ALL.len(), Refusal::Busy as usize + 1);
    }

    /// Who carries orders to a node gives up what does not pass: one more than it remembers was never obeyed.
    #[test]
    fn what_is_refused_for_the_moment_is_asked_again() {
        let passing: Vec<_> = Refusal::ALL.iter().copied().filter(|refusal| refusal.passes()).collect();
        assert_eq!(passing, [Refusal::NotYetValid, Refusal::Full, Refusal::Busy]);
    }
}
