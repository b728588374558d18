//! Readers of our own: tolerant, never beyond the end, sharing nothing with what writes packages.

pub(crate) mod aac;
pub(crate) mod av1;
pub(crate) mod bits;
pub(crate) mod boxes;
pub(crate) mod fragment;
pub(crate) mod h264;
pub(crate) mod init;
pub(crate) mod jpeg;
pub(crate) mod m3u8;
pub(crate) mod mpd;
pub(crate) mod slice;
pub(crate) mod ts;
pub(crate) mod webvtt;

/// Bytes that end too early or make no sense where something was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Nonsense(pub(crate) String);

impl Nonsense {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
