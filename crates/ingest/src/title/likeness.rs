//! How like a coded picture is to what it should be. Pure.
//!
//! Structural similarity (Wang et al. 2004) in the windows of FFmpeg's `ssim` filter: 8×8 samples, every fourth row and
//! column, all planes by their size; so `ffmpeg -lavfi ssim` gives the same number. A lesson is read, though, and a mean
//! over mostly empty paper hides a formula that became mush. So windows with writing are counted once more by themselves:
//! those in which the original has many sharp edges. What counts is the worst twentieth of them.

use serde::{Deserialize, Serialize};

/// One plane of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Rows of samples, `stride` apart.
    pub samples: &'a [u8],
    /// Distance between rows.
    pub stride: usize,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> Plane<'a> {
    /// The first `width` samples of a row.
    fn line(&self, line: usize, width: usize) -> Option<&'a [u8]> {
        self.samples.get(line * self.stride..line * self.stride + width)
    }
}

/// Collects the likeness of picture after picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    pictures: u32,
    ssim: f64,
    /// Windows with writing, by their similarity: the first bin holds 0 and below, the last 1.
    writing: Vec<u64>,
}

/// Bins a unit of similarity: fine enough that a target's third digit is meant.
const BINS: usize = 1_000;
/// The part of windows with writing that is looked at: one in so many, the worst.
const WORST: u64 = 20;
/// Fewer windows with writing than one in so many: nothing is written there.
const FEW: u64 = 500;
/// Neighbouring samples this far apart are an edge.
const SHARP: u8 = 32;
/// Of the 48 pairs of neighbours within the four blocks of a window, so many edges are writing: two strokes cross it.
const EDGES: u32 = 8;

/// FFmpeg's constants for 8 bits, windows of 64 samples, and sums instead of means.
const C1: f64 = 416.0;
const C2: f64 = 235_963.0;

impl Default for Likeness {
    fn default() -> Self {
        Self { pictures: 0, ssim: 0.0, writing: vec![0; BINS + 1] }
    }
}

impl Likeness {
    /// Compares the planes of one picture with those of its original, luma first.
    pub fn add(&mut self, original: &[Plane<'_>], shown: &[Plane<'_>]) {
        let (mut weighted, mut weight) = (0.0, 0.0);
        for (index, (original, shown)) in original.iter().zip(shown).enumerate() {
            let size = (original.width * original.height) as f64;
            weighted += self.plane(original, shown, index == 0) * size;
            weight += size;
        }
        if weight > 0.0 {
            self.ssim += weighted / weight;
            self.pictures += 1;
        }
    }

    /// Takes what another has collected.
    pub fn merge(&mut self, other: &Self) {
        self.pictures = self.pictures.saturating_add(other.pictures);
        self.ssim += other.ssim;
        self.writing.iter_mut().zip(&other.writing).for_each(|(bin, more)| *bin = bin.saturating_add(*more));
    }

    /// Mean over all pictures; `None` before the first.
    pub fn ssim(&self) -> Option<f64> {
        (self.pictures > 0).then(|| self.ssim / f64::from(self.pictures))
    }

    /// Mean of the worst twentieth of windows with writing; `None` where nothing is written.
    pub fn text(&self, windows: u64) -> Option<f64> {
        let found = self.writing.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        if found == 0 || found.saturating_mul(FEW) < windows.saturating_mul(u64::from(self.pictures)) {
            return None;
        }
        let worst = (found / WORST).max(1);
        let (mut left, mut sum) = (worst, 0.0);
        for (bin, &count) in self.writing.iter().enumerate() {
            let taken = count.min(left);
            sum += taken as f64 * bin as f64 / BINS as f64;
            left -= taken;
            if left == 0 {
                break;
            }
        }
        Some(sum / worst as f64)
    }

    fn plane(&mut self, original: &Plane<'_>, shown: &Plane<'_>, is_luma: bool) -> f64 {
        let (columns, rows) = (original.width / 4, original.height / 4);
        if columns < 2 || rows < 2 {
            return 1.0;
        }
        let (mut above, mut below) = (vec![Block::default(); columns], vec![Block::default(); columns]);
        blocks(original, shown, 0, &mut above);
        let mut sum = 0.0;
        for row in 1..rows {
            blocks(original, shown, row, &mut below);
            for (above, below) in above.windows(2).zip(below.windows(2)) {
                let window = above[0].with(above[1]).with(below[0]).with(below[1]);
                let similarity = window.similarity();
                sum += similarity;
                if is_luma && window.edges >= EDGES {
                    let bin = (similarity.clamp(0.0, 1.0) * BINS as f64).round();
                    // In range by the clamp.
                    self.writing[bin as usize] += 1;
                }
            }
            std::mem::swap(&mut above, &mut below);
        }
        sum / ((columns - 1) * (rows - 1)) as f64
    }
}

