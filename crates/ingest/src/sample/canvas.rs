//! Drawing on a 4:2:0 picture.

use crate::ffmpeg::{FfmpegError, Picture};

/// A colour as BT.709 limited-range numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) y: u8,
    pub(super) u: u8,
    pub(super) v: u8,
}

/// The teacher's pens.
pub(super) const PENS: [Ink; 3] =
    [Ink { y: 63, u: 102, v: 230 }, Ink { y: 45, u: 220, v: 118 }, Ink { y: 100, u: 70, v: 80 }];

/// A round dot of `radius` samples, clipped to the picture of `width` × `height`.
pub(super) fn dot(
    picture: &mut Picture,
    (width, height): (u32, u32),
    (x, y): (i32, i32),
    radius: i32,
    ink: Ink,
) -> Result<(), FfmpegError> {
    disc(picture, 0, (width, height), (x, y), radius, ink.y)?;
    let half = |value: i32| value.div_euclid(2);
    for (plane, value) in [(1, ink.u), (2, ink.v)] {
        disc(picture, plane, (width / 2, height / 2), (half(x), half(y)), half(radius + 1), value)?;
    }
    Ok(())
}

fn disc(
    picture: &mut Picture,
    plane: usize,
    (width, height): (u32, u32),
    (x, y): (i32, i32),
    radius: i32,
    value: u8,
) -> Result<(), FfmpegError> {
    let (samples, stride) = picture.plane_mut(plane)?;
    let clip = |at: i32, limit: u32| usize::try_from(at.clamp(0, limit.cast_signed())).unwrap_or(0);
    for dy in -radius..=radius {
        let row = y + dy;
        if row < 0 || row >= height.cast_signed() {
            continue;
        }
        let reach = ((radius * radius - dy * dy) as f32).sqrt() as i32;
        let start = clip(row, height) * stride;
        let (from, to) = (clip(x - reach, width), clip(x + reach + 1, width));
        samples[start + from..start + to].fill(value);
    }
    Ok(())
}
