//! What several lessons at the same time say: lines that name their lesson.

use crate::progress::{At, Done, Report};
use faults::{note, say};
use package::LessonId;
use serde_json::{Value, json};
use std::path::Path;

/// One lesson's lines, or JSON objects with a `lesson`.
pub(super) struct Lane {
    pub(super) lesson: LessonId,
    pub(super) json: bool,
}

impl Lane {
    fn say(&self, text: &str, mut value: Value) {
        if self.json {
            value["lesson"] = json!(self.lesson);
            say!("{value}");
        } else {
            note!("{}: {text}", self.lesson);
        }
    }
}

impl Report for Lane {
    fn begin(&mut self, file: &Path) {
        let file = file.to_string_lossy();
        self.say(&format!("begins with {file}"), json!({ "event": "begin", "file": file }));
    }

    fn note(&mut self, sentence: &str) {
        self.say(&format!("note: {sentence}"), json!({ "event": "note", "text": sentence }));
    }

    fn at(&mut self, _at: &At) {}

    fn stage_done(&mut self, at: &At) {
        let (stage, seconds) = (at.stage.as_str(), at.elapsed.as_secs());
        let value = json!({ "event": "stage_done", "stage": stage, "speed": at.speed, "elapsed_s": seconds });
        self.say(&format!("{stage} done in {seconds} s"), value);
    }

    fn done(&mut self, done: &Done) {
        let how = if done.unchanged { " (unchanged)" } else { "" };
        let value = json!({ "event": "done", "package": done.package, "path": done.path,
            "duration_ms": done.duration_ms, "bytes": done.bytes, "unchanged": done.unchanged });
        self.say(&format!("package {} path {}{how}", done.package, done.path), value);
    }

    fn failed(&mut self, code: &str, sentence: &str) {
        self.say(
            &format!("{code}: {sentence}"),
            json!({ "event": "failed", "code": code, "text": sentence }),
        );
    }
}
