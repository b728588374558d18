//! Small grey pictures and how they differ, block by block. Pure.

use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Samples in a row and rows of a small picture.
const WIDTH: usize = 160;
const HEIGHT: usize = 90;
/// Samples on a block's side.
const BLOCK: usize = 10;
const COLUMNS: usize = WIDTH / BLOCK;
/// Blocks of a picture: 16 by 9.
pub(super) const BLOCKS: usize = COLUMNS * (HEIGHT / BLOCK);
/// A look has a quarter of a small picture's samples.
const LOOK_WIDTH: usize = WIDTH / 2;
const LOOK_SAMPLES: usize = WIDTH * HEIGHT / 4;

/// Some of a picture's blocks.
pub(super) type Blocks = [bool; BLOCKS];

/// A small grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Luma(Vec<u8>);

impl Luma {
    /// From rows that are at least wide enough; missing ones are black.
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut samples: Vec<u8> = rows.filter_map(|row| row.get(..WIDTH)).flatten().copied().collect();
        samples.resize(WIDTH * HEIGHT, 0);
        Self(samples)
    }

    /// Blocks whose samples differ from those of `other` by more than `level` on average.
    pub(super) fn differing(&self, other: &Self, level: u32) -> Blocks {
        differing(&self.0, &other.0, WIDTH, BLOCK, level)
    }
}

fn differing(one: &[u8], other: &[u8], width: usize, block: usize, level: u32) -> Blocks {
    let mut sums = [0; BLOCKS];
    for (place, (one, other)) in one.iter().zip(other).enumerate() {
        let (row, column) = (place / width, place % width);
        if let Some(sum) = sums.get_mut(row / block * COLUMNS + column / block) {
            *sum += u32::from(one.abs_diff(*other));
        }
    }
    let samples = u32::try_from(block * block).unwrap_or(u32::MAX);
    sums.map(|sum| sum > level.saturating_mul(samples))
}

/// What a slide looked like, small enough to be kept with it: grey samples of 80x45, and which blocks moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Look {
    samples: Vec<u8>,
    moving: Vec<bool>,
}

impl Look {
    pub(super) fn new(luma: &Luma, moving: &Blocks) -> Self {
        let mean = |place: usize| {
            let (row, column) = (place / LOOK_WIDTH * 2, place % LOOK_WIDTH * 2);
            let at = |row: usize, column: usize| u16::from(luma.0[row * WIDTH + column]);
            let sum = at(row, column) + at(row, column + 1) + at(row + 1, column) + at(row + 1, column + 1);
            u8::try_from(sum / 4).unwrap_or(u8::MAX)
        };
        Self { samples: (0..LOOK_SAMPLES).map(mean).collect(), moving: moving.to_vec() }
    }

    /// How many blocks differ by more than `level`, those that moved in either not counted.
    pub(super) fn differing(&self, other: &Self, level: u32) -> usize {
        let changed = differing(&self.samples, &other.samples, LOOK_WIDTH, BLOCK / 2, level);
        let moving = self.moving.iter().zip(&other.moving).map(|(one, other)| one | other);
        changed.iter().zip(moving).filter(|&(&changed, moving)| changed && !moving).count()
    }
}

/// A text that is no look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no look of a slide")]
pub struct NoLook;

impl From<Look> for String {
    /// Two digits a sample, then one a block.
    fn from(look: Look) -> Self {
        let mut text = Self::with_capacity(LOOK_SAMPLES * 2 + BLOCKS);
        for sample in look.samples {
            write!(text, "{sample:02x}").expect("a String takes all");
        }
        text.extend(look.moving.iter().map(|&moving| if moving { '1' } else { '0' }));
        text
    }
}

impl TryFrom<String> for Look {
    type Error = NoLook;

    fn try_from(text: String) -> Result<Self, NoLook> {
        let (samples, moving) = text.as_bytes().split_at_checked(LOOK_SAMPLES * 2).ok_or(NoLook)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let sample = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
        let samples = samples.chunks_exact(2).map(sample).collect::<Option<_>>().ok_or(NoLook)?;
        let moving: Vec<bool> = moving.iter().map(|&byte| byte == b'1').collect();
        if moving.len() != BLOCKS {
            return Err(NoLook);
        }
        Ok(Self { samples, moving })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_survives_being_written() {
        let rows: Vec<Vec<u8>> = (0..90).map(|row| vec![row * 2; 170]).collect();
        let luma = Luma::of(rows.iter().map(Vec::as_slice));
        let mut moving = [false; BLOCKS];
        moving[143] = true;
        let look = Look::new(&luma, &moving);
        let json = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<Look>(&json).unwrap(), look);
        for text in ["\"\"", "\"zz\"", "\"课课\""] {
            assert!(serde_json::from_str::<Look>(text).is_err());
        }
    }
}
