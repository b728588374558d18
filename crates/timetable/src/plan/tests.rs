use super::*;
use crate::sample::{grade, lesson_id, moment, package, plan};
use crate::{Release, SignedPlan};

#[test]
fn what_is_written_is_read_and_keys_of_later_releases_are_passed_over() {
    let text = plan().to_text();
    assert_eq!(Plan::parse(&text).unwrap(), plan());
    let later = text.replacen("{\"kind\"", "{\"weather\":\"fine\",\"kind\"", 1);
    assert_eq!(Plan::parse(&later).unwrap(), plan());
    assert!(Plan::parse(&text.replacen("plan/1", "plan/2", 1)).is_err());
    let envelope = SignedPlan::by(&plan(), &[]);
    assert_eq!(SignedPlan::parse(&envelope.to_bytes()), Some(envelope));
}

#[test]
fn what_cannot_be_followed_is_no_plan() {
    type Change = fn(&mut Plan);
    let changes: &[(&str, Change)] = &[
        ("another day's segments", |plan| plan.first_segment.0 += 1),
        ("valid after it began", |plan| plan.valid_from = moment("00:00:01")),
        ("over before the day is", |plan| plan.valid_until = moment("23:59:59")),
        ("valid for months", |plan| plan.valid_until = moment("2026-12-01T00:00:00Z")),
        ("lessons out of order", |plan| plan.lessons.reverse()),
        ("a lesson twice", |plan| plan.lessons[1] = plan.lessons[0].clone()),
        ("a lesson of tomorrow", |plan| plan.lessons[0].release = moment("2026-09-02T00:00:00+08:00")),
        ("a lesson for nobody", |plan| plan.lessons[0].grades.clear()),
        ("a lesson without a title", |plan| plan.lessons[0].title = " ".into()),
        ("a title with a line break", |plan| plan.lessons[0].title = "a\nb".into()),
        ("a rest that opens", |plan| plan.lessons[0].kind = crate::Kind::Rest),
        ("a hole in a channel", |plan| {
            plan.channels[0].programmes.remove(3);
        }),
        ("an overlap", |plan| plan.channels[0].programmes[1].segments += 1),
        ("a day too short", |plan| {
            plan.channels[0].programmes.pop();
        }),
        ("a programme of nothing", |plan| plan.channels[0].programmes[0].segments = 0),
        ("one that ends at the end of numbers", |plan| plan.channels[0].programmes[5].segments = u32::MAX),
        ("a lesson too short", |plan| plan.lessons[0].media.as_mut().unwrap().segments.0 = 249),
        ("a lesson that is not there", |plan| plan.lessons[0].media = None),
        ("a clip that is not there", |plan| {
            plan.clips.remove(0);
        }),
        ("a clip of nothing", |plan| plan.clips[0].media.segments.0 = 0),
        ("more discontinuities than segments", |plan| {
            plan.channels[0].discontinuities_before = plan.first_segment.0 + 1;
        }),
        ("a package twice", |plan| plan.fill[1] = plan.fill[0].clone()),
        ("needed after it is let go", |plan| plan.fill[0].pin_until = moment("08:00:00")),
        ("slots out of order", |plan| plan.slots.reverse()),
        ("a slot of two bands", |plan| plan.slots[0].grades = vec![grade(9), grade(10)]),
        ("a policy for nobody", |plan| plan.policies[0].grades.clear()),
        ("a limit from nowhere", |plan| plan.documents.clear()),
    ];
    plan().check().unwrap();
    for (what, change) in changes {
        let mut plan = plan();
        change(&mut plan);
        assert!(plan.check().is_err(), "{what}");
        assert!(Plan::parse(&plan.to_text()).is_err(), "{what}");
    }
}

#[test]
fn a_lesson_opens_at_its_instant() {
    let plan = plan();
    let opens = moment("08:30:00");
    for (lesson, now, release) in [
        ("maths-9", "08:29:59.999", Release::Shut(opens)),
        ("maths-9", "08:30:00", Release::Open),
        ("maths-7", "08:30:00", Release::Shut(moment("09:10:00"))),
        ("history-9", "08:30:00", Release::Unplanned),
    ] {
        assert_eq!(plan.released(&lesson_id(lesson), moment(now)), release, "{lesson} at {now}");
    }
    assert_eq!(plan.package_released(package(1), moment("08:00:00")), Release::Shut(opens));
    assert_eq!(plan.package_released(package(1), opens), Release::Open);
    assert_eq!(plan.package_released(package(10), moment("00:00:00")), Release::Open);
    assert_eq!(plan.package_released(package(99), opens), Release::Unplanned);
    assert_eq!(plan.next_release(moment("00:00:00")), Some(opens));
    assert_eq!(plan.next_release(opens), Some(moment("09:10:00")));
    assert_eq!(plan.next_release(moment("09:10:00")), None);
}

#[test]
fn the_nearest_slot_counts() {
    let plan = plan();
    let after =
        |place: &str, year| plan.slot_for(&place.parse().unwrap(), grade(year)).map(|slot| slot.after_s);
    assert_eq!(after("nation", 7), Some(900));
    assert_eq!(after("hubei", 7), Some(1_800));
    assert_eq!(after("hubei/wuhan/no-1", 7), Some(1_800));
    assert_eq!(after("hubei/wuhan/no-1", 9), Some(0));
    assert_eq!(after("hunan", 8), Some(900));
    assert_eq!(after("hubei", 1), None);
    let slot = plan.slot_for(&"hubei".parse().unwrap(), grade(7)).unwrap();
    let opening = slot.opening(plan.lesson("maths-7").unwrap());
    assert_eq!((opening.from, opening.until), (moment("09:40:00"), moment("09:55:00")));
    assert!(opening.soft);
    assert!(plan.policy_for(&"xpcc".parse().unwrap(), grade(7)).is_some());
}
