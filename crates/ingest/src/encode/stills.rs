//! Single pictures of a chunk: for quick seeking, for the storyboard, and one of each slide.
//!
//! ```text
//! pictures, at most 1280x720 ─▶ one each 0.8 s ─▶ scale ─┬─ 640x360 ─▶ trick
//!                                                        ├─ 160x90  ─▶ thumbs (a segment's first), slides (what changed?)
//!                                                        └─ as it is ─▶ slides (the picture)
//! ```
//!
//! One picture in twenty is looked at, and only those are scaled: all of it takes a few hundredths of what a ladder does.

use super::slides::Slides;
use super::thumbs::Thumbs;
use super::trick::Trick;
use crate::cancel::Cancel;
use crate::chunk::Chunk;
use crate::fault::MediaError;
use crate::ffmpeg::{Graph, Picture};
use crate::filter::Feed;
use crate::media::Message;
use grid::FrameRate;
use package::Slot;
use std::sync::mpsc::{Receiver, SyncSender};

/// Looks a segment: one each 0.8 s, near the one a second of Apple 6.2 and a whole number of pictures at every rate.
pub(super) const PER_SEGMENT: u32 = 6;
/// The largest picture a slide is kept as.
const LARGEST: Slot = Slot::S4;
/// Columns and rows of a small picture.
pub(super) const SMALL: (u32, u32) = (160, 90);
/// Sharp, and the same bytes on every processor.
const SCALER: &str = "flags=bicubic+accurate_rnd+bitexact";
/// JPEG's numbers: BT.601, all 256 of them (JFIF 1.02).
const TO_JPEG: &str =
    "in_color_matrix=bt709:in_range=limited:out_color_matrix=bt601:out_range=full,format=yuvj420p";

/// Which of the `sizes` that are made is looked at; they are H.264 slots, smallest first, at least one.
pub fn size(sizes: &[Slot]) -> Slot {
    largest(sizes, LARGEST)
}

fn largest(sizes: &[Slot], limit: Slot) -> Slot {
    sizes.iter().copied().rfind(|&slot| slot <= limit).unwrap_or(Slot::S0)
}

/// Makes the single pictures of `chunk` from what `feed` brings, pictures in the size of `size`, until its end.
///
/// # Errors
/// When a filter or an encoder fails, what it made breaks a rule, or a neighbour stopped.
pub fn encode(
    rate: FrameRate,
    size: Slot,
    chunk: &Chunk,
    feed: &Receiver<Feed>,
    messages: &SyncSender<Message>,
    cancel: &Cancel,
) -> Result<(), MediaError> {
    let slots = chunk.slots(rate);
    let step = u64::from(rate.per_segment() / PER_SEGMENT);
    let mut stage = Stage {
        scaled: None,
        trick: Trick::new(rate, largest(&[Slot::S0, Slot::S1, Slot::S2], size), chunk, messages)?,
        thumbs: Thumbs::new(chunk, messages),
        slides: Slides::new(chunk, messages),
        size,
        looks: 0,
    };
    let mut held: Option<Picture> = None;
    let mut next = slots.start;
    loop {
        cancel.check()?;
        let (picture, until) = match feed.recv().map_err(|_| MediaError::Stopped)? {
            Feed::Picture(picture, slot) => (Some(picture), slot.min(slots.end)),
            Feed::End => (None, slots.end),
        };
        // As every rung shows it: a picture stands until the next one, the first from the beginning on.
        while let Some(held) = held.as_ref().filter(|_| next < until) {
            stage.look(held)?;
            next += step;
            cancel.check()?;
        }
        match picture {
            Some(picture) => held = Some(picture),
            None => return stage.finish(),
        }
    }
}

struct Stage<'a> {
    /// Made when the first picture says what pictures are like.
    scaled: Option<Graph>,
    trick: Trick<'a>,
    thumbs: Thumbs<'a>,
    slides: Slides<'a>,
    size: Slot,
    /// Pictures looked at so far.
    looks: u32,
}

impl Stage<'_> {
    fn look(&mut self, picture: &Picture) -> Result<(), MediaError> {
        let graph = match &mut self.scaled {
            Some(graph) => graph,
            None => {
                let seek = self.trick.slot();
                let spec = format!(
                    "[in]scale={}:{}:{SCALER},split[out0][seek];[seek]scale={}:{}:{SCALER}:{TO_JPEG}[out1]",
                    seek.width(),
                    seek.height(),
                    SMALL.0,
                    SMALL.1
                );
                self.scaled.insert(Graph::for_pictures(&picture.shape(), 1, &spec, 2)?)
            }
        };
        let mut shown = picture.share()?;
        shown.set_pts(self.looks.into());
        graph.push_picture(shown)?;
        let crashed = || MediaError::Crashed("stills");
        let mut seek = graph.pull_picture(0, 1)?.ok_or_else(crashed)?;
        let small = graph.pull_picture(1, 1)?.ok_or_else(crashed)?;
        seek.tag_as_published();
        self.trick.take(seek, self.looks)?;
        if self.looks.is_multiple_of(PER_SEGMENT) {
            self.thumbs.take(&small)?;
        }
        self.slides.take(&small, picture, self.looks)?;
        self.looks += 1;
        Ok(())
    }

    fn finish(self) -> Result<(), MediaError> {
        debug_assert!(self.size <= LARGEST);
        self.trick.finish()?;
        self.thumbs.finish()
    }
}

/// `picture` as a JPEG in its own size.
pub(super) fn as_jpeg(picture: &Picture, quality: u32) -> Result<Vec<u8>, MediaError> {
    let spec = format!("[in]scale={SCALER}:{TO_JPEG}[out0]");
    let mut graph = Graph::for_pictures(&picture.shape(), 1, &spec, 1)?;
    graph.push_picture(picture.share()?)?;
    let picture = graph.pull_picture(0, 1)?.ok_or(MediaError::Crashed("stills"))?;
    Ok(crate::ffmpeg::jpeg(&picture, quality)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_picture_that_is_not_too_large_is_looked_at() {
        for (made, looked_at) in [(1, Slot::S0), (3, Slot::S2), (5, Slot::S4), (6, Slot::S4)] {
            assert_eq!(size(&Slot::H264[..made]), looked_at);
        }
    }

    #[test]
    fn looks_fall_on_whole_pictures_at_every_rate() {
        for rate in [FrameRate::Fps25, FrameRate::Fps30, FrameRate::Fps50, FrameRate::Fps60] {
            assert!(rate.per_segment().is_multiple_of(PER_SEGMENT));
        }
    }
}
