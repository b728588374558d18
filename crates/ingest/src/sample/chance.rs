//! Chance that is the same every time.

/// xorshift64* (Marsaglia 2003, Vigna 2016): a few lines, good enough for noise.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From `low` to just below `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + (self.next() >> 33) % (high - low).max(1)
    }

    /// From 0 to just below 1.
    pub(super) fn part(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }
}
