//! A bar that redraws itself, on standard error.

use super::{At, Done, Report, sentence, tell_last};
use crate::fault::shown;
use faults::note;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;

/// Steps of a bar.
const STEPS: u64 = 1_000;
/// Redraws a second at most.
const REDRAWS_HZ: u8 = 8;

/// A bar for each stage.
#[derive(Default)]
pub(super) struct Terminal {
    bar: Option<ProgressBar>,
}

impl Terminal {
    fn bar(&mut self) -> &ProgressBar {
        self.bar.get_or_insert_with(|| {
            let bar =
                ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr_with_hz(REDRAWS_HZ));
            let style = ProgressStyle::with_template("  {bar:30} {msg}").expect("the template is constant");
            bar.with_style(style)
        })
    }
}

impl Report for Terminal {
    fn begin(&mut self, file: &Path) {
        note!("{}", shown(file));
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note!("  note: {text}")),
            None => note!("  note: {text}"),
        }
    }

    fn at(&mut self, at: &At) {
        let bar = self.bar();
        bar.set_message(sentence(at));
        // Steps of a bar: a float is good enough.
        bar.set_position((at.part.unwrap_or(0.0) * STEPS as f64) as u64);
    }

    fn stage_done(&mut self, at: &At) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        note!("  {}", sentence(at));
    }

    fn done(&mut self, done: &Done) {
        tell_last(done);
    }

    fn failed(&mut self, _code: &str, _sentence: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
