//! Memory that blocks are read into, used again: a page that is new costs a fault and is cleared before it is overwritten.

use crate::BLOCK;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Blocks that may lie idle: 64 MiB, what some sixty answers on their way give back at once and the next reads take. With a quarter of it
/// a node under load took new pages for most of its reads, and clearing them was a fourteenth of its time.
const MOST_IDLE: usize = 256;

/// Memory of whole blocks that nobody uses just now.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

/// Memory to read into. What it holds before is anything.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    home: Arc<Buffers>,
}

impl Buffers {
    /// Of `length` bytes.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer {
        let idle = if length == BLOCK { self.idle().pop() } else { None };
        Buffer { bytes: idle.unwrap_or_else(|| vec![0; length]), home: Arc::clone(self) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Where to read into.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// What was read; the memory comes back with the last of its users.
    pub(crate) fn freeze(mut self) -> Bytes {
        if self.bytes.len() == BLOCK {
            Bytes::from_owner(self)
        } else {
            Bytes::from(std::mem::take(&mut self.bytes))
        }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // What the kernel may still be sending is not read into.
        if self.bytes.len() == BLOCK && lendable::withdraw(&self.bytes) {
            let mut idle = self.home.idle();
            if idle.len() < MOST_IDLE {
                idle.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(buffers.idle().is_empty() && part[0] == 7);
        drop(part);
        assert_eq!(buffers.idle().len(), 1);
        assert_eq!(buffers.take(100).freeze().len(), 100);
        let all: Vec<_> = (0..MOST_IDLE + 2).map(|_| buffers.take(BLOCK).freeze()).collect();
        assert!(buffers.idle().is_empty());
        drop(all);
        assert_eq!(buffers.idle().len(), MOST_IDLE);
    }
}
