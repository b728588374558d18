//! A speaker in a corner: slow sway, a mouth that follows the voice, and the noise of a small sensor.

use super::chance::Chance;
use crate::ffmpeg::{FfmpegError, Picture};

/// The picture in the picture.
pub(super) struct Camera {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    chance: Chance,
}

/// Luma and chroma.
type Tone = (f32, f32, f32);

const WALL: Tone = (150.0, 124.0, 132.0);
const SHELF: Tone = (92.0, 116.0, 142.0);
const SKIN: Tone = (168.0, 108.0, 150.0);
const HAIR: Tone = (34.0, 126.0, 130.0);
const COAT: Tone = (70.0, 148.0, 116.0);
const MOUTH: Tone = (62.0, 118.0, 158.0);

impl Camera {
    /// A quarter of the picture's width, bottom right.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        let own = (width / 4 / 4 * 4).max(16);
        let tall = (own * 3 / 4 / 4 * 4).max(12).min(height / 2);
        let margin = height / 40 / 2 * 2;
        Self {
            left: (width - own - margin) / 2 * 2,
            top: (height - tall - margin) / 2 * 2,
            width: own,
            height: tall,
            chance: Chance::new(7),
        }
    }

    /// Draws what the camera sees at `millis`, the speaker being `loudness` (0 to 1) loud.
    pub(super) fn draw(
        &mut self,
        picture: &mut Picture,
        millis: u64,
        loudness: f32,
    ) -> Result<(), FfmpegError> {
        let time = millis as f32 / 1_000.0;
        let scene = Scene::at(time, loudness);
        // The scene at half size, where chroma has its samples; luma gets its grain from the noise.
        let (width, height) = (self.width / 2, self.height / 2);
        let tones: Vec<Tone> = (0..width * height)
            .map(|at| scene.tone((at % width) as f32 / width as f32, (at / width) as f32 / height as f32))
            .collect();
        let (samples, stride) = picture.plane_mut(0)?;
        for row in 0..self.height {
            let start = (self.top + row) * stride + self.left;
            let line = &tones[row / 2 * width..][..width];
            for (column, sample) in samples[start..start + self.width].iter_mut().enumerate() {
                let noise = (self.chance.next() >> 61) as f32 - 3.5;
                *sample = (line[column / 2].0 + noise).clamp(16.0, 235.0) as u8;
            }
        }
        for (plane, chroma) in [(1, (|tone: &Tone| tone.1) as fn(&Tone) -> f32), (2, |tone: &Tone| tone.2)] {
            let (samples, stride) = picture.plane_mut(plane)?;
            for row in 0..height {
                let start = (self.top / 2 + row) * stride + self.left / 2;
                for (sample, tone) in samples[start..start + width].iter_mut().zip(&tones[row * width..]) {
                    *sample = chroma(tone) as u8;
                }
            }
        }
        Ok(())
    }
}

/// Everything that moves, once a picture.
struct Scene {
    head: (f32, f32),
    lean: f32,
    mouth: f32,
    blink: bool,
    light: f32,
    hand: (f32, f32),
}

impl Scene {
    fn at(time: f32, loudness: f32) -> Self {
        Self {
            head: (
                0.5 + 0.05 * (time * 0.61).sin() + 0.02 * (time * 1.7).sin(),
                0.42 + 0.015 * (time * 1.13).cos(),
            ),
            lean: 0.04 * (time * 0.37).sin(),
            mouth: loudness.clamp(0.0, 1.0),
            blink: time % 3.7 < 0.15,
            light: 3.0 * (time * 0.21).sin(),
            hand: (0.24 + 0.08 * (time * 1.9).sin(), 0.72 + 0.10 * (time * 1.3).cos()),
        }
    }

    /// What is at a place of the picture, both from 0 to 1.
    fn tone(&self, x: f32, y: f32) -> Tone {
        let inside = |(cx, cy): (f32, f32), rx: f32, ry: f32| {
            let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
            dx * dx + dy * dy < 1.0
        };
        let (hx, hy) = self.head;
        let face = (hx, hy);
        let shade = |(luma, u, v): Tone, by: f32| (luma + by + self.light, u, v);
        if inside((hx, hy + 0.125), 0.045, 0.008 + 0.03 * self.mouth) {
            return shade(MOUTH, 0.0);
        }
        let eye = if self.blink { 0.004 } else { 0.016 };
        if inside((hx - 0.05, hy - 0.02), 0.016, eye) || inside((hx + 0.05, hy - 0.02), 0.016, eye) {
            return shade(HAIR, 0.0);
        }
        if inside((hx, hy - 0.09), 0.135, 0.19) && y < hy - 0.08 {
            return shade(HAIR, 12.0 * (x * 90.0).sin());
        }
        if inside(face, 0.125, 0.215) || inside(self.hand, 0.05, 0.07) {
            return shade(SKIN, (x - hx) * -90.0);
        }
        if inside((hx * 0.5 + 0.25 + self.lean, 1.05), 0.33, 0.42) {
            return shade(COAT, 10.0 * (y * 60.0).sin());
        }
        if (0.10..0.62).contains(&y) && !(0.22..=0.80).contains(&x) {
            // Backs of books.
            let book = (x * 47.0).floor();
            return shade(
                SHELF,
                40.0 * (book * 2.39).sin() - if (y * 7.0).fract() < 0.1 { 30.0 } else { 0.0 },
            );
        }
        shade(WALL, -40.0 * (y - 0.3))
    }
}
