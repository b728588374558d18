//! Silent, clipped, one-sided and turned-over sound, found 100 ms at a time. Pure.

use super::Stretches;
use crate::sound::ClockReport;
use grid::AUDIO_RATE;
use serde::{Deserialize, Serialize};

/// What is judged at once: long enough for the deepest voice, short enough to say where.
const WINDOW: usize = AUDIO_RATE as usize / 10;
const WINDOW_MS: u64 = 100;
/// Below this (RMS, -60 dBFS) nothing is said: the quietest room recorded with care lies above it.
const SILENT: f64 = 1e-3;
/// Above this (RMS, -50 dBFS) somebody speaks, and the sides can be compared.
const SOUNDING: f64 = 3.2e-3;
/// One side has this much more (20 dB): the other is a cable that is not plugged in.
const ONE_SIDED: f64 = 10.0;
/// As alike as this and of opposite sign, the sides are one signal turned over: in one loudspeaker nothing is left of it.
const TURNED_OVER: f64 = -0.8;
/// Full scale, less what a resampler and a lossy codec shake a cut-off peak.
const FULL: f32 = 0.98;
/// So many samples in a row at full scale may be cut off.
const FLAT: usize = 3;
/// Height of the slope into a peak times the peak's length: 0.08 for any sine that just reaches full scale, whatever its
/// pitch; above 0.3 when a tenth of it was cut off.
const CUT_OFF: f32 = 0.3;
/// Cut-off samples in a window that can be heard: 2 in a thousand.
const CLIPPED: usize = 10;

/// What was heard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundMeasures {
    /// How much was heard, filled gaps included.
    pub heard_ms: u64,
    /// Where nothing is to be heard.
    pub silent: Stretches,
    /// Where peaks are cut off.
    pub clipped: Stretches,
    /// How long somebody speaks.
    pub sounding_ms: u64,
    /// How long of that only from the left.
    pub left_only_ms: u64,
    /// How long of that only from the right.
    pub right_only_ms: u64,
    /// How long of that with one side turned over.
    pub turned_over_ms: u64,
    /// What the time stamps were like.
    pub clock: ClockReport,
}

/// Hears a lesson's sound in order, at 48 kHz.
#[derive(Default)]
pub struct SoundMeter {
    window: [Channel; 2],
    filled: usize,
    product: f64,
    samples: u64,
    measures: SoundMeasures,
}

/// One side in one window.
#[derive(Default, Clone, Copy)]
struct Channel {
    power: f64,
    clipped: usize,
    peak: Peak,
}

/// A run of samples at full scale that may be going on.
#[derive(Default, Clone, Copy)]
struct Peak {
    last: f32,
    rise: f32,
    length: usize,
}

impl SoundMeter {
    /// Hears the next samples of each channel, equally many; of more than two, the first two.
    pub fn hear(&mut self, channels: &[&[f32]]) {
        let Some(&left) = channels.first() else { return };
        let right = channels.get(1).copied().unwrap_or(left);
        for (&left, &right) in left.iter().zip(right) {
            self.window[0].hear(left);
            self.window[1].hear(right);
            self.product += f64::from(left) * f64::from(right);
            self.samples += 1;
            self.filled += 1;
            if self.filled == WINDOW {
                self.judge();
            }
        }
    }

    /// How long somebody has spoken so far.
    pub fn sounding_ms(&self) -> u64 {
        self.measures.sounding_ms
    }

    /// What was heard, when the clock had this to do. A last part of a window is left out.
    pub fn finish(mut self, clock: ClockReport) -> SoundMeasures {
        self.measures.heard_ms = self.samples * 1_000 / u64::from(AUDIO_RATE);
        self.measures.clock = clock;
        self.measures
    }

