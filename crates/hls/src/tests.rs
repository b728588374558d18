//! Golden playlists, the round trip, and a second opinion.

use crate::*;
use proptest::prelude::*;

fn lesson() -> MultivariantPlaylist {
    let variant = |slot: &str, bandwidth, average, width, height, group: &str| Variant {
        uri: format!("{slot}/index.m3u8"),
        bandwidth,
        average_bandwidth: Some(average),
        codecs: Some("avc1.64001f,mp4a.40.2".to_owned()),
        resolution: Some(Resolution { width, height }),
        frame_rate: Some(grid::FrameRate::Fps25.into()),
        audio_group: Some(group.to_owned()),
        ..Variant::default()
    };
    let rendition = |group: &str, channels| Rendition {
        type_: MediaType::Audio,
        group: group.to_owned(),
        name: "普通话".to_owned(),
        language: Some("zh-CN".to_owned()),
        channels: Some(channels),
        default: true,
        autoselect: true,
        uri: Some(format!("audio/{group}/index.m3u8")),
    };
    MultivariantPlaylist::new(
        vec![variant("s2", 712_000, 310_400, 640, 360, "hi"), variant("s0", 188_000, 96_000, 256, 144, "lo")],
        vec![rendition("hi", 2), rendition("lo", 1)],
    )
}

