//! Sound like speech: pulses through three resonances, syllables, breaths, pauses. It says nothing.

use super::chance::Chance;
use grid::AUDIO_RATE;
use std::f32::consts::TAU;

/// Resonances (Hz) of five vowels: a, i, u, e, o, as textbooks of phonetics give them for a grown speaker.
const VOWELS: [[f32; 3]; 5] = [
    [800.0, 1_200.0, 2_500.0],
    [300.0, 2_300.0, 3_000.0],
    [320.0, 800.0, 2_300.0],
    [500.0, 1_800.0, 2_500.0],
    [500.0, 900.0, 2_400.0],
];
/// Widths of the resonances (Hz).
const WIDTHS: [f32; 3] = [90.0, 110.0, 170.0];
/// How fast a mouth moves from one vowel to the next: time constant in samples, some 25 ms.
const GLIDE: f32 = 1_200.0;

/// Brings the loudest vowels, in which resonances meet, below full scale: what is cut off there is overdriven sound, and quality
/// control says so.
const LEVEL: f32 = 0.075;

/// A speaker.
pub(super) struct Voice {
    chance: Chance,
    /// Samples left of what is said now.
    left: u64,
    /// Syllables left in the phrase.
    syllables: u64,
    speaking: bool,
    /// Samples of hiss in front of the vowel.
    hiss: u64,
    pitch: f32,
    phase: f32,
    target: [f32; 3],
    formants: [f32; 3],
    resonators: [[f32; 2]; 3],
    level: f32,
    loudness: f32,
}

impl Voice {
    pub(super) fn new() -> Self {
        Self {
            chance: Chance::new(11),
            left: 0,
            syllables: 0,
            speaking: false,
            hiss: 0,
            pitch: 150.0,
            phase: 0.0,
            target: VOWELS[0],
            formants: VOWELS[0],
            resonators: [[0.0; 2]; 3],
            level: 0.0,
            loudness: 0.0,
        }
    }

    /// From 0 (silent) to 1, as heard last.
    pub(super) fn loudness(&self) -> f32 {
        self.loudness
    }

    /// Fills `samples` with what comes next.
    pub(super) fn say(&mut self, samples: &mut [f32]) {
        let mut peak = 0.0f32;
        for sample in samples {
            if self.left == 0 {
                self.next_sound();
            }
            self.left -= 1;
            *sample = self.sample();
            peak = peak.max(sample.abs());
        }
        self.loudness += 0.5 * ((peak * 3.0).min(1.0) - self.loudness);
    }

    fn next_sound(&mut self) {
        let rate = u64::from(AUDIO_RATE);
        if self.syllables == 0 {
            // Between phrases: a breath, now and then a longer silence.
            self.syllables = self.chance.between(5, 16);
            let millis = if self.chance.between(0, 5) == 0 { 1_800 } else { self.chance.between(300, 800) };
            (self.speaking, self.left, self.hiss) = (false, rate * millis / 1_000, 0);
            return;
        }
        self.syllables -= 1;
        self.speaking = true;
        self.left = rate * self.chance.between(110, 240) / 1_000;
        self.hiss =
            if self.chance.between(0, 3) == 0 { rate * self.chance.between(30, 80) / 1_000 } else { 0 };
        self.target = VOWELS[usize::try_from(self.chance.between(0, 5)).unwrap_or(0)];
        // Four tones, roughly; phrases fall towards their end.
        let tone = [1.15, 1.0, 0.85, 1.05][usize::try_from(self.chance.between(0, 4)).unwrap_or(0)];
        self.pitch = 140.0 * tone * (0.92 + 0.012 * self.syllables as f32);
    }

    fn sample(&mut self) -> f32 {
        let rate = AUDIO_RATE as f32;
        let wanted = if self.speaking { 1.0 } else { 0.0 };
        self.level += (wanted - self.level) / 900.0;
        let noise = self.chance.part() - 0.5;
        self.phase = (self.phase + self.pitch / rate).fract();
        let pulse = if self.phase < 0.4 { (self.phase * TAU / 0.8).sin().powi(2) - 0.35 } else { -0.12 };
        let source = if self.hiss > 0 {
            self.hiss -= 1;
            noise * 0.9
        } else {
            pulse + noise * 0.04
        };
        let mut sum = 0.0;
        for (index, state) in self.resonators.iter_mut().enumerate() {
            self.formants[index] += (self.target[index] - self.formants[index]) / GLIDE;
            // A two-pole resonator (Klatt 1980), unity gain at its peak, roughly.
            let radius = (-std::f32::consts::PI * WIDTHS[index] / rate).exp();
            let turn = 2.0 * radius * (TAU * self.formants[index] / rate).cos();
            let out = source * (1.0 - radius) * 2.0 + turn * state[0] - radius * radius * state[1];
            *state = [out, state[0]];
            sum += out * [1.0, 0.6, 0.3][index];
        }
        // A room is never quite silent.
        sum * LEVEL * self.level + noise * 0.002
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was cut off at full scale, 20 dB below its peaks, and the demonstration told its user to record with less gain.
    #[test]
    fn a_long_speech_is_loud_and_never_overdriven() {
        let mut samples = vec![0.0; 20 * 60 * AUDIO_RATE as usize];
        Voice::new().say(&mut samples);
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.5..0.95).contains(&peak), "{peak}");
    }
}
