//! Packets into pictures with a slot and sound with a time; decides where the lesson ends.

use crate::accepted;
use crate::cadence::Cadence;
use crate::cancel::Cancel;
use crate::fault::{MediaError, SourceFault};
use crate::ffmpeg::{Decoder, Packet, Picture, Read, Received, Sound, Source};
use crate::plan::Plan;
use crate::timeline::{Continuity, Flicks};
use grid::SegmentCount;
use std::sync::mpsc::SyncSender;

/// What flows to the filters.
pub enum Decoded<Frame, At> {
    /// A frame and where it belongs.
    Frame(Frame, At),
    /// Nothing follows; the lesson is this long.
    End(SegmentCount),
}

/// Pictures with their slot.
pub type Pictures = SyncSender<Decoded<Picture, u64>>;
/// Sound with its time from the lesson's start.
pub type Sounds = SyncSender<Decoded<Sound, Flicks>>;

/// What was found on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Stretches of the file that make no sense.
    pub unreadable: u64,
    /// Packets no decoder took.
    pub undecodable: u64,
    /// Pictures with guessed parts.
    pub guessed: u64,
    /// Cuts in the clock that were mended.
    pub jumps: u64,
}

impl Damage {
    /// Whether the viewer may notice.
    pub fn is_visible(self) -> bool {
        self.unreadable + self.undecodable + self.guessed > 0
    }
}

/// A source that lost more than this part of what it declares was cut off, not scratched. In thousandths.
const MAY_LACK: i64 = 100;
/// A source may lack this much of its declared length whatever the part: containers round, and sound runs on.
const MAY_LACK_ANYWAY: Flicks = Flicks::from_millis(2_000);
/// Sound that runs on behind the pictures by up to this does not make another segment: encoders fill their last frame.
const SOUND_OVERHANG: Flicks = Flicks::from_millis(100);
/// In a row, from one decoder: more means that it is stuck.
const MAX_DAMAGED_IN_A_ROW: u32 = 1_000;

/// Reads `source` to its end, sends what `plan` wants, and says what was damaged.
///
/// # Errors
/// When the source breaks off, holds no picture, or lasts longer than it may; when a decoder fails; when stopped.
pub fn decode(
    source: &mut Source,
    plan: &Plan,
    pictures: &Pictures,
    sounds: &Sounds,
    cancel: &Cancel,
) -> Result<Damage, MediaError> {
    let wanted: Vec<usize> =
        std::iter::once(plan.video).chain(plan.sound.as_ref().map(|sound| sound.stream)).collect();
    source.select(&wanted);
    let mut stage = Stage {
        video: Decoder::open(source, plan.video, 0)?,
        sound: plan.sound.as_ref().map(|sound| Decoder::open(source, sound.stream, 1)).transpose()?,
        video_base: source.streams()[plan.video].time_base,
        sound_base: plan.sound.as_ref().map_or((1, 1), |sound| source.streams()[sound.stream].time_base),
        plan,
        pictures,
        sounds,
        cadence: Cadence::new(plan.rate),
        last_picture: Flicks::ZERO,
        sound_end: Flicks::ZERO,
        damage: Damage::default(),
    };
    let mut clock = Continuity::default();
    let mut packet = Packet::empty();
    loop {
        cancel.check()?;
        let stream = match source.read(&mut packet) {
            Ok(Read::Packet(stream)) => stream,
            Ok(Read::Damaged) => {
                stage.damage.unreadable += 1;
                continue;
            }
            Ok(Read::End) => break,
            Err(error) => {
                cancel.check()?;
                return Err(error.into());
            }
        };
        if plan.mends_clock {
            let base = if stream == plan.video { stage.video_base } else { stage.sound_base };
            if let Some(ticks) = packet.dts().or(packet.pts()) {
                let duration = Flicks::from_ticks(packet.duration(), base);
                let shift = clock.correction(Flicks::from_ticks(ticks, base), duration);
                packet.shift(to_ticks(shift, base));
            }
        }
        if stream == plan.video {
            stage.video_packet(&packet)?;
        } else {
            stage.sound_packet(&packet)?;
        }
    }
    stage.damage.jumps = clock.jumps();
    stage.finish()
}

