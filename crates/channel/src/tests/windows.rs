//! What a window, a programme and the list of choices say.

use super::sample::two_days;
use super::*;
use hls::{MultivariantPlaylist, PlaylistType};
use jiff::SignedDuration;
use jiff::civil::date;

#[test]
fn paths_are_channels_or_nothing() {
    use package::{AudioSlot, Rendition, Slot};
    let asked = |path| Asked::of(path);
    let on_air = |which| Some(Asked { channel: "junior", programme: None, which, update: false });
    let of = |item, which| {
        let programme = Some((date(2026, 9, 1), item));
        Some(Asked { channel: "junior", programme, which, update: false })
    };
    assert_eq!(asked("/channels/junior/main.m3u8"), on_air(Which::Main));
    assert_eq!(asked("/channels/junior/s2.m3u8"), on_air(Which::Media(Rendition::Video(Slot::S2))));
    assert_eq!(asked("/channels/junior/lo.m3u8"), on_air(Which::Media(Rendition::Audio(AudioSlot::Lo))));
    assert_eq!(asked("/channels/junior/programmes/2026-09-01/maths/main.m3u8"), of("maths", Which::Main));
    assert_eq!(asked("/channels/junior/pictures.m3u8?a=1"), on_air(Which::Pictures));
    assert_eq!(asked("/channels/junior/subs-zh-CN.m3u8"), on_air(Which::Subtitles("zh-CN")));
    for (query, update) in
        [("_HLS_skip=YES", true), ("a&_HLS_skip=v2", true), ("_HLS_skip=NO", false), ("", false)]
    {
        let target = format!("/channels/junior/s2.m3u8?{query}");
        assert_eq!(Asked::of(&target).unwrap().update, update, "{query}");
    }
    for path in [
        "/channels/junior/subs-.m3u8",
        "/channels/junior/trick.m3u8",
        "/channels/junior/a5.m3u8",
        "/channels/junior/s6.m3u8",
        "/channels/junior/s2.M3U8",
        "/channels//s2.m3u8",
        "/channels/junior",
        "/channels/junior/x/s2.m3u8",
        "/channels/junior/programmes/2026-9-1/maths/s2.m3u8",
        "/channels/junior/programmes/20260901/maths/s2.m3u8",
        "/channels/junior/programmes/2026-09-01/s2.m3u8",
        "/channels/junior/programmes/2026-09-01//s2.m3u8",
        "/channels/junior/programmes/2026-09-01/a/b/s2.m3u8",
        "/lessons/junior/main.m3u8",
    ] {
        assert_eq!(asked(path), None, "{path}");
    }
}

#[test]
fn a_lesson_is_on_air_at_its_bell_and_not_before() {
    let plans = two_days();
    let days = days_of(&plans);
    let last = |moment| media(&days, "/channels/junior/s2.m3u8", moment).segments.pop().unwrap();
    let slate = last(at("08:29:59.999"));
    assert!(slate.uri.contains(&sample::package(11).to_string()), "{}", slate.uri);
    let first = last(at("08:30:00"));
    assert_eq!(first.uri, format!("../../p/{}/s2/00000.m4s", sample::package(1)));
    assert_eq!(first.map, Some(format!("../../p/{}/s2/init.mp4", sample::package(1))));
    assert_eq!((first.discontinuity, first.date_time), (true, Some(at("08:30:00"))));
    assert_eq!(last(at("08:30:04.800")).uri, format!("../../p/{}/s2/00001.m4s", sample::package(1)));
}

#[test]
fn the_sequence_number_is_the_clock() {
    let plans = two_days();
    let list = media(&days_of(&plans), "/channels/junior/s0.m3u8", at("12:00:00"));
    let now = at("12:00:00").as_millisecond() as u64 / grid::SEGMENT_MS;
    assert_eq!((list.media_sequence, list.segments.len()), (now - 187, 188));
    assert_eq!((list.playlist_type, list.end_list), (None, false));
    // Apple 8.4, 8.17: always there.
    assert!(list.segments[0].date_time.is_some() && list.discontinuity_sequence.is_some());
}

#[test]
fn a_twin_is_named_by_what_it_is_and_a_smaller_picture_stands_in() {
    let plans = two_days();
    let days = days_of(&plans);
    let last = |slot: &str, moment| {
        media(&days, &format!("/channels/junior/{slot}.m3u8"), moment).segments.pop().unwrap().uri
    };
    assert_eq!(last("s3", at("09:10:00")), format!("../../p/{}/s2/00000.m4s", sample::package(2)));
    assert_eq!(last("s5", at("08:30:00")), format!("../../p/{}/s3/00000.m4s", sample::package(1)));
    assert_eq!(last("hi", at("08:30:00")), format!("../../p/{}/audio/hi/00000.m4s", sample::package(1)));
}

