//! Subtitles and chapters within the source: a walk over its text tracks alone, before anything is planned.
//!
//! Nothing is decoded: a packet of text is its text. Pictures as subtitles are passed over.

use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::ffmpeg::{Packet, Read, Source, Stream, StreamKind};
use crate::papers::MAX_TRACKS;
use crate::timeline::Flicks;
use package::Language;
use serde::{Deserialize, Serialize};
use subtitles::{Chapter, Cue, MAX_CHAPTERS, MAX_CUES, PacketFormat, Track, decode};

/// The most text taken, in bytes: that of a school day in some languages. What comes behind it is left out.
const MAX_TEXT: usize = 2 << 20;

/// What is within a source beside its media.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// Tracks in which something is said.
    pub tracks: Vec<Text>,
    /// In order of time.
    pub chapters: Vec<Chapter>,
}

/// One track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// `None`: the container does not say.
    pub language: Option<Language>,
    /// In order of the file.
    pub cues: Vec<Cue>,
}

impl Texts {
    /// The tracks; those that do not tell their language are in the one that is spoken.
    pub fn tracks(&self, spoken: &Language) -> impl Iterator<Item = Track> {
        self.tracks.iter().map(move |text| {
            Track::new(text.language.clone().unwrap_or_else(|| spoken.clone()), text.cues.clone())
        })
    }
}

/// Reads the text tracks of `source`, whose time `origin` is the lesson's 0.
///
/// # Errors
/// When the file cannot be read, or somebody stopped it.
pub fn texts(source: &mut Source, origin: Flicks, cancel: &Cancel) -> Result<Texts, MediaError> {
    let chapters = chapters(source, origin);
    let mut reading: Vec<Reading> =
        source.streams().iter().filter_map(Reading::of).take(MAX_TRACKS).collect();
    if !reading.is_empty() {
        source.select(&reading.iter().map(|reading| reading.stream).collect::<Vec<_>>());
        read(source, origin, cancel, &mut reading)?;
    }
    let tracks = reading.into_iter().map(|reading| reading.text).filter(|text| !text.cues.is_empty());
    Ok(Texts { tracks: tracks.collect(), chapters })
}

/// A track that is being read.
struct Reading {
    stream: usize,
    base: (i32, i32),
    format: PacketFormat,
    text: Text,
}

impl Reading {
    /// `None` for streams that are not text.
    fn of(stream: &Stream) -> Option<Self> {
        let format = match (stream.kind, stream.codec.as_str()) {
            (StreamKind::Other, "subrip" | "srt") => PacketFormat::SubRip,
            (StreamKind::Other, "ass" | "ssa") => PacketFormat::Ass,
            (StreamKind::Other, "webvtt") => PacketFormat::WebVtt,
            (StreamKind::Other, "mov_text") => PacketFormat::TimedText,
            (StreamKind::Other, "text") => PacketFormat::Plain,
            _ => return None,
        };
        let language = stream.language.as_deref().and_then(language);
        Some(Self {
            stream: stream.index,
            base: stream.time_base,
            format,
            text: Text { language, cues: Vec::new() },
        })
    }

    fn cue(&self, packet: &Packet, origin: Flicks) -> Option<Cue> {
        let start = packet.pts()?;
        let at = |ticks: i64| {
            let time = Flicks::from_ticks(ticks, self.base).minus(origin).to_duration();
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
        };
        self.format.cue(at(start), at(start.saturating_add(packet.duration().max(0))), packet.data())
    }
}

fn read(
    source: &mut Source,
    origin: Flicks,
    cancel: &Cancel,
    reading: &mut [Reading],
) -> Result<(), MediaError> {
    let mut packet = Packet::empty();
    let mut left = MAX_TEXT;
    loop {
        cancel.check()?;
        let stream = match source.read(&mut packet) {
            Ok(Read::Packet(stream)) => stream,
            Ok(Read::Damaged) => continue,
            Ok(Read::End) => return Ok(()),
            Err(error) => {
                cancel.check()?;
                return Err(error.into());
            }
        };
        let Some(track) = reading.iter_mut().find(|track| track.stream == stream) else { continue };
        if let Some(cue) = track.cue(&packet, origin) {
            match left.checked_sub(cue.text.len()) {
                Some(rest) if track.text.cues.len() < MAX_CUES => left = rest,
                _ => return Ok(()),
            }
            track.text.cues.push(cue);
        }
    }
}

fn chapters(source: &Source, origin: Flicks) -> Vec<Chapter> {
    let (starts, titles): (Vec<Flicks>, Vec<Vec<u8>>) = source.chapters().take(MAX_CHAPTERS).unzip();
    let chapters = starts.into_iter().zip(decoded(titles)).filter_map(|(start, title)| {
        let at = start.minus(origin).to_duration().as_millis();
        Chapter::new(u64::try_from(at).unwrap_or(u64::MAX), &title)
    });
    let mut chapters: Vec<Chapter> = chapters.collect();
    chapters.sort_by_key(|chapter| chapter.start_ms);
    chapters.dedup_by_key(|chapter| chapter.start_ms);
    chapters
}

/// All titles of a file, in the one encoding it has: of a single word one cannot tell, since 同学 in GBK is valid UTF-8.
fn decoded(mut titles: Vec<Vec<u8>>) -> Vec<String> {
    titles.iter_mut().flatten().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    match decode(&titles.join(&b'\n')) {
        Ok(all) => all.split('\n').map(str::to_owned).collect(),
        Err(_) => titles.iter().map(|title| String::from_utf8_lossy(title).into_owned()).collect(),
    }
}

/// Containers tell languages by three letters (ISO 639-2), players by two where there are two (RFC 5646 2.2.1). Those of
/// China's schools; others stay as they are.
fn language(code: &str) -> Option<Language> {
    let tag = match code {
        "und" | "mis" | "mul" | "zxx" | "" => return None,
        "chi" | "zho" => "zh",
        "eng" => "en",
        "bod" | "tib" => "bo",
        "uig" => "ug",
        "mon" => "mn",
        "kaz" => "kk",
        "kor" => "ko",
        "jpn" => "ja",
        "rus" => "ru",
        "fra" | "fre" => "fr",
        "deu" | "ger" => "de",
        "spa" => "es",
        other => other,
    };
    tag.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{decoded, language};

    #[test]
    fn titles_of_a_file_are_in_one_encoding() {
        let (pupils, text) = (b"\xcd\xac\xd1\xa7".to_vec(), b"\xbf\xce\n\xce\xc4".to_vec());
        for (titles, told) in [
            (vec![pupils.clone(), text], vec!["同学", "课 文"]),
            (vec!["同学".into(), "课文".into()], vec!["同学", "课文"]),
            (vec![pupils, b"\xbf".to_vec()], vec!["\u{36c}\u{467}", "\u{fffd}"]),
            (vec![b"A".to_vec(), Vec::new()], vec!["A", ""]),
        ] {
            assert_eq!(decoded(titles), told);
        }
    }

    #[test]
    fn three_letters_become_two() {
        for (code, tag) in
            [("chi", Some("zh")), ("eng", Some("en")), ("und", None), ("zh-TW", Some("zh-TW")), ("??", None)]
        {
            assert_eq!(language(code).as_ref().map(package::Language::as_str), tag, "{code}");
        }
    }
}
