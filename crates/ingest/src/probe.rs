//! What a source is, in our words.

use crate::accepted;
use crate::fault::SourceFault;
use crate::ffmpeg::{Source, Stream, StreamKind};
use crate::timeline::Flicks;
use serde::{Deserialize, Serialize};

/// What containers say where nobody said in which language it is (ISO 639-2).
const UNDETERMINED: &str = "und";

/// What a source is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// FFmpeg's name of the container.
    pub container: String,
    /// The pictures.
    pub video: VideoInfo,
    /// The sound, if there is any.
    pub sound: Option<SoundInfo>,
    /// Where the container says the last stream ends; `None` if it does not say.
    pub declared_end: Option<Flicks>,
    /// What was found and left out, in a sentence each.
    pub notes: Vec<String>,
}

impl SourceInfo {
    /// No index and no stated length: what it says of its end is guessed from its last time stamps, which jump where
    /// it was cut.
    pub fn is_transport_stream(&self) -> bool {
        self.container == "mpegts"
    }

    /// The hours that it says it lasts, where those are more than a lesson may have. One wrong time stamp makes a container say so.
    pub fn too_many_hours(&self) -> Option<u64> {
        let seconds = declared_length(self)?.to_duration().as_secs();
        (seconds > accepted::MAX_SECONDS).then_some(seconds / 3_600)
    }
}

/// The pictures of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// Place in the container.
    pub stream: usize,
    /// Decoder.
    pub decoder: String,
    /// Columns as stored.
    pub width: u32,
    /// Rows as stored.
    pub height: u32,
    /// Width of a sample over its height.
    pub sample_aspect: (i32, i32),
    /// How it lies.
    pub display_matrix: Option<[i32; 4]>,
    /// Pictures a second on average, as a fraction; `(0, _)` if unknown.
    pub average_rate: (i32, i32),
    /// Time of the first picture.
    pub start: Flicks,
    /// A picture of two fields was decoded; headers do not tell.
    pub interlaced: bool,
}

/// The sound of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundInfo {
    /// Place in the container.
    pub stream: usize,
    /// Decoder.
    pub decoder: String,
    /// Channels.
    pub channels: u32,
    /// Time of the first sample.
    pub start: Flicks,
}

/// Chooses the streams of `source` and checks them against the closed lists and limits. `instead`: the sound track that is used
/// because nothing is to be heard on the one that would be.
///
/// # Errors
/// No video, a codec that is not accepted, no duration, an absurd size.
pub fn probe(source: &Source, instead: Option<usize>) -> Result<SourceInfo, SourceFault> {
    let mut notes = Vec::new();
    let video =
        choose(source.streams(), StreamKind::Video, accepted::is_video).ok_or(SourceFault::NoVideo)?;
    if !accepted::is_video(&video.codec) {
        return Err(SourceFault::Codec { what: "video", codec: video.codec.clone() });
    }
    if video.width == 0 || video.height == 0 {
        return Err(SourceFault::NoVideo);
    }
    if u64::from(video.width) * u64::from(video.height) > accepted::MAX_PIXELS {
        return Err(SourceFault::TooLarge { width: video.width, height: video.height });
    }
    let tracks = count(source, StreamKind::Video);
    if tracks > 1 {
        // A recorder that was started anew may number its streams anew: all behind the join is in others.
        notes.push(format!("{tracks} picture tracks; one is used, what is in the others is left out"));
    }
    let sound = choose(source.streams(), StreamKind::Audio, accepted::is_audio);
    if let Some(sound) = sound
        && !accepted::is_audio(&sound.codec)
    {
        return Err(SourceFault::Codec { what: "sound", codec: sound.codec.clone() });
    }
    let sound = sound.filter(|sound| has_come(sound));
    let other = instead.and_then(|index| source.streams().get(index));
    let tracks = count(source, StreamKind::Audio);
    match (sound, other) {
        (None, _) => notes.push("there is no sound; the lesson will be silent".to_owned()),
        (Some(_), Some(other)) => {
            let before = source.streams().iter().take(other.index);
            let number = before.filter(|stream| stream.kind == StreamKind::Audio).count() + 1;
            notes.push(format!(
                "{tracks} sound tracks; nothing is to be heard (无声) on the one to play, number {number} is used"
            ));
        }
        (Some(sound), None) if tracks > 1 => {
            let which = if sound.is_default { "the default one" } else { "one" };
            let language = sound.language.as_ref().filter(|code| *code != UNDETERMINED);
            let language = language.map_or_else(String::new, |code| format!(" ({code})"));
            notes.push(format!("{tracks} sound tracks; {which}{language} is used"));
        }
        (Some(_), None) => {}
    }
    let sound = other.or(sound);
    let info = SourceInfo {
        container: source.container().to_owned(),
        declared_end: declared_end(source, [Some(video), sound]),
        video: VideoInfo {
            stream: video.index,
            decoder: video.codec.clone(),
            width: video.width,
            height: video.height,
            sample_aspect: video.sample_aspect,
            display_matrix: video.display_matrix,
            average_rate: video.average_rate,
            start: start(video),
            interlaced: false,
        },
        sound: sound.map(sound_info),
        notes,
    };
    match declared_length(&info) {
        Some(length) if length <= Flicks::ZERO => Err(SourceFault::NoDuration),
        _ => Ok(info),
    }
}