/// Windows in a picture of this size.
pub fn windows(width: u32, height: u32) -> u64 {
    u64::from((width / 4).saturating_sub(1)) * u64::from((height / 4).saturating_sub(1))
}

/// Sums over a block of 4×4 samples; four of them are a window.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    original: u32,
    shown: u32,
    squares: u32,
    products: u32,
    edges: u32,
}

impl Block {
    fn with(self, other: Self) -> Self {
        Self {
            original: self.original + other.original,
            shown: self.shown + other.shown,
            squares: self.squares + other.squares,
            products: self.products + other.products,
            edges: self.edges + other.edges,
        }
    }

    fn similarity(self) -> f64 {
        let (a, b) = (f64::from(self.original), f64::from(self.shown));
        let variances = f64::from(self.squares) * 64.0 - a * a - b * b;
        let covariance = f64::from(self.products) * 64.0 - a * b;
        (2.0 * a * b + C1) * (2.0 * covariance + C2) / ((a * a + b * b + C1) * (variances + C2))
    }
}

/// The blocks of one row of blocks.
fn blocks(original: &Plane<'_>, shown: &Plane<'_>, row: usize, into: &mut [Block]) {
    into.fill(Block::default());
    let width = into.len() * 4;
    for line in row * 4..row * 4 + 4 {
        let (Some(original), Some(shown)) = (original.line(line, width), shown.line(line, width)) else {
            return;
        };
        for ((block, a), b) in into.iter_mut().zip(original.chunks_exact(4)).zip(shown.chunks_exact(4)) {
            for (&a, &b) in a.iter().zip(b) {
                let (a, b) = (u32::from(a), u32::from(b));
                block.original += a;
                block.shown += b;
                block.squares += a * a + b * b;
                block.products += a * b;
            }
            block.edges +=
                a.windows(2).map(|pair| u32::from(pair[0].abs_diff(pair[1]) >= SHARP)).sum::<u32>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 32;

    fn plane(samples: &[u8]) -> Plane<'_> {
        Plane { samples, stride: WIDTH, width: WIDTH, height: HEIGHT }
    }

    fn picture(sample: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..WIDTH * HEIGHT).map(|at| sample(at % WIDTH, at / WIDTH)).collect()
    }

    fn likeness(original: &[u8], shown: &[u8]) -> (f64, Option<f64>) {
        let mut likeness = Likeness::default();
        likeness.add(&[plane(original)], &[plane(shown)]);
        (likeness.ssim().unwrap(), likeness.text(windows(WIDTH as u32, HEIGHT as u32)))
    }

    /// Strokes on the left half, paper on the right.
    fn page(ink: u8, paper: u8) -> Vec<u8> {
        picture(|x, y| if x < 32 && x % 4 == 1 && y % 8 < 6 { ink } else { paper })
    }

    #[test]
    fn the_same_picture_is_wholly_like_itself() {
        let page = page(20, 230);
        let (ssim, text) = likeness(&page, &page);
        assert!((ssim - 1.0).abs() < 1e-9 && (text.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn writing_that_became_mush_is_noticed_although_most_is_paper() {
        let mush = picture(|x, _| if x < 32 { 190 } else { 230 });
        let (ssim, text) = likeness(&page(20, 230), &mush);
        assert!(ssim > 0.4, "half of it is paper: {ssim}");
        assert!(text.unwrap() < 0.1, "{text:?}");
    }

    #[test]
    fn paper_has_no_writing() {
        let paper = picture(|x, _| 200 + (x / 16) as u8);
        assert_eq!(likeness(&paper, &paper).1, None);
    }

    #[test]
    fn the_number_is_that_of_ffmpegs_filter() {
        // ffmpeg -lavfi ssim over these two, 64x32 gray.
        let original = picture(|x, y| ((x * 7 + y * 13) % 200 + 20) as u8);
        let shown = picture(|x, y| (((x * 7 + y * 13) % 200 + 20) as u8) / 4 * 4 + (x % 3) as u8);
        let (ssim, _) = likeness(&original, &shown);
        assert!((ssim - FROM_FFMPEG).abs() < 2e-6, "{ssim}");
    }

    const FROM_FFMPEG: f64 = 0.999500;

    #[test]
    fn what_is_merged_counts_as_if_it_had_been_added() {
        let (page, faint) = (page(20, 230), page(60, 220));
        let mut both = Likeness::default();
        both.add(&[plane(&page)], &[plane(&faint)]);
        both.add(&[plane(&page)], &[plane(&page)]);
        let mut first = Likeness::default();
        first.add(&[plane(&page)], &[plane(&faint)]);
        let mut second = Likeness::default();
        second.add(&[plane(&page)], &[plane(&page)]);
        first.merge(&second);
        assert_eq!(first, both);
    }
}
