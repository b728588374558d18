//! Pictures and sound keep their relation, whatever the container's clock says.

use crate::clip::{Bench, H264, pictures};
use crate::lesson::ingest;
use package::{AudioSlot, Rendition, Slot};

/// A flash and a beep at `at` seconds of a clip of 6 s.
fn flash_and_beep(at: u32) -> String {
    let flash = format!(
        "-vf drawbox=w=iw:h=ih:t=fill:c=black,drawbox=w=iw:h=ih:t=fill:c=white:enable='between(t,{at},{at}.5)'"
    );
    let beep = format!("-f lavfi -i aevalsrc=0.8*sin(6283*t)*between(t\\,{at}\\,{at}.5):s=48000:d=6");
    format!("{} {beep} {flash}", pictures("320x180", 25, 6))
}

/// Where the flash and the beep are: picture and sample.
fn found(bench: &Bench, file: &std::path::Path) -> [(usize, usize); 2] {
    let published = ingest(bench, file);
    let rung = Rendition::Video(Slot::S0);
    let grey = published.grey(rung);
    let bright = |picture: &[u8]| picture[picture.len() / 2] > 128;
    let flash = grey.chunks_exact(256 * 144).position(bright).unwrap();
    let beep = |slot| {
        published.samples(Rendition::Audio(slot)).iter().position(|&s| s.unsigned_abs() > 4_000).unwrap()
    };
    [(flash, beep(AudioSlot::Hi)), (flash, beep(AudioSlot::Lo))]
}

/// AAC smears an onset over its window; a picture lasts 1,920 samples.
fn assert_together(found: [(usize, usize); 2], flash: usize, samples: usize, case: &str) {
    for (picture, sample) in found {
        assert_eq!(picture, flash, "{case}");
        assert!(sample.abs_diff(samples) <= 480, "{case}: beep at sample {sample} instead of {samples}");
    }
}

#[test]
fn an_ordinary_file() {
    let bench = Bench::new();
    let file = bench.clip("a.mp4", &format!("{} {H264} -c:a aac", flash_and_beep(2)));
    assert_together(found(&bench, &file), 50, 96_000, "mp4");
}

#[test]
fn sound_over_a_segment_boundary() {
    let bench = Bench::new();
    let file = bench.clip("a.mkv", &format!("{} {H264} -c:a pcm_s16le", flash_and_beep(5)));
    assert_together(found(&bench, &file), 125, 240_000, "5 s");
}

#[test]
fn a_transport_stream_that_starts_late() {
    let bench = Bench::new();
    let file = bench.clip("a.ts", &format!("{} {H264} -c:a aac -output_ts_offset 40", flash_and_beep(2)));
    // The muxer starts both at the same time; the AAC encoder's priming is sound of before the start.
    assert_together(found(&bench, &file), 50, 96_000, "ts");
}

#[test]
fn time_stamps_below_zero() {
    let bench = Bench::new();
    let options = format!(
        "{} {H264} -c:a pcm_s16le -avoid_negative_ts disabled -output_ts_offset -1",
        flash_and_beep(2)
    );
    let file = bench.clip("a.mov", &options);
    // The muxer cuts the second before zero off both, with an edit list.
    assert_together(found(&bench, &file), 25, 48_000, "negative");
}

#[test]
fn sound_that_starts_late_stays_late() {
    let bench = Bench::new();
    let plain = bench.clip("plain.mkv", &format!("{} {H264} -c:a pcm_s16le", flash_and_beep(2)));
    let path = plain.to_str().unwrap();
    let file = bench.clip("a.mkv", &format!("-i {path} -itsoffset 0.6 -i {path} -map 0:v -map 1:a -c copy"));
    assert_together(found(&bench, &file), 50, 124_800, "sound 600 ms late");
}

#[test]
fn pictures_that_start_late_are_held_under_the_sound() {
    let bench = Bench::new();
    let plain = bench.clip("plain.mkv", &format!("{} {H264} -c:a pcm_s16le", flash_and_beep(2)));
    let path = plain.to_str().unwrap();
    let file = bench.clip("a.mkv", &format!("-itsoffset 0.6 -i {path} -i {path} -map 0:v -map 1:a -c copy"));
    assert_together(found(&bench, &file), 65, 96_000, "pictures 600 ms late");
}
