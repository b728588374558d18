//! The whole source, decoded once before anything is encoded: how long it really is, what is damaged, and from where
//! each chunk is to be decoded.
//!
//! Headers lie, and what chunks depend on (which picture is shown in which slot, across cuts and gaps) is only known
//! by walking there. Decoding is a twentieth of the work; walking once also finds what cannot be made a lesson before
//! minutes were spent on it.

use crate::accepted;
use crate::cadence::Cadence;
use crate::cancel::Cancel;
use crate::chunk::{Chunk, Entry};
use crate::decode::{self, Damage, Packets, PictureDecoder, SoundDecoder, Track};
use crate::fault::{MediaError, SourceFault};
use crate::ffmpeg::{Packet, Picture, Source};
use crate::plan::{Orientation, Timing};
use crate::probe::{SoundInfo, SourceInfo, other_sounds, probe};
use crate::quality::{Eye, Lengths, Measures};
use crate::sound::SoundSurvey;
use crate::texts::Texts;
use crate::timeline::Flicks;
use crate::title::{Activity, Watch};
use grid::{FrameRate, SegmentCount};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

/// Pictures before a chunk's first that are filtered with it.
const PREROLL: usize = 8;
/// Key pictures before the chunk's first picture from which decoding begins. The second: the pictures behind the
/// nearest one may still lean on what is before it (open GOPs, gradual refresh).
const KEYS_BEFORE: usize = 2;
/// A source that lost more than this part of what it declares was cut off, not scratched. In thousandths.
const MAY_LACK: i64 = 100;
/// A source may lack this much of its declared length whatever the part: containers round, and sound runs on.
const MAY_LACK_ANYWAY: Flicks = Flicks::from_millis(2_000);
/// How often progress is told, in slots.
const TELL_EVERY: u64 = 250;

/// Told how much of the lesson was seen, and how long its container says it is.
pub type Tell<'a> = dyn FnMut(Duration, Option<Duration>) -> Result<(), MediaError> + 'a;

/// What a source turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Streams and headers, corrected by what was decoded.
    pub source: SourceInfo,
    /// How long the lesson will be.
    pub segments: SegmentCount,
    /// For each chunk.
    pub entries: Vec<Entry>,
    /// What happens on the screen, segment by segment.
    pub activity: Vec<Activity>,
    /// What is damaged.
    pub damage: Damage,
    /// Subtitles and chapters within it.
    #[serde(default)]
    pub texts: Texts,
    /// What was seen and heard.
    pub measures: Measures,
}

/// Decodes all of the source that `open` opens from its first byte; tells how much media is done as it goes.
///
/// # Errors
/// When no lesson can be made of it, it cannot be read, or somebody stopped it.
pub fn survey(
    open: &dyn Fn() -> Result<Source, MediaError>,
    tell: &mut Tell<'_>,
    cancel: &Cancel,
) -> Result<Survey, MediaError> {
    let mut source = open()?;
    let mut info = probe(&source, None)?;
    let others = other_sounds(&source, &info);
    if !others.is_empty() {
        let instead = heard_instead(open, &info, others, cancel)?;
        source = open()?;
        info = probe(&source, instead)?;
    }
    let timing = Timing::of(&info);
    if let Some(hours) = info.too_many_hours() {
        // Looked at before hours of it are decoded for nothing.
        let end = decode::extent(&mut source, &timing, cancel)?;
        if end.to_duration().as_secs() > accepted::MAX_SECONDS {
            return Err(SourceFault::TooLong { hours }.into());
        }
        // Those that were opened of one file read on where the last one has come to.
        source = open()?;
    }
    let mut packets = Packets::new(&mut source, &timing, cancel);
    let mut pictures = PictureDecoder::open(packets.source(), &timing)?;
    let mut sounds = SoundDecoder::open(packets.source(), &timing)?;
    let orientation = info.video.display_matrix.map_or(Orientation::Upright, Orientation::from_matrix);
    let mut scout = Scout::new(timing.rate, orientation, timing.declared.map(Flicks::to_duration));
    let mut listener = SoundSurvey::default();
    let mut keys: Vec<Key> = Vec::new();
    let mut packet = Packet::empty();
    let mut seen = 0;
    while let Some(track) = packets.next(&mut packet)? {
        match track {
            Track::Video => {
                if packet.is_key()
                    && let Some(time) = packets.time(&packet, track)
                {
                    keys.push(Key { packet: seen, time });
                }
                seen += 1;
                let _ = pictures.packet(&packet, &mut |picture, time, shown| {
                    scout.picture(&picture, time, shown, tell)
                })?;
            }
            Track::Sound => sounds.packet(&packet, &mut |sound, time| listener.hear(sound, time))?,
        }
    }
    let _ = pictures.finish(&mut |picture, time, shown| scout.picture(&picture, time, shown, tell))?;
    sounds.finish(&mut |sound, time| listener.hear(sound, time))?;
    let slots = scout.cadence.slots();
    if slots == 0 {
        return Err(SourceFault::Undecodable.into());
    }
    let pictures_end = Flicks::from_ticks(slots.cast_signed(), (1, timing.rate.per_second().cast_signed()));
    let strays = pictures.strays().and(sounds.strays());
    // A container counts a wrong stamp, too: what it says of its length is nothing then.
    let explained = |end: Flicks| strays.count > 0 && end.minus(strays.farthest).abs() <= MAY_LACK_ANYWAY;
    let declared = timing.declared.filter(|&end| !explained(end));
    if let Some(declared) = declared.filter(|_| !timing.mends_clock) {
        is_whole(declared, pictures_end.max(sounds.end()))?;
    }
    let segments = decode::length(slots, sounds.end(), timing.rate);
    let (seen, heard) = (pictures.damage(), sounds.damage());
    let damage = Damage {
        unreadable: packets.unreadable(),
        undecodable: seen.undecodable + heard.undecodable,
        guessed: seen.guessed,
        jumps: packets.jumps(),
        strays: strays.count,
    };
    info.video.interlaced = scout.interlaced;
    let entries = scout.entries(segments, &keys);
    let millis = |end: Flicks| u64::try_from(end.to_duration().as_millis()).unwrap_or(u64::MAX);
    let heard = timing.sound.as_ref().map(|_| listener.finish()).transpose()?;
    let measures = Measures {
        lengths: Lengths {
            pictures_from_ms: scout.begin.map_or(0, millis),
            pictures_ms: millis(pictures_end),
            sound_from_ms: millis(sounds.begin()),
            sound_ms: heard.as_ref().map(|_| millis(sounds.end())),
            declared_ms: declared.map(millis),
        },
        pictures: scout.eye.finish(slots),
        loudness: heard.as_ref().and_then(|heard| heard.loudness),
        sound: heard.map(|heard| heard.measures),
    };
    Ok(Survey {
        source: info,
        segments,
        entries,
        activity: scout.watch.finish(segments.0),
        damage,
        texts: Texts::default(),
        measures,
    })
}

