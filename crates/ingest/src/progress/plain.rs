//! Lines that stay, on standard error: one every few seconds and at each stage's end.

use super::{At, Done, LINE_EVERY, Report, sentence, tell_last};
use crate::fault::shown;
use faults::note;
use std::path::Path;
use std::time::Duration;

/// Remembers when it last wrote.
#[derive(Default)]
pub(super) struct Plain {
    next: Duration,
}

impl Report for Plain {
    fn begin(&mut self, file: &Path) {
        note!("{}", shown(file));
    }

    fn note(&mut self, text: &str) {
        note!("note: {text}");
    }

    fn at(&mut self, at: &At) {
        if at.elapsed < LINE_EVERY {
            self.next = LINE_EVERY;
        } else if at.elapsed >= self.next {
            self.next = at.elapsed + LINE_EVERY;
            note!("{}", sentence(at));
        }
    }

    fn stage_done(&mut self, at: &At) {
        self.next = LINE_EVERY;
        note!("{}", sentence(at));
    }

    fn done(&mut self, done: &Done) {
        tell_last(done);
    }

    fn failed(&mut self, _code: &str, _sentence: &str) {}
}
