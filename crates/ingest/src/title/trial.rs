//! A few segments of a lesson, encoded at two qualities in every rung, decoded again and compared with what they should
//! be. Runs in a worker.

use super::likeness::{Likeness, Plane, windows};
use super::recipe::Recipe;
use crate::cancel::Cancel;
use crate::chunk::{Chunk, Entry};
use crate::fault::MediaError;
use crate::ffmpeg::{Echo, Encoder, Packet, Picture};
use crate::filter::Feed;
use crate::media::{self, Consumer, Work};
use crate::plan::{Ladder, Plan, Rung, Spend};
use crate::title::{Activity, Content, thinning};
use grid::{SEGMENT_MS, SegmentCount};
use package::{Codec, Slot};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::File;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::Receiver;

/// What a rung came to at one quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The rung.
    pub slot: Slot,
    /// Constant quality.
    pub crf: f64,
    /// Of coded pictures, without boxes.
    pub bits_per_second: u64,
    /// Structural similarity over all pictures compared.
    pub ssim: f64,
    /// The same of the worst twentieth of windows with writing; `None` where nothing is written.
    pub text: Option<f64>,
}

/// A segment to be tried: a chunk of its own, and from where it is decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Excerpt {
    /// One segment.
    pub chunk: Chunk,
    /// As for the chunk that begins with it.
    pub entry: Entry,
}

/// Which segments are tried: first ones of chunks, whose entries are known, spread over what the lesson's segments cost
/// from the cheapest to the dearest.
pub fn excerpts(
    recipe: &Recipe,
    segments: SegmentCount,
    entries: &[Entry],
    activity: &[Activity],
) -> Vec<Excerpt> {
    let wanted = (segments.0 / recipe.one_in.max(1)).min(recipe.most) as usize;
    let mut candidates: Vec<(Chunk, &Entry)> = Chunk::of(segments).zip(entries).collect();
    let cost = |chunk: &Chunk| activity.get(chunk.first.0 as usize).map_or(0, |activity| activity.cost());
    candidates.sort_by_key(|(chunk, _)| (cost(chunk), chunk.index));
    let wanted = wanted.min(candidates.len());
    (0..wanted)
        .filter_map(|place| candidates.get((2 * place + 1) * candidates.len() / (2 * wanted)))
        .map(|(chunk, entry)| Excerpt {
            chunk: Chunk { segments: SegmentCount(1), ..*chunk },
            entry: (*entry).clone(),
        })
        .collect()
}

/// All rungs of a codec at one of the two qualities around the ladder's: of one excerpt, what one worker tries. More at once, or
/// one after the other in one process, would take more memory than encoding the lesson does: SVT-AV1 keeps some of what
/// each of its encoders took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Which rungs.
    pub codec: Codec,
    /// At the worse quality.
    pub worse: bool,
}

impl Pass {
    /// Every pass that `plan` has rungs for.
    pub fn of(plan: &Plan) -> Vec<Self> {
        let codecs = Codec::ALL.into_iter();
        let made = codecs.filter(|codec| plan.rungs.iter().any(|rung| rung.slot.codec() == *codec));
        made.flat_map(|codec| [false, true].map(|worse| Self { codec, worse })).collect()
    }

    /// The rung as it is in this pass: a little better than the ladder's quality or worse, within the rung's range.
    fn attempt(self, slot: Slot, plan: &Plan, ladder: &Ladder, content: Content) -> (Rung, f64) {
        let usual = ladder.usual(slot).crf;
        let ([best, worst], step) = ladder.range(slot);
        // SVT-AV1's scale is about a third longer.
        let wide = if self.codec == Codec::Av1 { 1.5 } else { 1.0 };
        let crf = usual + (f64::from(u8::from(self.worse)) - BETTER) * ladder.title.step * wide;
        let crf = (crf.clamp(best, worst) / step).round() * step;
        let spend = Spend { crf, thinning: thinning(slot, &ladder.title, content) };
        (Rung::new(slot, ladder, plan.timing.rate, spend), crf)
    }
}

/// What a rung came to in one excerpt, at one quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    slot: Slot,
    crf: f64,
    sum: Sum,
}

/// Encodes `excerpt` of `file` in every rung of `plan` that `pass` has, and says what came of it.
///
/// # Errors
/// When the source cannot be decoded, an encoder fails, or somebody stopped it.
pub fn trial(
    file: &File,
    plan: &Plan,
    ladder: &Ladder,
    content: Content,
    pass: Pass,
    excerpt: &Excerpt,
    cancel: &Cancel,
) -> Result<Vec<Part>, MediaError> {
    let rungs = plan.rungs.iter().filter(|rung| rung.slot.codec() == pass.codec);
    let rungs: Vec<(Rung, f64)> = rungs.map(|rung| pass.attempt(rung.slot, plan, ladder, content)).collect();
    let sums = compare(file, plan, &ladder.title, &rungs, excerpt, cancel)?;
    let parts = rungs.into_iter().zip(sums);
    Ok(parts.map(|((rung, crf), sum)| Part { slot: rung.slot, crf, sum }).collect())
}

