//! A representation of which some blocks are held.
//!
//! ```text
//! key ────────────► Object { Body::Sparse } ──► length, validator, which blocks have come
//! key, block 0 ───► Piece                       each block an entry of its own: evicted, and fetched again, alone
//! key, block 7 ───► Piece
//! ```
//! So an object may be larger than the cache, and one byte of it costs one block. The same blocks lie on the disk, where there is
//! one, under the head's key.

use super::body::BLOCK;
use crate::key::CacheKey;
use crate::upstream::UpstreamError;
use bytes::{Bytes, BytesMut};
use diskstore::Generation;
use http::{HeaderValue, StatusCode};
use httpcache::blocks::{self, BlockSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The size of a block as lengths of bodies are counted.
pub(crate) const BLOCK_SIZE: u64 = BLOCK as u64;

/// What all blocks of one representation have in common.
#[derive(Debug)]
pub(crate) struct Sparse {
    key: CacheKey,
    generation: u64,
    length: u64,
    etag: HeaderValue,
    /// Which have come. One may have been evicted since: a hint, and the reason to try and put the whole together.
    come: Mutex<BlockSet>,
    on_disk: Mutex<Option<OnDisk>>,
    /// How often the upstream has not answered a question for blocks of it, and what was wrong the last time.
    silences: Mutex<(u64, Option<UpstreamError>)>,
    /// The status with which blocks of it came last; 0: none have.
    said: AtomicU16,
}

/// What of it lies on the disk.
#[derive(Debug)]
struct OnDisk {
    generation: Generation,
    /// Which blocks: a hint as well.
    blocks: BlockSet,
}

/// The longest representation that is kept in blocks: 16 TiB, and 8 MiB of bits.
pub(crate) const LONGEST: u64 = 1 << 44;

impl Sparse {
    /// Of a representation of `length` with this strong validator, whose head stands under `key`.
    pub(crate) fn new(key: CacheKey, length: u64, etag: HeaderValue) -> Self {
        let blocks = length.div_ceil(BLOCK_SIZE);
        let generation = super::next_generation();
        Self {
            key,
            generation,
            length,
            etag,
            come: Mutex::new(BlockSet::new(blocks)),
            on_disk: Mutex::default(),
            silences: Mutex::default(),
            said: AtomicU16::new(0),
        }
    }

    /// Blocks of it come with this status.
    pub(crate) fn note_said(&self, status: StatusCode) {
        self.said.store(status.as_u16(), Ordering::Relaxed);
    }

    /// The status with which blocks of it came last.
    pub(crate) fn said(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.said.load(Ordering::Relaxed)).ok()
    }

    /// The upstream has not answered.
    pub(crate) fn note_silence(&self, error: UpstreamError) {
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        *silences = (silences.0.wrapping_add(1), Some(error));
    }

    /// How often it has not answered so far, and what was wrong the last time.
    pub(crate) fn silences(&self) -> (u64, Option<UpstreamError>) {
        *self.silences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same of one of which `blocks` lie on the disk, as version `generation`.
    pub(super) fn restored(
        key: CacheKey,
        length: u64,
        etag: HeaderValue,
        generation: Generation,
        blocks: impl Iterator<Item = u64>,
    ) -> Self {
        let sparse = Self::new(key, length, etag);
        sparse.note_on_disk(generation);
        for index in blocks {
            sparse.note(index);
            sparse.note_kept(index);
        }
        sparse
    }

    fn on_disk_lock(&self) -> MutexGuard<'_, Option<OnDisk>> {
        self.on_disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its head lies on the disk, as this version.
    pub(super) fn note_on_disk(&self, generation: Generation) {
        let blocks = BlockSet::new(self.length.div_ceil(BLOCK_SIZE));
        *self.on_disk_lock() = Some(OnDisk { generation, blocks });
    }

    /// As which version it lies on the disk.
    pub(super) fn on_disk(&self) -> Option<Generation> {
        self.on_disk_lock().as_ref().map(|there| there.generation)
    }

    /// It does not lie there any more.
    pub(super) fn leave_disk(&self) {
        *self.on_disk_lock() = None;
    }

    /// Notes that the block lies on the disk.
    pub(super) fn note_kept(&self, index: u64) {
        if let Some(there) = &mut *self.on_disk_lock() {
            there.blocks.insert(index);
        }
    }

    /// Notes that the block does not lie there any more.
    pub(super) fn lost_on_disk(&self, index: u64) {
        if let Some(there) = self.on_disk_lock().as_mut() {
            there.blocks.remove(index);
        }
        self.lost(index);
    }

    /// Whether the block lies on the disk, as far as is known.
    pub(crate) fn is_kept(&self, index: u64) -> bool {
        self.on_disk_lock().as_ref().is_some_and(|there| there.blocks.contains(index))
    }

    /// Where the head stands.
    pub(crate) fn key(&self) -> &CacheKey {
        &self.key
    }

    /// Bytes in all, held or not.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// A strong one: what has another cannot be combined with it (RFC 9110 §15.3.7.3).
    pub(crate) fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    /// Where block `index` stands. Another representation's blocks stand elsewhere, also under the same URL.
    pub(crate) fn block_key(&self, index: u64) -> CacheKey {
        self.key.block(self.generation, index)
    }

    /// How long block `index` is when it is whole.
    pub(crate) fn block_length(&self, index: u64) -> u64 {
        let bytes = blocks::bytes_of(&(index..index + 1), BLOCK_SIZE, self.length);
        bytes.end - bytes.start
    }

    /// Notes that the whole block has come.
    pub(crate) fn note(&self, index: u64) {
        self.come.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
    }

    /// Notes that the block has been evicted from memory; it has come all the same where it lies on the disk.
    pub(crate) fn lost(&self, index: u64) {
        if !self.is_kept(index) {
            self.come.lock().unwrap_or_else(PoisonError::into_inner).remove(index);
        }
    }

    /// Whether `range` has come, as far as the cache remembers.
    pub(crate) fn covers(&self, range: &Range<u64>) -> bool {
        self.come.lock().unwrap_or_else(PoisonError::into_inner).covers(blocks::touched(range, BLOCK_SIZE))
    }

    /// Whether all of it has come.
    pub(crate) fn is_whole(&self) -> bool {
        self.come.lock().unwrap_or_else(PoisonError::into_inner).is_full()
    }

    /// Bytes of memory that it takes beside its blocks.
    pub(crate) fn weight(&self) -> u64 {
        self.length.div_ceil(BLOCK_SIZE) / 4
    }
}

/// What is held of one block: all of it, or a run of bytes where an origin sent no more.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Where in the block it begins.
    pub(crate) from: u64,
    pub(crate) bytes: Bytes,
}

