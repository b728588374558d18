//! A representation in blocks of one size: which of them are there, and what to ask for.

use std::ops::Range;

/// A set of blocks, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSet {
    words: Vec<u64>,
    blocks: u64,
}

impl BlockSet {
    /// None of `blocks`.
    pub fn new(blocks: u64) -> Self {
        let words = usize::try_from(blocks.div_ceil(64)).unwrap_or(usize::MAX);
        Self { words: vec![0; words], blocks }
    }

    /// Notes that block `index` is there. What is no block of it is passed over.
    pub fn insert(&mut self, index: u64) {
        if let Some((word, bit)) = self.place(index) {
            self.words[word] |= bit;
        }
    }

    /// Notes that block `index` is gone.
    pub fn remove(&mut self, index: u64) {
        if let Some((word, bit)) = self.place(index) {
            self.words[word] &= !bit;
        }
    }

    /// Whether block `index` is there.
    pub fn contains(&self, index: u64) -> bool {
        self.place(index).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    /// Whether all of `blocks` are there.
    pub fn covers(&self, blocks: Range<u64>) -> bool {
        blocks.clone().all(|index| self.contains(index))
    }

    /// Whether all are there.
    pub fn is_full(&self) -> bool {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>() == self.blocks
    }

    fn place(&self, index: u64) -> Option<(usize, u64)> {
        (index < self.blocks)
            .then(|| usize::try_from(index / 64).ok().map(|word| (word, 1 << (index % 64))))?
    }
}

/// The blocks of `size` that `bytes` lie in.
pub fn touched(bytes: &Range<u64>, size: u64) -> Range<u64> {
    if bytes.is_empty() {
        return bytes.start / size..bytes.start / size;
    }
    bytes.start / size..(bytes.end - 1) / size + 1
}

/// The bytes of `blocks` of `size`, of a representation of `length`.
pub fn bytes_of(blocks: &Range<u64>, size: u64, length: u64) -> Range<u64> {
    blocks.start.saturating_mul(size).min(length)..blocks.end.saturating_mul(size).min(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_byte_is_in_one_block_and_two_at_a_border() {
        assert_eq!(touched(&(0..1), 256), 0..1);
        assert_eq!(touched(&(255..257), 256), 0..2);
        assert_eq!(touched(&(256..512), 256), 1..2);
        assert_eq!(touched(&(300..300), 256), 1..1);
        assert_eq!(bytes_of(&(1..3), 256, 700), 256..700);
    }

    proptest! {
        #[test]
        fn what_is_asked_for_is_at_most_two_blocks_more_than_what_is_wanted(
            start in 0..1_u64 << 40, span in 1..1_u64 << 30, size in 1..1_u64 << 20,
        ) {
            let wanted = start..start + span;
            let asked = bytes_of(&touched(&wanted, size), size, u64::MAX);
            prop_assert!(asked.start <= wanted.start && wanted.end <= asked.end);
            prop_assert!(asked.end - asked.start < span + 2 * size);
        }

        #[test]
        fn a_block_set_is_a_set(
            blocks in 1..300_u64, steps in proptest::collection::vec((any::<bool>(), 0..320_u64), 0..200),
        ) {
            let (mut set, mut model) = (BlockSet::new(blocks), HashSet::new());
            for (insert, index) in steps {
                if insert {
                    set.insert(index);
                    if index < blocks { model.insert(index); }
                } else {
                    set.remove(index);
                    model.remove(&index);
                }
                prop_assert_eq!(set.contains(index), model.contains(&index));
            }
            prop_assert_eq!(set.is_full(), model.len() as u64 == blocks);
            prop_assert_eq!(set.covers(0..blocks), set.is_full());
        }
    }
}