    fn judge(&mut self) {
        let to = self.samples * 1_000 / u64::from(AUDIO_RATE);
        let from = to.saturating_sub(WINDOW_MS);
        let [left, right] = self.window.map(|channel| (channel.power / WINDOW as f64).sqrt());
        let loud = left.max(right);
        if loud < SILENT {
            self.measures.silent.add(from, to);
        }
        if self.window.iter().any(|channel| channel.clipped >= CLIPPED) {
            self.measures.clipped.add(from, to);
        }
        if loud >= SOUNDING {
            self.measures.sounding_ms += WINDOW_MS;
            let alike = self.product / WINDOW as f64 / (left * right).max(f64::MIN_POSITIVE);
            if left > right * ONE_SIDED {
                self.measures.left_only_ms += WINDOW_MS;
            } else if right > left * ONE_SIDED {
                self.measures.right_only_ms += WINDOW_MS;
            } else if alike <= TURNED_OVER {
                self.measures.turned_over_ms += WINDOW_MS;
            }
        }
        self.window = self.window.map(|channel| Channel { peak: channel.peak, ..Channel::default() });
        (self.filled, self.product) = (0, 0.0);
    }
}

impl Channel {
    fn hear(&mut self, sample: f32) {
        self.power += f64::from(sample) * f64::from(sample);
        let (height, peak) = (sample.abs(), &mut self.peak);
        if height >= FULL && (peak.length == 0 || (sample > 0.0) == (peak.last > 0.0)) {
            if peak.length == 0 {
                peak.rise = (sample - peak.last).abs();
            }
            peak.length += 1;
        } else if peak.length > 0 {
            let slope = peak.rise.max((peak.last - sample).abs());
            if peak.length >= FLAT && slope * peak.length as f32 >= CUT_OFF {
                self.clipped += peak.length;
            }
            peak.length = 0;
        }
        peak.last = sample;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    const SECOND: usize = AUDIO_RATE as usize;

    fn tone(amplitude: f32, hertz: f32, seconds: usize) -> Vec<f32> {
        (0..seconds * SECOND).map(|n| amplitude * (TAU * hertz * n as f32 / SECOND as f32).sin()).collect()
    }

    fn heard(left: &[f32], right: &[f32]) -> SoundMeasures {
        let mut meter = SoundMeter::default();
        // Portions that are no whole windows.
        for (left, right) in left.chunks(1_024).zip(right.chunks(1_024)) {
            meter.hear(&[left, right]);
        }
        meter.finish(ClockReport::default())
    }

    #[test]
    fn silence_is_told_from_where_to_where() {
        let mut voice = tone(0.2, 200.0, 30);
        voice[10 * SECOND..22 * SECOND].fill(0.000_3);
        let measures = heard(&voice, &voice);
        let silent: Vec<_> = measures.silent.at_least(0).map(|s| (s.from_ms, s.to_ms)).collect();
        assert_eq!(silent, [(10_000, 22_000)]);
        assert_eq!((measures.heard_ms, measures.sounding_ms), (30_000, 18_000));
    }

    #[test]
    fn one_side_and_a_side_turned_over() {
        let voice = tone(0.2, 200.0, 4);
        let quiet = tone(0.005, 200.0, 4);
        let over: Vec<f32> = voice.iter().map(|sample| -0.7 * sample).collect();
        let of = |measures: SoundMeasures| {
            (measures.left_only_ms, measures.right_only_ms, measures.turned_over_ms)
        };
        assert_eq!(of(heard(&voice, &voice)), (0, 0, 0));
        assert_eq!(of(heard(&voice, &tone(0.2, 333.0, 4))), (0, 0, 0), "stereo");
        assert_eq!(of(heard(&voice, &quiet)), (4_000, 0, 0));
        assert_eq!(of(heard(&quiet, &voice)), (0, 4_000, 0));
        assert_eq!(of(heard(&voice, &over)), (0, 0, 4_000));
        let mut one = SoundMeter::default();
        one.hear(&[&voice]);
        assert_eq!(of(one.finish(ClockReport::default())), (0, 0, 0), "mono has no sides");
    }

    #[test]
    fn cut_off_peaks_are_found_and_loud_ones_are_not() {
        let clipped = |amplitude: f32, hertz| {
            let cut: Vec<f32> =
                tone(amplitude, hertz, 5).iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
            heard(&cut, &cut).clipped.total_ms()
        };
        for hertz in [60.0, 200.0, 440.0, 1_000.0] {
            assert_eq!(clipped(1.0, hertz), 0, "{hertz} Hz just reaches full scale");
            assert_eq!(clipped(1.2, hertz), 5_000, "{hertz} Hz, 1.6 dB over");
            assert_eq!(clipped(8.0, hertz), 5_000, "{hertz} Hz, 18 dB over");
        }
        assert_eq!(heard(&[], &[]), SoundMeasures::default());
    }
}
