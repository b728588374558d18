//! What the day plan knows: bells to come, and what packages are called.

use crate::delivery::Most;
use crate::prefill::BellReport;
use board::{Bell, Lesson, Lessons};
use dayplan::Current;
use jiff::Timestamp;
use package::PackageId;
use std::collections::BTreeMap;
use timetable::plan::PlannedLesson;
use timetable::{Kind, Plan};

/// Today's bells, with what is fetched for them; and tomorrow's, once all of today's have rung.
pub(super) fn bells(current: &Current, filled: &[BellReport], now: Timestamp) -> Vec<Bell> {
    let mut told = Vec::new();
    for plan in current.plans().filter(|plan| plan.date >= plan.zone.local(now).date()) {
        told.extend(of_day(plan, filled));
        if told.iter().any(|bell: &Bell| bell.bell >= now) {
            break;
        }
    }
    told
}

fn of_day<'a>(plan: &'a Plan, filled: &'a [BellReport]) -> impl Iterator<Item = Bell> + 'a {
    let mut bells = BTreeMap::<Timestamp, usize>::new();
    // What the day only shows again is open from its beginning.
    for lesson in plan.lessons.iter().filter(|lesson| lesson.kind == Kind::Lesson) {
        *bells.entry(lesson.bell).or_default() += 1;
    }
    bells.into_iter().map(|(bell, lessons)| {
        let filled = filled.iter().find(|filled| filled.bell == bell);
        Bell {
            bell,
            local: plan.zone.local(bell).strftime("%Y-%m-%dT%H:%M").to_string(),
            lessons,
            ready_ratio: filled.map(|filled| filled.ratio),
            wanted_bytes: filled.map(|filled| filled.wanted_bytes),
            held_bytes: filled.map(|filled| filled.held_bytes),
        }
    })
}

/// By their titles, as far as a plan has them.
pub(super) fn lessons(current: &Current, most: Most) -> Lessons {
    let top = most.first.iter().map(|one| Lesson {
        package: one.key.to_string(),
        title: title(current, one.key),
        bytes: one.bytes,
        over: one.over,
    });
    Lessons { over_s: most.over.as_secs(), bytes: most.bytes, top: top.collect() }
}

fn title(current: &Current, package: PackageId) -> Option<String> {
    let named = |plan: &Plan| {
        let lesson = plan.lessons_of(package).next().map(words);
        let clip = || plan.clips.iter().find(|clip| clip.media.package == package);
        lesson.or_else(|| clip().map(|clip| clip.title.clone()))
    };
    current.plans().rev().find_map(named)
}

fn words(lesson: &PlannedLesson) -> String {
    match &lesson.subject {
        Some(subject) => format!("{subject} · {}", lesson.title),
        None => lesson.title.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use board::Counted;
    use dayplan::Followed;
    use std::sync::Arc;
    use std::time::Duration;
    use testkit::plans::{envelope, lesson, media, moment, package, plan, plan_of, trust};

    fn following(plans: Vec<Plan>) -> Current {
        let followed = plans.into_iter().map(|plan| {
            let envelope = envelope(&plan);
            let accepted = timetable::accept(&envelope, &trust(), plan.date, None, plan.valid_from).unwrap();
            Arc::new(Followed { accepted, envelope })
        });
        Current::new(followed.collect())
    }

    fn told(bells: &[Bell]) -> Vec<(&str, usize, Option<f64>)> {
        bells.iter().map(|bell| (bell.local.as_str(), bell.lessons, bell.ready_ratio)).collect()
    }

    #[test]
    fn todays_bells_and_then_tomorrows() {
        let mut today = plan();
        today.lessons.push(lesson("physics-9", moment("08:30:00"), media(2, 250)));
        today
            .lessons
            .push(PlannedLesson { kind: Kind::Replay, ..lesson("old", moment("07:00:00"), media(2, 250)) });
        today.lessons.sort_by(|a, b| a.lesson.cmp(&b.lesson));
        let current = following(vec![plan_of("2026-08-31"), today, plan_of("2026-09-02")]);
        let filled = [BellReport {
            bell: moment("09:10:00"),
            local: String::new(),
            lessons: 1,
            packages: 1,
            wanted_bytes: 8,
            held_bytes: 2,
            ratio: 0.25,
            covered: false,
        }];
        let day = [("2026-09-01T08:30", 2, None), ("2026-09-01T09:10", 1, Some(0.25))];
        assert_eq!(told(&bells(&current, &filled, moment("00:00:00"))), day);
        assert_eq!(told(&bells(&current, &filled, moment("09:10:00"))), day);
        let evening = bells(&current, &filled, moment("20:00:00"));
        assert_eq!(told(&evening)[..2], day);
        assert_eq!(told(&evening)[2..], [("2026-09-02T08:30", 1, None), ("2026-09-02T09:10", 1, None)]);
        assert_eq!(evening[1].held_bytes, Some(2));
        assert_eq!(bells(&Current::default(), &filled, moment("08:00:00")), []);
    }

    #[test]
    fn packages_are_called_what_the_plan_calls_them() {
        let mut today = plan();
        today.lessons[1].subject = Some("数学".to_owned());
        let current = following(vec![today]);
        let counted = |n: u32, bytes| Counted { key: package(n), bytes, over: 0 };
        let most = Most {
            first: vec![counted(1, 9), counted(10, 5), counted(77, 1)],
            bytes: 15,
            over: Duration::from_secs(61),
        };
        let told = lessons(&current, most);
        let titles: Vec<_> = told.top.iter().map(|lesson| lesson.title.as_deref()).collect();
        assert_eq!(titles, [Some("数学 · 课 maths-9"), Some("eyes"), None]);
        assert_eq!((told.over_s, told.bytes, told.top[2].package.len()), (61, 15, 40));
    }
}
