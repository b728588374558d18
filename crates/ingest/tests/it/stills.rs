//! Single pictures of a lesson: for quick seeking, of the storyboard, of the slides.

use crate::clip::{AAC, Bench, H264, ffmpeg, ffprobe, pictures, tone};
use crate::lesson::{Published, ingest};
use ingest::cmaf::stills;
use package::{Rendition, layout};
use std::process::Command;

fn size(bench: &Bench, jpeg: &[u8]) -> String {
    let path = bench.path("a.jpg");
    std::fs::write(&path, jpeg).unwrap();
    ffprobe(&path, "v:0", "codec_name,width,height,nb_read_frames")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// When slides are shown, in milliseconds, as `slides.json` says.
fn slides(published: &Published) -> Vec<u64> {
    let json: serde_json::Value = serde_json::from_slice(&published.read("slides/slides.json")).unwrap();
    let slides = json.as_array().unwrap().iter();
    slides
        .map(|slide| {
            let at_ms = slide["at_ms"].as_u64().unwrap();
            assert_eq!(format!("slides/{}", slide["image"].as_str().unwrap()), layout::slide(at_ms).as_str());
            at_ms
        })
        .collect()
}

#[test]
fn every_seek_picture_is_whole_in_its_range() {
    let bench = Bench::new();
    let options = format!("{} {} {H264} {AAC}", pictures("640x360", 30, 9), tone(9));
    let published = ingest(&bench, &bench.clip("a.mp4", &options));
    let trick = published.manifest().trick.clone().unwrap();
    assert_eq!((trick.width, trick.height, trick.per_segment), (640, 360, 6));
    let init = published.read(Rendition::Trick.init().as_str());
    let mut shown = Vec::new();
    for number in published.manifest().segments.numbers() {
        let segment = published.read(Rendition::Trick.segment(number).as_str());
        for still in stills(&segment).unwrap() {
            let range =
                usize::try_from(still.offset).unwrap()..usize::try_from(still.offset + still.length).unwrap();
            let path = bench.path("one.mp4");
            std::fs::write(&path, [&init[..], &segment[range]].concat()).unwrap();
            let found = ffprobe(&path, "v:0", "width,height,nb_read_frames,start_pts");
            assert!(found.contains("width=640\nheight=360"), "{found}");
            assert!(found.contains("nb_read_frames=1"), "{found}");
            shown.push(ffmpeg(["-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", "gray", "-"]));
        }
    }
    assert_eq!(shown.len(), 12);
    // The picture of its time and no other: as s2 shows it.
    let grey = published.grey(Rendition::Video(package::Slot::S2));
    let step = 144 / 6;
    for (number, seek) in shown.iter().enumerate() {
        let whole = grey.chunks_exact(640 * 360).nth(number * step).unwrap();
        let differ = whole.iter().zip(seek).map(|(one, other)| u64::from(one.abs_diff(*other))).sum::<u64>();
        assert!(differ / (640 * 360) < 8, "picture {number} differs by {} on average", differ / (640 * 360));
    }
}

#[test]
fn a_sheet_is_as_high_as_its_chunk_needs() {
    let bench = Bench::new();
    let options = format!("{} {} {H264} {AAC}", pictures("320x180", 25, 26), tone(26));
    let published = ingest(&bench, &bench.clip("a.mp4", &options));
    assert_eq!(published.manifest().segments.0, 6);
    let sheet = published.read(layout::thumbs_sheet(0).as_str());
    assert_eq!(size(&bench, &sheet), "codec_name=mjpeg width=800 height=180 nb_read_frames=1");
    // A film has a first picture at least, in the largest size there is.
    assert_eq!(slides(&published)[0], 0);
    let slide = published.read(layout::slide(0).as_str());
    assert_eq!(size(&bench, &slide), "codec_name=mjpeg width=256 height=144 nb_read_frames=1");
}

#[test]
fn slides_of_a_lesson_are_found_and_the_camera_is_not() {
    let bench = Bench::new();
    let file = bench.path("lesson.mp4");
    let sample = Command::new(env!("CARGO_BIN_EXE_airclass-ingest"))
        .args(["sample", "--seconds", "150", "--width", "640", "--height", "360", "--out"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(sample.status.success(), "{}", String::from_utf8_lossy(&sample.stderr));
    let published = ingest(&bench, &file);
    // Slides stand for half a minute and are written on; the second chunk begins at 120,000, within one.
    let found = slides(&published);
    for at_ms in &found {
        let jpeg = published.read(layout::slide(*at_ms).as_str());
        assert_eq!(size(&bench, &jpeg), "codec_name=mjpeg width=640 height=360 nb_read_frames=1");
    }
    // Found at the next look, 0.8 s apart; as FFmpeg's scene detection sees the part without the camera.
    let changes = [0, 26_040, 60_040, 85_680, 109_760, 143_760];
    assert_eq!(found.len(), changes.len(), "{found:?}");
    for (found, change) in found.iter().zip(changes) {
        assert!((change..change + 800).contains(found), "{found} for {change}");
    }
}
