//! What lies beside the media: subtitles, chapters, DASH, the bundle.

use crate::clip::{Bench, ffmpeg};
use crate::lesson::{ingest, program, said};
use package::{Language, Rendition, Slot, layout};
use std::fs;
use std::process::Command;

const CHINESE: &str = "1\r\n00:00:01,000 --> 00:00:06,000\r\n<i>孔乙己</i>\r\n";
const ENGLISH: &str = "WEBVTT\n\n00:01.000 --> 00:02.000\nKong Yiji\n";

#[test]
fn a_lesson_with_everything_beside_it() {
    let bench = Bench::new();
    let clip = bench.plain("lesson.mp4", 6);
    fs::write(bench.path("lesson.srt"), encoding_rs::GB18030.encode(CHINESE).0).unwrap();
    fs::write(bench.path("lesson.en.vtt"), ENGLISH).unwrap();
    fs::write(bench.path("lesson.chapters.txt"), "00:00 导入\n00:05 课文\n").unwrap();
    let published = ingest(&bench, &clip);
    let manifest = published.manifest();
    let tags: Vec<&str> = manifest.subtitles.iter().map(|track| track.language.as_str()).collect();
    assert_eq!((tags, manifest.chapters), (vec!["en", "zh-CN"], 2));

    // The cue lies in both segments that it overlaps.
    let language: Language = "zh-CN".parse().unwrap();
    for number in manifest.segments.numbers() {
        let text = published.read(layout::subtitles_segment(&language, number).as_str());
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00:01.000 --> 00:00:06.000\n<i>孔乙己</i>\n"
        );
    }
    let main = String::from_utf8(published.read("main.m3u8")).unwrap();
    let main = hls::MultivariantPlaylist::parse(&main).unwrap();
    let text: Vec<_> =
        main.renditions.iter().filter(|text| text.type_ == hls::MediaType::Subtitles).collect();
    assert_eq!(text.iter().map(|text| text.name.as_str()).collect::<Vec<_>>(), ["English", "简体中文"]);
    let chapters: serde_json::Value = serde_json::from_slice(&published.read("chapters.json")).unwrap();
    assert_eq!(chapters[1]["titles"][0]["title"], "课文");

    // A second opinion on all of DASH: FFmpeg plays every segment of a rung.
    let mpd = published.path("main.mpd");
    let pictures = ffmpeg([
        "-allowed_extensions",
        "ALL",
        "-i",
        mpd.to_str().unwrap(),
        "-map",
        "0:v:0",
        "-f",
        "framemd5",
        "-",
    ]);
    let frames =
        String::from_utf8(pictures).unwrap().lines().filter(|line| !line.starts_with('#')).count() as u64;
    assert_eq!(frames, manifest.segments.pictures(manifest.frame_rate));
}

#[test]
fn old_devices_get_the_small_rungs_with_sound_as_mpeg_ts() {
    let bench = Bench::new();
    let clip = bench.clip(
        "lesson.mp4",
        "-f lavfi -i testsrc2=s=416x234:r=25:d=6 -f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac",
    );
    fs::write(bench.path("lesson.srt"), CHINESE).unwrap();
    let published = ingest(&bench, &clip);
    let manifest = published.manifest();
    assert_eq!(manifest.ts.iter().map(|rung| rung.slot).collect::<Vec<_>>(), [Slot::S0, Slot::S1]);
    let main = published.path("ts.m3u8");
    let pictures = ffmpeg(["-i", main.to_str().unwrap(), "-map", "0:v:0", "-f", "framemd5", "-"]);
    let frames =
        String::from_utf8(pictures).unwrap().lines().filter(|line| !line.starts_with('#')).count() as u64;
    assert_eq!(frames, manifest.segments.pictures(manifest.frame_rate));
    let sound = ffmpeg(["-i", main.to_str().unwrap(), "-map", "0:a:0", "-f", "s16le", "-ac", "1", "-"]);
    assert_eq!(sound.len() as u64, manifest.segments.samples() * 2);
    // The clock of MPEG-TS does not begin at 0, and its subtitles say so.
    let text = String::from_utf8(published.read("ts/subs/zh-CN/00000.vtt")).unwrap();
    assert!(text.contains("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000"), "{text}");
    // What an I-frame playlist names is a picture by itself.
    for number in manifest.segments.numbers() {
        let playlist = String::from_utf8(published.read("ts/s1/iframes.m3u8")).unwrap();
        let playlist = hls::MediaPlaylist::parse(&playlist).unwrap();
        let range = playlist.segments[number.0 as usize].byte_range.unwrap();
        let segment = published.read(layout::ts_segment(Slot::S1, number).as_str());
        let still = bench.path("still.ts");
        fs::write(&still, &segment[..range.length as usize]).unwrap();
        let grey =
            ffmpeg(["-i", still.to_str().unwrap(), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-"]);
        assert_eq!(grey.len(), 416 * 234);
    }
}

#[test]
fn stills_of_every_rung_are_pictures_by_themselves() {
    let bench = Bench::new();
    let published = ingest(&bench, &bench.plain("lesson.mp4", 6));
    for rendition in
        published.renditions().into_iter().filter(|rendition| matches!(rendition, Rendition::Video(_)))
    {
        let playlist = String::from_utf8(published.read(rendition.iframes().as_str())).unwrap();
        let playlist = hls::MediaPlaylist::parse(&playlist).unwrap();
        for (number, still) in published.manifest().segments.numbers().zip(&playlist.segments) {
            let range = still.byte_range.unwrap();
            let mut bytes = published.read(rendition.init().as_str());
            let segment = published.read(rendition.segment(number).as_str());
            bytes.extend(&segment[range.offset as usize..range.end() as usize]);
            let path = bench.path("still.mp4");
            fs::write(&path, bytes).unwrap();
            let frames = ffmpeg(["-v", "fatal", "-i", path.to_str().unwrap(), "-f", "framemd5", "-"]);
            let frames =
                String::from_utf8(frames).unwrap().lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(frames, 1, "{rendition} {number:?}");
        }
    }
}

#[test]
fn the_bundle_plays_where_it_is_unpacked() {
    let bench = Bench::new();
    let clip = bench.clip("lesson.mp4", "-f lavfi -i testsrc2=s=640x360:r=25:d=5 -f lavfi -i sine=d=5 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    let published = ingest(&bench, &clip);
    assert_eq!(published.manifest().bundle, Some(Slot::S2));
    let folder = bench.path("unpacked");
    fs::create_dir(&folder).unwrap();
    let tar = published.path("bundle/lesson.tar");
    let unpacked = Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&folder).output().unwrap();
    assert!(unpacked.status.success() && unpacked.stderr.is_empty(), "{unpacked:?}");
    let list: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("bundle.json")).unwrap()).unwrap();
    for member in list["members"].as_array().unwrap() {
        let bytes = fs::read(folder.join(member["path"].as_str().unwrap())).unwrap();
        assert_eq!(package::Digest::of(&bytes).to_string(), member["sha256"], "{member}");
    }
    let playlist = folder.join("lesson.m3u8");
    let sound = ffmpeg(["-i", playlist.to_str().unwrap(), "-map", "0:a:0", "-f", "s16le", "-ac", "1", "-"]);
    assert_eq!(sound.len() as u64, published.manifest().segments.samples() * 2);
}

