use super::*;
use grid::{FrameRate, SegmentCount};
use package::manifest::{Recipe, Source};
use package::{AudioSlot, Digest};

/// Rungs at about the rates of a lesson of slides.
fn manifest(slots: &[(Slot, u64)]) -> Manifest {
    let recipe = Recipe { name: "lesson".into(), sha256: Digest::of(b""), ffmpeg: "none".into() };
    let source = Source { sha256: Digest::of(b""), bytes: 1 };
    let rung = |&(slot, peak_bps): &(Slot, u64)| VideoRung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: if slot.codec() == Codec::Av1 { "av01.0.04M.08".into() } else { "avc1.64001F".into() },
        peak_bps,
        average_bps: peak_bps / 2,
        audio: slot.audio(),
        alias_of: None,
        thinning: if slot == Slot::S0 { 5 } else { 1 },
        spending: None,
    };
    let sound = |slot: AudioSlot| AudioRendition {
        slot,
        codecs: "mp4a.40.2".into(),
        channels: slot.channels(),
        peak_bps: u64::from(slot.bit_rate()) + 2_000,
        average_bps: slot.bit_rate().into(),
    };
    Manifest {
        video: slots.iter().map(rung).collect(),
        audio: AudioSlot::ALL.map(sound).to_vec(),
        ..Manifest::new(recipe, source, SegmentCount(2), FrameRate::Fps25)
    }
}

const LADDER: [(Slot, u64); 7] = [
    (Slot::S0, 100_000),
    (Slot::S1, 220_000),
    (Slot::S2, 400_000),
    (Slot::S3, 700_000),
    (Slot::S5, 2_000_000),
    (Slot::A2, 150_000),
    (Slot::A5, 800_000),
];

fn rendered(manifest: &Manifest) -> MultivariantPlaylist {
    let still = Measured { peak_bps: 9_000, average_bps: 8_000 };
    let stills = manifest.video.iter().map(|rung| (Rendition::Video(rung.slot), still)).collect();
    main(manifest, &stills, &"zh-CN".parse().unwrap())
}

#[test]
fn who_reads_from_the_top_meets_h264_first() {
    let playlist = rendered(&manifest(&LADDER));
    let order: Vec<&str> = playlist.variants.iter().map(|variant| &variant.uri[..2]).collect();
    assert_eq!(order, ["s3", "s0", "s1", "s2", "s5", "a2", "a5"]);
    assert_eq!(playlist.iframe_variants.len(), LADDER.len());
}

#[test]
fn av1_is_the_better_of_two_of_the_same_size_and_only_of_those() {
    let playlist = rendered(&manifest(&LADDER));
    let mut by_score = playlist.variants.clone();
    by_score.sort_by_key(|variant| variant.score);
    let order: Vec<&str> = by_score.iter().map(|variant| &variant.uri[..2]).collect();
    assert_eq!(order, ["s0", "s1", "s2", "a2", "s3", "s5", "a5"]);
    assert!(playlist.iframe_variants.iter().all(|variant| variant.score.is_some()));
}

#[test]
fn every_codec_that_must_be_decoded_is_told() {
    for variant in rendered(&manifest(&LADDER)).variants {
        let av1 = variant.uri.starts_with('a');
        assert_eq!(variant.codecs.as_deref().unwrap().starts_with("av01"), av1, "{}", variant.uri);
        assert!(variant.codecs.unwrap().ends_with(",mp4a.40.2"));
    }
}

#[test]
fn without_av1_nobody_is_scored() {
    let playlist = rendered(&manifest(&LADDER[..5]));
    assert!(playlist.variants.iter().all(|variant| variant.score.is_none()));
    assert!(playlist.iframe_variants.iter().all(|variant| variant.score.is_none()));
}

