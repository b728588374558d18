//! How a picture has to be turned before it is shown. Pure.

use serde::{Deserialize, Serialize};

/// One of the eight ways a rectangle lies on its grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// As stored.
    Upright,
    /// A quarter turn clockwise.
    Clockwise,
    /// Upside down.
    HalfTurn,
    /// A quarter turn counter-clockwise.
    CounterClockwise,
    /// Left and right exchanged.
    MirroredAcross,
    /// Top and bottom exchanged.
    MirroredDown,
    /// Mirrored at the diagonal from top left.
    Transposed,
    /// Mirrored at the diagonal from top right.
    AntiTransposed,
}

impl Orientation {
    /// From the `a, b, c, d` of a track's matrix (ISO/IEC 14496-12 6.2.2): x' = a·x + c·y, y' = b·x + d·y.
    ///
    /// Turns by other angles than quarters do not exist on phones; they are taken as the nearest.
    pub fn from_matrix([a, b, c, d]: [i32; 4]) -> Self {
        let straight = i64::from(a).abs() + i64::from(d).abs();
        let turned = i64::from(b).abs() + i64::from(c).abs();
        match (straight >= turned, a < 0, b < 0, c < 0, d < 0) {
            (true, false, _, _, false) => Self::Upright,
            (true, true, _, _, true) => Self::HalfTurn,
            (true, true, _, _, false) => Self::MirroredAcross,
            (true, false, _, _, true) => Self::MirroredDown,
            (false, _, false, true, _) => Self::Clockwise,
            (false, _, true, false, _) => Self::CounterClockwise,
            (false, _, false, false, _) => Self::Transposed,
            (false, _, true, true, _) => Self::AntiTransposed,
        }
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Clockwise | Self::CounterClockwise | Self::Transposed | Self::AntiTransposed)
    }

    /// FFmpeg's filters for it, in order; empty for upright.
    pub fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Upright => &[],
            Self::Clockwise => &["transpose=clock"],
            Self::HalfTurn => &["hflip", "vflip"],
            Self::CounterClockwise => &["transpose=cclock"],
            Self::MirroredAcross => &["hflip"],
            Self::MirroredDown => &["vflip"],
            Self::Transposed => &["transpose=cclock_flip"],
            Self::AntiTransposed => &["transpose=clock_flip"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_matrices() {
        const ONE: i32 = 1 << 16;
        for (matrix, orientation) in [
            ([ONE, 0, 0, ONE], Orientation::Upright),
            ([0, ONE, -ONE, 0], Orientation::Clockwise),
            ([-ONE, 0, 0, -ONE], Orientation::HalfTurn),
            ([0, -ONE, ONE, 0], Orientation::CounterClockwise),
            ([-ONE, 0, 0, ONE], Orientation::MirroredAcross),
            ([ONE, 0, 0, -ONE], Orientation::MirroredDown),
            ([0, ONE, ONE, 0], Orientation::Transposed),
            ([0, -ONE, -ONE, 0], Orientation::AntiTransposed),
            ([0, 0, 0, 0], Orientation::Upright),
            ([i32::MIN, 0, 0, i32::MIN], Orientation::HalfTurn),
        ] {
            assert_eq!(Orientation::from_matrix(matrix), orientation, "{matrix:?}");
        }
    }
}