#[test]
fn an_hour_without_anything_is_gaps() {
    let plans = two_days();
    let list = media(&days_of(&plans), "/channels/junior/s2.m3u8", at("10:00:00"));
    assert!(list.segments.iter().all(|segment| segment.gap && segment.map.is_none()) && list.map.is_none());
    assert_eq!(list.segments.iter().filter(|segment| segment.discontinuity).count(), 0);
    // The picture that follows brings its init segment.
    let list = media(&days_of(&plans), "/channels/junior/s2.m3u8", at("10:30:00"));
    let back = list.segments.last().unwrap();
    assert!(!back.gap && back.discontinuity && back.map.is_some());
}

#[test]
fn programmes_are_date_ranges_the_same_in_every_rendition() {
    let plans = two_days();
    let days = days_of(&plans);
    let ranges =
        |name: &str| media(&days, &format!("/channels/junior/{name}.m3u8"), at("08:52:00")).date_ranges;
    let told = ranges("s2");
    assert_eq!(told, ranges("hi"));
    let said: Vec<_> = told.iter().map(|r| (r.id.as_str(), r.start, r.duration_ms)).collect();
    assert_eq!(
        said,
        [
            ("20260901-6375-250", at("08:30:00"), Some(1_200_000)),
            ("20260901-6625-62", at("08:50:00"), Some(297_600)),
        ]
    );
}

#[test]
fn a_day_without_a_plan_before_it_begins_with_six_segments() {
    let plans = [plan(date(2026, 9, 1), 9)];
    let days = days_of(&plans);
    let at_segment = |count: i64| at("00:00:00") + SignedDuration::from_millis(4_800 * count);
    assert_eq!(text(&days, "/channels/junior/s2.m3u8", at_segment(4)), None);
    let list = media(&days, "/channels/junior/s2.m3u8", at_segment(5));
    assert_eq!((list.segments.len(), list.discontinuity_sequence), (6, Some(9)));
    assert_eq!(text(&days, "/channels/junior/s2.m3u8", at("2026-08-31T23:59:59+08:00")), None);
    assert_eq!(text(&days, "/channels/senior/s2.m3u8", at_segment(100)), None);
}

#[test]
fn a_programme_can_be_seen_from_its_beginning_and_afterwards() {
    let plans = two_days();
    let days = days_of(&plans);
    let path = "/channels/junior/programmes/2026-09-01/maths/s2.m3u8";
    let asked = Asked::of(path).unwrap();
    assert_eq!(show(&days, &asked, at("08:29:59.999")), Some(Shown::Ahead(at("08:30:00"))));
    let begun = media(&days, path, at("08:31:00"));
    assert_eq!((begun.segments.len(), begun.end_list), (13, false));
    assert_eq!(begun.playlist_type, Some(PlaylistType::Event));
    assert_eq!(begun.segments[0].uri, format!("../../../../../p/{}/s2/00000.m4s", sample::package(1)));
    let live = media(&days, "/channels/junior/s2.m3u8", at("08:31:00"));
    let tail = live.segments.last().unwrap().uri.rsplit("/p/").next().unwrap();
    assert!(begun.segments.last().unwrap().uri.ends_with(tail), "the channel's own segments");
    for later in ["08:50:00", "20:00:00"] {
        let whole = media(&days, path, at(later));
        assert_eq!((whole.segments.len(), whole.end_list), (250, true), "{later}");
        assert_eq!(whole.duration_ms(), 1_200_000);
    }
    // Whatever was listed stays as it was (RFC 8216bis §6.2.1: EVENT is only added to).
    assert_eq!(begun.segments[..], media(&days, path, at("08:40:00")).segments[..13]);
    assert_eq!(
        Asked::of("/channels/junior/programmes/2026-09-01/none/s2.m3u8").and_then(|a| show(
            &days,
            &a,
            at("09:00:00")
        )),
        None
    );
}

