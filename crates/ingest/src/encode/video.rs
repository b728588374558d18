//! One rung: holds pictures over empty slots, encodes, and cuts at every segment's IDR.

use super::Outlet;
use crate::cancel::Cancel;
use crate::chunk::Chunk;
use crate::fault::MediaError;
use crate::ffmpeg::{Encoder, Packet, Picture};
use crate::filter::Feed;
use crate::media::Message;
use crate::plan::Rung;
use crate::segment::Track;
use grid::FrameRate;
use package::Rendition;
use std::sync::mpsc::{Receiver, SyncSender};

/// Encodes the pictures of `chunk` that `feed` brings until its end.
///
/// # Errors
/// When the encoder fails, its output breaks a rule, or a neighbour stopped.
pub fn encode(
    rung: &Rung,
    rate: FrameRate,
    chunk: &Chunk,
    feed: &Receiver<Feed>,
    messages: SyncSender<Message>,
    cancel: &Cancel,
) -> Result<(), MediaError> {
    let encoder = Encoder::video(&rung.settings)?;
    let thinning = rung.thinning();
    let track = Track::video(rate, rung.slot, thinning);
    let outlet = Outlet::new(&encoder, Rendition::Video(rung.slot), track, chunk.first, messages)?;
    let slots = chunk.slots(rate);
    let mut stage = Stage {
        encoder,
        outlet,
        packet: Packet::empty(),
        first: slots.start,
        thinning: u64::from(thinning),
        per_segment: i64::from(track.segment_samples),
        open: false,
    };
    let mut held: Option<Picture> = None;
    let mut next = slots.start;
    loop {
        cancel.check()?;
        match feed.recv().map_err(|_| MediaError::Stopped)? {
            Feed::Picture(picture, slot) => {
                // Slots that nobody got show the picture before them; the first picture is shown from 0 on.
                if let Some(held) = &held {
                    next = stage.hold(held, next..slot.min(slots.end), cancel)?;
                }
                held = Some(picture);
            }
            Feed::End => {
                if let Some(held) = &held {
                    stage.hold(held, next..slots.end, cancel)?;
                }
                return stage.finish();
            }
        }
    }
}

struct Stage {
    encoder: Encoder,
    outlet: Outlet,
    packet: Packet,
    /// The chunk's first slot, which is the encoder's 0.
    first: u64,
    /// Every n-th slot is encoded.
    thinning: u64,
    /// Encoded pictures in a segment.
    per_segment: i64,
    /// A segment has been begun.
    open: bool,
}

impl Stage {
    /// Shows `picture` in every slot of the range; returns where the next picture begins.
    fn hold(
        &mut self,
        picture: &Picture,
        slots: std::ops::Range<u64>,
        cancel: &Cancel,
    ) -> Result<u64, MediaError> {
        let end = slots.end.max(slots.start);
        let (first, thinning) = (self.first, self.thinning);
        for slot in slots.filter(|slot| (slot - first).is_multiple_of(thinning)) {
            let mut shown = picture.share()?;
            shown.set_pts(((slot - first) / thinning).cast_signed());
            self.encoder.send_picture(&shown)?;
            self.drain()?;
            cancel.check()?;
        }
        Ok(end)
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        while self.encoder.receive(&mut self.packet)? {
            let boundary = self.packet.pts().is_some_and(|pts| pts % self.per_segment == 0);
            // Decode order: the IDR of a segment comes before all its other pictures and after all of the one before.
            if boundary && self.packet.is_key() {
                if self.open {
                    self.outlet.cut()?;
                }
                self.open = true;
            }
            self.packet.set_duration(1);
            self.outlet.muxer.add(&mut self.packet)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), MediaError> {
        self.encoder.finish()?;
        self.drain()?;
        self.outlet.cut()
    }
}