#[test]
fn rates_are_those_of_what_is_played_together() {
    let playlist = rendered(&manifest(&LADDER));
    let s0 = playlist.variants.iter().find(|variant| variant.uri.starts_with("s0")).unwrap();
    assert_eq!((s0.bandwidth, s0.average_bandwidth), (134_000, Some(82_000)));
    assert_eq!(s0.frame_rate.unwrap().to_string(), "5.000");
    assert_eq!(s0.audio_group.as_deref(), Some("lo"));
}

#[test]
fn an_alias_is_not_offered() {
    let mut manifest = manifest(&LADDER[..3]);
    manifest.video[2].alias_of = Some(Slot::S1);
    let playlist = rendered(&manifest);
    assert!(playlist.variants.iter().all(|variant| !variant.uri.starts_with("s2")));
    assert_eq!(playlist.iframe_variants.len(), 2);
}

#[test]
fn sound_is_told_in_its_own_language() {
    let playlist = main(&manifest(&LADDER), &BTreeMap::new(), &"en".parse().unwrap());
    let told: Vec<_> =
        playlist.renditions.iter().map(|sound| (sound.name.as_str(), sound.language.as_deref())).collect();
    assert_eq!(told, [("English", Some("en")); 2]);
}

#[test]
fn text_and_chapters_are_told_where_they_are_and_counted_at_their_peak() {
    let mut manifest = manifest(&LADDER);
    let track = |tag: &str, peak_bps| {
        let language: Language = tag.parse().unwrap();
        Subtitles { name: language.native_name().to_owned(), language, peak_bps }
    };
    manifest.subtitles = vec![track("en", 900), track("zh-CN", 1_000)];
    manifest.chapters = 3;
    let playlist = rendered(&manifest);
    let s0 = playlist.variants.iter().find(|variant| variant.uri.starts_with("s0")).unwrap();
    assert_eq!((s0.bandwidth, s0.average_bandwidth), (135_000, Some(82_000)));
    assert!(playlist.variants.iter().all(|variant| variant.subtitles_group.as_deref() == Some("subs")));
    let text: Vec<_> = playlist.renditions.iter().filter(|text| text.group == "subs").collect();
    assert_eq!(text.iter().map(|text| text.name.as_str()).collect::<Vec<_>>(), ["English", "简体中文"]);
    assert!(
        playlist
            .render()
            .contains("#EXT-X-SESSION-DATA:DATA-ID=\"com.apple.hls.chapters\",URI=\"chapters.json\"")
    );
}

#[test]
fn a_bundle_tells_one_rung_and_what_plays_with_it() {
    let playlist = of_rung(&rendered(&manifest(&LADDER)), Slot::S2);
    assert_eq!((playlist.variants.len(), playlist.iframe_variants.len()), (1, 1));
    assert_eq!(playlist.renditions.iter().map(|sound| sound.group.as_str()).collect::<Vec<_>>(), ["hi"]);
}

#[test]
fn old_devices_are_told_h264_in_mpeg_ts_alone() {
    let mut manifest = manifest(&LADDER);
    manifest.ts = vec![
        package::manifest::TsRung { slot: Slot::S0, peak_bps: 150_000, average_bps: 90_000 },
        package::manifest::TsRung { slot: Slot::S1, peak_bps: 300_000, average_bps: 200_000 },
    ];
    let still = Measured { peak_bps: 9_500, average_bps: 8_500 };
    let playlist = transport(&manifest, &rendered(&manifest), &[(Slot::S0, still), (Slot::S1, still)]);
    assert_eq!((playlist.version, playlist.renditions.len()), (3, 0));
    let told: Vec<_> =
        playlist.variants.iter().map(|variant| (variant.uri.as_str(), variant.bandwidth)).collect();
    assert_eq!(told, [("ts/s1/index.m3u8", 300_000), ("ts/s0/index.m3u8", 150_000)]);
    assert!(playlist.variants.iter().all(|variant| variant.audio_group.is_none() && variant.score.is_none()));
    assert_eq!(playlist.iframe_variants[1].uri, "ts/s1/iframes.m3u8");
}
