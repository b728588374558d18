//! Memory that blocks are read into, used again: a page that is new costs a fault and is cleared before it is overwritten.

use crate::BLOCK;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that may lie idle: what some sixty answers on their way give back at once and the next reads take. With a quarter of it
/// a node under load took new pages for most of its reads, and clearing them was a fourteenth of its time.
const MOST_IDLE: usize = 64 << 20;

/// Sizes of memory that is used again are multiples of it: what a body has behind its last whole block is of any length. No more is left
/// over than by the allocator's own sizes.
const STEP: usize = 8 * 1_024;
/// What is shorter the allocator itself has at hand.
const LEAST: usize = 32 * 1_024;
const SIZES: usize = BLOCK / STEP;

/// Memory that nobody uses just now.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Idle>);

/// By size: at 0 of one step.
#[derive(Debug, Default)]
struct Idle {
    sizes: [Vec<Vec<u8>>; SIZES],
    bytes: usize,
}

/// Memory to read into. What it holds before is anything.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Of these, what is wanted.
    length: usize,
    home: Arc<Buffers>,
}

/// Which size of memory that is used again holds `length` bytes.
fn size_of(length: usize) -> Option<usize> {
    (LEAST..=BLOCK).contains(&length).then(|| (length - 1) / STEP)
}

impl Idle {
    fn take(&mut self, size: usize) -> Option<Vec<u8>> {
        let bytes = self.sizes[size].pop()?;
        self.bytes -= bytes.len();
        Some(bytes)
    }

    /// Keeps `bytes`. Where there is too much, what goes is of the size of which most bytes are idle.
    fn keep(&mut self, size: usize, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.sizes[size].push(bytes);
        while self.bytes > MOST_IDLE {
            let most = (0..SIZES).max_by_key(|&size| self.sizes[size].len() * (size + 1));
            if most.and_then(|size| self.take(size)).is_none() {
                return;
            }
        }
    }
}

impl Buffers {
    /// Of `length` bytes.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer {
        let bytes = match size_of(length) {
            Some(size) => {
                let idle = self.idle().take(size);
                idle.unwrap_or_else(|| vec![0; (size + 1) * STEP])
            }
            None => vec![0; length],
        };
        Buffer { bytes, length, home: Arc::clone(self) }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Where to read into.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    /// What was read; the memory comes back with the last of its users.
    pub(crate) fn freeze(mut self) -> Bytes {
        if size_of(self.length).is_some() {
            Bytes::from_owner(self)
        } else {
            Bytes::from(std::mem::take(&mut self.bytes))
        }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        // What the kernel may still be sending is not read into.
        if let Some(size) = size_of(bytes.len())
            && (bytes.len() < BLOCK || lendable::withdraw(&mut bytes))
        {
            self.home.idle().keep(size, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(buffers: &Arc<Buffers>) -> usize {
        buffers.idle().bytes
    }

    #[test]
    fn a_block_s_memory_comes_back_with_its_last_user() {
        let buffers = Arc::<Buffers>::default();
        let mut buffer = buffers.take(BLOCK);
        buffer.bytes()[7] = 7;
        let (block, part) = {
            let block = buffer.freeze();
            (block.clone(), block.slice(7..8))
        };
        drop(block);
        assert!(idle(&buffers) == 0 && part[0] == 7);
        drop(part);
        assert_eq!(idle(&buffers), BLOCK);
        assert_eq!(buffers.take(100).freeze().len(), 100);
        let all: Vec<_> = (0..MOST_IDLE / BLOCK + 2).map(|_| buffers.take(BLOCK).freeze()).collect();
        assert_eq!(idle(&buffers), 0);
        drop(all);
        assert_eq!(idle(&buffers), MOST_IDLE);
    }

    #[test]
    fn what_is_no_whole_block_is_read_into_memory_of_its_size() {
        let buffers = Arc::<Buffers>::default();
        for (length, kept) in [
            (1, 0),
            (LEAST - 1, 0),
            (LEAST, LEAST),
            (LEAST + 1, LEAST + STEP),
            (5 * STEP, 5 * STEP),
            (BLOCK - 1, BLOCK),
            (BLOCK + 1, 0),
        ] {
            let mut buffer = buffers.take(length);
            assert_eq!(buffer.bytes().len(), length);
            let before = idle(&buffers);
            assert_eq!(buffer.freeze().len(), length);
            assert_eq!(idle(&buffers) - before, kept, "{length}");
            // Of the same size, another length: the same memory.
            drop((kept > 0).then(|| buffers.take(kept)));
            assert_eq!(idle(&buffers) - before, kept, "{length}");
        }
    }

    #[test]
    fn where_too_much_is_idle_it_goes_from_what_there_is_most_of() {
        let buffers = Arc::<Buffers>::default();
        let blocks: Vec<_> = (0..MOST_IDLE / BLOCK).map(|_| buffers.take(BLOCK)).collect();
        drop(blocks);
        let ends: Vec<_> = (0..10).map(|_| buffers.take(LEAST)).collect();
        drop(ends);
        assert!(idle(&buffers) <= MOST_IDLE);
        assert_eq!(buffers.idle().sizes[LEAST / STEP - 1].len(), 10);
        assert_eq!(buffers.idle().sizes[SIZES - 1].len(), MOST_IDLE / BLOCK - 2);
    }
}
