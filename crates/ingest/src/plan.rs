//! What will be made of a source: decided before anything is decoded. Pure.

mod filters;
mod geometry;
mod ladder;
mod orientation;

pub use filters::{Toolbox, pictures as picture_graph, sound as sound_graph};
pub use geometry::{Display, Placement};
pub use ladder::{Ladder, Preset, Profile, RungRecipe, SHIPPED};
pub use orientation::Orientation;

use crate::ffmpeg::{AudioSettings, VideoSettings};
use crate::probe::{SoundInfo, SourceInfo};
use crate::timeline::Flicks;
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
    /// Which filters to use.
    pub toolbox: Toolbox,
}

/// One encoder of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Its place.
    pub slot: Slot,
    /// How it is encoded.
    pub settings: VideoSettings,
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
        let (slots, aliases) = fill(display);
        Self {
            orientation,
            interlaced: video.interlaced,
            rungs: slots.iter().map(|&slot| rung(slot, ladder, timing.rate)).collect(),
            aliases,
            sounds: AudioSlot::ALL.into_iter().map(|slot| sound_rung(slot, ladder)).collect(),
            toolbox,
            timing,
        }
    }

    /// Slots that are encoded, smallest first.
    pub fn slots(&self) -> Vec<Slot> {
        self.rungs.iter().map(|rung| rung.slot).collect()
    }
}

/// Slots that `display` fills, and for the others the rung that stands in. The smallest is always made.
fn fill(display: Display) -> (Vec<Slot>, Vec<(Slot, Slot)>) {
    let mut slots = vec![Slot::S0];
    let mut aliases = Vec::new();
    let mut highest = Slot::S0;
    for slot in Slot::H264.into_iter().skip(1) {
        if display.fills(slot.width(), slot.height()) {
            slots.push(slot);
            highest = slot;
        } else {
            aliases.push((slot, highest));
        }
    }
    (slots, aliases)
}

fn sound_rung(slot: AudioSlot, ladder: &Ladder) -> SoundRung {
    let settings = AudioSettings { channels: slot.channels(), bits_per_second: ladder.sound(slot).0 };
    SoundRung { slot, settings }
}

fn rung(slot: Slot, ladder: &Ladder, rate: FrameRate) -> Rung {
    let recipe = ladder.rung(slot);
    // A whole number of pictures at every rate of the grid: the ladder checked that.
    let gop_ms = u32::try_from(ladder.gop.0.as_millis()).unwrap_or(4_800);
    let gop = rate.per_second() * gop_ms / 1_000;
    // keyint = min-keyint and no scene cuts: an IDR at every GOP and nowhere else, so all rungs cut alike. Closed GOPs,
    // a constant rate, and headers that fit together when a lesson is encoded in pieces.
    let x264 = format!("keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:force-cfr=1:stitchable=1");
    let options = [
        ("preset", recipe.preset.as_str().to_owned()),
        ("profile", recipe.profile.as_str().to_owned()),
        ("crf", recipe.crf.to_string()),
        ("maxrate", recipe.maxrate.0.to_string()),
        ("bufsize", recipe.buffer_bits().to_string()),
        ("forced-idr", "1".to_owned()),
        ("x264-params", x264),
    ];
    let options = options.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Rung {
        slot,
        settings: VideoSettings {
            width: slot.width(),
            height: slot.height(),
            rate: rate.per_second(),
            gop,
            threads: recipe.threads,
            options,
        },
    }
}

#[cfg(test)]
mod tests;
