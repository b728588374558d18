//! A glance at a picture: its brightness in small, enough to see what moves. Pure.

/// Columns of a glance.
pub const COLUMNS: usize = 128;
/// Rows of a glance.
pub const ROWS: usize = 72;
/// A glance is divided into squares of so many samples a side; movement is counted in squares.
const SQUARE: usize = 8;
/// Squares in a glance.
pub const SQUARES: usize = COLUMNS / SQUARE * (ROWS / SQUARE);
/// Samples of the picture looked at for one of the glance, a side: sixteen even a sensor's noise out.
const LOOKS: usize = 4;
/// A square moves when its samples differ by more than this on average: less is noise, which sixteen looks leave at
/// about a half.
const MOVES: u32 = 1;

/// Where the brightness of a picture lies in memory.
#[derive(Debug, Clone, Copy)]
pub struct Luma<'a> {
    /// Rows, `stride` bytes apart.
    pub bytes: &'a [u8],
    /// Distance between rows.
    pub stride: usize,
    /// Distance between samples.
    pub step: usize,
    /// Where a row's first sample begins.
    pub offset: usize,
    /// Bits a sample; more than 8 lie in two bytes, the lower first, `shift` bits up.
    pub depth: u32,
    /// See `depth`.
    pub shift: u32,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Luma<'_> {
    /// The upper 8 bits of the sample at a place; black outside.
    pub(crate) fn at(&self, x: usize, y: usize) -> u32 {
        let place = y * self.stride + x * self.step + self.offset;
        let byte = |place: usize| self.bytes.get(place).copied().unwrap_or(0);
        match self.depth {
            ..=8 => u32::from(byte(place)),
            depth => {
                let word = u32::from(u16::from_le_bytes([byte(place), byte(place + 1)]));
                (word >> self.shift) >> (depth - 8) & 0xff
            }
        }
    }
}

/// Brightness in small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance(Vec<u8>);

/// What differs between two glances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Mean difference of all samples, in sixteenths.
    pub mean: u32,
    /// Squares that moved.
    pub moved: u32,
}

impl Glance {
    /// At a picture of any size.
    pub fn at(luma: &Luma<'_>) -> Self {
        let mut samples = Vec::with_capacity(COLUMNS * ROWS);
        let places = |index: usize, length: usize, parts: usize| {
            (0..LOOKS).map(move |look| (index * LOOKS + look) * length / (parts * LOOKS))
        };
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let sum: u32 = places(row, luma.height, ROWS)
                    .flat_map(|y| places(column, luma.width, COLUMNS).map(move |x| (x, y)))
                    .map(|(x, y)| luma.at(x, y))
                    .sum();
                let mean = sum / (LOOKS * LOOKS) as u32;
                samples.push(u8::try_from(mean).unwrap_or(u8::MAX));
            }
        }
        Self(samples)
    }

    /// How this one differs from `other`.
    pub fn differs(&self, other: &Self) -> Difference {
        let (mut all, mut moved) = (0, 0);
        for top in (0..ROWS).step_by(SQUARE) {
            for left in (0..COLUMNS).step_by(SQUARE) {
                let sum: u32 = (top..top + SQUARE)
                    .map(|row| row * COLUMNS + left)
                    .flat_map(|start| {
                        self.0[start..start + SQUARE].iter().zip(&other.0[start..start + SQUARE])
                    })
                    .map(|(a, b)| u32::from(a.abs_diff(*b)))
                    .sum();
                all += sum;
                moved += u32::from(sum > MOVES * (SQUARE * SQUARE) as u32);
            }
        }
        Difference { mean: all * 16 / (COLUMNS * ROWS) as u32, moved }
    }

    /// Mean difference of neighbours in a row, in sixteenths: how much there is to see.
    pub fn detail(&self) -> u32 {
        let sum: u32 = self
            .0
            .chunks_exact(COLUMNS)
            .flat_map(|row| row.windows(2))
            .map(|pair| u32::from(pair[0].abs_diff(pair[1])))
            .sum();
        sum * 16 / ((COLUMNS - 1) * ROWS) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luma(bytes: &[u8], width: usize, height: usize) -> Luma<'_> {
        Luma { bytes, stride: width, step: 1, offset: 0, depth: 8, shift: 0, width, height }
    }

    #[test]
    fn a_square_that_moves_is_found_and_noise_is_not() {
        let (width, height) = (1_920, 1_080);
        let paper = vec![200; width * height];
        let before = Glance::at(&luma(&paper, width, height));
        assert_eq!(before.differs(&before), Difference { mean: 0, moved: 0 });
        assert_eq!(before.detail(), 0);
        // 120 × 120 samples are a square.
        let mut moved = paper.clone();
        for row in 240..360 {
            moved[row * width + 480..row * width + 600].fill(90);
        }
        let after = Glance::at(&luma(&moved, width, height));
        assert_eq!(after.differs(&before).moved, 1);
        assert!(after.detail() > 0);
        // A sensor's noise: three up, three down.
        let noisy: Vec<u8> =
            (0..width * height).map(|at| 197 + ((at * 2_654_435_761) >> 7) as u8 % 7).collect();
        assert_eq!(Glance::at(&luma(&noisy, width, height)).differs(&before).moved, 0);
    }

    #[test]
    fn every_layout_of_samples_looks_the_same() {
        let bytes: Vec<u8> = (0..320 * 180).map(|at| (at / 320) as u8).collect();
        let plain = Glance::at(&luma(&bytes, 320, 180));
        let words: Vec<u8> = bytes.iter().flat_map(|&byte| (u16::from(byte) << 2).to_le_bytes()).collect();
        let ten = Luma { bytes: &words, stride: 640, step: 2, depth: 10, ..luma(&words, 320, 180) };
        assert_eq!(Glance::at(&ten), plain);
        let high: Vec<u8> = bytes.iter().flat_map(|&byte| (u16::from(byte) << 8).to_le_bytes()).collect();
        let p010 = Luma { bytes: &high, shift: 6, ..ten };
        assert_eq!(Glance::at(&Luma { bytes: &high, ..p010 }), plain);
        let packed: Vec<u8> = bytes.iter().flat_map(|&byte| [128, byte]).collect();
        let uyvy = Luma { bytes: &packed, stride: 640, step: 2, offset: 1, ..luma(&packed, 320, 180) };
        assert_eq!(Glance::at(&uyvy), plain);
    }

    #[test]
    fn a_picture_smaller_than_a_glance_is_seen_too() {
        let bytes = vec![77; 64 * 36];
        assert_eq!(Glance::at(&luma(&bytes, 64, 36)).detail(), 0);
    }
}
