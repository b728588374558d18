//! Periods into datagrams, each at its time.

use crate::clock::Clock;
use crate::maker::Made;
use crate::metrics::{Metrics, Shown};
use crate::pace::{LATE, Pace, Step, Time};
use crate::send::{Out, PACKETS};
use bytes::{Bytes, BytesMut};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use multiplex::Rate;
use std::time::Duration;
use telemetry::Label;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

const PACKET_BYTES: usize = 188;

/// Sends what is made to every destination.
pub(crate) struct Sender {
    pub(crate) rate: Rate,
    pub(crate) clock: Clock,
    pub(crate) time: Time,
    pub(crate) outs: Vec<Out>,
    pub(crate) metrics: Metrics,
}

impl Sender {
    /// Until nothing more is made.
    pub(crate) async fn run(&mut self, mut periods: Receiver<Made>) {
        let mut pace = Pace::new(self.rate, self.time.clone());
        let mut cut = Cut::new(self.rate);
        let bar = bar();
        let mut worst = Duration::ZERO;
        while let Some(period) = periods.recv().await {
            if bar.is_hidden() {
                tracing::debug!(number = period.number, title = period.title, "period");
            }
            for Datagram { number, place, bytes } in cut.period(period.number, &period.packets) {
                worst = worst.max(self.datagram(&mut pace, number, place, &bytes).await);
            }
            let off = self.time.correct(Instant::now(), self.clock.now());
            self.metrics.clock_error_us.set(off);
            if off.abs() > 1_000_000 {
                tracing::warn!(
                    off_us = off,
                    "the wall clock has jumped; restart the feed to follow it at once"
                );
            }
            bar.set_message(self.line(&period, worst));
            bar.tick();
            worst = Duration::ZERO;
        }
        bar.finish_and_clear();
    }

    /// Waits for its time and sends it; how late it was.
    async fn datagram(&mut self, pace: &mut Pace, number: u64, place: u32, bytes: &Bytes) -> Duration {
        loop {
            match pace.step(number, place, Instant::now()) {
                Step::Wait(until) => sleep_until(until).await,
                Step::Skip => {
                    self.metrics.skipped.inc_by(PACKETS.into());
                    return Duration::ZERO;
                }
                Step::Send(behind) => {
                    self.metrics.behind.observe(behind.as_secs_f64());
                    if behind > LATE {
                        self.metrics.late.inc();
                    }
                    for out in &mut self.outs {
                        out.send(bytes, &self.metrics);
                    }
                    return behind;
                }
            }
        }
    }

    fn line(&self, period: &Made, worst: Duration) -> String {
        let title = if period.title.is_empty() { "—" } else { &period.title };
        let what = if period.shown == Shown::Planned { "" } else { period.shown.as_str() };
        let kbit = self.rate.bits_per_second() / 1_000;
        let lost = self.metrics.lost_so_far();
        let (late, receivers) = (self.metrics.late.get(), self.metrics.receivers.get());
        format!(
            "{title} {what}  {kbit} kbit/s, late by {worst:.1?} at most ({late} times), {lost} lost, {receivers} by SRT"
        )
    }
}

/// A line on a terminal, nothing elsewhere.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Seven packets, and which is the last of them: when that is due, all are made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) number: u64,
    pub(crate) place: u32,
    pub(crate) bytes: Bytes,
}

/// Packets into datagrams whose borders follow from the packets' numbers, so that those of two senders are the same.
#[derive(Debug)]
pub(crate) struct Cut {
    rate: Rate,
    /// The beginning of a datagram that ends in the next period.
    open: BytesMut,
    next: Option<u64>,
}

impl Cut {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, open: BytesMut::new(), next: None }
    }

    /// The datagrams that end in period `number`. After a gap, and at the start, packets before a border are left out.
    pub(crate) fn period(&mut self, number: u64, packets: &Bytes) -> Vec<Datagram> {
        let first = number * u64::from(self.rate.packets());
        let size = PACKETS as usize * PACKET_BYTES;
        let into = (first % u64::from(PACKETS)) as usize * PACKET_BYTES;
        if self.next != Some(number) || self.open.len() != into {
            self.open.clear();
        }
        self.next = Some(number + 1);
        let mut datagrams = Vec::with_capacity(packets.len() / size + 1);
        let mut at = 0;
        let border = (size - into) % size;
        if into > 0 && border <= packets.len() {
            if !self.open.is_empty() {
                self.open.extend_from_slice(&packets[..border]);
                datagrams.push((border, self.open.split().freeze()));
            }
            at = border;
        }
        while at + size <= packets.len() {
            datagrams.push((at + size, packets.slice(at..at + size)));
            at += size;
        }
        self.open.clear();
        self.open.extend_from_slice(&packets[at..]);
        let place = |end: usize| (end / PACKET_BYTES - 1) as u32;
        datagrams.into_iter().map(|(end, bytes)| Datagram { number, place: place(end), bytes }).collect()
    }
}