#[test]
fn other_subtitles_are_another_package_and_the_same_are_the_same() {
    let bench = Bench::new();
    let clip = bench.plain("lesson.mp4", 3);
    let alone = ingest(&bench, &clip).package.id();
    fs::write(bench.path("lesson.srt"), CHINESE).unwrap();
    let with_text = ingest(&bench, &clip).package.id();
    assert_ne!(alone, with_text);
    assert_eq!(ingest(&bench, &clip).package.id(), with_text);
    fs::remove_file(bench.path("lesson.srt")).unwrap();
    assert_eq!(ingest(&bench, &clip).package.id(), alone);
}

#[test]
fn subtitles_that_make_no_sense_are_told_before_anything_is_done() {
    let bench = Bench::new();
    let clip = bench.plain("lesson.mp4", 2);
    fs::write(bench.path("mine.srt"), "1\n00:00:01,000 --> soon\nHello\n").unwrap();
    let output = program(&bench, &[&clip])
        .arg("--subtitles")
        .arg(format!("{}:en", bench.path("mine.srt").display()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = said(&output);
    assert!(line.contains("SUBTITLES_MALFORMED: ") && line.contains("mine.srt:2: "), "{line}");
}

#[test]
fn subtitles_and_chapters_within_the_source_are_taken_along() {
    let bench = Bench::new();
    let plain = bench.plain("plain.mp4", 6);
    fs::write(bench.path("text.srt"), "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\n").unwrap();
    // Titles as they were copied from a file in GBK, too: students read question marks.
    let about = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=3000\ntitle=导入\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=3000\nEND=6000\ntitle=课文\n";
    fs::write(bench.path("utf-8.txt"), about).unwrap();
    fs::write(bench.path("gbk.txt"), encoding_rs::GB18030.encode(about).0).unwrap();
    let at = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    for (name, about, format, text) in [
        ("lesson.mkv", "utf-8.txt", "srt", "<i>Hello</i>"),
        ("lesson.mp4", "utf-8.txt", "mov_text", "Hello"),
        ("gbk.mp4", "gbk.txt", "mov_text", "Hello"),
    ] {
        let lesson = bench.path(name);
        let (plain, srt, about) = (plain.to_str().unwrap(), at("text.srt"), at(about));
        let inputs = ["-i", plain, "-i", &srt, "-i", &about, "-map", "0", "-map", "1", "-map_metadata", "2"];
        let coded =
            ["-c", "copy", "-c:s", format, "-metadata:s:s:0", "language=eng", lesson.to_str().unwrap()];
        ffmpeg(inputs.into_iter().chain(coded));
        let published = ingest(&bench, &lesson);
        let manifest = published.manifest();
        let told: Vec<_> = manifest.subtitles.iter().map(|track| track.name.as_str()).collect();
        assert_eq!((told, manifest.chapters), (vec!["English"], 2), "{name}");
        let whole = String::from_utf8(published.read("subs/en/all.vtt")).unwrap();
        assert_eq!(whole, format!("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n{text}\n"), "{name}");
        let chapters = String::from_utf8(published.read("chapters.vtt")).unwrap();
        assert!(chapters.ends_with(" --> 00:00:09.600\n课文\n"), "{name}: {chapters}");
    }
}
