//! The sound of the whole lesson, each run of it with its time.

use super::steady::{Steady, Strays};
use super::{Damage, Decoded, MAX_DAMAGED_IN_A_ROW, Packets, Sounds, Track};
use crate::accepted;
use crate::cancel::Cancel;
use crate::fault::{MediaError, SourceFault};
use crate::ffmpeg::{Decoder, Packet, Received, Sound, Source};
use crate::plan::Timing;
use crate::timeline::Flicks;

/// Sends all sound, in order. A source without sound sends nothing but the end.
///
/// # Errors
/// When the file cannot be read, a decoder fails, or somebody stopped it.
pub fn sounds(source: &mut Source, timing: &Timing, out: &Sounds, cancel: &Cancel) -> Result<(), MediaError> {
    if timing.sound.is_some() {
        let mut packets = Packets::new(source, timing, cancel);
        let mut decoder = SoundDecoder::open(packets.source(), timing)?;
        let mut each = |sound: Sound, time: Flicks| {
            out.send(Decoded::Frame(sound, time)).map_err(|_| MediaError::Stopped)
        };
        let mut packet = Packet::empty();
        while let Some(track) = packets.next(&mut packet)? {
            if track == Track::Sound {
                decoder.packet(&packet, &mut each)?;
            }
        }
        decoder.finish(&mut each)?;
    }
    out.send(Decoded::End).map_err(|_| MediaError::Stopped)
}

/// What takes decoded sound: the run and its time in the lesson.
pub(crate) type Each<'a> = dyn FnMut(Sound, Flicks) -> Result<(), MediaError> + 'a;

/// Decodes sound and tells when each run is heard. Without a sound stream it gives nothing.
pub(crate) struct SoundDecoder {
    decoder: Option<Decoder>,
    base: (i32, i32),
    origin: Flicks,
    begin: Option<Flicks>,
    end: Flicks,
    /// Each run with how long it lasts.
    steady: Steady<(Sound, Flicks)>,
    damage: Damage,
}

impl SoundDecoder {
    /// For the sound of `timing`.
    ///
    /// # Errors
    /// When the decoder does not open.
    pub(crate) fn open(source: &Source, timing: &Timing) -> Result<Self, MediaError> {
        let stream = timing.sound.as_ref().map(|sound| sound.stream);
        Ok(Self {
            decoder: stream.map(|stream| Decoder::open(source, stream, 1)).transpose()?,
            base: stream.map_or((1, 1), |stream| source.streams()[stream].time_base),
            origin: timing.origin,
            begin: None,
            end: Flicks::ZERO,
            steady: Steady::default(),
            damage: Damage::default(),
        })
    }

    /// Decodes a packet; `each` gets what comes out.
    ///
    /// # Errors
    /// When the decoder itself fails, or `each` does, or the sound lasts longer than a lesson may.
    pub(crate) fn packet(&mut self, packet: &Packet, each: &mut Each<'_>) -> Result<(), MediaError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        if decoder.send(packet)? == Received::Damaged {
            self.damage.undecodable += 1;
        }
        self.take(each)
    }

    /// Nothing follows: gives what is still inside.
    ///
    /// # Errors
    /// As for a packet.
    pub(crate) fn finish(&mut self, each: &mut Each<'_>) -> Result<(), MediaError> {
        if let Some(decoder) = &mut self.decoder {
            decoder.finish()?;
        }
        self.take(each)?;
        let last = self.steady.finish();
        last.into_iter().try_for_each(|((sound, lasts), time)| self.give(sound, time, lasts, each))
    }

    /// Where the first sound begins in the lesson; 0 before there was any.
    pub(crate) fn begin(&self) -> Flicks {
        self.begin.unwrap_or_default()
    }

    /// Where the sound so far ends in the lesson.
    pub(crate) fn end(&self) -> Flicks {
        self.end
    }

    /// What could not be decoded so far.
    pub(crate) fn damage(&self) -> Damage {
        self.damage
    }

    /// Wrong time stamps so far.
    pub(crate) fn strays(&self) -> Strays {
        self.steady.strays()
    }

    fn take(&mut self, each: &mut Each<'_>) -> Result<(), MediaError> {
        let mut damaged = 0;
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            let mut sound = Sound::empty();
            match decoder.sound(&mut sound)? {
                Received::Frame => {
                    damaged = 0;
                    self.sound(sound, each)?;
                }
                Received::Damaged if damaged < MAX_DAMAGED_IN_A_ROW => {
                    damaged += 1;
                    self.damage.undecodable += 1;
                }
                Received::Hungry | Received::End | Received::Damaged => return Ok(()),
            }
        }
    }

    fn sound(&mut self, sound: Sound, each: &mut Each<'_>) -> Result<(), MediaError> {
        let shape = sound.shape();
        if shape.rate == 0 || shape.channels == 0 || sound.samples() == 0 {
            return Ok(());
        }
        let time = sound.decoded_at();
        let time = time.map(|ticks| Flicks::from_ticks(ticks, self.base).minus(self.origin));
        let samples = i64::try_from(sound.samples()).unwrap_or(0);
        let lasts = Flicks::from_ticks(samples, (1, shape.rate.cast_signed()));
        let known = self.steady.push((sound, lasts), time, lasts);
        known.into_iter().try_for_each(|((sound, lasts), time)| self.give(sound, time, lasts, each))
    }

    fn give(
        &mut self,
        sound: Sound,
        time: Flicks,
        lasts: Flicks,
        each: &mut Each<'_>,
    ) -> Result<(), MediaError> {
        self.begin.get_or_insert(time);
        self.end = time.plus(lasts);
        let seconds = self.end.to_duration().as_secs();
        if seconds > accepted::MAX_SECONDS {
            return Err(SourceFault::TooLong { hours: seconds / 3_600 }.into());
        }
        each(sound, time)
    }
}
