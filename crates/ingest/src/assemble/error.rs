//! Why pieces are no package.

use faults::{Blame, Fault};
use grid::SegmentNumber;
use package::manifest::ManifestError;
use package::{ObjectPath, Rendition, Slot};
use storage::StoreError;

/// Why pieces are no package.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A paper could not be written, or media not read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that was written is not there any more, or is not what was written.
    #[error("`{0}` of the new package cannot be read back; run the ingest again")]
    Unreadable(ObjectPath),
    /// A segment of pictures without one that can be decoded by itself.
    #[error(
        "{rendition} has no picture to seek to in segment {}; this is a fault of the ingest, please report it with the file",
        number.0
    )]
    NoStill {
        /// Where.
        rendition: Rendition,
        /// In which segment.
        number: SegmentNumber,
    },
    /// Media cannot be had as MPEG-TS.
    #[error(
        "{slot} cannot be remuxed: {source}; this is a fault of the ingest, please report it with the file"
    )]
    Remux {
        /// Which rung.
        slot: Slot,
        /// Why.
        source: mpegts::RemuxError,
    },
    /// The manifest would not be that of a whole package.
    #[error("the package is not whole: {0}; this is a fault of the ingest, please report it with the file")]
    Manifest(#[from] ManifestError),
    /// A rung's peak is above what cellular networks are promised.
    #[error(
        "s0 with its sound takes {0} bit/s, more than 192,000 (Apple 9.21); lower its maxrate or buffer in the ladder"
    )]
    SmallestTooLarge(u64),
}

impl Fault for AssembleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Unreadable(_) => "PACKAGE_UNREADABLE",
            Self::Manifest(_) | Self::NoStill { .. } | Self::Remux { .. } => "MEDIA_NONCONFORMANT",
            Self::SmallestTooLarge(_) => "LADDER_S0_TOO_LARGE",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::SmallestTooLarge(_) => Blame::Input,
            Self::Manifest(_) | Self::NoStill { .. } | Self::Remux { .. } | Self::Unreadable(_) => {
                Blame::Ours
            }
        }
    }
}
