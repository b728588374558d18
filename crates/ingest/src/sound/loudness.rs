//! How loud a lesson is: EBU R128 over what will be encoded.

use ebur128::{EbuR128, Mode};
use grid::AUDIO_RATE;
use serde::{Deserialize, Serialize};

/// What was measured over a whole lesson.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness, gated (ITU-R BS.1770-4).
    pub integrated_lufs: f64,
    /// The highest point between samples, at four times the rate.
    pub true_peak_dbtp: f64,
    /// How far loud and quiet parts lie apart (EBU Tech 3342).
    pub range_lu: f64,
}

/// Less sound than this says nothing about a lesson: a short-term window of R128 is 3 s long.
const SHORTEST_SAMPLES: u64 = 3 * AUDIO_RATE as u64;
/// The lowest true peak that is told: JSON knows no infinity.
const NO_PEAK: f64 = -120.0;

/// Hears stereo at 48 kHz.
pub struct LoudnessMeter {
    // `None`: the library refused what it was made for, which its own tests exclude.
    meter: Option<EbuR128>,
    samples: u64,
}

impl Default for LoudnessMeter {
    fn default() -> Self {
        // The histogram bounds the memory: 1,000 classes of 0.1 LU instead of a block each 100 ms.
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        Self { meter: EbuR128::new(2, AUDIO_RATE, mode).ok(), samples: 0 }
    }
}

impl LoudnessMeter {
    /// Hears the next samples, left and right, equally many.
    pub fn hear(&mut self, left: &[f32], right: &[f32]) {
        let count = left.len().min(right.len());
        let Some(meter) = &mut self.meter else { return };
        if meter.add_frames_planar_f32(&[&left[..count], &right[..count]]).is_err() {
            self.meter = None;
            return;
        }
        self.samples += count as u64;
    }

    /// What was heard; `None` for silence and for less than three seconds.
    pub fn loudness(&self) -> Option<Loudness> {
        let meter = self.meter.as_ref().filter(|_| self.samples >= SHORTEST_SAMPLES)?;
        // Silence passes no gate: minus infinity.
        let integrated_lufs = meter.loudness_global().ok().filter(|lufs| lufs.is_finite())?;
        let peak = (0..2).filter_map(|channel| meter.true_peak(channel).ok()).fold(0.0, f64::max);
        Some(Loudness {
            integrated_lufs,
            true_peak_dbtp: if peak > 0.0 { (20.0 * peak.log10()).max(NO_PEAK) } else { NO_PEAK },
            range_lu: meter.loudness_range().ok().filter(|range| range.is_finite()).unwrap_or(0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn tone(amplitude: f32, hertz: f32, seconds: u32) -> Vec<f32> {
        (0..seconds * AUDIO_RATE)
            .map(|n| amplitude * (TAU * hertz * n as f32 / AUDIO_RATE as f32).sin())
            .collect()
    }

    fn heard(left: &[f32], right: &[f32]) -> Option<Loudness> {
        let mut meter = LoudnessMeter::default();
        for (left, right) in left.chunks(1_024).zip(right.chunks(1_024)) {
            meter.hear(left, right);
        }
        meter.loudness()
    }

    #[test]
    fn the_reference_tone_of_the_standard() {
        // EBU Tech 3341, case 1: 1 kHz at -23 dBFS in both channels is -23.0 LUFS, ±0.1.
        let tone = tone(10f32.powf(-23.0 / 20.0), 997.0, 20);
        let both = heard(&tone, &tone).unwrap();
        assert!((both.integrated_lufs + 23.0).abs() <= 0.1, "{both:?}");
        assert!((both.true_peak_dbtp + 23.0).abs() <= 0.2, "{both:?}");
        // One channel of two has half the power.
        let one = heard(&tone, &vec![0.0; tone.len()]).unwrap();
        assert!((one.integrated_lufs + 26.0).abs() <= 0.1, "{one:?}");
    }

    #[test]
    fn a_peak_between_samples_is_seen() {
        // EBU Tech 3341, case 15 and on: a quarter of the rate, 45° off: samples at 0.707 of the wave.
        let wave: Vec<f32> =
            (0..AUDIO_RATE * 4).map(|n| 0.5 * (TAU * (n as f32 + 0.5) / 4.0).sin()).collect();
        let heard = heard(&wave, &wave).unwrap();
        assert!((heard.true_peak_dbtp + 6.0).abs() <= 0.4, "{heard:?}");
    }

    #[test]
    fn silence_and_snippets_have_no_loudness() {
        let silence = vec![0.0; AUDIO_RATE as usize * 10];
        assert_eq!(heard(&silence, &silence), None);
        let snippet = tone(0.5, 440.0, 2);
        assert_eq!(heard(&snippet, &snippet), None);
        assert_eq!(LoudnessMeter::default().loudness(), None);
    }
}
