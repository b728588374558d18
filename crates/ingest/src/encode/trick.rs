//! Pictures for quick seeking: one each 0.8 s, every one decodable by itself and a fragment of its own (Apple 6.1, 6.2).

use super::stills::PER_SEGMENT;
use crate::chunk::Chunk;
use crate::fault::MediaError;
use crate::ffmpeg::{Encoder, Muxer, Packet, Picture, VideoSettings};
use crate::media::Message;
use crate::segment::{Cutter, Track};
use grid::{FrameRate, SegmentNumber};
use package::{Codec, Rendition, Slot};
use std::sync::mpsc::SyncSender;

/// Quality of every picture, in x264's scale: they are seen for moments, at the size of a hand.
const QUALITY: u32 = 30;

/// Encodes and cuts them.
pub(super) struct Trick<'a> {
    slot: Slot,
    encoder: Encoder,
    muxer: Muxer,
    /// Checks each fragment as if it were a segment of 0.8 s: its place, its length, its one IDR picture.
    cutter: Cutter,
    packet: Packet,
    /// Of the segment that is being made, and how many fragments it has.
    segment: Vec<u8>,
    fragments: u32,
    number: SegmentNumber,
    messages: &'a SyncSender<Message>,
}

/// Each picture as it would be without the others: `qcomp=1` takes neither what came before nor how long a picture
/// stands into account.
fn settings(rate: FrameRate, slot: Slot) -> VideoSettings {
    let options = [
        ("preset", "medium".to_owned()),
        ("profile", "high".to_owned()),
        ("crf", QUALITY.to_string()),
        ("forced-idr", "1".to_owned()),
        ("x264-params", "keyint=1:scenecut=0:force-cfr=1:stitchable=1:qcomp=1".to_owned()),
    ];
    VideoSettings {
        codec: Codec::H264,
        width: slot.width(),
        height: slot.height(),
        rate: rate.per_second(),
        thinning: rate.per_segment() / PER_SEGMENT,
        gop: 1,
        threads: 1,
        options: options.map(|(name, value)| (name.to_owned(), value)).to_vec(),
    }
}

impl<'a> Trick<'a> {
    pub(super) fn new(
        rate: FrameRate,
        slot: Slot,
        chunk: &Chunk,
        messages: &'a SyncSender<Message>,
    ) -> Result<Self, MediaError> {
        let encoder = Encoder::video(&settings(rate, slot))?;
        let whole = Track::video(rate, slot, 1);
        let segment_ticks = whole.segment_ticks / u64::from(PER_SEGMENT);
        let track = Track { segment_ticks, segment_samples: 1, ..whole };
        let muxer = Muxer::new(&encoder, track.timescale)?;
        let first = SegmentNumber(chunk.first.0 * PER_SEGMENT);
        Ok(Self {
            slot,
            encoder,
            muxer,
            cutter: Cutter::new(track, first),
            packet: Packet::empty(),
            segment: Vec::new(),
            fragments: 0,
            number: chunk.first,
            messages,
        })
    }

    /// The size it wants.
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// Takes picture `number` of the chunk.
    pub(super) fn take(&mut self, mut picture: Picture, number: u32) -> Result<(), MediaError> {
        picture.set_pts(number.into());
        self.encoder.send_picture(&picture)?;
        self.drain()
    }

    pub(super) fn finish(mut self) -> Result<(), MediaError> {
        self.encoder.finish()?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        while self.encoder.receive(&mut self.packet)? {
            self.packet.set_duration(1);
            self.muxer.add(&mut self.packet)?;
            let cut = self.cutter.cut(self.muxer.cut()?).map_err(|error| MediaError::Nonconformant {
                rendition: Rendition::Trick.to_string(),
                problem: error.to_string(),
            })?;
            if let Some(init) = cut.init {
                let (codecs, bytes) = (init.codecs, init.bytes);
                self.send(Message::Init { rendition: Rendition::Trick, codecs, bytes })?;
            }
            self.segment.extend_from_slice(&cut.segment);
            self.fragments += 1;
            if self.fragments == PER_SEGMENT {
                let (number, bytes) = (self.number, std::mem::take(&mut self.segment));
                self.send(Message::Segment { rendition: Rendition::Trick, number, bytes })?;
                (self.number, self.fragments) = (SegmentNumber(number.0 + 1), 0);
            }
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), MediaError> {
        self.messages.send(message).map_err(|_| MediaError::Stopped)
    }
}