/// What each rung came to at each quality, over all excerpts. A rung in which nothing could be compared is left out.
pub fn tried(parts: Vec<Part>) -> Vec<Tried> {
    let mut whole: Vec<Part> = Vec::new();
    for part in parts {
        match whole.iter_mut().find(|found| (found.slot, found.crf) == (part.slot, part.crf)) {
            Some(found) => found.sum.add(&part.sum),
            None => whole.push(part),
        }
    }
    whole.iter().filter_map(|part| part.sum.result(part.slot, part.crf)).collect()
}

/// The first try is by this part of a step better than the ladder's quality: what is chosen mostly lies between the two,
/// and beyond them a straight line is a guess.
const BETTER: f64 = 0.4;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Sum {
    segments: u32,
    bytes: u64,
    likeness: Likeness,
}

impl Sum {
    fn of_one_segment() -> Self {
        Self { segments: 1, ..Self::default() }
    }

    /// A worker's word may be anything, so nothing here overflows.
    fn add(&mut self, part: &Self) {
        self.segments = self.segments.saturating_add(part.segments);
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.likeness.merge(&part.likeness);
    }

    fn result(&self, slot: Slot, crf: f64) -> Option<Tried> {
        let millis = u64::from(self.segments) * SEGMENT_MS;
        Some(Tried {
            slot,
            crf,
            bits_per_second: self.bytes.saturating_mul(8_000).checked_div(millis)?,
            ssim: self.likeness.ssim()?,
            text: self.likeness.text(windows(slot.width(), slot.height())),
        })
    }
}

