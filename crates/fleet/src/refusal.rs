//! Why the control does not do what it is asked for.

use std::fmt;

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token like this was ever made, or the control has forgotten it.
    UnknownToken,
    /// A node has used it.
    TokenUsed,
    /// Its time is over.
    TokenExpired,
    /// It would count for longer than [`crate::MAX_VALID`], or not at all.
    TokenTooLong,
    /// There is no such node.
    UnknownNode,
    /// The node's rights were taken away.
    Revoked,
    /// The certificate is one that the node has replaced, or one that is in no record.
    OldCertificate,
    /// Who asks shows no certificate.
    NoCertificate,
    /// Who asks is somebody else than may ask that.
    NotAllowed,
    /// What was sent is none of what is taken here.
    Malformed,
    /// An order means no node that there is.
    NobodyMeant,
    /// This edition, or a later one, is published with other words.
    OldEdition,
    /// The body of an order is too large.
    TooLarge,
    /// There is no such order, body or path.
    NotFound,
    /// Records cannot be written now: the store is away. What is known is still told.
    StoreAway,
    /// Others were quicker too often.
    Contended,
}

impl Refusal {
    /// As JSON and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "token_expired",
            Self::TokenTooLong => "token_too_long",
            Self::UnknownNode => "unknown_node",
            Self::Revoked => "revoked",
            Self::OldCertificate => "old_certificate",
            Self::NoCertificate => "no_certificate",
            Self::NotAllowed => "not_allowed",
            Self::Malformed => "malformed",
            Self::NobodyMeant => "nobody_meant",
            Self::OldEdition => "old_edition",
            Self::TooLarge => "too_large",
            Self::NotFound => "not_found",
            Self::StoreAway => "store_away",
            Self::Contended => "contended",
        }
    }

    /// The status of an answer that says so.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::TokenTooLong | Self::NobodyMeant => 400,
            Self::NoCertificate => 401,
            Self::UnknownToken | Self::Revoked | Self::OldCertificate | Self::NotAllowed => 403,
            Self::UnknownNode | Self::NotFound => 404,
            Self::TokenUsed | Self::TokenExpired => 410,
            Self::OldEdition => 409,
            Self::TooLarge => 413,
            Self::StoreAway | Self::Contended => 503,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownToken => {
                "this control has made no such token; ask for one at the control that you name"
            }
            Self::TokenUsed => "a node has used this token already; ask for another one",
            Self::TokenExpired => "the token's time is over; ask for another one",
            Self::TokenTooLong => "a token counts for more than nothing and for 31 days at most",
            Self::UnknownNode => "there is no such node; `airclass control nodes` lists them",
            Self::Revoked => "this node's rights were taken away; enrol it anew with another token",
            Self::OldCertificate => "this certificate was replaced; use the newest one",
            Self::NoCertificate => "show a certificate that this control has issued",
            Self::NotAllowed => "your role may not do that",
            Self::Malformed => "what was sent cannot be read as what is taken here",
            Self::NobodyMeant => "no node that there is is meant; see `airclass control nodes`",
            Self::OldEdition => {
                "this edition or a later one is published already; make the next one from that"
            }
            Self::TooLarge => "what was sent is too large",
            Self::NotFound => "there is no such thing here",
            Self::StoreAway => "the store of records is away, so nothing can be ordered now; try again",
            Self::Contended => "others give orders at the same moment; try again",
        })
    }
}
