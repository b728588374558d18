//! What people may do: two roles, who never do each other's work.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// For whom a person works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The network: which nodes there are and whether they serve.
    Telecom,
    /// The school: what is taught and when.
    Edu,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Make a token for a node.
    Token,
    /// Take a node's rights away.
    Revoke,
    /// Have nodes forget what they hold.
    Purge,
    /// Give a day's plan.
    Plan,
    /// Take nodes out of service and back.
    Drain,
    /// Publish what carriers count as free.
    ZeroRate,
    /// Look at nodes, orders and records.
    Look,
}

impl Role {
    /// As it stands in a certificate.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telecom => "telecom",
            Self::Edu => "edu",
        }
    }

    /// Whether this role may do that. A wrong lesson has to go at once, whoever sees it: both may purge.
    pub const fn may(self, act: Act) -> bool {
        match (self, act) {
            (_, Act::Look | Act::Purge) => true,
            (Self::Telecom, act) => matches!(act, Act::Token | Act::Revoke | Act::Drain | Act::ZeroRate),
            (Self::Edu, act) => matches!(act, Act::Plan),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Telecom, Self::Edu]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no role; there are telecom and edu"))
    }
}
