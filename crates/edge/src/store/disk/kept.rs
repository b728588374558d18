//! A response that lies on a disk, and reading its body block by block.

use super::super::body::BLOCK;
use super::READ_WITHIN;
use super::standing::Orders;
use crate::store::{Body, Object};
use bytes::Bytes;
use diskstore::{Generation, ReadError, Stored};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::timeout;

/// Blocks that a thread reads in one go at most: 4 MiB, so that a long body leaves its turn to others.
const MOST_AT_ONCE: u32 = 16;

/// A response on a disk, all blocks of whose body are there.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Without its body.
    head: Object,
    stored: Stored,
    judged: Judged,
    length: u64,
    /// The next block to be given.
    next: u32,
    /// Read and not yet given.
    read: VecDeque<Bytes>,
    /// Blocks that a thread is asked for the next time: one at first, since somebody waits for it.
    at_once: u32,
}

/// The orders to purge that a response was held against when it was looked up.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) by: Arc<Orders>,
    /// The latest of them.
    pub(super) latest: u64,
}

/// The rest of a body cannot be had from the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrokenOff {
    /// A block is not as it was written: it was what stands under its key, and is forgotten for that alone.
    Damaged,
    /// Given up, removed or replaced: what is left of it is of no use.
    Lost,
    /// The disk is away or slow.
    Away,
}

impl Kept {
    /// `None` where not all of the body is there.
    pub(super) fn new(stored: &Stored, head: &Object, judged: Judged) -> Option<Self> {
        let length = stored.length()?;
        let count = u32::try_from(length.div_ceil(BLOCK as u64)).ok()?;
        stored.blocks().into_iter().eq(0..count).then(|| Self {
            head: head.clone(),
            stored: stored.clone(),
            judged,
            length,
            next: 0,
            read: VecDeque::new(),
            at_once: 1,
        })
    }

    /// Whether the disk would give the same now: nothing has been done to it since it was looked up, and no order has come.
    pub(crate) fn is_current(&self) -> bool {
        self.stored.is_current() && self.is_judged()
    }

    /// Whether no order has come since it was looked up.
    pub(crate) fn is_judged(&self) -> bool {
        self.judged.by.latest() == self.judged.latest
    }

    /// Bytes of the whole body.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of it that have been given.
    fn given(&self) -> u64 {
        (u64::from(self.next) * BLOCK as u64).min(self.length)
    }

    /// The same from its beginning.
    pub(crate) fn rewound(self) -> Self {
        Self { next: 0, read: VecDeque::new(), at_once: 1, ..self }
    }

    /// Whether it is worth giving its body before all of it has been read.
    pub(crate) fn is_long(&self) -> bool {
        self.length > BLOCK as u64
    }

    /// The response without its body.
    pub(crate) fn head(&self) -> &Object {
        &self.head
    }

    /// The response with this body.
    pub(crate) fn object(&self, body: Body) -> Object {
        self.head.with_body(body)
    }

    /// Which version it is.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.stored.generation()
    }

    /// The same, whose body is the one on the disk.
    pub(crate) fn object_on_disk(&self, body: Body) -> Object {
        let object = self.object(body);
        if let Some(generation) = self.generation() {
            object.note_on_disk(generation);
        }
        object
    }

    /// Reads the first block, before anything is promised of the body. Whether it is there.
    pub(crate) async fn begin(&mut self) -> bool {
        match self.next_block().await {
            Ok(Some(block)) => {
                self.read.push_front(block);
                self.next -= 1;
                true
            }
            Ok(None) | Err(_) => false,
        }
    }

    /// The next block, every byte of it verified; `None` at the end.
    ///
    /// # Errors
    /// When the rest cannot be had.
    pub(crate) async fn next_block(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        match self.block_at_hand() {
            Some(block) => block,
            None => {
                let block = self.wait_for_blocks().await?;
                self.give(block).map(Some)
            }
        }
    }

    /// The same, without waiting; `None` where the disk has to be waited for.
    pub(crate) fn block_at_hand(&mut self) -> Option<Result<Option<Bytes>, BrokenOff>> {
        if self.given() == self.length {
            return Some(Ok(None));
        }
        let block = match self.read.pop_front() {
            Some(block) => Ok(block),
            None => match self.stored.read_at_hand(self.next) {
                Err(ReadError::NotAtHand) => return None,
                read => read.map_err(|error| BrokenOff::of(&error)),
            },
        };
        Some(block.and_then(|block| self.give(block)).map(Some))
    }

    /// Counts a block as given, if it is as long as it must be.
    fn give(&mut self, block: Bytes) -> Result<Bytes, BrokenOff> {
        let expected = (self.length - self.given()).min(BLOCK as u64);
        if block.len() as u64 != expected {
            return Err(BrokenOff::Lost);
        }
        self.next += 1;
        Ok(block)
    }

    async fn wait_for_blocks(&mut self) -> Result<Bytes, BrokenOff> {
        let left = u32::try_from((self.length - self.given()).div_ceil(BLOCK as u64)).unwrap_or(u32::MAX);
        let count = self.at_once.min(left);
        self.at_once = (self.at_once * 2).min(MOST_AT_ONCE);
        let numbers = (self.next..self.next + count).collect();
        let read = timeout(READ_WITHIN, self.stored.read(numbers)).await.map_err(|_| BrokenOff::Away)?;
        self.read.extend(read.map_err(|error| BrokenOff::of(&error))?);
        self.read.pop_front().ok_or(BrokenOff::Lost)
    }
}

impl BrokenOff {
    fn of(error: &ReadError) -> Self {
        match error {
            ReadError::Damaged => Self::Damaged,
            ReadError::Gone => Self::Lost,
            ReadError::Io(_) | ReadError::Offline | ReadError::Busy | ReadError::NotAtHand => Self::Away,
        }
    }

    /// For logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Lost => "lost",
            Self::Away => "away",
        }
    }
}
