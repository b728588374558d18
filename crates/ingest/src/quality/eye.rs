//! Looks at decoded pictures for the meter: small ones often, large ones now and then.

use super::{PictureMeasures, PictureMeter};
use crate::ffmpeg::Picture;
use crate::plan::Orientation;
use crate::title::glance::Luma;
use grid::FrameRate;

/// The small picture. Read where it lies, four samples for one: a hundredth of what scaling costs.
const SMALL: (usize, usize) = (320, 180);
/// Text is read in at most so many columns: of larger pictures every second sample, or third.
const MAX_COLUMNS: usize = 1_920;

/// A sample's brightness in full range, 0 to 255.
type Bright = fn(u32) -> u8;
const FULL: Bright = |sample| u8::try_from(sample).unwrap_or(u8::MAX);
/// From 16-235.
const LIMITED: Bright = |sample| FULL((sample.clamp(16, 235) - 16) * 255 / 219);

/// Sees every picture of a lesson, and looks at a few.
pub struct Eye {
    meter: PictureMeter,
    orientation: Orientation,
    luma: Vec<u8>,
}

impl Eye {
    /// For pictures at `rate` that lie in `orientation`.
    pub fn new(rate: FrameRate, orientation: Orientation) -> Self {
        Self { meter: PictureMeter::new(rate), orientation, luma: Vec::new() }
    }

    /// The picture of `slot`. Slots come in order.
    pub fn look(&mut self, picture: &Picture, slot: u64) {
        let (see, read) = (self.meter.wants(slot), self.meter.wants_text(slot));
        if !see && !read {
            return;
        }
        let Some(luma) = picture.luma() else { return };
        let bright = if picture.shape().colour.full_range { FULL } else { LIMITED };
        if see {
            shrink(&luma, bright, &mut self.luma);
            self.meter.see(slot, &self.luma, SMALL.0, SMALL.1);
        }
        if read {
            let (width, height) = upright(&luma, bright, self.orientation, &mut self.luma);
            self.meter.read(slot, &self.luma, width, height);
        }
    }

    /// What was seen, when the lesson's pictures end with `slots`.
    pub fn finish(self, slots: u64) -> PictureMeasures {
        self.meter.finish(slots)
    }
}

/// Each sample the mean of four that lie spread in its part of the picture.
fn shrink(luma: &Luma<'_>, bright: Bright, small: &mut Vec<u8>) {
    small.clear();
    let quarters = |at: usize, of: usize, parts: usize| [1, 3].map(|n| (at * 4 + n) * of / (parts * 4));
    for y in 0..SMALL.1 {
        let rows = quarters(y, luma.height, SMALL.1);
        for x in 0..SMALL.0 {
            let columns = quarters(x, luma.width, SMALL.0);
            let sum: u32 = rows.iter().flat_map(|&row| columns.map(|column| luma.at(column, row))).sum();
            small.push(bright(sum / 4));
        }
    }
}

/// The picture as it will be seen, or near enough: text that stands on its head has the same rows.
fn upright(luma: &Luma<'_>, bright: Bright, orientation: Orientation, page: &mut Vec<u8>) -> (usize, usize) {
    page.clear();
    let thin = luma.width.max(luma.height).div_ceil(MAX_COLUMNS).max(1);
    let (columns, rows) = (luma.width / thin, luma.height / thin);
    if orientation.swaps_sides() {
        (0..columns).for_each(|x| page.extend((0..rows).map(|y| bright(luma.at(x * thin, y * thin)))));
        (rows, columns)
    } else {
        (0..rows).for_each(|y| page.extend((0..columns).map(|x| bright(luma.at(x * thin, y * thin)))));
        (columns, rows)
    }
}
