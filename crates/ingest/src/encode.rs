//! Frames of a rung into its segments.

pub mod audio;
pub mod slides;
pub mod stills;
mod thumbs;
mod trick;
pub mod video;

use crate::fault::MediaError;
use crate::ffmpeg::{Encoder, Muxer};
use crate::media::Message;
use crate::segment::{Cutter, Track};
use grid::SegmentNumber;
use package::Rendition;
use std::sync::mpsc::SyncSender;

/// The end of every encoder: its muxer, the cutter behind it, and the way out.
struct Outlet {
    muxer: Muxer,
    cutter: Cutter,
    rendition: Rendition,
    messages: SyncSender<Message>,
}

impl Outlet {
    fn new(
        encoder: &Encoder,
        rendition: Rendition,
        track: Track,
        first: SegmentNumber,
        messages: SyncSender<Message>,
    ) -> Result<Self, MediaError> {
        let muxer = Muxer::new(encoder, track.timescale)?;
        Ok(Self { muxer, cutter: Cutter::new(track, first), rendition, messages })
    }

    /// Ends the segment that is being written, checks it, and sends it on.
    fn cut(&mut self) -> Result<(), MediaError> {
        let bytes = self.muxer.cut()?;
        let cut = self.cutter.cut(bytes).map_err(|error| MediaError::Nonconformant {
            rendition: self.rendition.to_string(),
            problem: error.to_string(),
        })?;
        if let Some(init) = cut.init {
            let message = Message::Init { rendition: self.rendition, codecs: init.codecs, bytes: init.bytes };
            self.messages.send(message).map_err(|_| MediaError::Stopped)?;
        }
        let message = Message::Segment { rendition: self.rendition, number: cut.number, bytes: cut.segment };
        self.messages.send(message).map_err(|_| MediaError::Stopped)
    }
}
