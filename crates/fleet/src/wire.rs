//! What control, nodes and people send each other, as JSON over HTTP.
//!
//! | who | asks | is answered |
//! |---|---|---|
//! | a machine with a token | `POST /v1/enroll` [`Enrol`] | [`Papers`] |
//! | a node | `POST /v1/renew` [`Renew`] | [`Papers`] |
//! | a node | `GET /v1/orders?after=N`, `&hash=HASH` of that record where it was told | [`Orders`], once there are some or [`PATIENCE`] is over |
//! | a node | `GET /v1/bodies/DIGEST` | the bytes |
//! | a node | `POST /v1/report` [`Report`](crate::Report) | `{}` |
//! | a person | `POST /v1/tokens` [`MakeToken`] | [`Made`] |
//! | a person | `POST /v1/revoke` [`Revoke`] | [`Recorded`] |
//! | a person | `POST /v1/bodies` the bytes | [`Kept`] |
//! | a person | `POST /v1/orders` [`Order`](crate::Order) | [`Recorded`] |
//! | a person | `GET /v1/orders/N` | [`Acknowledged`](crate::Acknowledged) |
//! | a person | `POST /v1/zero-rating` a [`SignedManifest`](crate::zero_rating::SignedManifest) | [`Recorded`] |
//! | anybody | `GET /v1/zero-rating`, `?since=EDITION` | the last edition with its changes; `304` when there is none after that one |
//! | a person | `GET /v1/nodes` | [`Nodes`] |
//! | a person | `GET /v1/records?after=N` | records, a line each |
//!
//! What is refused is [`Refused`], with the status of its reason.

use crate::order::Order;
use crate::place::{NodeName, Place};
use crate::registry::Standing;
use crate::report::Report;
use jiff::Timestamp;
use package::Digest;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a question for orders waits for some.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Orders in one answer.
pub const MAX_ORDERS: usize = 256;
/// The largest JSON that is sent either way, orders' bodies apart.
pub const MAX_JSON_BYTES: usize = 1 << 20;
/// The largest answer: all nodes of the nation with their reports.
pub const MAX_ANSWER_BYTES: usize = 256 << 20;

/// A machine wants to become a node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// As its installer was given it.
    pub token: String,
    /// A certificate request (PKCS#10, PEM): its key, signed by it. What it says of a name is not looked at.
    pub request: String,
}

/// A node wants another certificate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// A certificate request.
    pub request: String,
}

/// A certificate and what belongs to it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Papers {
    /// Who the node is from now on.
    pub node: NodeName,
    /// PEM.
    pub certificate: String,
    /// Whose word counts, PEM.
    pub authority: String,
    /// Until when the certificate counts.
    pub until: Timestamp,
    /// Where new nodes' edges fetch from, when the control was told; http:// or https:// each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<String>,
}

/// Orders for a node.
#[derive(Debug, Serialize, Deserialize)]
pub struct Orders {
    /// By number.
    pub orders: Vec<Numbered>,
    /// Up to here there are no others for it. Less than was asked after, and none with it, where records were brought back from an
    /// older copy and others have that number: the node goes back to what it knew before, or to here where it knows nothing more.
    pub up_to: u64,
    /// The hash of that record, to be told with the next question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
}

/// An order and its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Numbered {
    /// Its record's.
    pub number: u64,
    /// It.
    pub order: Order,
}

/// A person wants a token.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeToken {
    /// Where the node will stand.
    pub place: Place,
    /// For how long it counts.
    pub valid_seconds: u64,
}

/// A token.
#[derive(Debug, Serialize, Deserialize)]
pub struct Made {
    /// As it is given to who installs the node.
    pub token: String,
    /// Until when it counts.
    pub until: Timestamp,
}

/// A person wants a node out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Which.
    pub node: NodeName,
}

/// Something was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Under this number.
    pub number: u64,
}

/// A body is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What it is called.
    pub digest: Digest,
}

/// The nodes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Nodes {
    /// When this was said, by the control's clock; `None`: by one of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// By name.
    pub nodes: Vec<Node>,
}

/// What the control knows of a node.
#[derive(Debug, Serialize, Deserialize)]
pub struct Node {
    /// Which.
    pub node: NodeName,
    /// Since when.
    pub since: Timestamp,
    /// Until when its certificate counts.
    pub until: Timestamp,
    /// In or out.
    pub standing: Standing,
    /// When it was last heard, by the control's clock.
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    /// What it said then.
    #[serde(default)]
    pub report: Option<Report>,
}

/// Why not.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    /// A [`Refusal`](crate::Refusal)'s name.
    pub refused: String,
    /// In words.
    pub problem: String,
}
