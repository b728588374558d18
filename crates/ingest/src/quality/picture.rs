//! Black and frozen pictures, found on small grey ones. Pure.

use super::text::TextRun;
use super::{Stretches, text_height};
use grid::FrameRate;
use serde::{Deserialize, Serialize};

/// Small pictures are looked at this often: a freeze is told to a fifth of a second.
const LOOKS_PER_SECOND: u64 = 5;
/// Text is looked for this often: slides stand for half a minute.
const TEXT_EVERY_S: u64 = 2;
/// No picture for so long is no slow rate, but one that is held.
const HELD_MS: u64 = 2_000;
/// A sample this dark (of 255, full range) shows nothing on any screen.
const DARK: u8 = 32;
/// Samples in a thousand of a black picture that may be brighter: a mouse pointer, a clock, noise. Text takes more.
const MAY_SHINE: usize = 1;
/// The picture is compared in this many columns and rows: a camera in a corner moves only a few of the fields.
const FIELDS: (usize, usize) = (16, 9);
/// A field whose samples differ by more than this on average has moved. Noise and the encoder's own refinement of a still
/// picture stay below 2, a hand or a mouth lie above 4.
const MOVED: u32 = 3;
/// Runs of text told at most; neighbours that agree are one.
const MAX_TEXTS: usize = 400;

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureMeasures {
    /// How much was seen.
    pub seen_ms: u64,
    /// Where there is nothing but black.
    pub black: Stretches,
    /// Where nothing moves at all.
    pub still: Stretches,
    /// For how long one picture was held, each time for [`HELD_MS`] at least: recorders of screens leave out what does not change.
    #[serde(default)]
    pub held_ms: u64,
    /// Where there is text, and how high it stands.
    pub texts: Vec<TextRun>,
}

impl PictureMeasures {
    /// Joins what was measured of the part that follows.
    pub fn append(&mut self, later: &Self) {
        self.seen_ms = self.seen_ms.max(later.seen_ms);
        self.black.append(&later.black);
        self.still.append(&later.still);
        self.held_ms += later.held_ms;
        for text in &later.texts {
            add_text(&mut self.texts, *text);
        }
    }
}

/// Looks at a lesson's pictures in order.
pub struct PictureMeter {
    rate: FrameRate,
    /// The last look.
    last: Option<Look>,
    /// The fields of the picture since which nothing moved.
    reference: Vec<u8>,
    text: Option<(u64, u32)>,
    measures: PictureMeasures,
}

#[derive(Clone, Copy)]
struct Look {
    slot: u64,
    black: bool,
}

impl PictureMeter {
    /// For pictures at `rate`.
    pub fn new(rate: FrameRate) -> Self {
        let measures = PictureMeasures::default();
        Self { rate, last: None, reference: Vec::new(), text: None, measures }
    }

    /// Whether the picture of `slot` is worth [`PictureMeter::see`].
    pub fn wants(&self, slot: u64) -> bool {
        let every = u64::from(self.rate.per_second()) / LOOKS_PER_SECOND;
        self.last.is_none_or(|last| slot >= last.slot + every)
    }

    /// Whether the picture of `slot` is worth [`PictureMeter::read`].
    pub fn wants_text(&self, slot: u64) -> bool {
        let every = u64::from(self.rate.per_second()) * TEXT_EVERY_S;
        self.text.is_none_or(|(last, _)| slot >= last + every)
    }

    /// Sees the picture of `slot`: its brightness in full range, at most some 320x180 samples. It stays until the next.
    pub fn see(&mut self, slot: u64, luma: &[u8], width: usize, height: usize) {
        if luma.len() < width * height || width < FIELDS.0 || height < FIELDS.1 {
            return;
        }
        let luma = &luma[..width * height];
        let bright = luma.iter().filter(|&&sample| sample > DARK).count();
        let look = Look { slot, black: bright * 1_000 <= luma.len() * MAY_SHINE };
        let same = self.reference.len() == luma.len() && !moved(&self.reference, luma, width, height);
        if let Some(last) = self.last {
            let (from, to) = (self.millis(last.slot), self.millis(slot));
            if last.black {
                self.measures.black.add(from, to);
            }
            // No picture for long is a picture that is held: it stands until this one at least.
            let held = to - from.min(to);
            if held >= HELD_MS {
                self.measures.held_ms += held;
            }
            if same || held > 2_000 / LOOKS_PER_SECOND {
                self.measures.still.add(from, to);
            }
        }
        if !same {
            self.reference.clear();
            self.reference.extend_from_slice(luma);
        }
        self.last = Some(look);
    }

