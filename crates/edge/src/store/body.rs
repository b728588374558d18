//! The bytes of a stored response, in blocks, and reading a range of them.

use super::disk::Kept;
use super::growing::{Growing, GrowingReader};
use super::sparse::Sparse;
use crate::key::CacheKey;
use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A body is kept in blocks of this size; the last one is shorter. Large enough that a segment is a handful of
/// writes, small enough that a range does not drag a whole file along.
pub(crate) const BLOCK: usize = 256 * 1_024;

/// So often a body is read before its blocks may be sent without a copy: one that was lent loses its pages when it goes, which costs some
/// four copies. Most of what comes from a disk into memory goes sooner.
const LENT_AFTER: u8 = 8;

/// A complete body. Block `i` holds the bytes from `i * BLOCK`.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Bytes>,
    length: u64,
    /// How often more than a block of it was read, as far as is worth knowing. Two who come at once may count for one: beyond it nobody
    /// writes here.
    reads: AtomicU8,
}

impl Blocks {
    /// `blocks` are full but for the last.
    pub(crate) fn new(blocks: Vec<Bytes>) -> Self {
        debug_assert!(
            blocks.iter().rev().skip(1).all(|block| block.len() == BLOCK),
            "only the last block is short"
        );
        let length = blocks.iter().map(|block| block.len() as u64).sum();
        Self { blocks, length, reads: AtomicU8::new(0) }
    }

    /// Notes that several blocks are read.
    fn note_read(&self) {
        let reads = self.reads.load(Ordering::Relaxed);
        if reads < LENT_AFTER {
            self.reads.store(reads + 1, Ordering::Relaxed);
            if reads + 1 == LENT_AFTER {
                // As they are until nobody has them.
                self.blocks.iter().for_each(|block| lendable::offer(block));
            }
        }
    }

    /// Bytes in all.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Its bytes, where they are one block at most.
    pub(crate) fn into_one(self) -> Bytes {
        debug_assert!(self.blocks.len() <= 1, "several blocks are not one");
        self.blocks.into_iter().next().unwrap_or_default()
    }

    /// The blocks themselves.
    pub(crate) fn blocks(&self) -> &[Bytes] {
        &self.blocks
    }

    /// From `at` to the end of its block or to `end`, whichever is first. Shares the block's memory.
    fn piece(&self, at: u64, end: u64) -> Option<Bytes> {
        let block = self.blocks.get(usize::try_from(at / BLOCK as u64).ok()?)?;
        let from = usize::try_from(at % BLOCK as u64).ok()?;
        let to = usize::try_from((end - (at - from as u64)).min(block.len() as u64)).ok()?;
        // Whole blocks are the rule: no slicing for them.
        if from == 0 && to == block.len() {
            Some(block.clone())
        } else {
            (from < to).then(|| block.slice(from..to))
        }
    }
}

/// A stored body, whole, still coming, or elsewhere.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// All there.
    Complete(Arc<Blocks>),
    /// Being filled; readers get what has come and wait for the rest.
    Growing(Arc<Growing>),
    /// In blocks that are entries of their own, and read through the fill, which fetches those that are missing.
    Sparse(Arc<Sparse>),
    /// On a disk, and not to be kept in memory.
    Passing(Arc<Passing>),
}

/// What one client reads from a disk, once.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Where it stands.
    pub(crate) key: CacheKey,
    length: u64,
    kept: Mutex<Option<Box<Kept>>>,
}

impl Passing {
    pub(crate) fn new(key: CacheKey, kept: Box<Kept>) -> Self {
        Self { key, length: kept.length(), kept: Mutex::new(Some(kept)) }
    }

