//! Whether a body is what its upstream says that it is (RFC 9530): from node to node a bit may flip where no checksum looks.
//!
//! Readers have what comes as it comes, but for the last piece, which is given when the sum is right: a body that is not what it
//! should be is broken off for everybody, and nobody takes it for the whole.

use super::arrived::{Arrived, Head};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use httpcache::digest;
use package::{Digest, Hasher};

/// Whether an answer that has come whole with its head is of other bytes than it says: nobody has been told of it yet.
pub(super) fn is_refuted(arrived: &Arrived) -> bool {
    let stated = || stated(arrived.head.status, &arrived.head.headers);
    arrived.body.whole().is_some_and(|whole| stated().is_some_and(|stated| stated != Digest::of(whole)))
}

/// The SHA-256 of a whole representation, as its `Repr-Digest` says it.
fn stated(status: StatusCode, headers: &HeaderMap) -> Option<Digest> {
    digest::stated(headers).filter(|_| status == StatusCode::OK).map(Digest)
}

/// The sum of a body on its way.
pub(super) struct Proof {
    expected: Digest,
    hasher: Hasher,
    last: Bytes,
}

impl Proof {
    /// Of a whole representation whose `Repr-Digest` says its SHA-256.
    pub(super) fn of(head: &Head) -> Option<Self> {
        let expected = stated(head.status, &head.headers)?;
        Some(Self { expected, hasher: Hasher::new(), last: Bytes::new() })
    }

    /// Takes the next piece, and gives the one before it.
    pub(super) fn hold_back(&mut self, piece: Bytes) -> Bytes {
        self.hasher.update(&piece);
        std::mem::replace(&mut self.last, piece)
    }

    /// The last piece, if all of them are what they should be.
    pub(super) fn end(self) -> Option<Bytes> {
        (self.hasher.finish() == self.expected).then_some(self.last)
    }
}
