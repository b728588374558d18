use super::*;
use crate::layout::{self, Rendition, audio_playlist, main_playlist};
use proptest::prelude::*;

/// A package of `segments` with `s0`, `s1`, and `s2` standing for `s1`.
fn manifest(segments: u32) -> Manifest {
    of_format(FORMAT, segments)
}

/// The same as an edition has it.
fn of_format(format: u32, segments: u32) -> Manifest {
    let rung = |slot: Slot, alias_of| VideoRung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: "avc1.64001f".to_owned(),
        peak_bps: 100_000,
        average_bps: 50_000,
        audio: slot.audio(),
        alias_of,
        thinning: 1,
        spending: None,
    };
    let sound = |slot: AudioSlot| AudioRendition {
        slot,
        codecs: "mp4a.40.2".to_owned(),
        channels: slot.channels(),
        peak_bps: 70_000,
        average_bps: 64_000,
    };
    let segments = SegmentCount(segments);
    let real = [Rendition::Video(Slot::S0), Rendition::Video(Slot::S1)];
    let sounds = AudioSlot::ALL.map(Rendition::Audio);
    let mut paths = vec![main_playlist(), audio_playlist(), Rendition::Video(Slot::S2).playlist()];
    for rendition in real.into_iter().chain(sounds) {
        paths.extend([rendition.init(), rendition.playlist()]);
        paths.extend(segments.numbers().map(|number| rendition.segment(number)));
    }
    if format > 1 {
        paths.extend(Slot::H264[..3].iter().map(|&slot| Rendition::Video(slot).iframes()));
    }
    let recipe =
        Recipe { name: "lesson".into(), sha256: Digest::of(b"recipe"), ffmpeg: "5.1.9-0+deb12u1".into() };
    let source = Source { sha256: Digest::of(b"source"), bytes: 1_234 };
    Manifest {
        video: vec![rung(Slot::S2, Some(Slot::S1)), rung(Slot::S0, None), rung(Slot::S1, None)],
        audio: AudioSlot::ALL.map(sound).to_vec(),
        objects: paths.into_iter().map(object).collect(),
        format,
        ..Manifest::new(recipe, source, segments, FrameRate::Fps25)
    }
}

/// The same with AV1 and everything that may stand beside rungs and sounds.
fn full(segments: u32) -> Manifest {
    let mut full = manifest(segments);
    let twin = VideoRung { slot: Slot::A2, alias_of: None, ..full.video[1].clone() };
    let alias = VideoRung { slot: Slot::A3, alias_of: Some(Slot::A2), ..twin.clone() };
    full.video[1].thinning = 5;
    full.video[1].spending = Some(Spending {
        crf_hundredths: 2_350,
        ssim_hundred_thousandths: Some(99_670),
        fixed_bps: Some(145_000),
    });
    full.video.extend([twin, alias]);
    full.trick = Some(Trick {
        codecs: "avc1.64001e".into(),
        width: 640,
        height: 360,
        per_segment: 6,
        peak_bps: 90_000,
        average_bps: 60_000,
    });
    let track = |tag: &str| {
        let language: crate::Language = tag.parse().unwrap();
        Subtitles { name: language.native_name().to_owned(), language, peak_bps: 900 }
    };
    full.subtitles = vec![track("zh-CN"), track("en")];
    full.chapters = 4;
    full.thumbs = Some(Thumbs { width: 160, height: 90, columns: 5, rows: 5 });
    full.slides = Some(Slides { count: 2 });
    full.ts = vec![TsRung { slot: Slot::S1, peak_bps: 2, average_bps: 1 }];
    full.dash = true;
    full.bundle = Some(Slot::S1);
    full.loudness = Some(Loudness {
        integrated_lufs_hundredths: -2_910,
        true_peak_dbtp_hundredths: -640,
        range_lu_hundredths: 480,
        gain_db_hundredths: 610,
    });
    let numbers = || full.segments.numbers();
    let mut paths = vec![
        layout::ts_main_playlist(),
        layout::ts_playlist(Slot::S1),
        layout::ts_iframes(Slot::S1),
        layout::dash(),
        layout::chapters(),
        layout::chapters_vtt(),
        layout::thumbs(),
        layout::thumbs_sheet(0),
        layout::slides(),
        layout::slides_vtt(),
        layout::slide(0),
        layout::slide(123_456),
        layout::bundle(),
        layout::report(),
        Rendition::Video(Slot::A3).playlist(),
        Rendition::Video(Slot::A2).iframes(),
        Rendition::Video(Slot::A3).iframes(),
        Rendition::Trick.iframes(),
    ];
    for rendition in [Rendition::Video(Slot::A2), Rendition::Trick] {
        paths.push(rendition.init());
        paths.extend(numbers().map(|number| rendition.segment(number)));
    }
    paths.push(Rendition::Video(Slot::A2).playlist());
    for track in &full.subtitles {
        let language = &track.language;
        paths.extend([layout::subtitles_playlist(language), layout::subtitles_whole(language)]);
        paths.extend(numbers().map(|number| layout::subtitles_segment(language, number)));
        paths.push(layout::ts_subtitles_playlist(language));
        paths.extend(numbers().map(|number| layout::ts_subtitles_segment(language, number)));
    }
    paths.extend(numbers().map(|number| layout::ts_segment(Slot::S1, number)));
    full.objects.extend(paths.into_iter().map(object));
    full
}

