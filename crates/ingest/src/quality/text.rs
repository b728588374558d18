//! How high the text in a picture stands, estimated from its rows. Pure.
//!
//! Nobody reads the letters. A line of text is a band of rows in which brightness changes many times from column to
//! column, with rows above and below in which it does not; a page is such bands. The height of a band where it is dense
//! is the height of a Chinese character, or of a small Latin letter (its x-height): what has to be told apart by eye.

use serde::{Deserialize, Serialize};

/// A stretch of the lesson in which text of the same height was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRun {
    /// From.
    pub from_ms: u64,
    /// Up to.
    pub to_ms: u64,
    /// Height of most text in tenths of a row of `s1` (416x234).
    pub tenths: u32,
}

/// The picture is read in upright strips: text need not go from edge to edge. Columns of 1280.
const STRIPS: usize = 10;
/// From one sample to the next, of 255: text is meant to be seen.
const EDGE: u8 = 24;
/// A band has at least this many edges a row and strip: two or three letters.
const MIN_EDGES: u32 = 4;
/// A row belongs to the body of a line when it has this part of the densest row's edges, in tenths. Rows of
/// ascenders and accents have fewer.
const BODY: u32 = 4;
/// Lower bands are noise, thin lines and what scaling left of text nobody could read anyway.
const MIN_ROWS: usize = 4;
/// Higher ones are no lines of text; in parts of the picture's height.
const MAX_PART: usize = 8;
/// Bands in neighbouring strips are one line when their edges differ by at most this many rows.
const SAME_LINE: usize = 2;
/// Fewer pieces of lines are a logo or a caption and say nothing about the lesson.
const MIN_PIECES: usize = 4;

/// A piece of a line in one strip.
#[derive(Debug, Clone, Copy)]
struct Band {
    top: usize,
    rows: usize,
    edges: u32,
}

/// Height of most of the text in the upright picture `luma`, in tenths of a row of `s1`; `None` when there is hardly any.
pub fn text_height(luma: &[u8], width: usize, height: usize) -> Option<u32> {
    if width < STRIPS * 8 || height < MIN_ROWS * MAX_PART || luma.len() < width * height {
        return None;
    }
    let strips: Vec<Vec<Band>> =
        (0..STRIPS).map(|strip| bands(&profile(luma, width, height, strip), height / MAX_PART)).collect();
    let mut pieces: Vec<Band> = Vec::new();
    for (index, strip) in strips.iter().enumerate() {
        let beside = |other: usize| strips.get(other).map_or(&[][..], Vec::as_slice);
        let neighbours = [beside(index.wrapping_sub(1)), beside(index + 1)];
        // What is no line of text (a face, leaves, a photograph) does not go on at the same height beside it.
        pieces.extend(
            strip.iter().filter(|band| {
                neighbours.iter().any(|bands| bands.iter().any(|other| same_line(band, other)))
            }),
        );
    }
    if pieces.len() < MIN_PIECES {
        return None;
    }
    // The median by edges: small text has more letters, and "most text" means letters.
    pieces.sort_by_key(|band| band.rows);
    let half = pieces.iter().map(|band| u64::from(band.edges)).sum::<u64>() / 2;
    let mut sum = 0;
    let median = pieces.iter().find(|band| {
        sum += u64::from(band.edges);
        sum > half
    })?;
    // `s1` shows the whole picture in 416x234: the side that touches first decides.
    let (rows, width, height) = (median.rows as u64, width as u64, height as u64);
    let tenths = (rows * 10 * 416 / width).min(rows * 10 * 234 / height);
    u32::try_from(tenths).ok()
}

/// Edges in each row of a strip.
fn profile(luma: &[u8], width: usize, height: usize, strip: usize) -> Vec<u32> {
    let columns = strip * width / STRIPS..(strip + 1) * width / STRIPS;
    let edges = |row: &[u8]| row.windows(2).map(|pair| u32::from(pair[0].abs_diff(pair[1]) >= EDGE)).sum();
    (0..height).map(|y| edges(&luma[y * width + columns.start..y * width + columns.end])).collect()
}

