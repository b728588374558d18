//! The pictures of one chunk: decoded from its entry, each with its slot.

use super::steady::{Steady, Strays, Timed};
use super::{Damage, Decoded, MAX_DAMAGED_IN_A_ROW, Packets, Pictures, Track};
use crate::cancel::Cancel;
use crate::chunk::{Chunk, Entry};
use crate::fault::MediaError;
use crate::ffmpeg::{Decoder, Packet, Picture, Received, Source};
use crate::plan::Timing;
use crate::timeline::Flicks;
use std::ops::ControlFlow;

/// Pictures sent beyond the chunk's end: the deinterlacer looks one ahead.
const BEYOND: u32 = 2;

/// Whether decoding from a chunk's entry met the picture the survey saw there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// All pictures were sent.
    Yes,
    /// It never came out: the stream cannot be entered there. Nothing was sent.
    No,
}

/// Sends the pictures of `chunk` and a few around it, in order, with their slots in the lesson.
///
/// # Errors
/// When the file cannot be read, a decoder fails, or somebody stopped it.
pub fn pictures(
    source: &mut Source,
    timing: &Timing,
    chunk: &Chunk,
    entry: &Entry,
    out: &Pictures,
    cancel: &Cancel,
) -> Result<Found, MediaError> {
    let end = chunk.slots(timing.rate).end;
    let mut packets = Packets::new(source, timing, cancel);
    let mut decoder = PictureDecoder::open(packets.source(), timing)?;
    let mut cadence = entry.cadence.clone();
    let mut found = entry.picture.is_none();
    let mut beyond = 0;
    let mut each = |mut picture: Picture, time: Flicks, shown: Flicks| {
        found |= entry.picture == Some(time);
        if !found {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(slot) = cadence.place(time, shown) else { return Ok(ControlFlow::Continue(())) };
        picture.set_pts(slot.cast_signed());
        out.send(Decoded::Frame(picture, slot)).map_err(|_| MediaError::Stopped)?;
        beyond += u32::from(slot >= end);
        Ok(if beyond < BEYOND { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    };
    let mut packet = Packet::empty();
    let mut seen = 0;
    let mut enough = ControlFlow::Continue(());
    while enough.is_continue() {
        match packets.next(&mut packet)? {
            Some(Track::Sound) => {}
            Some(Track::Video) => {
                if seen >= entry.packet {
                    enough = decoder.packet(&packet, &mut each)?;
                }
                seen += 1;
            }
            None => {
                let _ = decoder.finish(&mut each)?;
                break;
            }
        }
    }
    if !found {
        return Ok(Found::No);
    }
    out.send(Decoded::End).map_err(|_| MediaError::Stopped)?;
    Ok(Found::Yes)
}

/// What takes decoded pictures: the picture, its time in the lesson, and how long the container shows it.
pub(crate) type Each<'a> = dyn FnMut(Picture, Flicks, Flicks) -> Result<ControlFlow<()>, MediaError> + 'a;

/// Decodes pictures and tells when each is shown.
pub(crate) struct PictureDecoder {
    decoder: Decoder,
    base: (i32, i32),
    origin: Flicks,
    /// One slot.
    one: Flicks,
    /// Each picture with how long the container shows it.
    steady: Steady<(Picture, Flicks)>,
    damage: Damage,
}

impl PictureDecoder {
    /// For the pictures of `timing`.
    ///
    /// # Errors
    /// When the decoder does not open.
    pub(crate) fn open(source: &Source, timing: &Timing) -> Result<Self, MediaError> {
        Ok(Self {
            decoder: Decoder::open(source, timing.video, 0)?,
            base: source.streams()[timing.video].time_base,
            origin: timing.origin,
            one: Flicks::from_ticks(1, (1, timing.rate.per_second().cast_signed())),
            steady: Steady::default(),
            damage: Damage::default(),
        })
    }

    /// Decodes a packet; `each` gets what comes out.
    ///
    /// # Errors
    /// When the decoder itself fails, or `each` does.
    pub(crate) fn packet(
        &mut self,
        packet: &Packet,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>, MediaError> {
        if self.decoder.send(packet)? == Received::Damaged {
            self.damage.undecodable += 1;
        }
        self.take(each)
    }

    /// Nothing follows: gives what is still inside.
    ///
    /// # Errors
    /// As for a packet.
    pub(crate) fn finish(&mut self, each: &mut Each<'_>) -> Result<ControlFlow<()>, MediaError> {
        self.decoder.finish()?;
        if self.take(each)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        for last in self.steady.finish() {
            if give(last, each)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What could not be decoded so far.
    pub(crate) fn damage(&self) -> Damage {
        self.damage
    }

    /// Wrong time stamps so far.
    pub(crate) fn strays(&self) -> Strays {
        self.steady.strays()
    }

    fn take(&mut self, each: &mut Each<'_>) -> Result<ControlFlow<()>, MediaError> {
        let mut damaged = 0;
        loop {
            let mut picture = Picture::empty();
            match self.decoder.picture(&mut picture)? {
                Received::Frame => {
                    damaged = 0;
                    self.damage.guessed += u64::from(picture.is_damaged());
                    let time = picture.decoded_at();
                    let time = time.map(|ticks| Flicks::from_ticks(ticks, self.base).minus(self.origin));
                    let shown = Flicks::from_ticks(picture.shown_for(), self.base);
                    for timed in self.steady.push((picture, shown), time, self.one) {
                        if give(timed, each)?.is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                }
                Received::Damaged if damaged < MAX_DAMAGED_IN_A_ROW => {
                    damaged += 1;
                    self.damage.undecodable += 1;
                }
                Received::Hungry | Received::End | Received::Damaged => return Ok(ControlFlow::Continue(())),
            }
        }
    }
}

fn give(
    ((picture, shown), time): Timed<(Picture, Flicks)>,
    each: &mut Each<'_>,
) -> Result<ControlFlow<()>, MediaError> {
    each(picture, time, shown)
}
