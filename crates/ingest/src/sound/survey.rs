//! The first pass: everything that is learnt by listening to a lesson once.

use super::{ClockReport, Loudness, LoudnessMeter, Mixer};
use crate::fault::MediaError;
use crate::ffmpeg::Sound;
use crate::filter::SoundSink;
use crate::plan::listening_graph;
use crate::quality::{SoundMeasures, SoundMeter};
use crate::timeline::Flicks;

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// How loud it is; `None`: silence, or too short to tell.
    pub loudness: Option<Loudness>,
    /// For the rules of quality.
    pub measures: SoundMeasures,
}

/// Listens to all sound of a lesson, as the encoders will get it.
pub struct SoundSurvey {
    mixer: Mixer,
    ear: Ear,
}

struct Ear {
    loudness: LoudnessMeter,
    meter: SoundMeter,
    samples: u64,
}

impl Default for SoundSurvey {
    fn default() -> Self {
        let ear = Ear { loudness: LoudnessMeter::default(), meter: SoundMeter::default(), samples: 0 };
        Self { mixer: Mixer::new(listening_graph()), ear }
    }
}

impl SoundSurvey {
    /// Hears decoded sound that the file says starts at `time` from the lesson's start.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn hear(&mut self, sound: Sound, time: Flicks) -> Result<(), MediaError> {
        self.mixer.take(sound, time, &mut [&mut self.ear])
    }

    /// How long somebody has spoken so far.
    pub fn sounding_ms(&self) -> u64 {
        self.ear.meter.sounding_ms()
    }

    /// What was heard, when no sound follows.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn finish(mut self) -> Result<Heard, MediaError> {
        let clock: ClockReport = self.mixer.finish(&mut [&mut self.ear])?;
        Ok(Heard { loudness: self.ear.loudness.loudness(), measures: self.ear.meter.finish(clock) })
    }
}

impl SoundSink for Ear {
    fn take(&mut self, sound: Sound) -> Result<(), MediaError> {
        let (left, right) = (sound.channel(0), sound.channel(1));
        self.loudness.hear(left, right);
        self.meter.hear(&[left, right]);
        self.samples += sound.samples() as u64;
        Ok(())
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}
