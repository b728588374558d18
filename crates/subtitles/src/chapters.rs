//! Chapters: where a lesson's parts begin.

use crate::encoding::decode;
use crate::error::{ParseError, Problem};
use crate::markup::{Markup, to_cue_text};
use crate::parse::MAX_FILE_BYTES;
use crate::{time, webvtt};
use package::Language;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The most chapters of a lesson.
pub const MAX_CHAPTERS: usize = 500;
/// The longest title, in characters; of a longer one the rest is left out.
const MAX_TITLE: usize = 200;

/// Where a part of a lesson begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// From here until the next.
    pub start_ms: u64,
    /// Plain text on one line, not empty.
    pub title: String,
}

impl Chapter {
    /// `None` without a title.
    pub fn new(start_ms: u64, title: &str) -> Option<Self> {
        let title: String = title.trim().chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect();
        (!title.is_empty()).then_some(Self { start_ms, title })
    }
}

/// Reads lines such as `00:03:20 Title`; empty ones and those that start with `#` are passed over.
///
/// # Errors
/// At the first line that is none, or that begins before the one in front of it.
pub fn parse_chapters(bytes: &[u8]) -> Result<Vec<Chapter>, ParseError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Problem::TooLong.at(1));
    }
    let text = decode(bytes)?;
    let mut chapters: Vec<Chapter> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (at, title) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let chapter = time::parse(at).and_then(|start_ms| Chapter::new(start_ms, title));
        let chapter = chapter.ok_or_else(|| Problem::Chapter(Problem::quoted(line)).at(number))?;
        if chapters.last().is_some_and(|before| before.start_ms >= chapter.start_ms) {
            return Err(Problem::Order.at(number));
        }
        if chapters.len() == MAX_CHAPTERS {
            return Err(Problem::TooManyChapters.at(number));
        }
        chapters.push(chapter);
    }
    if chapters.is_empty() { Err(Problem::Empty.at(1)) } else { Ok(chapters) }
}

/// As Apple's players read them (*Providing JavaScript Object Notation (JSON) chapters*): times in seconds.
pub fn chapters_json(chapters: &[Chapter], language: &Language, lesson_ms: u64) -> String {
    let mut text = "[".to_owned();
    for (place, (chapter, end_ms)) in spans(chapters, lesson_ms).enumerate() {
        let title = serde_json::to_string(&chapter.title).expect("a string is JSON");
        let (start, lasts) = (Seconds(chapter.start_ms), Seconds(end_ms - chapter.start_ms));
        write!(
            text,
            "{}\n{{\"chapter\":{},\"start-time\":{start},\"duration\":{lasts},\"titles\":[{{\"language\":\"{language}\",\"title\":{title}}}]}}",
            if place == 0 { "" } else { "," },
            place + 1,
        )
        .expect("a String takes all");
    }
    text.push_str("\n]\n");
    text
}

/// As browsers read them: a cue a chapter.
pub fn chapters_vtt(chapters: &[Chapter], lesson_ms: u64) -> String {
    webvtt::of_cues(
        spans(chapters, lesson_ms)
            .map(|(chapter, end_ms)| (chapter.start_ms, end_ms, to_cue_text(&chapter.title, Markup::Plain))),
    )
}

/// Those within the lesson, each with its end.
fn spans(chapters: &[Chapter], lesson_ms: u64) -> impl Iterator<Item = (&Chapter, u64)> {
    let within = chapters.iter().take_while(move |chapter| chapter.start_ms < lesson_ms);
    within.enumerate().map(move |(place, chapter)| {
        let next = chapters.get(place + 1).map_or(lesson_ms, |next| next.start_ms.min(lesson_ms));
        (chapter, next)
    })
}

struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teachers_list_becomes_both_forms() {
        let chapters =
            parse_chapters("# 第5课\n00:00 导入\n\n03:20 \"课文\" <一>\n1:00:00.500 end\n".as_bytes())
                .unwrap();
        assert_eq!(
            chapters.iter().map(|chapter| chapter.start_ms).collect::<Vec<_>>(),
            [0, 200_000, 3_600_500]
        );
        let json = chapters_json(&chapters, &"zh-CN".parse().unwrap(), 240_000);
        assert_eq!(
            json,
            "[\n{\"chapter\":1,\"start-time\":0.000,\"duration\":200.000,\"titles\":[{\"language\":\"zh-CN\",\"title\":\"导入\"}]},\n\
             {\"chapter\":2,\"start-time\":200.000,\"duration\":40.000,\"titles\":[{\"language\":\"zh-CN\",\"title\":\"\\\"课文\\\" <一>\"}]}\n]\n"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        assert_eq!(
            chapters_vtt(&chapters, 240_000),
            "WEBVTT\n\n00:00:00.000 --> 00:03:20.000\n导入\n\n00:03:20.000 --> 00:04:00.000\n\"课文\" &lt;一&gt;\n"
        );
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let many: String = (0..=MAX_CHAPTERS).map(|n| format!("{:02}:{:02} a\n", n / 60, n % 60)).collect();
        for (text, line, problem) in [
            ("", 1, Problem::Empty),
            ("intro\n", 1, Problem::Chapter("intro".into())),
            ("\n03:20\n", 2, Problem::Chapter("03:20".into())),
            ("03:20 a\n03:20 b\n", 2, Problem::Order),
            (&many, MAX_CHAPTERS + 1, Problem::TooManyChapters),
        ] {
            assert_eq!(parse_chapters(text.as_bytes()), Err(problem.at(line)), "{text:.20}");
        }
    }
}
