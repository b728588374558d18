//! What is written, byte for byte, and read again.

use super::*;

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
