//! Sound: frames of 1,024 samples, 225 to a segment, silence to the end.

use super::Outlet;
use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::ffmpeg::{Encoder, Packet, Sound};
use crate::filter::SoundSink;
use crate::media::Message;
use crate::plan::SoundRung;
use crate::segment::Track;
use grid::{AAC_FRAME, AAC_FRAMES_PER_SEGMENT, SegmentCount, SegmentNumber};
use package::Rendition;
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;

/// Packets kept from the muxer until it is known that the lesson does not end before them.
///
/// Sound may run on behind the last segment by 100 ms, which is cut: five frames, and some for the resampler.
const HELD_BACK: usize = 12;

/// Encodes one kind of sound.
pub struct SoundEncoder {
    encoder: Encoder,
    outlet: Outlet,
    /// Packets the muxer has not got yet; see [`HELD_BACK`].
    held_back: VecDeque<Packet>,
    channels: u32,
    /// Samples that came in, silence at the end included.
    taken: u64,
    /// Samples that went to the encoder.
    sent: u64,
    /// Packets that went to the muxer.
    written: u64,
    /// Samples of a frame the source did not fill: its end, or its change of format.
    partial: Vec<Vec<f32>>,
}

impl SoundEncoder {
    /// Opens the encoder for `rung`.
    ///
    /// # Errors
    /// When FFmpeg refuses it.
    pub fn new(rung: &SoundRung, messages: SyncSender<Message>) -> Result<Self, MediaError> {
        let encoder = Encoder::aac(&rung.settings)?;
        let channels = rung.settings.channels;
        let (rendition, track) = (Rendition::Audio(rung.slot), Track::sound(channels));
        let outlet = Outlet::new(&encoder, rendition, track, SegmentNumber(0), messages)?;
        let partial = vec![Vec::new(); channels as usize];
        Ok(Self {
            encoder,
            outlet,
            held_back: VecDeque::new(),
            channels,
            taken: 0,
            sent: 0,
            written: 0,
            partial,
        })
    }

    /// Silence up to the end of `segments`, and everything out.
    ///
    /// # Errors
    /// When the encoder fails, its output breaks a rule, or a neighbour stopped.
    pub fn finish(mut self, segments: SegmentCount, cancel: &Cancel) -> Result<(), MediaError> {
        let rest = self.partial.first().map_or(0, Vec::len);
        if rest > 0 {
            for channel in &mut self.partial {
                channel.resize(AAC_FRAME as usize, 0.0);
            }
            self.taken += u64::from(AAC_FRAME) - rest as u64;
            self.whole_frames()?;
        }
        while self.taken < segments.samples() {
            cancel.check()?;
            self.taken += u64::from(AAC_FRAME);
            self.encode(Sound::silence(AAC_FRAME as usize, self.channels))?;
        }
        self.encoder.finish()?;
        self.receive()?;
        while self.written < segments.aac_frames() {
            let Some(packet) = self.held_back.pop_front() else { break };
            self.write(packet)?;
        }
        // What is still held back lies behind the end. A frame too few is found by the check of the last segment.
        self.outlet.cut()
    }

    /// Sends every whole frame of `partial` to the encoder.
    fn whole_frames(&mut self) -> Result<(), MediaError> {
        let frame = AAC_FRAME as usize;
        while self.partial.first().is_some_and(|channel| channel.len() >= frame) {
            let mut sound = Sound::silence(frame, self.channels);
            for (index, channel) in self.partial.iter_mut().enumerate() {
                sound.channel_mut(index).copy_from_slice(&channel[..frame]);
                channel.drain(..frame);
            }
            self.encode(sound)?;
        }
        Ok(())
    }

    fn encode(&mut self, mut sound: Sound) -> Result<(), MediaError> {
        sound.set_pts(self.sent.cast_signed());
        self.sent += u64::from(AAC_FRAME);
        self.encoder.send_sound(&sound)?;
        self.receive()?;
        while self.held_back.len() > HELD_BACK {
            let Some(packet) = self.held_back.pop_front() else { break };
            self.write(packet)?;
        }
        Ok(())
    }

    /// Takes packets from the encoder. The first one holds only its priming, 1,024 samples from before the start: it
    /// is dropped, and every other packet is decoded to exactly the samples it was made of.
    fn receive(&mut self) -> Result<(), MediaError> {
        loop {
            let mut packet = Packet::empty();
            if !self.encoder.receive(&mut packet)? {
                return Ok(());
            }
            if packet.pts().is_some_and(|pts| pts >= 0) {
                self.held_back.push_back(packet);
            }
        }
    }

    fn write(&mut self, mut packet: Packet) -> Result<(), MediaError> {
        if self.written > 0 && self.written.is_multiple_of(u64::from(AAC_FRAMES_PER_SEGMENT)) {
            self.outlet.cut()?;
        }
        packet.set_duration(i64::from(AAC_FRAME));
        self.outlet.muxer.add(&mut packet)?;
        self.written += 1;
        Ok(())
    }
}

impl SoundSink for SoundEncoder {
    fn take(&mut self, sound: Sound) -> Result<(), MediaError> {
        self.taken += sound.samples() as u64;
        for (index, channel) in self.partial.iter_mut().enumerate() {
            channel.extend_from_slice(sound.channel(index));
        }
        self.whole_frames()
    }

    fn samples(&self) -> u64 {
        self.taken
    }
}