fn object(path: ObjectPath) -> Object {
    let media_type = path.media_type().unwrap();
    Object { bytes: 10, sha256: Digest::of(path.as_str().as_bytes()), media_type, path }
}

#[test]
fn a_sealed_manifest_is_read_back_under_the_same_name() {
    let sealed = manifest(3).seal().unwrap();
    assert_eq!(Manifest::parse(sealed.bytes()).unwrap(), sealed);
    assert_eq!(sealed.id(), PackageId::of(sealed.bytes()));
    assert_eq!(sealed.manifest().duration_ms(), 14_400);
    assert_eq!(sealed.manifest().object("s1/00002.m4s").unwrap().bytes, 10);
    assert!(sealed.manifest().object("s2/00002.m4s").is_none());
}

#[test]
fn the_order_things_were_made_in_does_not_change_the_name() {
    let mut shuffled = manifest(3);
    shuffled.objects.reverse();
    shuffled.video.reverse();
    assert_eq!(shuffled.seal().unwrap().id(), manifest(3).seal().unwrap().id());
    let mut other = manifest(3);
    other.objects[0].bytes += 1;
    assert_ne!(other.seal().unwrap().id(), manifest(3).seal().unwrap().id());
}

#[test]
fn the_names_of_known_manifests_stay() {
    // Guards the canonical form: a change here renames every package there is. The first is of edition 1, as the first
    // release wrote it: what was published then is still read, and under its own name.
    let first = of_format(1, 1);
    for (made, start, id) in [
        (
            first,
            &b"{\"format\":1,\"recipe\":{\"name\":\"lesson\",\"sha256\":\""[..],
            "69aa7cfd50c39a2faffedc0bc6adfedf007fded9",
        ),
        (manifest(1), b"{\"format\":2,\"recipe\":", "8323bbb84070e18144a0cf14b79181c76974c2d3"),
        (full(1), b"{\"format\":2,\"recipe\":", "39b893e52b502af8dcedf7fabe33b876035dd279"),
    ] {
        let sealed = made.seal().unwrap();
        assert!(sealed.bytes().starts_with(start));
        assert_eq!(sealed.id().to_string(), id);
        assert_eq!(Manifest::parse(sealed.bytes()).unwrap(), sealed);
    }
}

