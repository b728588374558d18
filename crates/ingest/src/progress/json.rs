//! One JSON object a line, on standard output.
//!
//! `event` is one of:
//!
//! | event | further fields |
//! |---|---|
//! | `begin` | `file` |
//! | `note` | `text` |
//! | `progress` | `stage`, `part` (0 to 1, absent when unknown), `speed` (× real time), `elapsed_s`, `left_s`; twice a second at most |
//! | `stage_done` | `stage`, `speed`, `elapsed_s` |
//! | `done` | `lesson`, `package`, `path`, `duration_ms`, `bytes`, `unchanged` |
//! | `failed` | `code`, `text` |
//!
//! Fields may be added; a reader passes over what it does not know.

use super::{At, Done, Report};
use faults::say;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The least time between two `progress` lines.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Remembers when it last wrote.
#[derive(Default)]
pub(super) struct Json {
    next: Duration,
}

fn line(value: &Value) {
    say!("{value}");
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000.0).round() / 1_000.0
}

impl Report for Json {
    fn begin(&mut self, file: &Path) {
        line(&json!({ "event": "begin", "file": file.to_string_lossy() }));
    }

    fn note(&mut self, text: &str) {
        line(&json!({ "event": "note", "text": text }));
    }

    fn at(&mut self, at: &At) {
        if at.elapsed < self.next {
            return;
        }
        self.next = at.elapsed + PROGRESS_EVERY;
        let mut value =
            json!({ "event": "progress", "stage": at.stage.as_str(), "elapsed_s": seconds(at.elapsed) });
        if let Some(part) = at.part {
            value["part"] = json!((part * 10_000.0).round() / 10_000.0);
        }
        if let Some(speed) = at.speed {
            value["speed"] = json!((speed * 1_000.0).round() / 1_000.0);
        }
        if let Some(left) = at.left {
            value["left_s"] = json!(seconds(left));
        }
        line(&value);
    }

    fn stage_done(&mut self, at: &At) {
        self.next = Duration::ZERO;
        line(&json!({
            "event": "stage_done", "stage": at.stage.as_str(), "speed": at.speed, "elapsed_s": seconds(at.elapsed),
        }));
    }

    fn done(&mut self, done: &Done) {
        line(&json!({
            "event": "done", "lesson": done.lesson, "package": done.package, "path": done.path,
            "duration_ms": done.duration_ms, "bytes": done.bytes, "unchanged": done.unchanged,
        }));
    }

    fn failed(&mut self, code: &str, text: &str) {
        line(&json!({ "event": "failed", "code": code, "text": text }));
    }
}