/// The bodies of lines in a strip: bands of at most `max_rows` with quiet rows on both sides.
fn bands(profile: &[u32], max_rows: usize) -> Vec<Band> {
    let mut found = Vec::new();
    let mut row = 0;
    while row < profile.len() {
        if profile[row] < MIN_EDGES {
            row += 1;
            continue;
        }
        let end =
            profile[row..].iter().position(|&edges| edges < MIN_EDGES).map_or(profile.len(), |n| row + n);
        // Cut by the picture's edge, or no text but something that fills the strip.
        if row > 0 && end < profile.len() && end - row <= max_rows * 2 {
            bodies(profile, row, end, max_rows, &mut found);
        }
        row = end;
    }
    found
}

/// Lines that stand close share a band; their dense rows are apart all the same.
fn bodies(profile: &[u32], from: usize, to: usize, max_rows: usize, found: &mut Vec<Band>) {
    let densest = profile[from..to].iter().copied().max().unwrap_or(0);
    let dense = |row: usize| profile[row] * 10 >= densest * BODY;
    let mut row = from;
    while row < to {
        if !dense(row) {
            row += 1;
            continue;
        }
        let end = (row..to).find(|&next| !dense(next)).unwrap_or(to);
        let rows = end - row;
        if (MIN_ROWS..=max_rows).contains(&rows) {
            found.push(Band { top: row, rows, edges: profile[row..end].iter().sum() });
        }
        row = end;
    }
}

fn same_line(one: &Band, other: &Band) -> bool {
    one.top.abs_diff(other.top) <= SAME_LINE
        && (one.top + one.rows).abs_diff(other.top + other.rows) <= SAME_LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 1_280;
    const HEIGHT: usize = 720;

    /// Lines of upright strokes, `body` rows high, as dense as letters of that height are.
    fn page(lines: usize, body: usize, leading: usize) -> Vec<u8> {
        let mut luma = vec![240; WIDTH * HEIGHT];
        for line in 0..lines {
            for y in 0..body {
                let row = &mut luma[(40 + line * leading + y) * WIDTH..][..WIDTH];
                for x in (100..1_000).step_by((body / 2).max(4)) {
                    // Strokes lean, so that no two rows are alike.
                    row[x + y / 3..][..(body / 6).max(1)].fill(30);
                }
            }
        }
        luma
    }

    #[test]
    fn the_height_of_lines_is_found_whatever_their_number() {
        for (lines, body, leading) in [(12, 12, 24), (8, 20, 44), (5, 32, 80), (3, 48, 120), (20, 8, 16)] {
            let tenths = text_height(&page(lines, body, leading), WIDTH, HEIGHT).unwrap();
            let exact = (body * 2_340 / HEIGHT) as u32;
            assert!(tenths.abs_diff(exact) <= 7, "{body} rows: {tenths} instead of {exact}");
        }
    }

    #[test]
    fn most_text_decides() {
        let mut small = page(16, 12, 24);
        // A heading over small print.
        small[..WIDTH * 100].copy_from_slice(&page(1, 40, 100)[..WIDTH * 100]);
        let tenths = text_height(&small, WIDTH, HEIGHT).unwrap();
        assert!(tenths < 50, "{tenths}");
    }

    #[test]
    fn what_is_no_text_has_no_height() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let leaves: Vec<u8> = (0..WIDTH * HEIGHT).map(|_| noise()).collect();
        let blank = vec![200; WIDTH * HEIGHT];
        let stripes: Vec<u8> =
            (0..WIDTH * HEIGHT).map(|n| if (n % WIDTH / 8).is_multiple_of(2) { 20 } else { 220 }).collect();
        let lines: Vec<u8> =
            (0..WIDTH * HEIGHT).map(|n| if (n / WIDTH / 8).is_multiple_of(2) { 20 } else { 220 }).collect();
        for (what, luma) in [("noise", leaves), ("blank", blank), ("stripes", stripes), ("rules", lines)] {
            assert_eq!(text_height(&luma, WIDTH, HEIGHT), None, "{what}");
        }
        assert_eq!(text_height(&page(1, 20, 40)[..WIDTH * 10], WIDTH, 10), None, "a sliver");
        assert_eq!(text_height(&[], WIDTH, HEIGHT), None, "nothing");
    }
}
