//! Representations of which some blocks lie on the disk.

use super::standing::Verdict;
use super::{DiskTier, Head, LOOK_UP_WITHIN, READ_WITHIN};
use crate::store::{Body, LONGEST, Object, Sparse};
use crate::upstream::Groups;
use bytes::Bytes;
use diskstore::{ReadError, Stored};
use http::{StatusCode, header};
use std::sync::Arc;
use tokio::time::timeout;

impl DiskTier {
    /// A response of whose body some blocks lie on the disk, to be read and added to block by block; `None` where nothing may be
    /// added to it.
    pub(super) fn in_blocks(
        key: &crate::key::CacheKey,
        stored: &Stored,
        head: &Object,
    ) -> Option<Arc<Object>> {
        let strong = head.etag.as_ref().is_some_and(|etag| !etag.is_weak());
        let etag = head.headers.get(header::ETAG).filter(|_| strong)?.clone();
        let length = stored.length().filter(|length| (1..=LONGEST).contains(length))?;
        if head.status != StatusCode::OK {
            return None;
        }
        let (generation, blocks) = (stored.generation()?, stored.blocks().into_iter().map(u64::from));
        let sparse = Sparse::restored(key.clone(), length, etag, generation, blocks);
        let object = head.with_body(Body::Sparse(Arc::new(sparse)));
        object.note_on_disk(generation);
        Some(Arc::new(object))
    }

    /// Has the head of a response in blocks written; where its blocks lie already they stay.
    pub(super) fn put_in_blocks(&self, key: &Bytes, object: &Object, sparse: &Sparse, head: Bytes) {
        if let Some(generation) = sparse.on_disk()
            && self.disks.freshen(key, generation, head.clone())
        {
            return object.note_on_disk(generation);
        }
        let length = Some(sparse.length());
        let stored = diskstore::Object { head, length, ..diskstore::Object::default() };
        match self.disks.put(key, stored) {
            Some(generation) => {
                sparse.note_on_disk(generation);
                object.note_on_disk(generation);
            }
            None => sparse.leave_disk(),
        }
    }

    /// Has blocks written beside those that lie there. Never waits.
    pub(crate) fn keep_blocks(&self, sparse: &Sparse, blocks: Vec<(u64, Bytes)>) {
        let Some(generation) = sparse.on_disk() else { return };
        let numbered: Vec<(u32, Bytes)> = blocks
            .into_iter()
            .filter_map(|(index, bytes)| Some((u32::try_from(index).ok()?, bytes)))
            .collect();
        let numbers: Vec<u64> = numbered.iter().map(|(number, _)| u64::from(*number)).collect();
        let key = Bytes::copy_from_slice(sparse.key().as_bytes());
        if self.disks.extend(&key, generation, numbered) {
            numbers.into_iter().for_each(|index| sparse.note_kept(index));
        }
    }

    /// The blocks `numbers`, every byte of them verified: as many from the first one on as can be had.
    pub(crate) async fn blocks(&self, sparse: &Sparse, numbers: &[u64], groups: &Groups) -> Vec<Bytes> {
        let stored = match self.version_of(sparse, groups).await {
            Version::There(stored) => stored,
            Version::Gone => {
                sparse.leave_disk();
                return Vec::new();
            }
            Version::Unknown => return Vec::new(),
        };
        let mut blocks = Vec::with_capacity(numbers.len());
        let mut is_told = true;
        let mut wanted: Vec<u32> = numbers.iter().filter_map(|&index| u32::try_from(index).ok()).collect();
        while let Some(&first) = wanted.first() {
            let (read, count) = match stored.read_at_hand(first) {
                Err(ReadError::NotAtHand) => {
                    let read = timeout(READ_WITHIN, stored.read(wanted.clone())).await;
                    (read.unwrap_or(Err(ReadError::Busy)), wanted.len())
                }
                read => (read.map(|block| vec![block]), 1),
            };
            match read {
                Ok(read) => blocks.extend(read),
                Err(error) => {
                    // A disk that is away or slow says nothing of them.
                    is_told = !matches!(error, ReadError::Busy | ReadError::Offline);
                    break;
                }
            }
            wanted.drain(..count);
        }
        let told = if is_told { numbers.len() } else { blocks.len() };
        let sound = blocks
            .iter()
            .zip(numbers)
            .take_while(|(block, index)| block.len() as u64 == sparse.block_length(**index));
        let sound = sound.count();
        blocks.truncate(sound);
        numbers[sound..told].iter().for_each(|&index| sparse.lost_on_disk(index));
        blocks
    }

    /// What lies on the disk of it, if it is still the same version and no order has taken it out.
    async fn version_of(&self, sparse: &Sparse, groups: &Groups) -> Version {
        let Some(generation) = sparse.on_disk() else { return Version::Gone };
        let key = sparse.key().as_bytes();
        let Ok(looked) = timeout(LOOK_UP_WITHIN, self.disks.look_up(key)).await else {
            return Version::Unknown;
        };
        let Some(stored) = looked else {
            return if self.disks.lacks(key, generation) { Version::Gone } else { Version::Unknown };
        };
        let head = Head::parse(stored.head()).filter(|_| stored.generation() == Some(generation));
        let Some(Head::Response { orders, headers, .. }) = head else { return Version::Gone };
        match self.orders.judge(groups, sparse.key(), generation.store(), orders, Some(&headers)) {
            Verdict::Gone(_) => Version::Gone,
            Verdict::Kept | Verdict::Doubted | Verdict::Softened { .. } => Version::There(stored),
        }
    }
}

/// What the disks say of a version.
enum Version {
    There(Stored),
    /// Replaced, removed or given up.
    Gone,
    /// Nothing: its disk is away, slow or has too much to do.
    Unknown,
}
