//! Where the source's picture lies in a slot. Pure.
//!
//! Slots are 16:9 and fixed, so that any lesson can follow any other on a channel; a picture of another shape is
//! centred between black bars. Nothing is ever scaled up.

use crate::plan::Orientation;

/// The source as an upright rectangle of square samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Display {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A picture inside a slot, all even so that chroma samples stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Columns of picture.
    pub width: u32,
    /// Rows of picture.
    pub height: u32,
    /// Black columns to its left.
    pub left: u32,
    /// Black rows above it.
    pub top: u32,
}

/// A source this much smaller than a slot (in thousandths) still fills it, with a thin black edge: 1916 × 1076 is
/// Full HD that somebody cropped, not 720p.
const NEARLY: u64 = 980;

impl Display {
    /// Square samples of what is stored as `width` × `height` samples of shape `aspect` lying in `orientation`.
    ///
    /// The stored side is kept and the other widened: PAL 720 × 576 at 64:45 is 1024 × 576, not 720 × 405.
    pub fn of(width: u32, height: u32, aspect: (i32, i32), orientation: Orientation) -> Self {
        let (num, den) =
            (u64::from(aspect.0.max(1).cast_unsigned()), u64::from(aspect.1.max(1).cast_unsigned()));
        let widened = |side: u32, by: u64, over: u64| {
            u32::try_from((u64::from(side) * by + over / 2) / over).unwrap_or(u32::MAX).max(1)
        };
        let (width, height) = match num >= den {
            true => (widened(width, num, den), height.max(1)),
            false => (width.max(1), widened(height, den, num)),
        };
        match orientation.swaps_sides() {
            true => Self { width: height, height: width },
            false => Self { width, height },
        }
    }

    /// Whether the picture reaches an edge of a slot of `width` × `height` without being scaled up.
    pub fn fills(self, width: u32, height: u32) -> bool {
        let reaches = |have: u32, want: u32| u64::from(have) * 1_000 >= u64::from(want) * NEARLY;
        // Fitted by the side that touches first: that side decides.
        match self.is_wider_than(width, height) {
            true => reaches(self.width, width),
            false => reaches(self.height, height),
        }
    }

    fn is_wider_than(self, width: u32, height: u32) -> bool {
        u64::from(self.width) * u64::from(height) >= u64::from(self.height) * u64::from(width)
    }

    /// The picture in a slot of `width` × `height`: as large as it fits, never larger than it is.
    pub fn place(self, width: u32, height: u32) -> Placement {
        let (fit_width, fit_height) = if self.width <= width && self.height <= height {
            (self.width, self.height)
        } else if self.is_wider_than(width, height) {
            (width, scaled(self.height, width, self.width))
        } else {
            (scaled(self.width, height, self.height), height)
        };
        let even = |side: u32, limit: u32| (side.next_multiple_of(2)).clamp(2, limit);
        let (fit_width, fit_height) = (even(fit_width, width), even(fit_height, height));
        // Offsets even as well: half of an odd bar would fall between two chroma samples.
        let bar = |outer: u32, inner: u32| (outer - inner) / 4 * 2;
        Placement {
            width: fit_width,
            height: fit_height,
            left: bar(width, fit_width),
            top: bar(height, fit_height),
        }
    }
}

/// `side · to / from`, to the nearest.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let exact = u64::from(side) * u64::from(to);
    u32::try_from((exact + u64::from(from) / 2) / u64::from(from.max(1))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_become_square_and_upright() {
        for (stored, display) in [
            ((1920, 1080, (1, 1), Orientation::Upright), (1920, 1080)),
            ((720, 576, (64, 45), Orientation::Upright), (1024, 576)),
            ((720, 576, (16, 15), Orientation::Upright), (768, 576)),
            ((1920, 1080, (1, 1), Orientation::Clockwise), (1080, 1920)),
            ((1440, 1080, (4, 3), Orientation::Upright), (1920, 1080)),
            ((720, 480, (8, 9), Orientation::Upright), (720, 540)),
            ((1, 1, (i32::MAX, 1), Orientation::Upright), (i32::MAX as u32, 1)),
        ] {
            let (width, height, aspect, orientation) = stored;
            let got = Display::of(width, height, aspect, orientation);
            assert_eq!((got.width, got.height), display, "{stored:?}");
        }
    }

    #[test]
    fn pictures_are_centred_and_never_scaled_up() {
        for (display, slot, placed) in [
            ((1920, 1080), (1920, 1080), (1920, 1080, 0, 0)),
            ((1920, 1080), (416, 234), (416, 234, 0, 0)),
            ((1440, 1080), (1920, 1080), (1440, 1080, 240, 0)),
            ((1024, 768), (960, 540), (720, 540, 120, 0)),
            ((1080, 1920), (1280, 720), (406, 720, 436, 0)),
            ((1920, 800), (1280, 720), (1280, 534, 0, 92)),
            ((160, 120), (256, 144), (160, 120, 48, 12)),
            ((1916, 1076), (1920, 1080), (1916, 1076, 2, 2)),
            ((641, 359), (640, 360), (640, 358, 0, 0)),
            ((3840, 2), (1920, 1080), (1920, 2, 0, 538)),
        ] {
            let got = Display { width: display.0, height: display.1 }.place(slot.0, slot.1);
            assert_eq!((got.width, got.height, got.left, got.top), placed, "{display:?} in {slot:?}");
            assert!(got.left + got.width <= slot.0 && got.top + got.height <= slot.1);
        }
    }

    #[test]
    fn a_slot_is_filled_by_what_reaches_its_edge() {
        for (display, slot, fills) in [
            ((1920, 1080), (1920, 1080), true),
            ((1916, 1076), (1920, 1080), true),
            ((1800, 1012), (1920, 1080), false),
            ((1440, 1080), (1920, 1080), true),
            ((1920, 800), (1920, 1080), true),
            ((1024, 576), (960, 540), true),
            ((768, 576), (960, 540), true),
            ((768, 576), (1280, 720), false),
            ((1080, 1920), (1920, 1080), true),
            ((160, 120), (256, 144), false),
        ] {
            let display_ = Display { width: display.0, height: display.1 };
            assert_eq!(display_.fills(slot.0, slot.1), fills, "{display:?} in {slot:?}");
        }
    }
}
