//! What was done, by whom, one record after the other, each signed and holding the hash of the one before.
//!
//! A record is a line of JSON. Its hash is the SHA-256 of that line without its signature; a line that is changed, taken out or
//! put in breaks the chain at that place, and a chain that was written anew has another signature. What can still be done by
//! who has the control's key is to cut the end off: an auditor keeps the last number and hash he has seen.

use crate::order::Order;
use crate::place::{NodeName, Person, Place};
use crate::token::TokenId;
use jiff::Timestamp;
use package::Digest;
use serde::{Deserialize, Serialize};
use signing::{PublicKey, Signature, SigningKey};
use std::fmt;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// From 1, without a gap.
    pub number: u64,
    /// When, by the control's clock.
    pub at: Timestamp,
    /// By whom.
    pub by: Sender,
    /// What.
    pub event: Event,
    /// The hash of the record before; of the first, 64 zeros.
    pub previous: Digest,
    /// Over all of the above, by the control's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// Who has caused a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// A person, by certificate.
    Person(Person),
    /// A node, by certificate or, the first time, by token.
    Node(NodeName),
    /// Whoever stood at the control itself.
    Control,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A token was made.
    TokenMade {
        /// Which.
        token: TokenId,
        /// Where the node will stand that shows it.
        place: Place,
        /// Until when it may.
        until: Timestamp,
    },
    /// A node was given its first certificate.
    Enrolled {
        /// For this token.
        token: TokenId,
        /// Its name from now on.
        node: NodeName,
        /// SHA-256 of the public key (SPKI) that it keeps.
        key: Digest,
        /// Until when the certificate counts.
        until: Timestamp,
    },
    /// A node was given another certificate.
    Renewed {
        /// Which node.
        node: NodeName,
        /// SHA-256 of the public key of the new one.
        key: Digest,
        /// Until when that counts.
        until: Timestamp,
    },
    /// A node's rights were taken away, for good.
    Revoked {
        /// Which node's.
        node: NodeName,
    },
    /// Nodes were told something.
    Ordered(Order),
    /// What carriers count as free was published.
    ZeroRated {
        /// Which edition.
        edition: u64,
        /// The signed manifest.
        body: Digest,
    },
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainError {
    /// A line is no record.
    Unreadable,
    /// Its number is not the next.
    Gap,
    /// It does not follow the record before it.
    Broken,
    /// The control's key has not signed it.
    Forged,
}

impl Record {
    /// The record after the one numbered `last` with the hash `previous`, signed.
    pub fn new(
        last: u64,
        previous: Digest,
        at: Timestamp,
        by: Sender,
        event: Event,
        key: &SigningKey,
    ) -> Self {
        let mut record = Self { number: last + 1, at, by, event, previous, signature: None };
        record.signature = Some(key.sign(&record.unsigned()));
        record
    }

    /// What stands before the first.
    pub const fn before_all() -> Digest {
        Digest([0; 32])
    }

    /// Its line, without a line break.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("our types have string keys and no failing serializer")
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`ChainError::Unreadable`].
    pub fn parse(line: &[u8]) -> Result<Self, ChainError> {
        serde_json::from_slice(line).map_err(|_| ChainError::Unreadable)
    }

    /// What the next record holds of this one.
    pub fn hash(&self) -> Digest {
        Digest::of(&self.unsigned())
    }

    /// Whether it is the one after `last`, and signed by `key`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn follows(&self, last: u64, previous: Digest, key: &PublicKey) -> Result<(), ChainError> {
        if self.number != last + 1 {
            return Err(ChainError::Gap);
        }
        if self.previous != previous {
            return Err(ChainError::Broken);
        }
        let signed = self.signature.is_some_and(|signature| key.verifies(&self.unsigned(), &signature));
        if signed { Ok(()) } else { Err(ChainError::Forged) }
    }

    fn unsigned(&self) -> Vec<u8> {
        Self { signature: None, ..self.clone() }.to_bytes()
    }
}

impl Event {
    /// As it is shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TokenMade { .. } => "token_made",
            Self::Enrolled { .. } => "enrolled",
            Self::Renewed { .. } => "renewed",
            Self::Revoked { .. } => "revoked",
            Self::Ordered(_) => "ordered",
            Self::ZeroRated { .. } => "zero_rated",
        }
    }
}

impl ChainError {
    /// As JSON and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Gap => "gap",
            Self::Broken => "broken",
            Self::Forged => "forged",
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => person.fmt(f),
            Self::Node(node) => node.fmt(f),
            Self::Control => f.write_str("control"),
        }
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "is no record",
            Self::Gap => "has not the next number: records are missing or there twice",
            Self::Broken => "does not follow the one before it: one of the two was changed",
            Self::Forged => "is not signed by this control's key",
        })
    }
}
