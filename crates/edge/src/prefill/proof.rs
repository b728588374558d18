//! Whether bytes are those that the plan, by way of a manifest, has named.

use crate::store::{Blocks, Object};
use flate2::read::GzDecoder;
use http::header;
use package::{Digest, Hasher, Manifest, PackageId};
use std::io::Read;

/// What the bytes must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof {
    /// These, of this length.
    Sum(Digest, u64),
    /// The manifest whose hash the package's name is.
    ManifestOf(PackageId),
    /// A text that leads to the package: the plan knows a pointer's package, not its bytes.
    Names(PackageId),
}

/// The longest text that is unpacked: manifests of a day.
const LONGEST_TEXT: u64 = package::manifest::MAX_MANIFEST_BYTES as u64;

impl Proof {
    /// Whether `blocks`, the body of `object`, are right.
    pub(super) async fn holds(self, object: &Object, blocks: &Blocks) -> bool {
        match object.headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes()) {
            None => match self {
                Self::Sum(digest, bytes) => blocks.length() == bytes && sum(blocks).await == digest,
                Self::ManifestOf(_) | Self::Names(_) => self.holds_for(&joined(blocks)),
            },
            Some(b"gzip") => unpacked(blocks, self.longest()).is_some_and(|plain| self.holds_for(&plain)),
            Some(_) => false,
        }
    }

    /// Whether what it does not hold for is damaged, and not only of another edition.
    pub(super) const fn is_of_bytes(self) -> bool {
        match self {
            Self::Sum(..) | Self::ManifestOf(_) => true,
            Self::Names(_) => false,
        }
    }

    fn holds_for(self, plain: &[u8]) -> bool {
        match self {
            Self::Sum(digest, bytes) => plain.len() as u64 == bytes && Digest::of(plain) == digest,
            Self::ManifestOf(package) => PackageId::of(plain) == package,
            Self::Names(package) => {
                let name = package.to_string();
                plain.windows(name.len()).any(|window| window == name.as_bytes())
            }
        }
    }

    fn longest(self) -> u64 {
        match self {
            Self::Sum(_, bytes) => bytes,
            Self::ManifestOf(_) | Self::Names(_) => LONGEST_TEXT,
        }
    }
}

/// The manifest in a body that has been proved to be one.
pub(super) fn manifest(object: &Object, blocks: &Blocks) -> Option<Manifest> {
    let plain = match object.headers.get(header::CONTENT_ENCODING) {
        None => joined(blocks),
        Some(_) => unpacked(blocks, LONGEST_TEXT)?,
    };
    Manifest::parse(&plain).ok().map(|sealed| sealed.manifest().clone())
}

/// One block after the other, with others' work between.
async fn sum(blocks: &Blocks) -> Digest {
    let mut hasher = Hasher::new();
    for block in blocks.blocks() {
        hasher.update(block);
        tokio::task::yield_now().await;
    }
    hasher.finish()
}

fn joined(blocks: &Blocks) -> Vec<u8> {
    blocks.blocks().concat()
}

/// `None` where it is no gzip, or longer than `longest` unpacked.
fn unpacked(blocks: &Blocks, longest: u64) -> Option<Vec<u8>> {
    let packed = joined(blocks);
    let mut plain = Vec::new();
    GzDecoder::new(&packed[..]).take(longest + 1).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= longest).then_some(plain)
}