/// One excerpt in all `rungs` at once.
fn compare(
    file: &File,
    plan: &Plan,
    recipe: &Recipe,
    rungs: &[(Rung, f64)],
    excerpt: &Excerpt,
    cancel: &Cancel,
) -> Result<Vec<Sum>, MediaError> {
    let sums: Vec<Mutex<Sum>> = rungs.iter().map(|_| Mutex::default()).collect();
    let consumers = rungs.iter().zip(&sums).map(|((rung, _), sum)| {
        let work: Work<'_> = Box::new(move |feed| {
            let slots = excerpt.chunk.slots(plan.timing.rate);
            let mut bench = Bench::new(rung, slots.start, u64::from(recipe.compare_every))?;
            bench.run(&feed, slots, cancel)?;
            *sum.lock().unwrap_or_else(PoisonError::into_inner) = bench.sum;
            Ok(())
        });
        Consumer { size: rung.slot.in_h264(), name: "trial", work }
    });
    media::fan_out(file, plan, &excerpt.chunk, &excerpt.entry, consumers.collect(), cancel)?;
    Ok(sums.into_iter().map(|sum| sum.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}

/// An encoder, a decoder of what it makes, and the originals that still have to come out.
struct Bench {
    encoder: Encoder,
    echo: Echo,
    first: u64,
    thinning: u64,
    compare_every: u64,
    /// So many pictures are encoded before, all like the first one: a GOP of AV1, none of H.264. SVT-AV1's quicker presets
    /// code a stream's first key picture better than any behind it, and a lesson's segments are nearly all behind it.
    lead: u64,
    /// Originals of pictures that will be compared, with their time stamps, oldest first. As many as the encoder and
    /// the decoder hold back, which is less than a GOP, over `compare_every`.
    originals: VecDeque<(i64, Picture)>,
    sum: Sum,
}

impl Bench {
    fn new(rung: &Rung, first: u64, compare_every: u64) -> Result<Self, MediaError> {
        let encoder = Encoder::video(&rung.settings)?;
        let echo = Echo::of(&encoder)?;
        let thinning = u64::from(rung.thinning());
        let lead = if rung.slot.codec() == Codec::Av1 { u64::from(rung.settings.gop) } else { 0 };
        let (originals, sum) = (VecDeque::new(), Sum::of_one_segment());
        Ok(Self { encoder, echo, first, thinning, compare_every, lead, originals, sum })
    }

    /// Tries the pictures of `slots` that `feed` brings until its end.
    fn run(
        &mut self,
        feed: &Receiver<Feed>,
        slots: std::ops::Range<u64>,
        cancel: &Cancel,
    ) -> Result<(), MediaError> {
        let mut held: Option<Picture> = None;
        let mut next = slots.start;
        loop {
            cancel.check()?;
            // As the real encoding does: slots that nobody got show the picture before them.
            let (until, arrived) = match feed.recv().map_err(|_| MediaError::Stopped)? {
                Feed::Picture(picture, slot) => (slot.min(slots.end), Some(picture)),
                Feed::End => (slots.end, None),
            };
            if let Some(held) = &held {
                while next < until {
                    self.show(held, next)?;
                    next += 1;
                }
            }
            match arrived {
                Some(picture) => held = Some(picture),
                None => return self.finish(),
            }
        }
    }

    fn show(&mut self, picture: &Picture, slot: u64) -> Result<(), MediaError> {
        let place = slot - self.first;
        if !place.is_multiple_of(self.thinning) {
            return Ok(());
        }
        if place == 0 {
            (0..self.lead).try_for_each(|before| self.encode(picture, before.cast_signed()))?;
        }
        let pts = (self.lead + place / self.thinning).cast_signed();
        if place.is_multiple_of(self.compare_every * self.thinning) {
            self.originals.push_back((pts, picture.share()?));
        }
        self.encode(picture, pts)
    }

    fn encode(&mut self, picture: &Picture, pts: i64) -> Result<(), MediaError> {
        let mut shown = picture.share()?;
        shown.set_pts(pts);
        self.encoder.send_picture(&shown)?;
        self.drain()
    }

    fn finish(&mut self) -> Result<(), MediaError> {
        self.encoder.finish()?;
        self.drain()?;
        self.echo.finish()?;
        self.look()
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        while self.encoder.receive(&mut packet)? {
            if packet.pts().is_none_or(|pts| pts >= self.lead.cast_signed()) {
                self.sum.bytes += packet.bytes() as u64;
            }
            self.echo.send(&packet)?;
            self.look()?;
        }
        Ok(())
    }

    /// Compares what comes out of the decoder, in the order it is shown.
    fn look(&mut self) -> Result<(), MediaError> {
        while let Some(shown) = self.echo.receive()? {
            let pts = shown.pts().unwrap_or(i64::MIN);
            while let Some((at, _)) = self.originals.front()
                && *at < pts
            {
                self.originals.pop_front();
            }
            if let Some((at, original)) = self.originals.front()
                && *at == pts
            {
                self.sum.likeness.add(&planes(original), &planes(&shown));
            }
        }
        Ok(())
    }
}

/// Luma and both chromas of a 4:2:0 picture.
fn planes(picture: &Picture) -> [Plane<'_>; 3] {
    let shape = picture.shape();
    let (width, height) = (shape.width as usize, shape.height as usize);
    [0, 1, 2].map(|index| {
        let (samples, stride) = picture.plane(index);
        let half = |side: usize| if index == 0 { side } else { side.div_ceil(2) };
        Plane { samples, stride, width: half(width), height: half(height) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use grid::FrameRate;

    #[test]
    fn what_workers_say_of_excerpts_is_put_together_by_rung_and_quality() {
        let black = [16; 64];
        let plane = Plane { samples: &black, stride: 8, width: 8, height: 8 };
        let part = |slot, crf, bytes, pictures| {
            let mut sum = Sum { bytes, ..Sum::of_one_segment() };
            (0..pictures).for_each(|_| sum.likeness.add(&[plane], &[plane]));
            Part { slot, crf, sum }
        };
        let parts = vec![
            part(Slot::S3, 22.0, 6_000, 2),
            part(Slot::S3, 27.0, 3_000, 2),
            part(Slot::S4, 22.0, 0, 0),
            part(Slot::S3, 22.0, 12_000, 1),
            part(Slot::S3, 27.0, u64::MAX, 1),
        ];
        let whole: Vec<_> =
            tried(parts).into_iter().map(|tried| (tried.slot, tried.crf, tried.bits_per_second)).collect();
        // Two segments of 4.8 s: 18,000 bytes.
        assert_eq!(whole, [(Slot::S3, 22.0, 15_000), (Slot::S3, 27.0, u64::MAX / 9_600)]);
        assert_eq!(tried(Vec::new()), []);
    }

    #[test]
    fn excerpts_are_spread_over_what_segments_cost() {
        let mut recipe = Ladder::shipped().unwrap().title;
        (recipe.one_in, recipe.most) = (40, 5);
        let entries = |chunks: usize| vec![Entry::first(FrameRate::Fps25); chunks];
        // Chunk 9 is the cheapest, chunk 0 the dearest.
        let activity: Vec<Activity> =
            (0..250).map(|at| Activity { detail: 1_000 - at, ..Activity::default() }).collect();
        for (segments, expected, case) in [
            (250, vec![8, 6, 4, 2, 0], "twenty minutes: every second chunk by cost"),
            (100, vec![2, 0], "eight minutes"),
            (39, vec![], "too short to be worth it"),
        ] {
            let count = SegmentCount(segments);
            let found = excerpts(&recipe, count, &entries(segments.div_ceil(25) as usize), &activity);
            let chunks: Vec<u32> = found.iter().map(|excerpt| excerpt.chunk.index).collect();
            assert_eq!(chunks, expected, "{case}");
            assert!(found.iter().all(|excerpt| excerpt.chunk.segments == SegmentCount(1)));
        }
    }
}
