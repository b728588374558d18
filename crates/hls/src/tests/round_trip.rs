//! Any playlist is read as it was written, by us and by another parser.

use crate::*;
use proptest::prelude::*;

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