    /// To be read; `None` where it has been.
    pub(crate) fn take(&self) -> Option<Box<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Body {
    /// How long it is; `None` while it comes without a stated length.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Complete(blocks) => Some(blocks.length()),
            Self::Growing(growing) => growing.length(),
            Self::Sparse(sparse) => Some(sparse.length()),
            Self::Passing(passing) => Some(passing.length),
        }
    }

    /// Bytes of memory that its entry is counted as.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Sparse(sparse) => sparse.weight(),
            whole => whole.length().unwrap_or_default(),
        }
    }

    /// Reads `range`, or everything. `None` where it does not lie in memory as a whole.
    pub(crate) fn reader(&self, range: Option<Range<u64>>) -> Option<Reader> {
        Some(match self {
            Self::Sparse(_) | Self::Passing(_) => return None,
            Self::Complete(blocks) => {
                let range = range.unwrap_or(0..blocks.length());
                let (next, end) = (range.start, range.end.min(blocks.length()));
                match blocks.piece(next, end) {
                    // All of it: the body itself need not be held, whose holders all cores count.
                    Some(piece) if piece.len() as u64 == end - next => Reader::Piece(piece),
                    _ => {
                        blocks.note_read();
                        Reader::Complete { blocks: Arc::clone(blocks), next, end }
                    }
                }
            }
            Self::Growing(growing) => Reader::Growing(GrowingReader::new(Arc::clone(growing), range)),
        })
    }
}

/// Reads a stored body from front to back.
#[derive(Debug)]
pub(crate) enum Reader {
    /// Of a complete body: never waits.
    Complete {
        /// What is read.
        blocks: Arc<Blocks>,
        /// The next byte.
        next: u64,
        /// One beyond the last byte.
        end: u64,
    },
    /// Of a complete body, what lies within one block.
    Piece(Bytes),
    /// Of a growing body.
    Growing(GrowingReader),
}

impl Reader {
    /// The next piece; `None` at the end. An error means the body broke off: what was read is not the whole.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self {
            Self::Complete { blocks, next, end } => Poll::Ready(match blocks.piece(*next, *end) {
                Some(piece) if *next < *end => {
                    *next += piece.len() as u64;
                    Some(Ok(piece))
                }
                _ => None,
            }),
            Self::Piece(piece) => {
                let piece = std::mem::take(piece);
                Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
            }
            Self::Growing(reader) => reader.poll_piece(cx),
        }
    }

    /// Bytes still to come, where that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self {
            Self::Complete { next, end, .. } => Some(end - next),
            Self::Piece(piece) => Some(piece.len() as u64),
            Self::Growing(reader) => reader.remaining(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::task::Waker;

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    fn blocks(bytes: &[u8]) -> Body {
        Body::Complete(Arc::new(Blocks::new(bytes.chunks(BLOCK).map(Bytes::copy_from_slice).collect())))
    }

    fn read(mut reader: Reader) -> Vec<u8> {
        let mut all = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(piece)) = reader.poll_piece(&mut cx) {
            let piece = piece.unwrap();
            assert!(!piece.is_empty());
            all.extend_from_slice(&piece);
        }
        assert_eq!(reader.remaining(), Some(0));
        all
    }

    #[test]
    fn blocks_are_lent_once_their_body_was_read_often_enough() {
        let body = blocks(&pattern(2 * BLOCK));
        let Body::Complete(blocks) = &body else { unreachable!("it is complete") };
        let reads = || blocks.reads.load(Ordering::Relaxed);
        // Of one block nothing is lent.
        drop(body.reader(Some(0..BLOCK as u64)));
        assert_eq!(reads(), 0);
        for _ in 0..2 * LENT_AFTER {
            drop(body.reader(None));
        }
        assert_eq!(reads(), LENT_AFTER);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_range_reads_as_a_slice_would(
            length in 0..3 * BLOCK + 7, from in 0..3 * BLOCK, span in 0..2 * BLOCK,
        ) {
            let bytes = pattern(length);
            let body = blocks(&bytes);
            let (from, to) = (from.min(length), (from + span).min(length));
            prop_assert_eq!(read(body.reader(Some(from as u64..to.max(from) as u64)).unwrap()), &bytes[from..to.max(from)]);
            prop_assert_eq!(read(body.reader(None).unwrap()), bytes);
        }
    }
}
