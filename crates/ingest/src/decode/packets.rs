//! Packets of the chosen streams in the order of the file, on one clock.

use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::ffmpeg::{Packet, Read, Source};
use crate::plan::Timing;
use crate::timeline::{Continuity, Flicks};

/// Whose packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// Of the pictures.
    Video,
    /// Of the sound.
    Sound,
}

/// Reads a source from its first packet to its last.
pub(crate) struct Packets<'a> {
    source: &'a mut Source,
    timing: &'a Timing,
    cancel: &'a Cancel,
    sound: Option<usize>,
    video_base: (i32, i32),
    sound_base: (i32, i32),
    clock: Continuity,
    unreadable: u64,
}

impl<'a> Packets<'a> {
    /// Those of `timing`'s streams; the demuxer skips the others.
    pub(crate) fn new(source: &'a mut Source, timing: &'a Timing, cancel: &'a Cancel) -> Self {
        let sound = timing.sound.as_ref().map(|sound| sound.stream);
        let base =
            |stream: usize| source.streams().get(stream).map_or((1, 90_000), |stream| stream.time_base);
        let (video_base, sound_base) = (base(timing.video), sound.map_or((1, 90_000), base));
        source.select(&std::iter::once(timing.video).chain(sound).collect::<Vec<_>>());
        let clock = Continuity::default();
        Self { source, timing, cancel, sound, video_base, sound_base, clock, unreadable: 0 }
    }

    /// The next packet, its time stamps mended; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on, or somebody stopped it.
    pub(crate) fn next(&mut self, packet: &mut Packet) -> Result<Option<Track>, MediaError> {
        loop {
            self.cancel.check()?;
            let track = match self.source.read(packet) {
                Ok(Read::Packet(stream)) if stream == self.timing.video => Track::Video,
                Ok(Read::Packet(stream)) if Some(stream) == self.sound => Track::Sound,
                // What FFmpeg had read to learn about the streams comes all the same: other sound tracks, a cover.
                Ok(Read::Packet(_)) => continue,
                Ok(Read::Damaged) => {
                    self.unreadable += 1;
                    continue;
                }
                Ok(Read::End) => return Ok(None),
                Err(error) => {
                    self.cancel.check()?;
                    return Err(error.into());
                }
            };
            if self.timing.mends_clock {
                self.mend(packet, track);
            }
            return Ok(Some(track));
        }
    }

    /// When the packet is shown, counted from the lesson's start; `None` if it does not say.
    pub(crate) fn time(&self, packet: &Packet, track: Track) -> Option<Flicks> {
        let ticks = packet.pts().or(packet.dts())?;
        Some(Flicks::from_ticks(ticks, self.base(track)).minus(self.timing.origin))
    }

    /// Stretches of the file that made no sense so far.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Cuts in the clock mended so far.
    pub(crate) fn jumps(&self) -> u64 {
        self.clock.jumps()
    }

    fn mend(&mut self, packet: &mut Packet, track: Track) {
        let base = self.base(track);
        if let Some(ticks) = packet.dts().or(packet.pts()) {
            let duration = Flicks::from_ticks(packet.duration(), base);
            let shift = self.clock.correction(track as usize, Flicks::from_ticks(ticks, base), duration);
            packet.shift(shift.0 / Flicks::from_ticks(1, base).0.max(1));
        }
    }

    fn base(&self, track: Track) -> (i32, i32) {
        match track {
            Track::Video => self.video_base,
            Track::Sound => self.sound_base,
        }
    }

    /// For opening decoders while reading.
    pub(crate) fn source(&self) -> &Source {
        self.source
    }
}
