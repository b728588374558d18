//! What is told while a drill runs: a line that changes on a terminal, a line now and then elsewhere.

use crate::report::sparkline;
use crate::swarm::Beat;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Columns of the drawn line.
const COLUMNS: usize = 30;
/// Where nobody watches, a line is said so often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// The line.
pub(crate) struct Progress {
    bar: ProgressBar,
    bytes: Vec<u64>,
    said: Instant,
}

impl Progress {
    /// For `players` to come.
    pub(crate) fn begin(players: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(players), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{elapsed} {bar:16} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self { bar, bytes: Vec::new(), said: Instant::now() }
    }

    /// Once a second.
    pub(crate) fn tell(&mut self, beat: &Beat) {
        self.bytes.push(beat.bytes);
        if self.bytes.len() > COLUMNS {
            self.bytes.remove(0);
        }
        let screens = beat.screens;
        let tenths = beat.bytes.saturating_mul(8) / 10_000_000;
        let message = format!(
            "播放 playing {} · 起播 starting {} · 卡顿 waiting {} · 错误 errors {} · {}.{:02} Gbit/s",
            screens.playing,
            screens.starting,
            screens.waiting,
            beat.errors,
            tenths / 100,
            tenths % 100
        );
        if self.bar.is_hidden() {
            if self.said.elapsed() >= PLAIN_EVERY {
                self.said = Instant::now();
                // Nobody can be told that nobody can be told.
                let _ = writeln!(std::io::stderr(), "drill: {} 到场 arrived · {message}", beat.arrived);
            }
            return;
        }
        self.bar.set_position(beat.arrived);
        self.bar.set_message(format!("{message} {}", sparkline(&self.bytes, COLUMNS)));
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