/// Of the `others`, the first on which something is to be heard, where nothing is on the one that `info` uses.
fn heard_instead(
    open: &dyn Fn() -> Result<Source, MediaError>,
    info: &SourceInfo,
    others: Vec<SoundInfo>,
    cancel: &Cancel,
) -> Result<Option<usize>, MediaError> {
    let is_heard = |sound: SoundInfo| {
        let timing = Timing::of(&SourceInfo { sound: Some(sound), ..info.clone() });
        decode::is_heard(&mut open()?, &timing, cancel)
    };
    if info.sound.clone().map_or(Ok(true), is_heard)? {
        return Ok(None);
    }
    for other in others {
        let stream = other.stream;
        match is_heard(other) {
            Ok(true) => return Ok(Some(stream)),
            // What is wrong with a track that is not used keeps no lesson back.
            Ok(false) | Err(MediaError::Source(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A picture that decoding may begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    packet: u64,
    time: Flicks,
}

/// A picture and what had been placed before it.
#[derive(Debug, Clone)]
struct Placed {
    time: Flicks,
    before: Cadence,
}

/// Walks over the pictures and remembers where chunks begin.
struct Scout {
    rate: FrameRate,
    /// When the first picture was recorded.
    begin: Option<Flicks>,
    cadence: Cadence,
    /// The last pictures placed, oldest first.
    recent: VecDeque<Placed>,
    /// Of the chunks from the second on, whose first slot was passed.
    starts: Vec<Placed>,
    interlaced: bool,
    watch: Watch,
    declared: Option<Duration>,
    eye: Eye,
    told: u64,
}

impl Scout {
    fn new(rate: FrameRate, orientation: Orientation, declared: Option<Duration>) -> Self {
        Self {
            rate,
            declared,
            begin: None,
            cadence: Cadence::new(rate),
            recent: VecDeque::with_capacity(PREROLL),
            starts: Vec::new(),
            interlaced: false,
            watch: Watch::new(rate),
            eye: Eye::new(rate, orientation),
            told: 0,
        }
    }

    fn picture(
        &mut self,
        picture: &Picture,
        time: Flicks,
        shown: Flicks,
        tell: &mut Tell<'_>,
    ) -> Result<ControlFlow<()>, MediaError> {
        self.interlaced |= picture.shape().interlaced;
        if let Some(slot) = self.place(time, shown)? {
            self.eye.look(picture, slot);
            if self.watch.wants(slot)
                && let Some(luma) = picture.luma()
            {
                self.watch.look(slot, &luma);
            }
        }
        let slots = self.cadence.slots();
        if slots >= self.told + TELL_EVERY {
            self.told = slots;
            let seconds = slots / u64::from(self.rate.per_second());
            tell(Duration::from_secs(seconds), self.declared)?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The slot from which the picture is shown; `None` when it is dropped.
    fn place(&mut self, time: Flicks, shown: Flicks) -> Result<Option<u64>, MediaError> {
        let before = self.cadence.clone();
        let Some(slot) = self.cadence.place(time, shown) else { return Ok(None) };
        self.begin.get_or_insert(time);
        let seconds = self.cadence.slots() / u64::from(self.rate.per_second());
        if seconds > accepted::MAX_SECONDS {
            return Err(SourceFault::TooLong { hours: seconds / 3_600 }.into());
        }
        // Chunks whose first slot lies before this picture: they begin with a picture from before it.
        while slot > self.next_start()
            && let Some(oldest) = self.recent.front()
        {
            self.starts.push(oldest.clone());
        }
        if self.recent.len() == PREROLL {
            self.recent.pop_front();
        }
        self.recent.push_back(Placed { time, before });
        Ok(Some(slot))
    }

    /// First slot of the first chunk that has no start yet.
    fn next_start(&self) -> u64 {
        let passed = u64::try_from(self.starts.len()).unwrap_or(u64::MAX);
        (passed + 1) * SegmentCount(crate::chunk::CHUNK_SEGMENTS).pictures(self.rate)
    }

    /// Chunks behind the last picture show that one.
    fn entries(&self, segments: SegmentCount, keys: &[Key]) -> Vec<Entry> {
        let later = Chunk::of(segments).skip(1).enumerate();
        let later = later.filter_map(|(index, _)| self.starts.get(index).or(self.recent.front()));
        let later = later.map(|start| Entry {
            packet: key_before(keys, start.time),
            picture: Some(start.time),
            cadence: start.before.clone(),
        });
        std::iter::once(Entry::first(self.rate)).chain(later).collect()
    }
}

/// The packet from which the picture at `time` can surely be decoded.
fn key_before(keys: &[Key], time: Flicks) -> u64 {
    let nearest = keys.iter().rposition(|key| key.time <= time);
    nearest.and_then(|nearest| keys.get((nearest + 1).checked_sub(KEYS_BEFORE)?)).map_or(0, |key| key.packet)
}

/// A container that knows its length and a file that ends long before it: the rest was lost on the way.
fn is_whole(declared: Flicks, end: Flicks) -> Result<(), MediaError> {
    let lacking = declared.minus(end);
    if lacking > MAY_LACK_ANYWAY && lacking.0 > declared.0 / 1_000 * MAY_LACK {
        let (have, want) = (end.to_duration().as_secs(), declared.to_duration().as_secs());
        let problem = format!("it says it lasts {want} s and ends after {have} s");
        return Err(SourceFault::Truncated(problem).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: i64) -> Flicks {
        Flicks::from_millis(millis)
    }

    /// A lesson whose pictures come at `times`, with a key picture at each of `keys` (packet, ms).
    fn entries(times: impl Iterator<Item = i64>, segments: u32, keys: &[(u64, i64)]) -> Vec<Entry> {
        let mut scout = Scout::new(FrameRate::Fps25, Orientation::Upright, None);
        times.for_each(|time| {
            scout.place(millis(time), Flicks::ZERO).unwrap();
        });
        let keys: Vec<Key> = keys.iter().map(|&(packet, at)| Key { packet, time: millis(at) }).collect();
        scout.entries(SegmentCount(segments), &keys)
    }

    #[test]
    fn a_chunk_begins_some_pictures_early_and_decodes_from_the_second_key_before_them() {
        let keys: Vec<(u64, i64)> = (0..26).map(|key| (key as u64 * 250, key * 10_000)).collect();
        let entries = entries((0..6_250).map(|n| n * 40), 52, &keys);
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[0], Entry::first(FrameRate::Fps25));
        // Slot 3,000 is at 120 s. The first picture behind it is 3,001; eight before that begin with 2,993.
        assert_eq!(entries[1].picture, Some(millis(2_993 * 40)));
        assert_eq!(entries[1].packet, 250 * 10, "keys at 110 s and 100 s");
        let mut cadence = entries[1].cadence.clone();
        assert_eq!(cadence.place(millis(2_993 * 40), Flicks::ZERO), Some(2_993));
    }

    #[test]
    fn a_slide_that_is_held_over_a_boundary_begins_the_chunk() {
        let entries = entries([0, 1_000, 2_000, 300_000, 301_000].into_iter(), 63, &[(0, 0)]);
        assert_eq!(entries.len(), 3);
        // Both chunks begin while the picture of 2 s is shown; all pictures so far are fewer than the pre-roll.
        for entry in &entries[1..] {
            assert_eq!((entry.picture, entry.packet), (Some(millis(0)), 0));
        }
    }

    #[test]
    fn chunks_behind_the_last_picture_show_it() {
        let entries = entries((0..20).map(|n| n * 40), 60, &[]);
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[2].picture, Some(millis(12 * 40)), "eight pictures from the end");
    }
}
