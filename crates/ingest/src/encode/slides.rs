//! One picture of each slide, for networks that carry nothing else.
//!
//! When a slide changed is decided on small pictures by pure rules ([`watch`]); the picture that is kept is the large
//! one. Each chunk begins with a picture, because it knows nothing of the chunk before; when that shows what was shown
//! already, it is left out as the lesson is put together ([`Merger`]).

mod look;
mod merge;
mod watch;

pub use look::Look;
pub use merge::{Merger, Slide};

use super::stills::{PER_SEGMENT, SMALL, as_jpeg};
use crate::chunk::Chunk;
use crate::fault::MediaError;
use crate::ffmpeg::Picture;
use crate::media::Message;
use grid::SEGMENT_MS;
use look::Luma;
use std::sync::mpsc::SyncSender;
use watch::Watch;

/// JPEG quality of a slide: 2 the best to 31 the worst. Small letters on plain ground stay clean.
const QUALITY: u32 = 5;

/// Finds the slides of a chunk.
pub(super) struct Slides<'a> {
    watch: Watch,
    /// The chunk's time in the lesson.
    begin_ms: u64,
    sent: u32,
    messages: &'a SyncSender<Message>,
}

impl<'a> Slides<'a> {
    pub(super) fn new(chunk: &Chunk, messages: &'a SyncSender<Message>) -> Self {
        Self { watch: Watch::default(), begin_ms: chunk.millis().start, sent: 0, messages }
    }

    /// Takes look `number` of the chunk: `small` of [`SMALL`] size in the numbers of JPEG, `large` as it will be kept.
    pub(super) fn take(&mut self, small: &Picture, large: &Picture, number: u32) -> Result<(), MediaError> {
        let (samples, stride) = small.plane(0);
        let luma = Luma::of(samples.chunks(stride).take(SMALL.1 as usize));
        let Some(since) = self.watch.see(number, &luma) else { return Ok(()) };
        let bytes = as_jpeg(large, QUALITY)?;
        let slide = Slide {
            at_ms: self.begin_ms + u64::from(since) * SEGMENT_MS / u64::from(PER_SEGMENT),
            opens: self.sent == 0,
            look: self.watch.look(&luma),
        };
        self.sent += 1;
        self.messages.send(Message::Slide { slide, bytes }).map_err(|_| MediaError::Stopped)
    }
}
