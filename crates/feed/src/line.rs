//! What is on the channel in a segment of the grid, and what its guide says.

mod plans;

pub(crate) use plans::{Misfit, Place, Plans};

use grid::SegmentNumber;
use multiplex::Guide;
use package::{AudioSlot, PackageId, Slot};

/// A segment of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) package: PackageId,
    pub(crate) video: Slot,
    pub(crate) audio: AudioSlot,
    pub(crate) segment: SegmentNumber,
}

/// What a channel shows when: what the plan is to a feed.
pub(crate) trait Line {
    /// What is on in segment `air`, counted from 1970; `None`: nothing that could be shown.
    fn on(&self, air: u64) -> Option<Piece>;

    /// What is told about the time around `air`.
    fn guide(&self) -> Guide;

    /// The title of what is on, for whoever watches the program.
    fn title(&self, air: u64) -> String;
}
