//! What a lesson consists of beside its media: subtitles, chapters, the language spoken.
//!
//! Subtitles lie beside the source and are named like it (`lesson.srt`, `lesson.en.vtt`), are given by name, or are
//! within it. Of several in one language the one that was given counts, then the one beside, then the one within:
//! whoever made a file for it meant it.

mod beside;

pub use beside::{PapersFault, SubtitleFile};

use package::{Description, Digest, Hasher, Language};
use std::path::Path;
use subtitles::{Chapter, Track};

/// The most tracks of subtitles of a lesson.
pub const MAX_TRACKS: usize = 16;

/// What a lesson consists of beside its media.
#[derive(Debug, Clone, PartialEq)]
pub struct Papers {
    /// Language of the sound.
    pub language: Language,
    /// One a language.
    pub subtitles: Vec<Track>,
    /// In order of time.
    pub chapters: Vec<Chapter>,
}

impl Papers {
    /// What was given and what lies beside `source`.
    ///
    /// # Errors
    /// When a file cannot be read or makes no sense; a lesson without the subtitles somebody made for it would be
    /// published without anybody noticing.
    pub fn beside(source: &Path, given: &[SubtitleFile], about: &Description) -> Result<Self, PapersFault> {
        let language = about.spoken();
        let mut papers = Self { subtitles: Vec::new(), chapters: beside::chapters(source)?, language };
        for file in given.iter().cloned().chain(beside::find(source)?) {
            let language = file.language.clone().unwrap_or_else(|| papers.language.clone());
            if papers.lacks(&language) {
                papers.subtitles.push(beside::read(&file.path, language)?);
            }
        }
        Ok(papers)
    }

    /// Adds what is within the source, where nothing else was made for it.
    pub fn within(&mut self, tracks: impl IntoIterator<Item = Track>, chapters: Vec<Chapter>) {
        for track in tracks {
            if self.lacks(&track.language) && !track.cues.is_empty() {
                self.subtitles.push(track);
            }
        }
        if self.chapters.is_empty() {
            self.chapters = chapters;
        }
    }

    /// Of everything that does not follow from the source; `None` when that is nothing, so that a lesson alone has the
    /// key that its media have.
    pub fn digest(&self) -> Option<Digest> {
        let plain =
            Self { language: Description::default().spoken(), subtitles: Vec::new(), chapters: Vec::new() };
        if *self == plain {
            return None;
        }
        let mut hasher = Hasher::new();
        let parts = (&self.language, &self.subtitles, &self.chapters);
        hasher.update(&serde_json::to_vec(&parts).expect("plain structs with string keys"));
        Some(hasher.finish())
    }

    fn lacks(&self, language: &Language) -> bool {
        self.subtitles.len() < MAX_TRACKS && self.subtitles.iter().all(|track| track.language != *language)
    }
}

#[cfg(test)]
mod tests;
