//! What will be made of a source: decided before anything is decoded. Pure.

mod filters;
mod geometry;
mod ladder;
mod orientation;
mod rung;

pub use filters::{Toolbox, listening as listening_graph, pictures as picture_graph, sound as sound_graph};
pub use geometry::{Display, Placement};
pub use ladder::{Av1Recipe, H264Recipe, Keep, Ladder, Preset, Profile, SHIPPED, Tune};
pub use orientation::Orientation;
pub use rung::Rung;

use crate::ffmpeg::AudioSettings;
use crate::probe::{SoundInfo, SourceInfo};
use crate::sound::{Gain, Sides};
use crate::timeline::Flicks;
use crate::title::{Chosen, Content};
use grid::FrameRate;
use package::{AudioSlot, Slot};
use serde::{Deserialize, Serialize};

/// Sound that starts before the pictures by up to this is cut, by more it is kept under the held first picture.
/// Encoders start sound some 20 to 60 ms early without meaning it.
const EARLY_SOUND: Flicks = Flicks::from_millis(100);

/// Which streams are used, and how their times become the lesson's. All that decoding has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Pictures a second of the lesson.
    pub rate: FrameRate,
    /// Stream of the pictures.
    pub video: usize,
    /// Stream of the sound; `None`: silence.
    pub sound: Option<SoundInfo>,
    /// Source time that becomes 0.
    pub origin: Flicks,
    /// Time stamps may jump where the file was cut.
    pub mends_clock: bool,
    /// How long the container says it is, from `origin`; a guess where the clock is mended.
    pub declared: Option<Flicks>,
}

/// What will be made of a source. Crosses to the workers as JSON, and its digest is part of what names their results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Streams and times.
    pub timing: Timing,
    /// How the pictures are turned.
    pub orientation: Orientation,
    /// Some picture consists of two fields: all go through the deinterlacer, which lets progressive ones pass.
    pub interlaced: bool,
    /// What is encoded, smallest first. Never empty.
    pub rungs: Vec<Rung>,
    /// Slots the source cannot fill, and the rung that stands in for each.
    pub aliases: Vec<(Slot, Slot)>,
    /// Sound, better first.
    pub sounds: Vec<SoundRung>,
    /// What the sides of the sound become; kept until it was heard.
    pub sides: Sides,
    /// What brings the sound to the ladder's loudness; none until it was measured.
    pub gain: Gain,
    /// Which filters to use.
    pub toolbox: Toolbox,
    /// What kind of lesson it is; `None` before anybody looked.
    pub content: Option<Content>,
    /// Why rungs have the quality they have; empty before anything was chosen for this lesson.
    pub chosen: Vec<Chosen>,
}

/// What a rung spends on this lesson.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// Constant quality, in the scale of the rung's encoder.
    pub crf: f64,
    /// Every n-th picture of 25 or 30 a second; 1: all.
    pub thinning: u32,
}

/// One encoder of sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundRung {
    /// Its kind.
    pub slot: AudioSlot,
    /// How it is encoded.
    pub settings: AudioSettings,
}

impl Timing {
    /// The streams and times of `source`.
    pub fn of(source: &SourceInfo) -> Self {
        let video = &source.video;
        let origin = match &source.sound {
            Some(sound) if sound.start < video.start.minus(EARLY_SOUND) => sound.start,
            _ => video.start,
        };
        let (num, den) = video.average_rate;
        Self {
            rate: FrameRate::for_source(i64::from(num), i64::from(den)),
            video: video.stream,
            sound: source.sound.clone(),
            origin,
            mends_clock: source.is_transport_stream(),
            declared: source
                .declared_end
                .map(|end| end.minus(origin))
                .filter(|&length| length > Flicks::ZERO),
        }
    }
}

impl Plan {
    /// What `ladder` makes of `source` with the filters at hand.
    pub fn new(source: &SourceInfo, ladder: &Ladder, toolbox: Toolbox) -> Self {
        let video = &source.video;
        let timing = Timing::of(source);
        let orientation = video.display_matrix.map_or(Orientation::Upright, Orientation::from_matrix);
        let display = Display::of(video.width, video.height, video.sample_aspect, orientation);
        let (slots, aliases) = fill(display, ladder);
        Self {
            orientation,
            interlaced: video.interlaced,
            rungs: slots
                .iter()
                .map(|&slot| Rung::new(slot, ladder, timing.rate, ladder.usual(slot)))
                .collect(),
            aliases,
            sounds: AudioSlot::ALL.into_iter().map(|slot| sound_rung(slot, ladder)).collect(),
            sides: Sides::Kept,
            gain: Gain::NONE,
            toolbox,
            content: None,
            chosen: Vec::new(),
            timing,
        }
    }

    /// The same with what was chosen for this lesson; rungs that `chosen` does not name stay as they are.
    #[must_use]
    pub fn spending(mut self, ladder: &Ladder, content: Content, chosen: Vec<Chosen>) -> Self {
        let rate = self.timing.rate;
        for rung in &mut self.rungs {
            if let Some(chosen) = chosen.iter().find(|chosen| chosen.slot == rung.slot) {
                *rung = Rung::new(rung.slot, ladder, rate, chosen.spend);
            }
        }
        (self.content, self.chosen) = (Some(content), chosen);
        self
    }

    /// The rung in `slot`, if it is encoded.
    pub fn rung(&self, slot: Slot) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.slot == slot)
    }

    /// Slots that are encoded, smallest first, H.264 before AV1.
    pub fn slots(&self) -> Vec<Slot> {
        self.rungs.iter().map(|rung| rung.slot).collect()
    }

    /// Sizes of picture that are made, smallest first, as H.264 slots: every encoder takes one of these.
    pub fn sizes(&self) -> Vec<Slot> {
        self.slots().into_iter().filter(|&slot| slot == slot.in_h264()).collect()
    }
}

/// Slots that `display` fills, and for the others the rung that stands in. The smallest is always made.
///
/// Nothing stands in for AV1 where the picture is too small for any of it.
fn fill(display: Display, ladder: &Ladder) -> (Vec<Slot>, Vec<(Slot, Slot)>) {
    let fills = |slot: Slot| slot == Slot::S0 || display.fills(slot.width(), slot.height());
    let wanted: &[Slot] = if ladder.av1.enabled { &Slot::ALL } else { &Slot::H264 };
    let slots: Vec<Slot> = wanted.iter().copied().filter(|&slot| fills(slot)).collect();
    let stands_in = |slot: Slot| {
        let highest = slots.iter().rfind(|made| made.codec() == slot.codec())?;
        Some((slot, *highest))
    };
    let aliases = wanted.iter().filter(|&&slot| !fills(slot)).filter_map(|&slot| stands_in(slot)).collect();
    (slots, aliases)
}

fn sound_rung(slot: AudioSlot, ladder: &Ladder) -> SoundRung {
    let settings = AudioSettings { channels: slot.channels(), bits_per_second: ladder.sound(slot).0 };
    SoundRung { slot, settings }
}

#[cfg(test)]
mod tests;
