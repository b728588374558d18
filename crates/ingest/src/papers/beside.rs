//! Files beside the source, and files given by name.

use faults::{Blame, Fault};
use package::Language;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use subtitles::{Chapter, Format, MAX_FILE_BYTES, ParseError, Track};

/// The most entries of the source's folder that are looked at.
const MAX_ENTRIES: usize = 10_000;

/// A file of subtitles, as `--subtitles` takes it: `FILE` or `FILE:LANG`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubtitleFile {
    /// Where it is.
    pub path: PathBuf,
    /// `None`: that of the sound.
    pub language: Option<Language>,
}

/// Why text beside a source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PapersFault {
    /// A file or the folder cannot be read.
    #[error("{}: {source}; make it readable, or move it away from the lesson", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not of a kind we know.
    #[error("{}: subtitles are files of .srt, .vtt, .ass or .ssa; convert it", .0.display())]
    Kind(PathBuf),
    /// A file says something that makes no sense.
    #[error("{}:{}: {source}", path.display(), source.line)]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: ParseError,
    },
}

impl Fault for PapersFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "SUBTITLES_UNREADABLE",
            Self::Kind(_) => "SUBTITLES_FORMAT",
            Self::Malformed { .. } => "SUBTITLES_MALFORMED",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl FromStr for SubtitleFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name may hold a colon: only what can be a language behind the last one is one.
        if let Some((path, tag)) = text.rsplit_once(':')
            && let Ok(language) = tag.parse()
        {
            return Ok(Self { path: path.into(), language: Some(language) });
        }
        Ok(Self { path: text.into(), language: None })
    }
}

/// Subtitles beside `source`: its name without extension, a language or nothing, and an extension that we know.
pub(super) fn find(source: &Path) -> Result<Vec<SubtitleFile>, PapersFault> {
    let Some(stem) = source.file_stem().and_then(|stem| stem.to_str()) else { return Ok(Vec::new()) };
    let folder = match source.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let unreadable = |source| PapersFault::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)?.take(MAX_ENTRIES) {
        let name = entry.map_err(unreadable)?.file_name();
        if let Some(language) = name.to_str().and_then(|name| language_of(name, stem)) {
            found.push(SubtitleFile { path: folder.join(&name), language });
        }
    }
    // A folder has no order; the same files must make the same package.
    found.sort();
    Ok(found)
}

/// The language that `name` tells, if it is one of subtitles of `stem`.
fn language_of(name: &str, stem: &str) -> Option<Option<Language>> {
    let rest = name.strip_prefix(stem)?.strip_prefix('.')?;
    let (tag, extension) = rest.rsplit_once('.').map_or((None, rest), |(tag, rest)| (Some(tag), rest));
    Format::of_extension(extension)?;
    match tag {
        None => Some(None),
        Some(tag) => known_tag(tag).map(Some),
    }
}

/// A tag, or one of the abbreviations in use; `lesson.final.srt` tells none.
fn known_tag(tag: &str) -> Option<Language> {
    let tag = match tag.to_ascii_lowercase().as_str() {
        "chs" | "sc" | "gb" => "zh-Hans",
        "cht" | "tc" | "big5" => "zh-Hant",
        "chi" | "zho" => "zh",
        "eng" => "en",
        _ => tag,
    };
    let language: Language = tag.parse().ok()?;
    let first = language.as_str().split('-').next().unwrap_or_default();
    (2..=3).contains(&first.len()).then_some(language)
}

/// A track from its file.
pub(super) fn read(path: &Path, language: Language) -> Result<Track, PapersFault> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let format = Format::of_extension(extension).ok_or_else(|| PapersFault::Kind(path.to_owned()))?;
    let malformed = |source| PapersFault::Malformed { path: path.to_owned(), source };
    let cues = subtitles::parse(&bytes(path)?, format).map_err(malformed)?;
    Ok(Track::new(language, cues))
}

/// Chapters from `<name>.chapters.txt` beside `source`; none when there is no such file.
pub(super) fn chapters(source: &Path) -> Result<Vec<Chapter>, PapersFault> {
    let path = source.with_extension("chapters.txt");
    let bytes = match bytes(&path) {
        Err(PapersFault::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        bytes => bytes?,
    };
    subtitles::parse_chapters(&bytes).map_err(|source| PapersFault::Malformed { path, source })
}

/// At most one byte more than a file may have: too many are told as such.
fn bytes(path: &Path) -> Result<Vec<u8>, PapersFault> {
    let unreadable = |source| PapersFault::Unreadable { path: path.to_owned(), source };
    // Opening a pipe would wait for its writer.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::ErrorKind::InvalidInput.into()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_languages() {
        let tag = |language: Option<Option<Language>>| {
            language.map(|language| language.map_or("spoken".to_owned(), |language| language.to_string()))
        };
        for (name, told) in [
            ("lesson 1.srt", Some("spoken")),
            ("lesson 1.zh-cn.srt", Some("zh-CN")),
            ("lesson 1.EN.VTT", Some("en")),
            ("lesson 1.chs.ass", Some("zh-Hans")),
            ("lesson 1.eng.ssa", Some("en")),
            ("lesson 1.final.srt", None),
            ("lesson 1.mp4", None),
            ("lesson 10.srt", None),
            ("lesson.srt", None),
        ] {
            assert_eq!(tag(language_of(name, "lesson 1")).as_deref(), told, "{name}");
        }
    }

    #[test]
    fn options_may_name_a_language() {
        for (text, path, language) in [
            ("a.srt", "a.srt", None),
            ("a.srt:zh-CN", "a.srt", Some("zh-CN")),
            ("C:/a.srt", "C:/a.srt", None),
            ("a:b/c.srt:en", "a:b/c.srt", Some("en")),
        ] {
            let file: SubtitleFile = text.parse().unwrap();
            assert_eq!(
                (file.path.to_str(), file.language.as_ref().map(Language::as_str)),
                (Some(path), language)
            );
        }
    }
}
