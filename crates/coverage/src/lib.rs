//! Class coverage (学情) without check-in: which lessons a class has seen and which minutes it went back to, and nothing about
//! anybody.
//!
//! `code` (a class that wishes it) → `word` (what a device says, once for each minute, without a name) → `tally` (how many
//! devices have said it, on one node) → `tally` again (all nodes together) → `publish` (what teachers get: nothing of fewer than
//! [`MIN_CLASS`], and no number that tells who was not there). No I/O and no clock.
//!
//! Why nobody can be recognised is written down in `docs/threat-model.md`; the properties it leans on are tested here.

mod code;
mod csv;
mod publish;
mod round;
mod tally;
mod word;

pub use code::{ClassCode, InvalidCode};
pub use csv::csv;
pub use publish::{Cell, ClassCoverage, LessonCoverage, MIN_CLASS, publish};
pub use round::{InvalidNoiseKey, NoiseKey};
pub use tally::{MAX_TABLES, Refusal, Table, Tally, TallyError, TallyKind};
pub use word::{InvalidWord, MAX_MINUTES, MAX_WORD_BYTES, Word};

#[cfg(test)]
mod tests;