struct Stage<'a> {
    video: Decoder,
    sound: Option<Decoder>,
    video_base: (i32, i32),
    sound_base: (i32, i32),
    plan: &'a Plan,
    pictures: &'a Pictures,
    sounds: &'a Sounds,
    cadence: Cadence,
    last_picture: Flicks,
    sound_end: Flicks,
    damage: Damage,
}

impl Stage<'_> {
    fn video_packet(&mut self, packet: &Packet) -> Result<(), MediaError> {
        if self.video.send(packet)? == Received::Damaged {
            self.damage.undecodable += 1;
        }
        self.take_pictures()
    }

    fn sound_packet(&mut self, packet: &Packet) -> Result<(), MediaError> {
        let Some(decoder) = &mut self.sound else { return Ok(()) };
        if decoder.send(packet)? == Received::Damaged {
            self.damage.undecodable += 1;
        }
        self.take_sounds()
    }

    fn take_pictures(&mut self) -> Result<(), MediaError> {
        let mut damaged = 0;
        loop {
            let mut picture = Picture::empty();
            match self.video.picture(&mut picture)? {
                Received::Frame => {
                    damaged = 0;
                    self.picture(picture)?;
                }
                Received::Damaged if damaged < MAX_DAMAGED_IN_A_ROW => {
                    damaged += 1;
                    self.damage.undecodable += 1;
                }
                Received::Hungry | Received::End | Received::Damaged => return Ok(()),
            }
        }
    }

    fn picture(&mut self, mut picture: Picture) -> Result<(), MediaError> {
        self.damage.guessed += u64::from(picture.is_damaged());
        let one = Flicks::from_ticks(1, (1, self.plan.rate.per_second().cast_signed()));
        // A picture without a time follows the one before it.
        let time = picture.decoded_at().map_or(self.last_picture.plus(one), |ticks| {
            Flicks::from_ticks(ticks, self.video_base).minus(self.plan.origin)
        });
        self.last_picture = time;
        let shown = Flicks::from_ticks(picture.shown_for(), self.video_base);
        let Some(slot) = self.cadence.place(time, shown) else { return Ok(()) };
        self.within_limits(self.cadence.slots())?;
        picture.set_pts(slot.cast_signed());
        self.pictures.send(Decoded::Frame(picture, slot)).map_err(|_| MediaError::Stopped)
    }

    fn within_limits(&self, slots: u64) -> Result<(), MediaError> {
        let seconds = slots / u64::from(self.plan.rate.per_second());
        if seconds > accepted::MAX_SECONDS {
            return Err(SourceFault::TooLong { hours: seconds / 3_600 }.into());
        }
        Ok(())
    }

    fn take_sounds(&mut self) -> Result<(), MediaError> {
        let mut damaged = 0;
        loop {
            let Some(decoder) = &mut self.sound else { return Ok(()) };
            let mut sound = Sound::empty();
            match decoder.sound(&mut sound)? {
                Received::Frame => {
                    damaged = 0;
                    self.sound(sound)?;
                }
                Received::Damaged if damaged < MAX_DAMAGED_IN_A_ROW => {
                    damaged += 1;
                    self.damage.undecodable += 1;
                }
                Received::Hungry | Received::End | Received::Damaged => return Ok(()),
            }
        }
    }

    fn sound(&mut self, sound: Sound) -> Result<(), MediaError> {
        let shape = sound.shape();
        if shape.rate == 0 || shape.channels == 0 || sound.samples() == 0 {
            return Ok(());
        }
        let time = sound.decoded_at().map_or(self.sound_end, |ticks| {
            Flicks::from_ticks(ticks, self.sound_base).minus(self.plan.origin)
        });
        let length =
            Flicks::from_ticks(i64::try_from(sound.samples()).unwrap_or(0), (1, shape.rate.cast_signed()));
        self.sound_end = time.plus(length);
        let seconds = self.sound_end.to_duration().as_secs();
        if seconds > accepted::MAX_SECONDS {
            return Err(SourceFault::TooLong { hours: seconds / 3_600 }.into());
        }
        self.sounds.send(Decoded::Frame(sound, time)).map_err(|_| MediaError::Stopped)
    }

    fn finish(mut self) -> Result<Damage, MediaError> {
        self.video.finish()?;
        self.take_pictures()?;
        if let Some(decoder) = &mut self.sound {
            decoder.finish()?;
        }
        self.take_sounds()?;
        let slots = self.cadence.slots();
        if slots == 0 {
            return Err(SourceFault::Undecodable.into());
        }
        let rate = self.plan.rate;
        let pictures_end = Flicks::from_ticks(slots.cast_signed(), (1, rate.per_second().cast_signed()));
        self.is_whole(pictures_end.max(self.sound_end))?;
        let segments = length(slots, pictures_end, self.sound_end, rate);
        self.pictures.send(Decoded::End(segments)).map_err(|_| MediaError::Stopped)?;
        self.sounds.send(Decoded::End(segments)).map_err(|_| MediaError::Stopped)?;
        Ok(self.damage)
    }

    /// A container that knows its length and a file that ends long before it: the rest was lost on the way.
    fn is_whole(&self, end: Flicks) -> Result<(), MediaError> {
        let Some(declared) = self.plan.declared.filter(|_| !self.plan.mends_clock) else { return Ok(()) };
        let lacking = declared.minus(end);
        if lacking > MAY_LACK_ANYWAY && lacking.0 > declared.0 / 1_000 * MAY_LACK {
            let (have, want) = (end.to_duration().as_secs(), declared.to_duration().as_secs());
            let problem = format!("it says it lasts {want} s and ends after {have} s");
            return Err(SourceFault::Truncated(problem).into());
        }
        Ok(())
    }
}

