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
        let Some(stored) = self.version_of(sparse, groups).await else {
            sparse.leave_disk();
            return Vec::new();
        };
        let mut blocks = Vec::with_capacity(numbers.len());
        let mut wanted: Vec<u32> = numbers.iter().filter_map(|&index| u32::try_from(index).ok()).collect();
        while let Some(&first) = wanted.first() {
            let (read, count) = match stored.read_at_hand(first) {
                Err(ReadError::NotAtHand) => {
                    let read = timeout(READ_WITHIN, stored.read(wanted.clone())).await;
                    (read.unwrap_or(Err(ReadError::Busy)), wanted.len())
                }
                read => (read.map(|block| vec![block]), 1),
            };
            let Ok(read) = read else { break };
            wanted.drain(..count);
            blocks.extend(read);
        }
        let sound = blocks
            .iter()
            .zip(numbers)
            .take_while(|(block, index)| block.len() as u64 == sparse.block_length(**index));
        let sound = sound.count();
        blocks.truncate(sound);
        numbers[sound..].iter().for_each(|&index| sparse.lost_on_disk(index));
        blocks
    }

    /// What lies on the disk of it, if it is still the same version and no order has taken it out.
    async fn version_of(&self, sparse: &Sparse, groups: &Groups) -> Option<Stored> {
        let generation = sparse.on_disk()?;
        let looked = timeout(LOOK_UP_WITHIN, self.disks.look_up(sparse.key().as_bytes())).await;
        let stored = looked.ok()?.filter(|stored| stored.generation() == Some(generation))?;
        let Head::Response { orders, headers, .. } = Head::parse(stored.head())? else { return None };
        let gone = matches!(
            self.orders.judge(groups, sparse.key(), generation.store(), orders, Some(&headers)),
            Verdict::Gone(_)
        );
        (!gone).then_some(stored)
    }
}
