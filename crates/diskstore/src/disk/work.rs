//! What the writing thread is given to do.

use crate::pin::{Pinned, Until};
use crate::volume::Object;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A piece of work in its order.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) ticket: u64,
    pub(crate) key: Bytes,
    pub(crate) work: Work,
}

/// What is to be done to a key.
#[derive(Debug)]
pub(crate) enum Work {
    Put {
        /// `None`: the disk was not open yet to give one.
        generation: Option<u64>,
        object: Object,
    },
    Extend {
        generation: u64,
        blocks: Vec<(u32, Bytes)>,
    },
    Freshen {
        generation: u64,
        head: Bytes,
    },
    /// Says what became of it. Dropped: the disk is away.
    Pin {
        until: Until,
        done: oneshot::Sender<Pinned>,
    },
    /// Nothing; says when all before it is on the disk. Dropped: it is not.
    Flush(oneshot::Sender<()>),
    /// Writes the note; says when it and all before it are on the disk.
    Note {
        text: MakeNote,
        done: oneshot::Sender<()>,
    },
}

/// Makes a note's text when the disk comes to write it: it may have been opened since it was asked to, and says what it had
/// noted itself.
#[derive(Clone)]
pub(crate) struct MakeNote(pub(crate) Arc<dyn Fn() -> Bytes + Send + Sync>);

impl std::fmt::Debug for MakeNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MakeNote").finish_non_exhaustive()
    }
}

impl Work {
    /// Bytes of memory it holds.
    pub(crate) fn weight(&self) -> usize {
        /// The job itself, a few vectors.
        const OVERHEAD: usize = 256;
        let blocks =
            |blocks: &[(u32, Bytes)]| blocks.iter().map(|(_, bytes)| bytes.len() + 48).sum::<usize>();
        // They hold up whoever waits for them, and come one at a time: there is always room for these.
        if matches!(self, Self::Flush(_) | Self::Note { .. }) {
            return 0;
        }
        OVERHEAD
            + match self {
                Self::Put { object, .. } => object.head.len() + blocks(&object.blocks),
                Self::Extend { blocks: more, .. } => blocks(more),
                Self::Freshen { head, .. } => head.len(),
                Self::Pin { .. } | Self::Flush(_) | Self::Note { .. } => 0,
            }
    }
}
