//! Periods one after the other: what is on is read, multiplexed, and handed over to be sent.

use crate::library::{ANSWER, Library, LibraryError};
use crate::line::{Line, Plans};
use crate::metrics::{Metrics, Shown};
use crate::pace::Time;
use bytes::Bytes;
use conformance::Fetch;
use jiff::Timestamp;
use multiplex::{Guide, Media, Multiplexer, period_start_ms};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use telemetry::{Check, Label, Telemetry};
use tokio::time::Instant;

/// How often plans are read again. A change at five in the morning is on air long before the bell.
const PLANS_EVERY: Duration = Duration::from_secs(10);
/// A period is made this long before it begins at the latest, with the slate if need be.
const IN_HAND: Duration = Duration::from_millis(500);
/// Between two tries to read a segment.
const RETRY: Duration = Duration::from_millis(500);

/// A period ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) packets: Bytes,
    /// What is on, for whoever watches the program.
    pub(crate) title: String,
    pub(crate) shown: Shown,
}

/// Makes periods.
pub(crate) struct Maker {
    /// By which it is sent.
    pub(crate) time: Time,
    pub(crate) plans: Plans,
    /// Reads plans.
    pub(crate) papers: Box<dyn Fetch + Send>,
    pub(crate) library: Library,
    pub(crate) multiplexer: Multiplexer,
    /// Grey and silent, of the channel's size.
    pub(crate) slate: Arc<Media>,
    /// By how many segments the feed is behind the grid.
    pub(crate) behind: u64,
    pub(crate) metrics: Metrics,
    pub(crate) telemetry: Telemetry,
}

/// When periods are made.
pub(crate) enum Tempo {
    /// With the clock, until the other end of the channel is gone: then the feed ends.
    Live(Receiver<()>),
    /// As fast as it goes, so many.
    Fast(u64),
}

impl Maker {
    /// Makes periods from `first` on and gives them to `take`, until that wants no more.
    ///
    /// The period before is made too, and not given: what became of its segment decides whose last sound the first period
    /// carries, and a feed that starts now shall send what one that has been running sends.
    pub(crate) fn run(mut self, first: u64, tempo: &Tempo, mut take: impl FnMut(Made) -> bool) {
        let mut before = Arc::new(Media::default());
        let mut guide = self.plans.guide();
        let mut plans_read = self.now();
        let last = match tempo {
            Tempo::Live(_) => u64::MAX,
            Tempo::Fast(count) => first.saturating_add(*count),
        };
        let mut number = first - 1;
        while number < last {
            let now = self.now();
            if let Tempo::Live(stop) = tempo {
                // A segment is published when it is on, and not asked for before.
                let published = start(number.saturating_sub(self.behind));
                if !wait(stop, published.saturating_sub(now)) {
                    return;
                }
                if now > start(number + 1) {
                    tracing::error!(
                        number,
                        "periods cannot be made as fast as they are sent; one is left out"
                    );
                    before = Arc::clone(&self.slate);
                    number += 1;
                    continue;
                }
                if now.saturating_sub(plans_read) >= PLANS_EVERY {
                    plans_read = now;
                    if self.read_plans(now) {
                        guide = self.plans.guide();
                    }
                }
            }
            let (made, media) = self.period(number, &before, &guide, tempo);
            before = media;
            if number >= first {
                self.metrics.shown(made.shown);
                if !take(made) {
                    return;
                }
            }
            number += 1;
        }
    }

    fn now(&self) -> Duration {
        self.time.at(Instant::now())
    }

    /// Whether anything has changed.
    fn read_plans(&mut self, now: Duration) -> bool {
        let (changed, problems) = self.plans.refresh(&*self.papers, timestamp(now));
        for problem in &problems {
            self.metrics.refused_plans.inc();
            tracing::error!(%problem, "what was held before is followed");
        }
        if changed {
            tracing::info!("plans have changed");
            for misfit in self.plans.misfits() {
                let (name, slot, needed) = (&misfit.name, misfit.slot, misfit.needed);
                tracing::error!(name, %slot, %needed, "does not fit into the rate; a smaller rung is sent");
            }
        }
        changed
    }

    /// Period `number`, and the media in it.
    fn period(&mut self, number: u64, before: &Media, guide: &Guide, tempo: &Tempo) -> (Made, Arc<Media>) {
        let air = number.saturating_sub(self.behind);
        let (mut shown, mut media) = self.media(air, number, tempo);
        let packets = match self.multiplexer.period(number, before, &media, guide) {
            Ok(packets) => packets,
            Err(overflow) => {
                tracing::error!(number, %overflow, "the slate is shown instead");
                (shown, media) = (Shown::TooLarge, Arc::clone(&self.slate));
                self.slate_period(number, before, guide)
            }
        };
        let made = Made { number, packets: packets.into(), title: self.plans.title(air), shown };
        (made, media)
    }

    /// The slate is a few kilobytes; only the last sound of the segment before could be too much beside it.
    fn slate_period(&self, number: u64, before: &Media, guide: &Guide) -> Vec<u8> {
        self.multiplexer
            .period(number, before, &self.slate, guide)
            .or_else(|_| self.multiplexer.period(number, &self.slate, &self.slate, guide))
            .or_else(|_| self.multiplexer.period(number, &self.slate, &self.slate, &Guide::default()))
            .unwrap_or_default()
    }

    /// What is shown in segment `air`, read in time for period `number`.
    fn media(&mut self, air: u64, number: u64, tempo: &Tempo) -> (Shown, Arc<Media>) {
        let Some(piece) = self.plans.on(air) else { return (Shown::NothingPlanned, Arc::clone(&self.slate)) };
        loop {
            let error = match self.library.media(&piece) {
                Ok(media) => {
                    self.telemetry.readiness.pass(Check::Upstream);
                    return (Shown::Planned, Arc::new(media));
                }
                Err(error) => error,
            };
            let again = match tempo {
                Tempo::Live(stop) if error.may_pass() => {
                    let left = start(number).saturating_sub(self.now());
                    left > IN_HAND + RETRY + ANSWER && wait(stop, RETRY)
                }
                _ => false,
            };
            if !again {
                tracing::error!(air, %error, "the slate is shown instead");
                self.telemetry.readiness.fail(Check::Upstream, error.to_string());
                let shown = if matches!(error, LibraryError::Fetch { .. }) {
                    Shown::NotThere
                } else {
                    Shown::Unreadable
                };
                debug_assert_ne!(shown.index(), 0);
                return (shown, Arc::clone(&self.slate));
            }
        }
    }
}

/// When a period, or a segment of the grid, begins.
fn start(number: u64) -> Duration {
    Duration::from_millis(period_start_ms(number))
}

/// Whether the feed goes on afterwards.
fn wait(stop: &Receiver<()>, time: Duration) -> bool {
    matches!(stop.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

/// What plans count in.
pub(crate) fn timestamp(since_1970: Duration) -> Timestamp {
    let ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}
