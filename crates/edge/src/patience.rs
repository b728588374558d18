//! How long a client keeps a place of which it takes next to nothing, where another wants it. Pure.
//!
//! A place that nobody else wants may be held by the slowest. What is counted is the time in which the client has something to take: what
//! a server or a narrow line of our own lets it wait for is not its time.

use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// Bytes a second that keep a place: anything that plays needs more (`min_rate`).
const LEAST_RATE: u64 = 4_000;
/// Before anything is known of a client.
const FIRST: Duration = Duration::from_secs(30);
/// Nobody takes much to take nothing afterwards. What lies between us and a client takes over a megabyte at once, though, before
/// the client has any of it.
const MOST: Duration = Duration::from_secs(120);

/// What a place is for that can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceFor {
    /// An answer of an upstream that goes to this client alone.
    Answer,
    /// Something that is taken home.
    Download,
}

impl Label for PlaceFor {
    const ALL: &'static [Self] = &[Self::Answer, Self::Download];

    fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Download => "download",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What is left of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    left: Duration,
    /// When it ends, while the client has something to take.
    until: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: FIRST, until: None }
    }
}

impl Patience {
    /// The client has so many bytes to take.
    pub(crate) fn gave(self, bytes: usize, now: Instant) -> Self {
        let paid = Duration::from_millis((bytes as u64).saturating_mul(1_000) / LEAST_RATE);
        let left = self.left(now).saturating_add(paid).min(MOST);
        Self { left, until: Some(now + left) }
    }

    /// It has taken them, and waits for more.
    pub(crate) fn asked(self, now: Instant) -> Self {
        Self { left: self.left(now), until: None }
    }

    /// Whether it has ended.
    pub(crate) fn is_over(self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    fn left(self, now: Instant) -> Duration {
        self.until.map_or(self.left, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_takes_little_or_nothing_is_out_of_it_sooner_or_later() {
        for (bytes, every, ends) in [
            (64 << 10, 16, None),
            (64 << 10, 60, Some(45..90)),
            (4_000, 1, None),
            (3_000, 1, Some(119..122)),
            (1, 10, Some(30..31)),
            // As fits into everything between us.
            (2 << 20, 600, Some(120..121)),
        ] {
            let begun = Instant::now();
            let mut patience = Patience::default();
            let ended = (0..3_600_u32).find(|&second| {
                let now = begun + second * SECOND;
                let is_over = patience.is_over(now);
                if second % every == 0 {
                    patience = patience.asked(now).gave(bytes, now);
                }
                is_over
            });
            let fits = match (&ends, ended) {
                (Some(ends), Some(ended)) => ends.contains(&ended),
                (ends, ended) => ends.is_none() && ended.is_none(),
            };
            assert!(fits, "{bytes} every {every} s: {ended:?}");
        }
    }

    #[test]
    fn what_it_is_let_wait_for_is_not_its_time() {
        let begun = Instant::now();
        let mut patience = Patience::default();
        for turn in 0..100 {
            let now = begun + turn * 600 * SECOND;
            assert!(!patience.is_over(now));
            patience = patience.gave(1_000, now).asked(now + SECOND / 4);
        }
    }
}
