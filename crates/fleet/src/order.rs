//! What nodes are told, and which of them.

use crate::place::{NodeName, Place, Word};
use crate::province::Province;
use jiff::civil::Date;
use package::Digest;
use serde::{Deserialize, Serialize};

/// The largest body of an order: a signed plan of the largest size.
pub const MAX_BODY_BYTES: usize = 13 << 20;

/// One order. Its number is its record's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is to be done.
    pub kind: Kind,
    /// By whom.
    #[serde(default, skip_serializing_if = "Target::is_all")]
    pub to: Target,
}

/// What is to be done. Bodies are texts that somebody else has signed, whose signature each node judges by itself: the control
/// carries them and cannot make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Forget; the body is a signed purge.
    Purge(Digest),
    /// Follow this plan of a day; the body is a signed plan.
    Plan {
        /// Which day's, as YYYY-MM-DD.
        date: Date,
        /// The envelope's.
        body: Digest,
    },
    /// Begin nothing new: the node is not ready until it is told otherwise.
    Drain,
    /// Serve again.
    Undrain,
}

/// Which nodes: those that everything fits which is given; nothing given: all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// Those of a province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub province: Option<Province>,
    /// Those in a carrier's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Word>,
    /// Those of an owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Word>,
    /// This one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
}

/// Whether a plan's day is over, everywhere it may be followed.
pub fn is_over(date: Date, today: Date) -> bool {
    date.tomorrow().and_then(Date::tomorrow).is_ok_and(|day| day < today)
}

impl Kind {
    /// As it is shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Purge(_) => "purge",
            Self::Plan { .. } => "plan",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
        }
    }

    /// What has to be fetched to obey it.
    pub const fn body(&self) -> Option<Digest> {
        match self {
            Self::Purge(body) | Self::Plan { body, .. } => Some(*body),
            Self::Drain | Self::Undrain => None,
        }
    }

    /// Whether `later` makes this one needless for a node that has obeyed neither.
    pub fn is_overtaken_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Plan { date, .. }, Self::Plan { date: other, .. }) => date == other,
            (Self::Drain | Self::Undrain, Self::Drain | Self::Undrain) => true,
            _ => false,
        }
    }
}

impl Target {
    /// Whether it is nobody in particular.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `node` is meant.
    pub fn means(&self, node: &NodeName) -> bool {
        let Place { province, carrier, owner, .. } = &node.place;
        self.province.is_none_or(|wanted| wanted == *province)
            && self.carrier.as_ref().is_none_or(|wanted| wanted == carrier)
            && self.owner.as_ref().is_none_or(|wanted| wanted == owner)
            && self.node.as_ref().is_none_or(|wanted| wanted == node)
    }
}
