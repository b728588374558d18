//! Every segment of a day, midnight included, against what RFC 8216bis §6.2.2 asks of a window that moves.

use super::sample::two_days;
use super::*;
use crate::live::WINDOW;
use hls::MediaPlaylist;
use jiff::SignedDuration;
use proptest::prelude::*;

/// What may change from one version to the next, by a reader that knows nothing of plans.
fn follows(before: &MediaPlaylist, now: &MediaPlaylist, at: jiff::Timestamp) {
    assert_eq!(now.media_sequence, before.media_sequence + 1, "one leaves, one comes, at {at}");
    assert_eq!(now.target_duration_s, before.target_duration_s);
    let left = u64::from(before.segments[0].discontinuity);
    assert_eq!(now.discontinuity_sequence, before.discontinuity_sequence.map(|count| count + left), "{at}");
    let kept = before.segments[1..].iter().zip(&now.segments);
    for (old, new) in kept {
        assert_eq!(
            (&old.uri, old.duration_ms, old.discontinuity, old.gap),
            (&new.uri, new.duration_ms, new.discontinuity, new.gap),
            "{at}"
        );
    }
    for range in &now.date_ranges {
        let known = before.date_ranges.iter().find(|old| old.id == range.id);
        assert!(known.is_none_or(|old| old == range), "{} changed at {at}", range.id);
    }
}

#[test]
fn a_whole_day_and_its_midnight_follow_the_rules() {
    let plans = two_days();
    let days = days_of(&plans);
    // From a quarter of an hour after midnight, when the window is whole, to one after the next.
    let from = at("00:15:02.400");
    let mut before = media(&days, "/channels/junior/s2.m3u8", from);
    for step in 1..=18_000 {
        let moment = from + SignedDuration::from_millis(4_800 * step);
        let now = media(&days, "/channels/junior/s2.m3u8", moment);
        assert_eq!(now.segments.len() as u64, WINDOW);
        follows(&before, &now, moment);
        before = now;
    }
}

#[test]
fn a_node_that_has_just_started_says_the_same_bytes() {
    let (one, other) = (two_days(), two_days());
    // The second node has read its plans from their text, and in another order.
    let other: Vec<_> =
        other.iter().rev().map(|plan| timetable::Plan::parse(&plan.to_text()).unwrap()).collect();
    let mut compared = 0;
    for minute in (0..24 * 60).step_by(3) {
        let moment = at("00:15:03") + SignedDuration::from_mins(minute);
        for name in ["main", "s0", "s2", "s3", "hi", "lo"] {
            let path = format!("/channels/junior/{name}.m3u8");
            let said = text(&days_of(&one), &path, moment).unwrap();
            assert_eq!(Some(&said), text(&days_of(&other), &path, moment).as_ref(), "{path} at {moment}");
            compared += 1;
        }
    }
    assert_eq!(compared, 8 * 60 * 6);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn all_renditions_break_at_the_same_places(ms in 0u64..86_400_000) {
        let plans = two_days();
        let days = days_of(&plans);
        let moment = at("00:15:00") + SignedDuration::from_millis(ms as i64);
        let shape = |name: &str| {
            let list = media(&days, &format!("/channels/junior/{name}.m3u8"), moment);
            let marks: Vec<_> =
                list.segments.iter().map(|s| (s.discontinuity, s.date_time, s.gap, s.duration_ms)).collect();
            (list.media_sequence, list.discontinuity_sequence, list.date_ranges, marks)
        };
        let first = shape("s0");
        for name in ["s2", "s3", "s5", "hi", "lo"] {
            prop_assert_eq!(&shape(name), &first);
        }
    }

    #[test]
    fn any_path_is_read_or_refused(path in "/channels/[-a-z0-9./]{0,60}") {
        let _ = Asked::of(&path);
    }
}
