use super::*;
use crate::layout::{Rendition, audio_playlist, main_playlist};
use proptest::prelude::*;

/// A package of `segments` with `s0`, `s1`, and `s2` standing for `s1`.
fn manifest(segments: u32) -> Manifest {
    let rung = |slot: Slot, alias_of| VideoRung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: "avc1.64001f".to_owned(),
        peak_bps: 100_000,
        average_bps: 50_000,
        audio: slot.audio(),
        alias_of,
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
    Manifest {
        format: FORMAT,
        recipe: Recipe {
            name: "lesson".into(),
            sha256: Digest::of(b"recipe"),
            ffmpeg: "5.1.9-0+deb12u1".into(),
        },
        source: Source { sha256: Digest::of(b"source"), bytes: 1_234 },
        segments,
        segment_ms: grid::SEGMENT_MS,
        frame_rate: FrameRate::Fps25,
        video: vec![rung(Slot::S2, Some(Slot::S1)), rung(Slot::S0, None), rung(Slot::S1, None)],
        audio: AudioSlot::ALL.map(sound).to_vec(),
        objects: paths.into_iter().map(object).collect(),
    }
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
fn the_name_of_a_known_manifest_stays() {
    // Guards the canonical form: a change here renames every package there is.
    let sealed = manifest(1).seal().unwrap();
    assert!(sealed.bytes().starts_with(b"{\"format\":1,\"recipe\":{\"name\":\"lesson\",\"sha256\":\""));
    assert_eq!(sealed.id().to_string(), "69aa7cfd50c39a2faffedc0bc6adfedf007fded9");
}

#[test]
fn what_cannot_be_a_whole_package_is_refused() {
    type Spoil = fn(&mut Manifest);
    let cases: [(&str, Spoil); 19] = [
        ("manifest format 2", |m| m.format = 2),
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
        let sealed = manifest(2).seal().unwrap();
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