    /// Reads the picture of `slot`, as large as 1280x720: how high its text will stand in `s1`.
    pub fn read(&mut self, slot: u64, luma: &[u8], width: usize, height: usize) {
        self.keep_text(slot);
        self.text = Some((slot, text_height(luma, width, height).unwrap_or(0)));
    }

    /// What was seen, when the last picture stands until `slots`.
    pub fn finish(mut self, slots: u64) -> PictureMeasures {
        if let Some(last) = self.last {
            let (from, to) = (self.millis(last.slot), self.millis(slots));
            if last.black {
                self.measures.black.add(from, to);
            }
            if to.saturating_sub(from) > 2_000 / LOOKS_PER_SECOND || self.stood(from) {
                self.measures.still.add(from, to);
            }
        }
        self.keep_text(slots);
        self.measures.seen_ms = self.millis(slots);
        self.measures
    }

    fn stood(&self, until: u64) -> bool {
        self.measures.still.span().is_some_and(|span| span.to_ms == until)
    }

    /// What was read last stands until `slot`.
    fn keep_text(&mut self, slot: u64) {
        let Some((since, tenths)) = self.text.filter(|(_, tenths)| *tenths > 0) else { return };
        let run = TextRun { from_ms: self.millis(since), to_ms: self.millis(slot), tenths };
        add_text(&mut self.measures.texts, run);
    }

    fn millis(&self, slot: u64) -> u64 {
        slot.saturating_mul(1_000) / u64::from(self.rate.per_second())
    }
}

/// Whether any field changed.
fn moved(before: &[u8], now: &[u8], width: usize, height: usize) -> bool {
    (0..FIELDS.1).any(|row| {
        let rows = row * height / FIELDS.1..(row + 1) * height / FIELDS.1;
        (0..FIELDS.0).any(|column| {
            let columns = column * width / FIELDS.0..(column + 1) * width / FIELDS.0;
            let area = u32::try_from(rows.len() * columns.len()).unwrap_or(u32::MAX);
            let changed: u32 = rows
                .clone()
                .map(|y| {
                    let line = y * width + columns.start..y * width + columns.end;
                    let pairs = before[line.clone()].iter().zip(&now[line]);
                    pairs.map(|(before, now)| u32::from(before.abs_diff(*now))).sum::<u32>()
                })
                .sum();
            changed > area * MOVED
        })
    })
}

