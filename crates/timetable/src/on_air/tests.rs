use super::*;
use crate::sample::{moment, plan};
use proptest::prelude::*;

#[test]
fn a_moment_is_a_segment_of_a_package() {
    let plan = plan();
    let channel = plan.channel("junior").unwrap();
    for (time, name, segment, discontinuities) in [
        ("00:00:00", "slate", 0, 1_001),
        ("00:00:48", "slate", 0, 1_002),
        ("08:29:59", "slate", 4, 1_638),
        ("08:30:00", "maths-9", 0, 1_639),
        ("08:49:59", "maths-9", 249, 1_639),
        ("08:50:00", "eyes", 0, 1_640),
        ("08:55:00", "slate", 0, 1_641),
        ("09:10:04.799", "maths-7", 0, 1_660),
        ("09:10:04.8", "maths-7", 1, 1_660),
        ("23:59:59", "slate", 4, 2_748),
    ] {
        let on_air = plan.on_air(channel, AirSegment::at(moment(time))).unwrap();
        let sent = on_air.sent.unwrap();
        assert_eq!((sent.name.as_str(), sent.segment.0), (name, segment), "{time}");
        assert_eq!(on_air.discontinuities, discontinuities, "{time}");
        assert_eq!(on_air.discontinuity, segment == 0, "{time}");
    }
    assert_eq!(plan.discontinuities_after(channel), 2_748);
    for time in ["2026-08-31T23:59:59+08:00", "2026-09-02T00:00:00+08:00"] {
        assert_eq!(plan.on_air(channel, AirSegment::at(moment(time))), None, "{time}");
    }
}

#[test]
fn discontinuities_are_counted_one_by_one_over_the_day() {
    let plan = plan();
    let channel = plan.channel("junior").unwrap();
    let mut count = channel.discontinuities_before;
    let mut segments = 0;
    for on_air in plan.window(channel, AirSegment(0), u64::MAX) {
        count += u64::from(on_air.discontinuity);
        assert_eq!(on_air.discontinuities, count);
        segments += 1;
    }
    assert_eq!((segments, count), (SEGMENTS_PER_DAY, plan.discontinuities_after(channel)));
}

proptest! {
    #[test]
    fn a_window_is_its_segments(first in 0..18_100_u64, count in 0..40_u64) {
        let plan = plan();
        let channel = plan.channel("junior").unwrap();
        let first = plan.first_segment.0 - 50 + first;
        let window: Vec<_> = plan.window(channel, AirSegment(first), count).collect();
        let single: Vec<_> =
            (first..first + count).filter_map(|at| plan.on_air(channel, AirSegment(at))).collect();
        prop_assert_eq!(window, single);
    }
}
