//! The blocks that are being fetched now, over all cores: each once, whoever wants it.

use crate::key::CacheKey;
use crate::store::{BLOCK_SIZE, Entry, Growing, GrowingReader, GrowingWriter, Memory, Piece, Sparse};
use bytes::Bytes;
use httpcache::blocks;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Blocks asked for at once: 4 MiB. What a client that leaves has cost the upstream in vain, and what one that reads
/// slowly has in memory.
pub(crate) const RUN: u64 = 16;

/// All blocks on their way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lots(Arc<Mutex<HashMap<CacheKey, Coming>>>);

/// One of them, or a run of bytes of it.
#[derive(Debug, Clone)]
struct Coming {
    /// The bytes of the block that come.
    span: Range<u64>,
    growing: Arc<Growing>,
}

impl Coming {
    /// Whether these bytes of the block are among them.
    fn has(&self, wanted: &Range<u64>) -> bool {
        self.span.start <= wanted.start && wanted.end <= self.span.end
    }
}

/// Where a block's bytes come from.
pub(crate) enum Source {
    /// From memory.
    Held(Bytes),
    /// From a fetch that goes on.
    Coming(GrowingReader),
    /// From the disk or the upstream: these must be fetched, the first of them is ours.
    Lead(VecDeque<Lot>, GrowingReader),
}

impl Lots {
    /// Finds the bytes `wanted` of block `index`, or takes on to fetch it and, up to `until`, those behind it that nobody
    /// has or fetches.
    ///
    /// What has come is stored before it leaves the list, and memory is looked at under the list's lock: between two
    /// fetches of one block there is no gap.
    pub(crate) fn find(
        &self,
        memory: &Memory,
        sparse: &Arc<Sparse>,
        index: u64,
        wanted: &Range<u64>,
        until: u64,
    ) -> Source {
        let key = sparse.block_key(index);
        // Without the lock first: that is the rule for what is popular.
        if let Some(bytes) = memory.block(&key).and_then(|piece| piece.get(wanted)) {
            return Source::Held(bytes);
        }
        let mut list = self.list();
        if let Some(bytes) = memory.block(&key).and_then(|piece| piece.get(wanted)) {
            return Source::Held(bytes);
        }
        if let Some(coming) = list.get(&key).filter(|coming| coming.has(wanted)) {
            let Coming { span, growing } = coming;
            let within = wanted.start - span.start..wanted.end - span.start;
            return Source::Coming(GrowingReader::new(Arc::clone(growing), Some(within)));
        }
        sparse.lost(index);
        let mut lots = VecDeque::new();
        let (first, growing) = self.open(&mut list, sparse, index, 0..sparse.block_length(index));
        lots.push_back(first);
        for next in index + 1..until.min(index + RUN) {
            let key = sparse.block_key(next);
            // One run is from one place.
            let elsewhere = sparse.is_kept(next) != sparse.is_kept(index);
            if elsewhere || list.contains_key(&key) || memory.holds(&key) {
                break;
            }
            lots.push_back(self.open(&mut list, sparse, next, 0..sparse.block_length(next)).0);
        }
        Source::Lead(lots, GrowingReader::new(growing, Some(wanted.clone())))
    }

    /// Whether all of `wanted` that memory has not comes for somebody, which costs whoever joins him no memory.
    pub(crate) fn bring(&self, memory: &Memory, sparse: &Sparse, wanted: &Range<u64>) -> bool {
        let list = self.list();
        blocks::touched(wanted, BLOCK_SIZE).all(|index| {
            let (key, start) = (sparse.block_key(index), index * BLOCK_SIZE);
            let within = wanted.start.saturating_sub(start)..(wanted.end - start).min(BLOCK_SIZE);
            list.get(&key).is_some_and(|coming| coming.has(&within))
                || memory.block(&key).is_some_and(|piece| piece.get(&within).is_some())
        })
    }

    /// Takes on to store a part that has begun to come by itself.
    pub(crate) fn open_part(&self, sparse: &Arc<Sparse>, part: &Range<u64>) -> VecDeque<Lot> {
        let mut list = self.list();
        blocks::touched(part, BLOCK_SIZE)
            .map(|index| {
                let start = index * BLOCK_SIZE;
                let from = part.start.saturating_sub(start);
                let to = (part.end - start).min(BLOCK_SIZE);
                self.open(&mut list, sparse, index, from..to).0
            })
            .collect()
    }

    fn open(
        &self,
        list: &mut HashMap<CacheKey, Coming>,
        sparse: &Arc<Sparse>,
        index: u64,
        span: Range<u64>,
    ) -> (Lot, Arc<Growing>) {
        let key = sparse.block_key(index);
        let (growing, writer) = Growing::start(Some(span.end - span.start));
        // Two may fetch one block, where one of them fetches less than all of it: the later is listed.
        list.insert(key.clone(), Coming { span: span.clone(), growing: Arc::clone(&growing) });
        let lot = Lot {
            lots: self.clone(),
            sparse: Arc::clone(sparse),
            key,
            index,
            span,
            growing: Arc::clone(&growing),
            writer: Some(writer),
        };
        (lot, growing)
    }

    fn list(&self) -> MutexGuard<'_, HashMap<CacheKey, Coming>> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One block to be fetched. Dropped unfinished, those who wait for it learn that it broke off.
#[derive(Debug)]
pub(crate) struct Lot {
    lots: Lots,
    sparse: Arc<Sparse>,
    key: CacheKey,
    index: u64,
    /// The bytes of the block that come.
    span: Range<u64>,
    growing: Arc<Growing>,
    writer: Option<GrowingWriter>,
}

impl Lot {
    /// Which block it is.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// Where in the representation its next byte is.
    pub(crate) fn next(&self) -> u64 {
        let received = self.writer.as_ref().map_or(0, GrowingWriter::received);
        self.index * BLOCK_SIZE + self.span.start + received
    }

    /// One beyond its last byte in the representation.
    pub(crate) fn end(&self) -> u64 {
        self.index * BLOCK_SIZE + self.span.end
    }

    /// Takes what belongs to it from the front of `data`; whether it is full.
    pub(crate) fn take(&mut self, data: &mut Bytes) -> bool {
        let Some(writer) = &mut self.writer else { return true };
        let room = (self.span.end - self.span.start).saturating_sub(writer.received());
        let length = data.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        writer.push(&data.split_to(length));
        length as u64 == room
    }

    /// Takes all of it, as it is.
    pub(crate) fn give(&mut self, block: Bytes) {
        if let Some(writer) = &mut self.writer {
            writer.push_block(block);
        }
    }

    /// Stores it, and takes it off the list; gives the block, where all of it is there now.
    pub(crate) fn finish(mut self, memory: &Memory) -> Option<(u64, Bytes)> {
        let writer = self.writer.take()?;
        let bytes = writer.finish().into_one();
        let piece = match memory.block(&self.key) {
            Some(held) => held.joined(Piece { from: self.span.start, bytes }),
            None => Piece { from: self.span.start, bytes },
        };
        let is_whole = piece.bytes.len() as u64 == self.sparse.block_length(self.index);
        let block = is_whole.then(|| (self.index, piece.bytes.clone()));
        if is_whole {
            self.sparse.note(self.index);
        }
        memory.insert(self.key.clone(), Entry::Block(piece));
        block
    }
}

impl Drop for Lot {
    fn drop(&mut self) {
        let mut list = self.lots.list();
        if list.get(&self.key).is_some_and(|coming| Arc::ptr_eq(&coming.growing, &self.growing)) {
            list.remove(&self.key);
        }
    }
}