/// The fewest segments that hold all pictures and all sound worth hearing.
fn length(slots: u64, pictures_end: Flicks, sound_end: Flicks, rate: grid::FrameRate) -> SegmentCount {
    let pictures = slots.div_ceil(u64::from(rate.per_segment()));
    let pictures = SegmentCount(u32::try_from(pictures).unwrap_or(u32::MAX));
    if sound_end.minus(pictures_end) <= SOUND_OVERHANG {
        return pictures;
    }
    pictures.max(SegmentCount::covering(sound_end.minus(SOUND_OVERHANG).to_duration()))
}

fn to_ticks(time: Flicks, (num, den): (i32, i32)) -> i64 {
    let one = Flicks::from_ticks(1, (num, den)).0.max(1);
    time.0 / one
}

#[cfg(test)]
mod tests {
    use super::*;
    use grid::FrameRate;

    #[test]
    fn a_lesson_is_as_long_as_pictures_and_sound_need() {
        let millis = Flicks::from_millis;
        for (slots, sound_ms, segments, case) in [
            (30_000, 1_200_000, 250, "twenty minutes exactly"),
            (30_000, 1_200_064, 250, "the sound encoder filled its last frame"),
            (30_001, 1_200_000, 251, "one picture more"),
            (30_000, 1_201_000, 251, "a second of sound more"),
            (30_000, 4_000, 250, "sound that ends early"),
            (1, 0, 1, "one picture"),
            (1, 60_000, 13, "a still with a minute of sound"),
        ] {
            let end = Flicks::from_ticks(slots, (1, 25));
            let got = length(slots.unsigned_abs(), end, millis(sound_ms), FrameRate::Fps25);
            assert_eq!(got, SegmentCount(segments), "{case}");
        }
    }
}