fn add_text(texts: &mut Vec<TextRun>, run: TextRun) {
    let full = texts.len() >= MAX_TEXTS;
    match texts.last_mut() {
        Some(last) if last.tenths == run.tenths && last.to_ms == run.from_ms => last.to_ms = run.to_ms,
        _ if !full => texts.push(run),
        // A six-hour lesson may have more; the measure is then of its first hours.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 180);

    /// A lesson of looks, one each fifth of a second, and what was seen of it.
    fn seen(looks: usize, draw: impl Fn(usize, &mut [u8])) -> PictureMeasures {
        let mut meter = PictureMeter::new(FrameRate::Fps25);
        let mut luma = vec![0; SIZE.0 * SIZE.1];
        for look in 0..looks {
            luma.fill(0);
            draw(look, &mut luma);
            let slot = look as u64 * 5;
            assert!(meter.wants(slot) && !(look > 0 && meter.wants(slot - 1)));
            meter.see(slot, &luma, SIZE.0, SIZE.1);
        }
        meter.finish(looks as u64 * 5)
    }

    fn square(luma: &mut [u8], at: (usize, usize), side: usize, value: u8) {
        for y in at.1..at.1 + side {
            luma[y * SIZE.0 + at.0..][..side].fill(value);
        }
    }

    /// Like a camera's noise.
    fn grain(seed: usize, luma: &mut [u8], depth: u32) {
        let mut state = (seed as u32).wrapping_mul(2_654_435_761).wrapping_add(1);
        for sample in luma {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = sample.wrapping_add(((state >> 24) % (depth + 1)) as u8);
        }
    }

    #[test]
    fn black_is_told_from_where_to_where() {
        let measures = seen(100, |look, luma| {
            if !(25..50).contains(&look) {
                luma.fill(120);
                square(luma, (look * 2, 20), 20, 255);
            }
        });
        let black: Vec<_> = measures.black.at_least(0).map(|s| (s.from_ms, s.to_ms)).collect();
        assert_eq!(black, [(5_000, 10_000)]);
        assert_eq!(measures.seen_ms, 20_000);
    }

    #[test]
    fn white_text_on_a_dark_slide_is_not_black_and_a_pointer_on_black_is() {
        let text = seen(10, |_, luma| {
            (0..6).for_each(|line| square(luma, (40 + line * 8, 60), 6, 230));
        });
        assert_eq!(text.black.total_ms(), 0);
        let pointer = seen(10, |_, luma| square(luma, (40, 60), 6, 230));
        assert_eq!(pointer.black.total_ms(), 2_000);
        let noise = seen(10, |look, luma| grain(look, luma, 24));
        assert_eq!(noise.black.total_ms(), 2_000, "a covered lens");
    }

    #[test]
    fn still_is_what_does_not_move_not_even_in_a_corner() {
        let corner = seen(50, |look, luma| {
            luma.fill(200);
            square(luma, (290, 150 + look % 3 * 4), 16, 90);
        });
        assert_eq!(corner.still.total_ms(), 0, "a camera in the corner moves");
        let slide = seen(50, |look, luma| {
            luma.fill(200);
            square(luma, (100, 50), 40, if look < 25 { 90 } else { 20 });
            grain(look, luma, 3);
        });
        let still: Vec<_> = slide.still.at_least(0).map(|s| (s.from_ms, s.to_ms)).collect();
        assert_eq!(still, [(0, 4_800), (5_000, 10_000)], "two slides, and the noise of coding");
    }

    #[test]
    fn a_slow_pan_is_no_freeze() {
        let measures = seen(100, |look, luma| square(luma, (60 + look / 4, 60), 60, 240));
        assert!(measures.still.at_least(2_000).count() == 0, "{:?}", measures.still);
    }

    #[test]
    fn pictures_that_come_seldom_are_held_and_so_still() {
        let mut meter = PictureMeter::new(FrameRate::Fps25);
        let page = |value: u8| vec![value; SIZE.0 * SIZE.1];
        meter.see(0, &page(200), SIZE.0, SIZE.1);
        meter.see(25 * 60, &page(90), SIZE.0, SIZE.1);
        let measures = meter.finish(25 * 120);
        assert_eq!(measures.still.at_least(0).map(|s| s.length_ms()).sum::<u64>(), 120_000);
        assert_eq!(measures.held_ms, 60_000, "until the second; nobody knows how long the last stands");
    }

    #[test]
    fn parts_of_a_lesson_join() {
        let mut first = PictureMeasures::default();
        first.black.add(4_000, 5_000);
        first.texts.push(TextRun { from_ms: 0, to_ms: 5_000, tenths: 95 });
        let mut later = PictureMeasures { seen_ms: 10_000, ..PictureMeasures::default() };
        later.black.add(5_000, 6_000);
        later.texts.push(TextRun { from_ms: 5_000, to_ms: 9_000, tenths: 95 });
        first.append(&later);
        assert_eq!(first.black.at_least(2_000).count(), 1);
        assert_eq!(first.texts, [TextRun { from_ms: 0, to_ms: 9_000, tenths: 95 }]);
        assert_eq!(first.seen_ms, 10_000);
    }

    #[test]
    fn buffers_that_are_too_short_are_not_looked_at() {
        let mut meter = PictureMeter::new(FrameRate::Fps30);
        meter.see(0, &[0; 100], 320, 180);
        meter.read(0, &[0; 100], 1_280, 720);
        assert_eq!(meter.finish(30), PictureMeasures { seen_ms: 1_000, ..PictureMeasures::default() });
    }
}