#[test]
fn what_is_claimed_must_be_there() {
    assert_eq!(full(3).seal().unwrap().manifest().subtitles[0].language.as_str(), "en");
    for path in [
        "a2/init.mp4",
        "a2/00002.m4s",
        "a3/iframes.m3u8",
        "a3/index.m3u8",
        "bundle/lesson.tar",
        "chapters.json",
        "chapters.vtt",
        "main.mpd",
        "slides/000123456.jpg",
        "slides/slides.json",
        "slides/slides.vtt",
        "subs/en/00001.vtt",
        "subs/zh-CN/all.vtt",
        "subs/zh-CN/index.m3u8",
        "thumbs/00000.jpg",
        "thumbs/thumbs.vtt",
        "trick/00000.m4s",
        "trick/iframes.m3u8",
        "trick/init.mp4",
        "ts.m3u8",
        "ts/s1/00000.ts",
        "ts/s1/iframes.m3u8",
        "ts/s1/index.m3u8",
        "ts/subs/en/00002.vtt",
        "ts/subs/zh-CN/index.m3u8",
    ] {
        let mut less = full(3);
        less.objects.retain(|object| object.path.as_str() != path);
        assert_eq!(less.objects.len() + 1, full(3).objects.len(), "{path}");
        assert!(less.seal().is_err(), "{path}");
    }
    // The report is for people: a package without one plays as well.
    let mut less = full(3);
    less.objects.retain(|object| object.path.as_str() != "report.json");
    assert!(less.seal().is_ok());
}