impl Piece {
    /// The bytes `wanted` of the block, where all of them are held.
    pub(crate) fn get(&self, wanted: &Range<u64>) -> Option<Bytes> {
        let from = usize::try_from(wanted.start.checked_sub(self.from)?).ok()?;
        let to = usize::try_from(wanted.end.checked_sub(self.from)?).ok()?;
        (from <= to && to <= self.bytes.len()).then(|| self.bytes.slice(from..to))
    }

    /// Both as one where they touch, else the larger one.
    pub(crate) fn joined(self, other: Self) -> Self {
        let (first, second) = if self.from <= other.from { (self, other) } else { (other, self) };
        let first_end = first.from + first.bytes.len() as u64;
        let Some(overlap) = first_end.checked_sub(second.from) else {
            return if first.bytes.len() >= second.bytes.len() { first } else { second };
        };
        let overlap = usize::try_from(overlap).unwrap_or(usize::MAX);
        if overlap >= second.bytes.len() {
            return first;
        }
        let mut bytes = BytesMut::with_capacity(first.bytes.len() + second.bytes.len() - overlap);
        bytes.extend_from_slice(&first.bytes);
        bytes.extend_from_slice(&second.bytes[overlap..]);
        Self { from: first.from, bytes: bytes.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_of_one_block_join_to_what_the_block_is(
            a in 0..40_u64, b in 0..40_u64, a_long in 1..30_usize, b_long in 1..30_usize,
            from in 0..70_u64, to in 0..70_u64,
        ) {
            let block: Vec<u8> = (0..70).collect();
            let piece = |from: u64, length: usize| {
                let start = usize::try_from(from).unwrap();
                Piece { from, bytes: Bytes::copy_from_slice(&block[start..start + length]) }
            };
            let joined = piece(a, a_long).joined(piece(b, b_long));
            prop_assert!(joined.bytes.len() >= a_long.max(b_long));
            let start = usize::try_from(joined.from).unwrap();
            prop_assert_eq!(&joined.bytes[..], &block[start..start + joined.bytes.len()]);
            if let Some(bytes) = joined.get(&(from..to)) {
                prop_assert_eq!(&bytes[..], &block[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]);
            }
        }
    }

    #[test]
    fn other_representations_have_other_blocks() {
        let key = CacheKey::primary("http", "a", "/x");
        let sparse = || Sparse::new(key.clone(), 3 * BLOCK_SIZE - 1, HeaderValue::from_static("\"a\""));
        let (one, other) = (sparse(), sparse());
        assert_ne!(one.block_key(0), other.block_key(0));
        assert_ne!(one.block_key(0), one.block_key(1));
        assert_eq!(
            [0, 1, 2, 3].map(|index| one.block_length(index)),
            [BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE - 1, 0]
        );
        assert!(one.block_key(0).is_of(&key));
    }
}