#[test]
fn choices_promise_for_the_whole_day() {
    let plans = two_days();
    let text = text(&days_of(&plans), "/channels/junior/main.m3u8", at("08:00:00")).unwrap();
    let main = MultivariantPlaylist::parse(&text).unwrap();
    insta::assert_snapshot!(text, @r#"
    #EXTM3U
    #EXT-X-VERSION:4
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="中文",LANGUAGE="zh-CN",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="hi.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="中文",LANGUAGE="zh-CN",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="lo.m3u8"
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="ئۇيغۇرچە",LANGUAGE="ug",DEFAULT=NO,AUTOSELECT=YES,URI="subs-ug.m3u8"
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="简体中文",LANGUAGE="zh-CN",DEFAULT=NO,AUTOSELECT=YES,URI="subs-zh-CN.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=866000,AVERAGE-BANDWIDTH=464011,CODECS="avc1.640016,mp4a.40.2",RESOLUTION=960x540,FRAME-RATE=30.000,AUDIO="hi",SUBTITLES="subs",CLOSED-CAPTIONS=NONE
    s3.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=154000,AVERAGE-BANDWIDTH=92011,CODECS="avc1.640015,mp4a.40.2",RESOLUTION=256x144,FRAME-RATE=15.000,AUDIO="lo",SUBTITLES="subs",CLOSED-CAPTIONS=NONE
    s0.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=466000,AVERAGE-BANDWIDTH=264011,CODECS="avc1.640016,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="hi",SUBTITLES="subs",CLOSED-CAPTIONS=NONE
    s2.m3u8
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=10415,AVERAGE-BANDWIDTH=10208,CODECS="avc1.641016",RESOLUTION=640x360,URI="pictures.m3u8"
    "#);
    assert_eq!(main.variants.len(), 3);
}

#[test]
fn single_pictures_are_ranges_of_the_segments_on_air() {
    let plans = two_days();
    let days = days_of(&plans);
    let (list, whole) = (
        media(&days, "/channels/junior/pictures.m3u8", at("08:31:00")),
        media(&days, "/channels/junior/s2.m3u8", at("08:31:00")),
    );
    assert!(list.iframes_only && !list.independent_segments);
    assert_eq!((list.version, list.target_duration_s), (5, whole.target_duration_s));
    assert_eq!(list.media_sequence, whole.media_sequence);
    let marks = |list: &hls::MediaPlaylist| -> Vec<_> {
        list.segments
            .iter()
            .map(|segment| (segment.duration_ms, segment.discontinuity, segment.date_time))
            .collect()
    };
    assert_eq!(marks(&list), marks(&whole));
    let last = list.segments.last().unwrap();
    assert_eq!(last.uri, format!("../../p/{}/trick/00012.m4s", sample::package(1)));
    assert_eq!(last.byte_range, Some(hls::ByteRange { length: 6_012, offset: 0 }));
    // The second lesson has none.
    let list = media(&days, "/channels/junior/pictures.m3u8", at("09:11:00"));
    assert!(list.segments.last().unwrap().gap && !list.segments[0].gap);
}

#[test]
fn text_is_there_in_the_languages_of_the_day_and_in_no_other() {
    let plans = two_days();
    let days = days_of(&plans);
    let list = media(&days, "/channels/junior/subs-ug.m3u8", at("08:31:00"));
    let last = list.segments.last().unwrap();
    assert_eq!(last.uri, format!("../../p/{}/subs/ug/00012.vtt", sample::package(1)));
    assert!(list.map.is_none() && last.map.is_none() && !list.independent_segments);
    let (slate, lesson) = list.segments.split_at(list.segments.len() - 13);
    assert!(slate.iter().all(|segment| segment.gap) && lesson.iter().all(|segment| !segment.gap));
    let path = "/channels/junior/programmes/2026-09-01/maths/subs-zh-CN.m3u8";
    assert_eq!(media(&days, path, at("08:50:00")).segments.len(), 250);
    for path in [
        "/channels/junior/subs-en.m3u8",
        "/channels/junior/subs-zh-cn.m3u8",
        "/channels/junior/programmes/2026-09-01/maths/subs-en.m3u8",
    ] {
        assert_eq!(text(&days, path, at("08:50:00")), None, "{path}");
    }
}

#[test]
fn an_update_and_what_was_before_are_the_whole() {
    let plans = two_days();
    let days = days_of(&plans);
    for name in ["s2", "hi", "pictures", "subs-ug"] {
        let path = format!("/channels/junior/{name}.m3u8");
        for step in 0..400 {
            let moment = at("08:28:00") + SignedDuration::from_millis(4_800 * step);
            let whole = media(&days, &path, moment);
            assert_eq!(whole.can_skip_until_ms, Some(30_000));
            let update = media(&days, &format!("{path}?_HLS_skip=YES"), moment);
            let skipped = usize::try_from(update.skipped).unwrap();
            assert_eq!((skipped, update.version), (181, 9), "{moment}");
            assert_eq!(update.media_sequence, whole.media_sequence);
            assert_eq!(update.segments[1..], whole.segments[skipped + 1..], "{moment}");
            let map = |list: &hls::MediaPlaylist, last: usize| {
                let maps = list.segments[..=last].iter().rev().find_map(|segment| segment.map.clone());
                maps.or_else(|| list.map.clone())
            };
            assert_eq!(map(&update, 0), map(&whole, skipped), "{moment}");
        }
    }
    // What is over is whole, and small updates are of what is long.
    let path = "/channels/junior/programmes/2026-09-01/maths/s2.m3u8?_HLS_skip=YES";
    assert_eq!(media(&days, path, at("08:40:00")).skipped, 119);
    for moment in ["08:30:20", "20:00:00"] {
        assert_eq!(media(&days, path, at(moment)).skipped, 0, "{moment}");
    }
    assert_eq!(media(&days, path, at("20:00:00")).can_skip_until_ms, None);
}