/// The sound tracks beside the one that `info` uses, in the container's order.
pub fn other_sounds(source: &Source, info: &SourceInfo) -> Vec<SoundInfo> {
    let Some(used) = &info.sound else { return Vec::new() };
    let sounds = source.streams().iter().filter(|stream| stream.kind == StreamKind::Audio);
    let others = sounds.filter(|stream| stream.index != used.stream);
    others.filter(|stream| accepted::is_audio(&stream.codec) && has_come(stream)).map(sound_info).collect()
}

/// Whether more came of a sound track than that it was announced.
fn has_come(sound: &Stream) -> bool {
    sound.channels > 0 && sound.sample_rate > 0
}

fn sound_info(sound: &Stream) -> SoundInfo {
    SoundInfo {
        stream: sound.index,
        decoder: sound.codec.clone(),
        channels: sound.channels,
        start: start(sound),
    }
}

fn start(stream: &Stream) -> Flicks {
    Flicks::from_ticks(stream.start.unwrap_or(0), stream.time_base)
}

/// Of the streams of a kind whose codec is `accepted`, the default one, else the one with the most samples. Only where there is
/// none, one that is not accepted.
fn choose(streams: &[Stream], kind: StreamKind, accepted: fn(&str) -> bool) -> Option<&Stream> {
    streams
        .iter()
        .filter(|stream| stream.kind == kind)
        // max_by_key takes the last of equals: turned round, the first in the container wins.
        .rev()
        .max_by_key(|stream| {
            let samples = u64::from(stream.width) * u64::from(stream.height);
            (accepted(&stream.codec), stream.is_default, samples, stream.channels)
        })
}

fn count(source: &Source, kind: StreamKind) -> usize {
    source.streams().iter().filter(|stream| stream.kind == kind).count()
}

/// Of the chosen streams where they say it, else of the container.
fn declared_end(source: &Source, chosen: [Option<&Stream>; 2]) -> Option<Flicks> {
    let streams = chosen.into_iter().flatten();
    let ends = streams.filter_map(|stream| {
        let end = stream.start.unwrap_or(0).saturating_add(stream.duration?);
        Some(Flicks::from_ticks(end, stream.time_base))
    });
    ends.max().or_else(|| {
        let first = source
            .streams()
            .iter()
            .filter_map(|stream| Some(Flicks::from_ticks(stream.start?, stream.time_base)));
        let length = source.duration_micros().map(Flicks::from_micros)?;
        Some(first.min().unwrap_or(Flicks::ZERO).plus(length))
    })
}

/// What its container says that it lasts; `None` where that is guessed.
fn declared_length(info: &SourceInfo) -> Option<Flicks> {
    let end = info.declared_end.filter(|_| !info.is_transport_stream())?;
    let start = info.sound.as_ref().map_or(info.video.start, |sound| sound.start.min(info.video.start));
    Some(end.minus(start))
}
