//! Sound starts at 0 and is where its time stamps say, to the sample where they are exact and within 5 ms where the
//! recorder's clock runs off, over a whole lesson.

use crate::clip::Bench;
use ingest::fault::MediaError;
use ingest::ffmpeg::Sound;
use ingest::filter::SoundSink;
use ingest::plan::sound_graph;
use ingest::sound::{ClockReport, Gain, Mixer, Sides};
use ingest::timeline::Flicks;

/// Keeps what a real encoder would get.
#[derive(Default)]
struct Kept(Vec<f32>);

impl SoundSink for Kept {
    fn take(&mut self, sound: Sound) -> Result<(), MediaError> {
        self.0.extend_from_slice(sound.channel(0));
        Ok(())
    }

    fn samples(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A stretch of sound as a decoder gives it: silence at 48 kHz with a click where `clicks` falls into it.
///
/// A click is a short bump, so that a resampler leaves its peak where it was.
fn portion(samples: usize, first_ms: f64, ms_per_sample: f64, every_ms: f64) -> Sound {
    let mut sound = Sound::silence(samples, 2);
    for n in 0..samples {
        let at = first_ms + n as f64 * ms_per_sample;
        let off = (at + every_ms / 2.0).rem_euclid(every_ms) - every_ms / 2.0;
        let value =
            if off.abs() < 0.5 { (0.5 + 0.5 * (off * 2.0 * std::f64::consts::PI).cos()) * 0.7 } else { 0.0 };
        (0..2).for_each(|channel| sound.channel_mut(channel)[n] = value as f32);
    }
    sound
}

/// Runs `minutes` of clicks each second through the mixer, the clock of the sound off by `per_million`, with `stamp` doing
/// what containers do; returns the worst distance of a click from its place in ms, clicks found, and the clock's report.
fn clicks(
    minutes: u32,
    per_million: f64,
    gain: Gain,
    stamp: impl Fn(f64) -> Option<f64>,
) -> (f64, usize, ClockReport) {
    const FRAME: usize = 1_024;
    let mut mixer = Mixer::new(sound_graph(Sides::Kept, gain));
    let (mut stereo, mut mono) = (Kept::default(), Kept::default());
    let ms_per_sample = 1_000.0 / 48_000.0 * (1.0 + per_million / 1e6);
    let frames = f64::from(minutes) * 60_000.0 / (FRAME as f64 * ms_per_sample);
    for number in 0..frames as usize {
        let at = (number * FRAME) as f64 * ms_per_sample;
        // `None`: the packet was lost.
        let Some(told) = stamp(at) else { continue };
        let sound = portion(FRAME, at, ms_per_sample, 1_000.0);
        mixer
            .take(sound, Flicks::from_micros((told * 1_000.0).round() as i64), &mut [&mut stereo, &mut mono])
            .unwrap();
    }
    let report = mixer.finish(&mut [&mut stereo, &mut mono]).unwrap();
    let mut worst = 0f64;
    let mut found = 0;
    let heard = &stereo.0;
    for n in 1..heard.len() - 1 {
        if heard[n] > 0.3 && heard[n] >= heard[n - 1] && heard[n] > heard[n + 1] {
            let at = n as f64 / 48.0;
            found += 1;
            worst = worst.max((at - (at / 1_000.0).round() * 1_000.0).abs());
        }
    }
    assert_eq!(stereo.0.len(), mono.0.len());
    (worst, found, report)
}

#[test]
fn exact_stamps_leave_every_click_on_its_sample() {
    let (worst, found, _) = clicks(2, 0.0, Gain::NONE, Some);
    assert!(worst <= 0.5 / 48.0, "{worst} ms");
    assert!((119..=121).contains(&found), "{found}");
}

#[test]
fn gain_and_limiter_move_nothing() {
    for gain in [Gain { db: -6.0, limit: None }, Gain { db: 6.0, limit: Some(-2.5) }] {
        let (worst, found, _) = clicks(1, 0.0, gain, Some);
        assert!(worst <= 1.1 / 48.0, "{gain:?}: {worst} ms");
        assert!((59..=61).contains(&found), "{gain:?}: {found}");
    }
}

#[test]
fn a_sound_clock_that_runs_off_stays_within_five_milliseconds_over_a_lesson() {
    for per_million in [500.0, -500.0, 1_000.0] {
        let (worst, found, report) = clicks(20, per_million, Gain::NONE, Some);
        println!("{per_million} in a million: {worst} ms, {report:?}");
        assert!(worst < 5.0, "{per_million}: {worst} ms");
        assert!((1_198..=1_201).contains(&found), "{per_million}: {found}");
        assert_eq!((report.gaps, report.overlaps), (0, 0), "stretched, not cut");
    }
}

#[test]
fn drifting_stamps_in_whole_milliseconds_and_lost_packets() {
    // Matroska's stamps, a clock 0.05 % off, and every few minutes ten packets that never came.
    let stamp = |at: f64| ((at / 1_000.0) as u64 % 200 != 100 || at % 1_000.0 > 213.0).then(|| at.round());
    let (worst, found, report) = clicks(20, 500.0, Gain::NONE, stamp);
    assert!(worst < 5.0, "{worst} ms, {report:?}");
    assert!(found > 1_190, "{found}");
    assert!(report.gaps >= 6, "{report:?}");
}

#[test]
fn a_click_after_the_start_and_at_each_boundary_decodes_at_its_sample() {
    use package::{AudioSlot, Rendition};
    for (name, options) in [
        ("a.mov", "-c:a pcm_s16le -ar 48000"),
        ("a.mkv", "-c:a pcm_s16le -ar 44100"),
        ("b.mov", "-c:a pcm_s16le -ar 32000"),
        // Through an edit list that drops the encoder's priming.
        ("a.mp4", "-c:a aac -b:a 192k -ar 48000"),
    ] {
        let bench = Bench::new();
        // Not at 0 itself: the first 1,024 samples rise from silence, as AAC does that has no frame before it.
        let click = "-f lavfi -i aevalsrc=0.8*lt(min(min(abs(t-0.05)\\,abs(t-4.8))\\,abs(t-9.6))\\,0.0005):s=96000:d=14.4";
        let file = bench.clip(
            name,
            &format!(
                "-f lavfi -i testsrc2=s=160x90:r=25:d=14.4 {click} -c:v libx264 -preset ultrafast {options}"
            ),
        );
        // Three clicks of a millisecond are silence to quality control.
        let published = crate::lesson::ingest_flagged(&bench, &file, &["--accept-quality"]);
        let samples = published.samples(Rendition::Audio(AudioSlot::Hi));
        assert_eq!(samples.len(), 3 * 230_400, "{name}");
        for place in [2_400usize, 230_400, 460_800] {
            // The middle of the bump: AAC smears it, and as much to either side.
            let from = place - 300;
            let window = &samples[from..place + 300];
            let (loudest, level) =
                window.iter().enumerate().max_by_key(|(_, sample)| sample.unsigned_abs()).unwrap();
            assert!(level.unsigned_abs() > 4_000, "{name}: there is no click at {place}");
            let off = (from + loudest).abs_diff(place);
            assert!(off <= 30, "{name}: {off} samples off at {place}");
        }
    }
}