#[test]
fn sections_that_make_no_sense_are_refused() {
    type Spoil = fn(&mut Manifest);
    let cases: [(&str, Spoil); 13] = [
        ("`s0` cannot have 0 as its thinning", |m| m.video[1].thinning = 0),
        ("`s0` cannot have 7 as its thinning", |m| m.video[1].thinning = 7),
        ("a3 cannot be an alias of s1", |m| m.video[4].alias_of = Some(Slot::S1)),
        ("`trick` cannot have 7 pictures a segment", |m| m.trick.as_mut().unwrap().per_segment = 7),
        ("`trick` cannot have 0 pixels in a row", |m| m.trick.as_mut().unwrap().width = 0),
        ("`en` is there twice", |m| m.subtitles.push(m.subtitles[1].clone())),
        ("cannot be a name", |m| m.subtitles[0].name = "a\nb".into()),
        ("`thumbs` cannot have 0 columns", |m| m.thumbs.as_mut().unwrap().columns = 0),
        ("`thumbs/00001.jpg` is missing", |m| {
            m.thumbs = Some(Thumbs { width: 160, height: 90, columns: 2, rows: 1 });
        }),
        ("`slides` cannot have 2 pictures", |m| m.slides.as_mut().unwrap().count = 3),
        ("`slides` cannot have 2 pictures", |m| m.slides = None),
        ("`ts` needs s2, which is not there", |m| m.ts[0].slot = Slot::S2),
        ("`bundle` needs a5, which is not there", |m| m.bundle = Some(Slot::A5)),
    ];
    for (words, spoil) in cases {
        let mut spoilt = full(3);
        spoil(&mut spoilt);
        let error = spoilt.seal().unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_bundle_may_be_larger_than_other_objects() {
    for (path, bytes, fits) in [
        (layout::bundle(), MAX_OBJECT_BYTES + 1, true),
        (layout::bundle(), MAX_BUNDLE_BYTES + 1, false),
        (layout::dash(), MAX_OBJECT_BYTES + 1, false),
    ] {
        let mut full = full(1);
        full.objects.iter_mut().filter(|object| object.path == path).for_each(|object| object.bytes = bytes);
        assert_eq!(full.seal().is_ok(), fits, "{path} {bytes}");
    }
}

#[test]
fn what_cannot_be_a_whole_package_is_refused() {
    type Spoil = fn(&mut Manifest);
    let cases: [(&str, Spoil); 19] = [
        ("manifest format 3", |m| m.format = 3),
        ("not on the grid", |m| m.segment_ms = 4_000),
        ("0 segments", |m| m.segments = SegmentCount(0)),
        ("18001 segments", |m| m.segments = SegmentCount(18_001)),
        ("`s0/00003.m4s` is missing", |m| m.segments = SegmentCount(4)),
        ("no rung", |m| m.video.clear()),
        ("`s1` is there twice", |m| m.video[0] = m.video[2].clone()),
        ("a picture of 0x144", |m| m.video[1].width = 0),
        ("a picture of 256x9000", |m| m.video[1].height = 9_000),
        ("cannot be a name", |m| m.video[1].codecs = "a\",X=\"b".into()),
        ("cannot be a name", |m| m.recipe.ffmpeg.clear()),
        ("needs the sound `lo`", |m| m.audio.truncate(1)),
        ("s2 cannot be an alias of s2", |m| m.video[0].alias_of = Some(Slot::S2)),
        ("s2 cannot be an alias of s5", |m| m.video[0].alias_of = Some(Slot::S5)),
        ("cannot have 0 bytes", |m| m.objects[0].bytes = 0),
        ("cannot have 99999999999 bytes", |m| m.objects[0].bytes = 99_999_999_999),
        ("a type its name does not say", |m| m.objects[0].media_type = MediaType::Mp4),
        ("the manifest lists itself", |m| {
            m.objects.push(object(ObjectPath::parse(crate::layout::MANIFEST).unwrap()))
        }),
        ("is there twice", |m| m.objects.push(m.objects[0].clone())),
    ];
    for (words, spoil) in cases {
        let mut spoilt = manifest(3);
        spoil(&mut spoilt);
        let error = spoilt.clone().seal().unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        // What seal() refuses, parse() refuses.
        assert!(Manifest::parse(&json(&spoilt)).is_err(), "{words}");
    }
}

#[test]
fn texts_that_are_no_manifest_are_refused() {
    let valid = String::from_utf8(manifest(1).seal().unwrap().bytes().to_vec()).unwrap();
    for (case, text) in [
        ("empty", String::new()),
        ("list", "[]".to_owned()),
        ("unknown key", valid.replacen("\"segments\"", "\"colour\":1,\"segments\"", 1)),
        ("path out of the package", valid.replacen("audio/hi/00000.m4s", "../../lessons/a/main.m3u8", 1)),
        ("absolute path", valid.replacen("audio/hi/00000.m4s", "/etc/passwd.json", 1)),
        ("rate off the grid", valid.replacen("\"frame_rate\":25", "\"frame_rate\":24", 1)),
        ("cut short", valid[..valid.len() / 2].to_owned()),
    ] {
        assert!(Manifest::parse(text.as_bytes()).is_err(), "{case}");
    }
    assert!(Manifest::parse(valid.as_bytes()).is_ok());
    assert!(matches!(
        Manifest::parse(&vec![b' '; MAX_MANIFEST_BYTES + 1]),
        Err(ManifestError::TooLong(length)) if length == MAX_MANIFEST_BYTES + 1
    ));
}

proptest! {
    /// Whatever the numbers are, what was sealed is what is read.
    #[test]
    fn numbers_survive(segments in 1u32..20, peak_bps: u64, average_bps: u64, bytes in 1..=MAX_OBJECT_BYTES) {
        let mut manifest = manifest(segments);
        manifest.video[0].peak_bps = peak_bps;
        manifest.audio[0].average_bps = average_bps;
        manifest.objects[0].bytes = bytes;
        let sealed = manifest.seal().unwrap();
        prop_assert_eq!(Manifest::parse(sealed.bytes()).unwrap(), sealed);
    }

    /// One changed byte anywhere: refused, or a package of another name. Never a panic.
    #[test]
    fn a_changed_byte_never_passes_for_the_same_package(place: prop::sample::Index, byte: u8) {
        let sealed = full(2).seal().unwrap();
        let mut bytes = sealed.bytes().to_vec();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        if let Ok(other) = Manifest::parse(&bytes) {
            prop_assert_ne!(other.id(), sealed.id());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Manifest::parse(&bytes);
    }
}