#[test]
fn golden_multivariant() {
    insta::assert_snapshot!(lesson().render(), @r#"
    #EXTM3U
    #EXT-X-VERSION:4
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="普通话",LANGUAGE="zh-CN",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/hi/index.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="普通话",LANGUAGE="zh-CN",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="audio/lo/index.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=712000,AVERAGE-BANDWIDTH=310400,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="hi"
    s2/index.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=188000,AVERAGE-BANDWIDTH=96000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=256x144,FRAME-RATE=25.000,AUDIO="lo"
    s0/index.m3u8
    "#);
}

#[test]
fn golden_media() {
    let playlist = MediaPlaylist::lesson("init.mp4", (0..2).map(|number| format!("{number:05}.m4s")));
    insta::assert_snapshot!(playlist.render(), @r#"
    #EXTM3U
    #EXT-X-VERSION:6
    #EXT-X-TARGETDURATION:5
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:4.800,
    00000.m4s
    #EXTINF:4.800,
    00001.m4s
    #EXT-X-ENDLIST
    "#);
    assert_eq!(playlist.duration_ms(), 9_600);
}

#[test]
fn golden_multivariant_with_everything() {
    let mut playlist = lesson();
    playlist.session_data.push(SessionData {
        id: "com.apple.hls.chapters".to_owned(),
        value: SessionValue::Json("chapters.json".to_owned()),
        language: None,
    });
    playlist.renditions.truncate(1);
    playlist.renditions.push(Rendition {
        type_: MediaType::Subtitles,
        group: "subs".to_owned(),
        name: "English".to_owned(),
        language: Some("en".to_owned()),
        channels: None,
        default: false,
        autoselect: true,
        uri: Some("subs/en/index.m3u8".to_owned()),
    });
    playlist.variants.truncate(1);
    playlist.variants[0].score = Some(Score::whole(3));
    playlist.variants[0].subtitles_group = Some("subs".to_owned());
    playlist.variants[0].no_closed_captions = true;
    playlist.iframe_variants.push(IFrameVariant {
        uri: "s2/iframes.m3u8".to_owned(),
        bandwidth: 48_000,
        average_bandwidth: Some(30_000),
        score: Some(Score::whole(3)),
        codecs: Some("avc1.64001f".to_owned()),
        resolution: Some(Resolution { width: 640, height: 360 }),
    });
    insta::assert_snapshot!(playlist.render(), @r#"
    #EXTM3U
    #EXT-X-VERSION:4
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.chapters",URI="chapters.json"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="普通话",LANGUAGE="zh-CN",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/hi/index.m3u8"
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="subs/en/index.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=712000,AVERAGE-BANDWIDTH=310400,SCORE=3.000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="hi",SUBTITLES="subs",CLOSED-CAPTIONS=NONE
    s2/index.m3u8
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=48000,AVERAGE-BANDWIDTH=30000,SCORE=3.000,CODECS="avc1.64001f",RESOLUTION=640x360,URI="s2/iframes.m3u8"
    "#);
    let rebased = playlist.rebased("../../p/abc/").render();
    for uri in
        ["chapters.json", "audio/hi/index.m3u8", "subs/en/index.m3u8", "s2/index.m3u8", "s2/iframes.m3u8"]
    {
        assert!(rebased.contains(&format!("../../p/abc/{uri}")), "{uri}");
    }
}

#[test]
fn golden_iframes() {
    let picture = |uri: &str, offset, length| Segment {
        uri: uri.to_owned(),
        duration_ms: 4_800,
        byte_range: Some(ByteRange { length, offset }),
        ..Segment::default()
    };
    let pictures = vec![picture("00000.m4s", 0, 9_120), picture("00001.m4s", 0, 8_002)];
    insta::assert_snapshot!(MediaPlaylist::iframes(Some("init.mp4".to_owned()), pictures).render(), @r#"
    #EXTM3U
    #EXT-X-VERSION:5
    #EXT-X-TARGETDURATION:5
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-I-FRAMES-ONLY
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:4.800,
    #EXT-X-BYTERANGE:9120@0
    00000.m4s
    #EXTINF:4.800,
    #EXT-X-BYTERANGE:8002@0
    00001.m4s
    #EXT-X-ENDLIST
    "#);
}

#[test]
fn a_version_is_no_higher_than_needed() {
    // RFC 8216bis §8.
    let uris = || ["a".to_owned()];
    let picture = || {
        vec![Segment {
            uri: "a".into(),
            duration_ms: 4_800,
            byte_range: Some(ByteRange { length: 1, offset: 0 }),
            ..Segment::default()
        }]
    };
    let whole = MediaPlaylist {
        segments: vec![Segment { uri: "a".into(), duration_ms: 5_000, ..Segment::default() }],
        ..MediaPlaylist::lesson_without_map([], true)
    };
    for (what, playlist, version) in [
        ("EXT-X-MAP", MediaPlaylist::lesson("i", uris()), 6),
        ("EXT-X-MAP of pictures alone", MediaPlaylist::iframes(Some("i".into()), picture()), 5),
        ("EXT-X-I-FRAMES-ONLY", MediaPlaylist::iframes(None, picture()), 4),
        (
            "EXT-X-BYTERANGE",
            MediaPlaylist { iframes_only: false, ..MediaPlaylist::iframes(None, picture()) },
            4,
        ),
        ("parts of seconds", MediaPlaylist::lesson_without_map(uris(), true), 3),
        ("nothing", whole, 1),
    ] {
        assert_eq!(playlist.needed_version(), version, "{what}");
    }
}

#[test]
fn a_range_without_an_offset_lies_behind_the_one_before() {
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n";
    let text = format!(
        "{head}#EXTINF:1,\n#EXT-X-BYTERANGE:10@5\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n#EXTINF:1,\na\n"
    );
    let ranges: Vec<_> =
        MediaPlaylist::parse(&text).unwrap().segments.iter().map(|segment| segment.byte_range).collect();
    let range = |length, offset| Some(ByteRange { length, offset });
    assert_eq!(ranges, [range(10, 5), range(7, 15), None]);
    // §4.4.4.2: of the same resource, and there must be one before.
    for rest in [
        "#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n",
        "#EXTINF:1,\n#EXT-X-BYTERANGE:7@1\nb\n#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n",
        "#EXT-X-BYTERANGE:7@1\n",
    ] {
        let error = MediaPlaylist::parse(&format!("{head}{rest}")).unwrap_err();
        assert_eq!(error.problem, Problem::Unpaired("#EXT-X-BYTERANGE"), "{rest}");
    }
}

#[test]
fn a_pointer_sees_its_package_from_its_own_folder() {
    let mut playlist = lesson().rebased("../../p/abc/");
    assert_eq!(playlist.variants[0].uri, "../../p/abc/s2/index.m3u8");
    assert_eq!(playlist.renditions[1].uri.as_deref(), Some("../../p/abc/audio/lo/index.m3u8"));
    for absolute in ["https://cdn.example/x.m3u8", "/x.m3u8", "//cdn.example/x.m3u8"] {
        playlist.variants[0].uri = absolute.to_owned();
        playlist = playlist.rebased("../");
        assert_eq!(playlist.variants[0].uri, absolute);
    }
}

#[test]
fn what_a_teacher_typed_cannot_break_out_of_its_attribute() {
    let mut playlist = lesson();
    playlist.renditions.truncate(1);
    playlist.renditions[0].name = "a\",URI=\"evil\n#EXT-X-ENDLIST".to_owned();
    playlist.variants.truncate(1);
    playlist.variants[0].uri = "#x\ny \"".to_owned();
    let read = MultivariantPlaylist::parse(&playlist.render()).unwrap();
    assert_eq!(read.renditions[0].name, "a',URI='evil #EXT-X-ENDLIST");
    assert_eq!(read.renditions[0].uri, playlist.renditions[0].uri);
    assert_eq!(read.variants[0].uri, "%23x%0Ay%20%22");
}

#[test]
fn multivariant_errors_name_their_line() {
    for (text, line, problem) in [
        ("", 1, Problem::NotAPlaylist),
        ("\u{feff}#EXTM3U\n", 1, Problem::NotAPlaylist),
        ("#EXTM3U8\n", 1, Problem::NotAPlaylist),
        ("#EXTM3U\ns0.m3u8\n", 2, Problem::Unpaired("a URI")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 2, Problem::Unpaired("#EXT-X-STREAM-INF")),
        ("#EXTM3U\n#EXTINF:4,\n", 2, Problem::WrongKind("#EXTINF")),
        (
            "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nx\n",
            2,
            Problem::Attribute { tag: "#EXT-X-STREAM-INF", attribute: "BANDWIDTH" },
        ),
        (
            "#EXTM3U\n\n#EXT-X-STREAM-INF:BANDWIDTH=x\n",
            3,
            Problem::Value { tag: "BANDWIDTH", value: "x".into() },
        ),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\n", 2, Problem::Attributes("#EXT-X-STREAM-INF")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:A=\"b\"c\n", 2, Problem::Attributes("#EXT-X-STREAM-INF")),
        (
            "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n",
            2,
            Problem::Attribute { tag: "#EXT-X-I-FRAME-STREAM-INF", attribute: "URI" },
        ),
        (
            "#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"a\"\n",
            2,
            Problem::Attribute { tag: "#EXT-X-SESSION-DATA", attribute: "VALUE" },
        ),
        (
            "#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"b\",URI=\"c\"\n",
            2,
            Problem::Attributes("#EXT-X-SESSION-DATA"),
        ),
    ] {
        assert_eq!(MultivariantPlaylist::parse(text), Err(ParseError { line, problem }), "{text:?}");
    }
}

#[test]
fn media_errors_name_their_line() {
    let target = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n";
    for (text, line, problem) in [
        ("#EXTM3U\n".to_owned(), 2, Problem::Missing("#EXT-X-TARGETDURATION")),
        (format!("{target}#EXT-X-TARGETDURATION:5\n"), 3, Problem::Repeated("#EXT-X-TARGETDURATION")),
        (format!("{target}#EXTINF:4.8,\n#EXTINF:4.8,\n"), 3, Problem::Unpaired("#EXTINF")),
        (format!("{target}#EXTINF:4.8,\n"), 3, Problem::Unpaired("#EXTINF")),
        (format!("{target}0.m4s\n"), 3, Problem::Unpaired("a URI")),
        (format!("{target}#EXTINF:-1,\n"), 3, Problem::Value { tag: "#EXTINF", value: "-1,".into() }),
        (format!("{target}#EXT-X-MEDIA:TYPE=AUDIO\n"), 3, Problem::WrongKind("#EXT-X-MEDIA")),
        (
            format!("{target}#EXT-X-PLAYLIST-TYPE:LIVE\n"),
            3,
            Problem::Value { tag: "#EXT-X-PLAYLIST-TYPE", value: "LIVE".into() },
        ),
    ] {
        assert_eq!(MediaPlaylist::parse(&text), Err(ParseError { line, problem }), "{text:?}");
    }
}

#[test]
fn unknown_tags_comments_and_windows_line_ends_are_passed_over() {
    let text = "#EXTM3U\r\n# made elsewhere\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-NEW:1\r\n\r\n\
                #EXTINF:6.006,第一节\r\n#EXT-X-BITRATE:9\r\nseg 0.ts\r\n";
    let playlist = MediaPlaylist::parse(text).unwrap();
    assert_eq!(
        playlist.segments,
        [Segment { uri: "seg 0.ts".to_owned(), duration_ms: 6_006, ..Segment::default() }]
    );
    assert_eq!((playlist.version, playlist.playlist_type, playlist.end_list), (1, None, false));
}

#[test]
fn golden_programme_change() {
    let segment = |uri: &str| Segment { uri: uri.to_owned(), duration_ms: 4_800, ..Segment::default() };
    let bell: jiff::Timestamp = "2026-09-01T08:30:00+08:00".parse().unwrap();
    let segments = vec![
        Segment {
            date_time: Some(bell - jiff::SignedDuration::from_millis(4_800)),
            ..segment("a/00249.m4s")
        },
        Segment {
            discontinuity: true,
            map: Some("b/init.mp4".to_owned()),
            date_time: Some(bell),
            ..segment("b/00000.m4s")
        },
        Segment { gap: true, ..segment("b/00001.m4s") },
    ];
    let lesson = DateRange {
        id: "20260901-6375".to_owned(),
        class: Some("cn.airclass.programme".to_owned()),
        start: bell,
        duration_ms: Some(1_200_000),
        client: vec![("X-CN-AIRCLASS-TITLE".to_owned(), "分数的\"意义\"".to_owned())],
    };
    let playlist = MediaPlaylist {
        map: Some("a/init.mp4".to_owned()),
        date_ranges: vec![lesson],
        version: 6,
        ..MediaPlaylist::window(17_999, 12, segments)
    };
    insta::assert_snapshot!(playlist.render(), @r#"
    #EXTM3U
    #EXT-X-VERSION:6
    #EXT-X-TARGETDURATION:5
    #EXT-X-MEDIA-SEQUENCE:17999
    #EXT-X-DISCONTINUITY-SEQUENCE:12
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="a/init.mp4"
    #EXT-X-DATERANGE:ID="20260901-6375",CLASS="cn.airclass.programme",START-DATE="2026-09-01T00:30:00.000Z",DURATION=1200.000,X-CN-AIRCLASS-TITLE="分数的'意义'"
    #EXT-X-PROGRAM-DATE-TIME:2026-09-01T00:29:55.200Z
    #EXTINF:4.800,
    a/00249.m4s
    #EXT-X-DISCONTINUITY
    #EXT-X-MAP:URI="b/init.mp4"
    #EXT-X-PROGRAM-DATE-TIME:2026-09-01T00:30:00.000Z
    #EXTINF:4.800,
    b/00000.m4s
    #EXT-X-GAP
    #EXTINF:4.800,
    b/00001.m4s
    "#);
    let read = MediaPlaylist::parse(&playlist.render()).unwrap();
    let mut said = playlist.clone();
    said.date_ranges[0].client[0].1 = "分数的'意义'".to_owned();
    assert_eq!(read, said);
}

#[test]
fn an_update_counts_what_it_leaves_out() {
    let of = |number: u64| Segment {
        discontinuity: number == 20 || number == 36,
        map: [20, 36].contains(&number).then(|| format!("{number}/init.mp4")),
        ..Segment::on_grid(format!("{number}.m4s"))
    };
    let mut whole = MediaPlaylist::window(100, 3, (0..40).map(of).collect());
    whole.map = Some("0/init.mp4".to_owned());
    whole.can_skip_until_ms = Some(30_000);
    whole.version = whole.needed_version();
    assert_eq!(MediaPlaylist::parse(&whole.render()), Ok(whole.clone()));
    let update = whole.delta().unwrap();
    // The seventh from the end is the one that 30 s ago runs through.
    assert_eq!((update.skipped, update.segments.len(), update.version), (33, 7, 9));
    assert_eq!((update.media_sequence, update.discontinuity_sequence), (100, Some(3)));
    assert_eq!(update.map.as_deref(), Some("20/init.mp4"), "the one that counts there");
    assert_eq!(update.segments[..], whole.segments[33..]);
    let text = update.render();
    assert!(text.contains("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=30.000\n"), "{text}");
    assert!(text.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=33\n#EXT-X-MAP:URI=\"20/init.mp4\"\n"), "{text}");
    assert_eq!(MediaPlaylist::parse(&text), Ok(update.clone()));
    assert_eq!(update.delta(), None, "once is enough");
    assert_eq!(MediaPlaylist { end_list: true, ..whole.clone() }.delta(), None);
    assert_eq!(MediaPlaylist { can_skip_until_ms: None, ..whole.clone() }.delta(), None);
    whole.segments.truncate(7);
    assert_eq!(whole.delta(), None);
}

#[test]
fn an_endless_playlist_is_refused() {
    let text = format!("#EXTM3U\n{}", "#\n".repeat(MAX_PLAYLIST_BYTES / 2));
    assert_eq!(MediaPlaylist::parse(&text).unwrap_err().problem, Problem::TooLong);
}

proptest! {
    #[test]
    fn a_multivariant_playlist_survives_the_round_trip(playlist in multivariant()) {
        prop_assert_eq!(MultivariantPlaylist::parse(&playlist.render()), Ok(playlist));
    }

    #[test]
    fn a_media_playlist_survives_the_round_trip(playlist in media()) {
        prop_assert_eq!(MediaPlaylist::parse(&playlist.render()), Ok(playlist));
    }

    /// Any text ends in a value or an error, never in a panic.
    #[test]
    fn no_text_is_too_strange(text in "(#EXTM3U\n)?(#EXT[A-Z-]{0,20}(:[ -~]{0,40})?\n|[ -~]{0,20}\n|\\PC{0,9}\n){0,12}") {
        let _ = MultivariantPlaylist::parse(&text);
        let _ = MediaPlaylist::parse(&text);
    }

    #[test]
    fn another_parser_reads_the_same_variants(playlist in multivariant()) {
        let text = playlist.render();
        let (_, theirs) = m3u8_rs::parse_master_playlist(text.as_bytes()).unwrap();
        let (pictures, variants): (Vec<_>, Vec<_>) = theirs.variants.iter().partition(|variant| variant.is_i_frame);
        prop_assert_eq!(pictures.len(), playlist.iframe_variants.len());
        for (theirs, ours) in pictures.iter().zip(&playlist.iframe_variants) {
            prop_assert_eq!(&theirs.uri, &ours.uri);
            prop_assert_eq!(theirs.bandwidth, ours.bandwidth);
            prop_assert_eq!(&theirs.codecs, &ours.codecs);
        }
        prop_assert_eq!(theirs.session_data.len(), playlist.session_data.len());
        prop_assert_eq!(variants.len(), playlist.variants.len());
        for (theirs, ours) in variants.iter().zip(&playlist.variants) {
            prop_assert_eq!(&theirs.uri, &ours.uri);
            prop_assert_eq!(&theirs.subtitles, &ours.subtitles_group);
            prop_assert_eq!(theirs.bandwidth, ours.bandwidth);
            prop_assert_eq!(theirs.average_bandwidth, ours.average_bandwidth);
            prop_assert_eq!(&theirs.codecs, &ours.codecs);
            prop_assert_eq!(&theirs.audio, &ours.audio_group);
            let resolution = theirs.resolution.map(|r| (r.width, r.height));
            prop_assert_eq!(resolution, ours.resolution.map(|r| (u64::from(r.width), u64::from(r.height))));
        }
        prop_assert_eq!(theirs.alternatives.len(), playlist.renditions.len());
        for (theirs, ours) in theirs.alternatives.iter().zip(&playlist.renditions) {
            prop_assert_eq!(&theirs.name, &ours.name);
            prop_assert_eq!(&theirs.group_id, &ours.group);
            prop_assert_eq!(theirs.default, ours.default);
        }
    }

    #[test]
    fn another_parser_reads_the_same_segments(playlist in media()) {
        let text = playlist.render();
        let (_, theirs) = m3u8_rs::parse_media_playlist(text.as_bytes()).unwrap();
        prop_assert_eq!(theirs.target_duration, playlist.target_duration_s);
        prop_assert_eq!(theirs.media_sequence, playlist.media_sequence);
        prop_assert_eq!(theirs.end_list, playlist.end_list);
        prop_assert_eq!(theirs.i_frames_only, playlist.iframes_only);
        prop_assert_eq!(theirs.segments.len(), playlist.segments.len());
        for (theirs, ours) in theirs.segments.iter().zip(&playlist.segments) {
            prop_assert_eq!(&theirs.uri, &ours.uri);
            prop_assert_eq!((f64::from(theirs.duration) * 1_000.0).round() as u64, ours.duration_ms);
            let range = theirs.byte_range.as_ref().map(|range| (range.length, range.offset));
            prop_assert_eq!(range, ours.byte_range.map(|range| (range.length, Some(range.offset))));
        }
    }
}

fn uri() -> impl Strategy<Value = String> {
    "[a-z0-9.]{1,8}(/[a-z0-9._%-]{1,8}){0,3}"
}

fn quotable() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9一二三，, =#:.-]{1,12}"
}

prop_compose! {
    fn variant()(
        uri in uri(),
        bandwidth: u64,
        average_bandwidth: Option<u64>,
        score in score(),
        codecs in proptest::option::of(quotable()),
        resolution in resolution(),
        frame_rate in proptest::option::of(0u32..240_000),
        audio_group in proptest::option::of(quotable()),
        subtitles_group in proptest::option::of(quotable()),
        no_closed_captions: bool,
    ) -> Variant {
        Variant {
            uri,
            bandwidth,
            average_bandwidth,
            score,
            codecs,
            resolution,
            frame_rate: frame_rate.map(|thousandths| PictureRate { thousandths }),
            audio_group,
            subtitles_group,
            no_closed_captions,
        }
    }
}

prop_compose! {
    fn iframe_variant()(
        uri in uri(),
        bandwidth: u64,
        average_bandwidth: Option<u64>,
        score in score(),
        codecs in proptest::option::of(quotable()),
        resolution in resolution(),
    ) -> IFrameVariant {
        IFrameVariant { uri, bandwidth, average_bandwidth, score, codecs, resolution }
    }
}

fn score() -> impl Strategy<Value = Option<Score>> {
    proptest::option::of((0u64..1 << 40).prop_map(|thousandths| Score { thousandths }))
}

fn resolution() -> impl Strategy<Value = Option<Resolution>> {
    proptest::option::of((1u32.., 1u32..).prop_map(|(width, height)| Resolution { width, height }))
}

prop_compose! {
    fn session_data()(
        id in quotable(),
        text in quotable(),
        json in proptest::option::of(uri()),
        language in proptest::option::of("[a-z]{2}(-[A-Z]{2})?"),
    ) -> SessionData {
        SessionData { id, value: json.map_or(SessionValue::Text(text), SessionValue::Json), language }
    }
}

prop_compose! {
    fn rendition()(
        type_ in prop_oneof![Just(MediaType::Audio), Just(MediaType::Subtitles)],
        group in quotable(),
        name in quotable(),
        language in proptest::option::of("[a-z]{2}(-[A-Z]{2})?"),
        channels: Option<u32>,
        default: bool,
        autoselect: bool,
        uri in uri(),
    ) -> Rendition {
        let autoselect = autoselect || default;
        Rendition { type_, group, name, language, channels, default, autoselect, uri: Some(uri) }
    }
}

prop_compose! {
    fn multivariant()(
        independent_segments: bool,
        version in 1u32..13,
        session_data in proptest::collection::vec(session_data(), 0..3),
        renditions in proptest::collection::vec(rendition(), 0..4),
        variants in proptest::collection::vec(variant(), 1..6),
        iframe_variants in proptest::collection::vec(iframe_variant(), 0..4),
    ) -> MultivariantPlaylist {
        MultivariantPlaylist { independent_segments, version, session_data, renditions, variants, iframe_variants }
    }
}

prop_compose! {
    fn media()(
        version in 1u32..13,
        target_duration_s in 1u64..100,
        media_sequence in 0u64..1 << 40,
        playlist_type in proptest::option::of(prop_oneof![Just(PlaylistType::Vod), Just(PlaylistType::Event)]),
        iframes_only: bool,
        independent_segments: bool,
        map in proptest::option::of(uri()),
        // f32 in the other parser: durations up to a minute are exact to the millisecond there.
        segments in proptest::collection::vec(
            (uri(), 0u64..60_000, proptest::option::of((0u64..1 << 40, 0u64..1 << 40)), any::<bool>(),
             proptest::option::weighted(0.2, uri()), proptest::option::weighted(0.2, date()), any::<bool>()), 1..20
        ),
        date_ranges in proptest::collection::vec(date_range(), 0..3),
        discontinuity_sequence in proptest::option::of(any::<u64>()),
        (can_skip_until_ms, skipped) in (proptest::option::of(0u64..1 << 40), 0u64..1_000),
        end_list: bool,
    ) -> MediaPlaylist {
        type Parts = (String, u64, Option<(u64, u64)>, bool, Option<String>, Option<jiff::Timestamp>, bool);
        let segment = |(uri, duration_ms, range, discontinuity, map, date_time, gap): Parts| {
            let byte_range = range.map(|(length, offset)| ByteRange { length, offset });
            Segment { uri, duration_ms, byte_range, discontinuity, map, date_time, gap }
        };
        let mut segments: Vec<Segment> = segments.into_iter().map(segment).collect();
        // What stands before the first segment is the playlist's.
        segments[0].map = None;
        MediaPlaylist {
            version, target_duration_s, media_sequence, discontinuity_sequence, playlist_type, iframes_only,
            independent_segments, can_skip_until_ms, skipped, map, date_ranges, segments, end_list,
        }
    }
}

/// An instant as playlists write it: to the millisecond, in years of four digits.
fn date() -> impl Strategy<Value = jiff::Timestamp> {
    (0i64..250_000_000_000_000).prop_map(|ms| jiff::Timestamp::from_millisecond(ms).unwrap())
}

prop_compose! {
    fn date_range()(
        id in quotable(),
        class in proptest::option::of(quotable()),
        start in date(),
        duration_ms in proptest::option::of(0u64..1 << 40),
        client in proptest::option::of(("X-[A-Z]{1,8}", quotable())),
    ) -> DateRange {
        DateRange { id, class, start, duration_ms, client: client.into_iter().collect() }
    }
}
