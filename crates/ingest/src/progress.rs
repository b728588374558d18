//! How far an ingest is, for people at a terminal, for logs, and for machines.

mod json;
mod plain;
mod terminal;

use crate::clock::Stopwatch;
use faults::say;
use package::{LessonId, PackageId};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The source's bytes are hashed.
    Read,
    /// The source is decoded once, to see what it is.
    Survey,
    /// Excerpts are encoded at two qualities, to see what the lesson needs.
    Trial,
    /// Decoding and encoding.
    Transcode,
    /// The package is read back and judged.
    Check,
    /// Objects go to the store, then the lesson becomes visible.
    Publish,
}

impl Stage {
    /// The stage's name, the same in all three forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Survey => "survey",
            Self::Trial => "trial",
            Self::Transcode => "transcode",
            Self::Check => "check",
            Self::Publish => "publish",
        }
    }
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// Which.
    pub stage: Stage,
    /// From 0 to 1; `None` when the end is not known.
    pub part: Option<f64>,
    /// Media time done for each second of ours, when transcoding.
    pub speed: Option<f64>,
    /// Since the stage began.
    pub elapsed: Duration,
    /// Until the stage ends, going on like this.
    pub left: Option<Duration>,
}

/// A lesson that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its name.
    pub lesson: LessonId,
    /// What it is.
    pub package: PackageId,
    /// Where players find it, in the store and as URL path.
    pub path: String,
    /// Its length in milliseconds.
    pub duration_ms: u64,
    /// Bytes of all its objects.
    pub bytes: u64,
    /// No work was done: it was there.
    pub unchanged: bool,
}

/// One of the three ways of telling.
pub trait Report {
    /// Work on this file begins.
    fn begin(&mut self, file: &Path);
    /// Something the teacher should know, in a sentence.
    fn note(&mut self, sentence: &str);
    /// A stage is this far. Called often; shows what is worth showing.
    fn at(&mut self, at: &At);
    /// A stage is done.
    fn stage_done(&mut self, at: &At);
    /// The lesson is there.
    fn done(&mut self, done: &Done);
    /// The file failed, with this code and sentence. The fault's own line is printed by the caller.
    fn failed(&mut self, code: &str, sentence: &str);
}

/// How often a line is worth writing where lines stay.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The way that fits: JSON when asked, a bar on a terminal, lines otherwise.
pub fn report(json: bool) -> Box<dyn Report> {
    if json {
        Box::new(json::Json::default())
    } else if std::io::stderr().is_terminal() {
        Box::new(terminal::Terminal::default())
    } else {
        Box::new(plain::Plain::default())
    }
}

/// Follows one stage: counts, and says how fast and how long still.
pub struct Follow<'a> {
    report: &'a mut dyn Report,
    stage: Stage,
    since: Stopwatch,
    last: Option<At>,
}

impl<'a> Follow<'a> {
    /// The stage begins now.
    pub fn begin(report: &'a mut dyn Report, stage: Stage) -> Self {
        let mut follow = Self { report, stage, since: Stopwatch::start(), last: None };
        follow.tell(None, None);
        follow
    }

    /// `done` of `total` (0: unknown), `media` of it as media time.
    pub fn at(&mut self, done: u64, total: u64, media: Option<Duration>) {
        // Progress only: a float is good enough here.
        let part = (total > 0).then(|| (done as f64 / total as f64).clamp(0.0, 1.0));
        self.tell(part, media);
    }

    fn tell(&mut self, part: Option<f64>, media: Option<Duration>) {
        let elapsed = self.since.elapsed();
        let seconds = elapsed.as_secs_f64();
        // Chunks are through one by one: before the first, "0.00 × real time" would say that it stands still.
        let through = media.filter(|media| !media.is_zero() && seconds > 0.0);
        let speed = through.map(|media| media.as_secs_f64() / seconds);
        let left = part
            .filter(|&part| part > 0.0)
            .and_then(|part| Duration::try_from_secs_f64(seconds * (1.0 - part) / part).ok());
        let at = At { stage: self.stage, part, speed, elapsed, left };
        self.last = Some(at);
        self.report.at(&at);
    }

    /// The stage is done.
    pub fn end(self) {
        let before = self.last;
        let elapsed = self.since.elapsed();
        let speed = before.and_then(|at| at.speed);
        let left = Some(Duration::ZERO);
        self.report.stage_done(&At { stage: self.stage, part: Some(1.0), speed, elapsed, left });
    }
}

/// `1 gap`, `2 gaps`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `1:02:03` or `2:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `transcode 42 %, 1.31 × real time, 5:07 left`.
fn sentence(at: &At) -> String {
    let mut text = at.stage.as_str().to_owned();
    if let Some(part) = at.part {
        text.push_str(&format!(" {:.0} %", part * 100.0));
    }
    if let Some(speed) = at.speed {
        text.push_str(&format!(", {speed:.2} × real time"));
    }
    match at.left {
        Some(left) if at.part != Some(1.0) => text.push_str(&format!(", {} left", clock(left))),
        _ => text.push_str(&format!(", {}", clock(at.elapsed))),
    }
    text
}

/// `lesson fractions package 0f3a… path lessons/fractions/main.m3u8` on standard output: the last line everywhere but
/// in JSON. A reader that went away does not matter: the lesson is there.
fn tell_last(done: &Done) {
    let how = if done.unchanged { " (unchanged)" } else { "" };
    let line = format!("lesson {} package {} path {}{how}", done.lesson, done.package, done.path);
    say!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Vec<Option<f64>>);

    impl Report for Heard {
        fn begin(&mut self, _: &Path) {}
        fn at(&mut self, at: &At) {
            self.0.push(at.speed);
        }
        fn stage_done(&mut self, _: &At) {}
        fn note(&mut self, _: &str) {}
        fn done(&mut self, _: &Done) {}
        fn failed(&mut self, _: &str, _: &str) {}
    }

    #[test]
    fn no_speed_is_told_before_anything_is_through() {
        let mut heard = Heard::default();
        let mut follow = Follow::begin(&mut heard, Stage::Transcode);
        follow.at(1, 10, Some(Duration::ZERO));
        follow.at(5, 10, Some(Duration::from_secs(9)));
        assert!(matches!(heard.0[..], [None, None, Some(_)]), "{:?}", heard.0);
    }

    #[test]
    fn sentences() {
        let at = |part, speed, left| At {
            stage: Stage::Transcode,
            part,
            speed,
            elapsed: Duration::from_secs(65),
            left: Option::map(left, Duration::from_secs),
        };
        for (at, text) in [
            (at(Some(0.421), Some(1.309), Some(307)), "transcode 42 %, 1.31 × real time, 5:07 left"),
            (at(None, Some(0.5), None), "transcode, 0.50 × real time, 1:05"),
            (at(Some(1.0), None, Some(0)), "transcode 100 %, 1:05"),
            (at(Some(0.01), None, Some(3_723)), "transcode 1 %, 1:02:03 left"),
        ] {
            assert_eq!(sentence(&at), text);
        }
    }
}
