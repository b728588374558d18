//! What is fetched next, what becomes of it, and how far a bell is.

use super::*;
use testkit::packages::{Made, made};
use testkit::plans::{fill, lesson, moment, plan};
use timetable::plan::{Lane, Media};

const SECOND: Duration = Duration::from_secs(1);

/// A plan with these lessons, each with its bell.
fn day(lessons: &[(&str, &str, &Made)]) -> Plan {
    let mut day = Plan { lessons: vec![], clips: vec![], fill: vec![], channels: vec![], ..plan() };
    for (name, bell, made) in lessons {
        let media = Media::of(&made.sealed);
        day.fill.push(fill(&media, moment(bell)));
        day.lessons.push(lesson(name, moment(bell), media));
    }
    day.lessons.sort_by(|a, b| a.lesson.cmp(&b.lesson));
    day
}

fn ledger(plan: &Plan) -> Ledger {
    let mut ledger = Ledger::new(None, Timestamp::MIN);
    assert!(ledger.follow([plan].into_iter(), moment("00:00:00")).is_empty());
    ledger
}

/// Takes everything that there is to do at 01:00.
fn all(ledger: &mut Ledger, at: Instant) -> Vec<Job> {
    std::iter::from_fn(|| ledger.next(None, moment("01:00:00"), at)).collect()
}

/// Fetches everything.
fn fetch_all(ledger: &mut Ledger, packages: &[&Made], at: Instant) {
    loop {
        let jobs = all(ledger, at);
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            let made = packages.iter().find(|made| made.sealed.id() == job.package).unwrap();
            if job.what == What::Manifest {
                ledger.list(job.package, made.sealed.manifest().clone());
            }
            ledger.done(&job);
        }
    }
}

#[test]
fn a_package_is_fetched_paper_first_and_then_segment_by_segment() {
    let a = made("a", 3, 10);
    let mut ledger = ledger(&day(&[("a", "08:30:00", &a)]));
    let now = Instant::now();
    let heads = all(&mut ledger, now);
    let whats: Vec<_> = heads.iter().map(|job| job.what.clone()).collect();
    let name: LessonId = "a".parse().unwrap();
    assert_eq!(whats, [What::Manifest, What::Pointer(name.clone()), What::Description(name)]);
    ledger.list(a.sealed.id(), a.sealed.manifest().clone());
    let manifest = ledger.manifest(a.sealed.id()).unwrap();
    let paths: Vec<_> = all(&mut ledger, now)
        .iter()
        .map(|job| match job.what {
            What::Object(at) => manifest.objects[at as usize].path.to_string(),
            _ => panic!("{job:?}"),
        })
        .collect();
    assert_eq!(paths.len(), a.objects.len());
    assert_eq!(&paths[..2], ["audio.m3u8", "main.m3u8"]);
    let segments: Vec<_> = paths.iter().filter(|path| path.ends_with(".m4s")).collect();
    assert_eq!(segments[..3], ["audio/hi/00000.m4s", "s1/00000.m4s", "audio/hi/00001.m4s"]);
}

#[test]
fn a_bell_is_ready_when_nothing_is_missing() {
    let (a, b) = (made("a", 2, 1_000), made("b", 2, 1_000));
    let plan = day(&[("a", "08:30:00", &a), ("b", "09:10:00", &b)]);
    let mut ledger = ledger(&plan);
    let at = Instant::now();
    let ready = |ledger: &Ledger, bell: &str| ledger.ready()[&moment(bell)];
    assert_eq!((ready(&ledger, "08:30:00").ratio(), ready(&ledger, "08:30:00").lessons), (0.0, 1));
    let first = ledger.next(None, moment("01:00:00"), at).unwrap();
    assert_eq!(first.package, a.sealed.id());
    ledger.list(first.package, a.sealed.manifest().clone());
    ledger.done(&first);
    assert!(ready(&ledger, "08:30:00").ratio() < 1.0);
    fetch_all(&mut ledger, &[&a, &b], at);
    for bell in ["08:30:00", "09:10:00"] {
        assert!(ready(&ledger, bell).covered && ready(&ledger, bell).ratio() == 1.0, "{bell}");
    }
    // Something is lost: the bell is not ready, and it is fetched again.
    let held = ledger.held(0);
    assert_eq!(held.len(), a.objects.len() + 3);
    ledger.lost(&held[5]);
    assert!(!ready(&ledger, "08:30:00").covered && ready(&ledger, "08:30:00").ratio() < 1.0);
    let again = all(&mut ledger, at);
    assert_eq!(again.iter().map(|job| &job.what).collect::<Vec<_>>(), [&held[5].what]);
}

#[test]
fn what_failed_is_tried_again_later_and_later() {
    let a = made("a", 1, 10);
    let mut ledger = ledger(&day(&[("a", "08:30:00", &a)]));
    let mut at = Instant::now();
    let heads = all(&mut ledger, at);
    let job = &heads[0];
    for pause in [2, 4, 8, 16] {
        ledger.failed(job, at);
        assert!(ledger.next(None, moment("01:00:00"), at + SECOND * (pause - 1)).is_none());
        at += SECOND * pause;
        assert_eq!(ledger.next(None, moment("01:00:00"), at).as_ref(), Some(job));
    }
}

/// A node that was too small for the day fetched all night what it could not keep.
#[test]
fn what_there_is_no_room_for_waits_and_after_some_so_does_everything() {
    let a = made("a", 20, 10);
    let plan = day(&[("a", "08:30:00", &a)]);
    let mut ledger = ledger(&plan);
    let at = Instant::now();
    ledger.list(a.sealed.id(), a.sealed.manifest().clone());
    let next = |ledger: &mut Ledger, at| ledger.next(None, moment("01:00:00"), at);
    let fetched = |ledger: &mut Ledger, at| next(ledger, at).filter(|job| job.reach == Reach::Anywhere);
    // One that is too large says nothing of the others.
    for _ in 0..10 {
        let (large, small) = (fetched(&mut ledger, at).unwrap(), fetched(&mut ledger, at).unwrap());
        ledger.no_room(&large, at);
        ledger.done(&small);
    }
    for _ in 0..FULL {
        let job = fetched(&mut ledger, at).unwrap();
        ledger.no_room(&job, at);
    }
    // What is here is found all the same.
    assert_eq!(next(&mut ledger, at).unwrap().reach, Reach::Here);
    let soon = at + FULL_PAUSE - SECOND;
    while let Some(job) = next(&mut ledger, soon) {
        assert_eq!(job.reach, Reach::Here, "there is no room for it");
    }
    // There may be some again.
    let job = fetched(&mut ledger, at + FULL_PAUSE).unwrap();
    for _ in 0..FULL {
        ledger.no_room(&job, at + FULL_PAUSE);
    }
    assert_eq!(next(&mut ledger, at + FULL_PAUSE), None);
    ledger.follow([&plan].into_iter(), moment("01:00:00"));
    assert!(fetched(&mut ledger, at + FULL_PAUSE).is_some(), "another plan has let things go");
}

#[test]
fn another_plan_changes_what_it_must() {
    let (a, b, c) = (made("a", 2, 10), made("b", 2, 10), made("c", 2, 10));
    let mut ledger = ledger(&day(&[("a", "08:30:00", &a), ("b", "09:10:00", &b)]));
    let at = Instant::now();
    fetch_all(&mut ledger, &[&a, &b], at);
    // At five a lesson is replaced: nothing of the other is fetched again, and the new one comes first.
    let mut plan = day(&[("a", "08:30:00", &a), ("b", "09:10:00", &c)]);
    plan.fill[1].lane = Lane::Express;
    let gone = ledger.follow([&plan].into_iter(), moment("05:00:00"));
    let [gone] = &gone[..] else { panic!("{gone:?}") };
    assert_eq!((gone.package, gone.manifest.is_some()), (b.sealed.id(), true));
    // The lesson is still planned: what leads to it stays, what the other package was goes.
    assert!(gone.held.iter().all(|job| matches!(job.what, What::Manifest | What::Object(_))));
    assert_eq!(gone.held.len(), 1 + list::wanted(b.sealed.manifest(), None).len());
    assert!(ledger.wants(c.sealed.id()) && !ledger.wants(b.sealed.id()));
    let jobs = all(&mut ledger, at);
    assert!(jobs.iter().all(|job| job.package == c.sealed.id()) && !jobs.is_empty(), "{jobs:?}");
    assert!(ledger.ready()[&moment("08:30:00")].covered);
    assert!(!ledger.ready()[&moment("09:10:00")].covered);
    // A day that is over lets everything go, whatever the plan's place.
    let mut over = Ledger::new(None, Timestamp::MIN);
    over.follow([&plan].into_iter(), moment("05:00:00"));
    fetch_all(&mut over, &[&a, &c], at);
    let end = moment("2026-09-02T00:00:00+08:00");
    assert!(!over.has_ended(moment("23:59:59")) && over.has_ended(end));
    let gone = over.follow([&plan].into_iter(), end);
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|gone| gone.held.iter().any(|job| matches!(job.what, What::Pointer(_)))));
    assert!(!over.has_ended(end));
    // The same again changes nothing.
    assert!(ledger.follow([&plan].into_iter(), moment("05:00:00")).is_empty());
    assert!(ledger.ready()[&moment("08:30:00")].covered);
}

/// A recording that was replaced behind its showing is kept for who watches that from its beginning; its lesson's pointer leads
/// to the new one, and was asked for again and again.
#[test]
fn no_pointer_is_waited_for_that_leads_to_what_was_replaced() {
    let (old, new) = (made("a", 1, 10), made("b", 1, 10));
    let mut plan = day(&[("maths", "08:30:00", &new)]);
    let earlier = Media::of(&old.sealed);
    plan.fill.push(fill(&earlier, moment("00:00:00")));
    plan.clips.push(timetable::plan::Clip::earlier("函数".into(), earlier));
    let jobs = all(&mut ledger(&plan), Instant::now());
    let of = |made: &Made| jobs.iter().filter(|job| job.package == made.sealed.id()).count();
    assert_eq!((of(&new), of(&old)), (3, 1), "manifest, pointer and description; the manifest alone");
}

#[test]
fn what_came_late_comes_first_and_the_night_is_kept_to() {
    let (a, b) = (made("a", 1, 10), made("b", 1, 10));
    let mut plan = day(&[("a", "08:30:00", &a), ("b", "09:10:00", &b)]);
    plan.fill[1].lane = Lane::Express;
    let mut ledger = ledger(&plan);
    let at = Instant::now();
    assert_eq!(ledger.next(None, moment("01:00:00"), at).unwrap().package, b.sealed.id());
    let late: Vec<_> = std::iter::from_fn(|| ledger.next(None, moment("08:00:00"), at)).collect();
    let mut fetched = late.iter().filter(|job| job.reach == Reach::Anywhere);
    assert!(fetched.all(|job| job.package == b.sealed.id()), "the night is over for the other");
}

/// A node without disks that was started anew at 07:30 had none of the day's lessons at the bell, and told so in red.
#[test]
fn who_begins_late_has_a_night_as_long() {
    let fill = fill(&Media::of(&made("a", 1, 10).sealed), moment("08:30:00"));
    assert_eq!((fill.from, fill.until), (moment("00:00:00"), moment("07:00:00")));
    for (began, until) in [
        ("2026-08-31T20:00:00+08:00", "07:00:00"),
        ("00:00:00", "07:00:00"),
        ("00:30:00", "07:30:00"),
        ("06:00:00", "08:30:00"),
        ("07:30:00", "08:30:00"),
        // The bell has rung: its students have fetched it.
        ("09:00:00", "08:30:00"),
    ] {
        assert_eq!(night(&fill, moment(began)), moment(until), "{began}");
    }
    let afternoon = Fill { needed_at: moment("16:00:00"), ..fill };
    assert_eq!(night(&afternoon, moment("07:30:00")), moment("14:30:00"));
}

#[test]
fn a_lesson_of_two_days_is_fetched_once() {
    let a = made("a", 1, 10);
    let today = day(&[("a", "08:30:00", &a)]);
    let mut tomorrow = today.clone();
    tomorrow.fill[0].pin_until = moment("2026-09-03T00:00:00+08:00");
    let mut ledger = Ledger::new(None, Timestamp::MIN);
    ledger.follow([&today, &tomorrow].into_iter(), moment("00:00:00"));
    let jobs = all(&mut ledger, Instant::now());
    assert_eq!(jobs.iter().filter(|job| job.what == What::Manifest).count(), 1);
    assert_eq!(jobs[0].pin_until, moment("2026-09-03T00:00:00+08:00"));
}

/// An owner's window that ends at midnight was never one of tomorrow's, for what is shown every day.
#[test]
fn what_was_not_there_today_is_fetched_for_tomorrow() {
    let a = made("a", 1, 10);
    let today = day(&[("a", "08:30:00", &a)]);
    let mut tomorrow = today.clone();
    let next_day = jiff::SignedDuration::from_hours(24);
    let fill = &mut tomorrow.fill[0];
    for time in [&mut fill.from, &mut fill.until, &mut fill.needed_at, &mut fill.pin_until] {
        *time += next_day;
    }
    let window = Some("20:00-24:00".parse().unwrap());
    // A node that begins in the evening.
    let mut ledger = Ledger::new(None, Timestamp::MIN);
    ledger.follow([&today, &tomorrow].into_iter(), moment("19:00:00"));
    let at = Instant::now();
    let next = |ledger: &mut Ledger, now| ledger.next(window, moment(now), at);
    assert_eq!(next(&mut ledger, "19:59:59").unwrap().reach, Reach::Here);
    let job = next(&mut ledger, "20:00:00").unwrap();
    assert_eq!((job.reach, job.pin_until), (Reach::Anywhere, tomorrow.fill[0].pin_until));
    // When today is over tomorrow's plan alone counts.
    let midnight = today.fill[0].pin_until;
    assert!(!ledger.has_ended(moment("23:59:59")) && ledger.has_ended(midnight));
    assert!(ledger.follow([&today, &tomorrow].into_iter(), midnight).is_empty());
    assert!(!ledger.has_ended(midnight));
}

/// A node that was started anew at 08:05 told everybody that no bell was ready.
#[test]
fn in_the_morning_what_is_here_is_found_and_nothing_is_fetched() {
    let a = made("a", 1, 10);
    let mut ledger = ledger(&day(&[("a", "08:30:00", &a)]));
    let at = Instant::now();
    let mut looks = 0;
    while let Some(job) = ledger.next(None, moment("08:05:00"), at) {
        assert_eq!(job.reach, Reach::Here);
        looks += 1;
        if job.what == What::Manifest {
            ledger.list(job.package, a.sealed.manifest().clone());
        }
        // All but the last segment of sound.
        let manifest = a.sealed.manifest();
        let lost = matches!(job.what, What::Object(place)
            if manifest.objects[place as usize].path.as_str() == "audio/hi/00000.m4s");
        if !lost {
            ledger.done(&job);
        }
    }
    assert_eq!(looks, 3 + a.objects.len(), "each once");
    assert!(!ledger.ready()[&moment("08:30:00")].covered);
    // In the next night what was not found is fetched, and nothing else.
    let fetched = all(&mut ledger, at);
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    assert_eq!(fetched[0].reach, Reach::Anywhere);
    ledger.done(&fetched[0]);
    assert!(ledger.ready()[&moment("08:30:00")].covered);
}

/// A package that is wanted tomorrow too was let go when today ended.
#[test]
fn what_another_day_wants_too_is_kept_longer() {
    let a = made("a", 1, 10);
    let today = day(&[("a", "08:30:00", &a)]);
    let mut ledger = ledger(&today);
    let at = Instant::now();
    fetch_all(&mut ledger, &[&a], at);
    let mut tomorrow = today.clone();
    tomorrow.fill[0].pin_until = moment("2026-09-03T00:00:00+08:00");
    ledger.follow([&today, &tomorrow].into_iter(), moment("08:05:00"));
    assert!(ledger.ready()[&moment("08:30:00")].covered, "all the while");
    let again: Vec<_> = std::iter::from_fn(|| ledger.next(None, moment("08:05:00"), at)).collect();
    assert_eq!(again.len(), 3 + a.objects.len());
    assert!(again.iter().all(|job| job.reach == Reach::Here && job.pin_until == tomorrow.fill[0].pin_until));
    again.iter().for_each(|job| ledger.done(job));
    ledger.follow([&today, &tomorrow].into_iter(), moment("08:06:00"));
    assert_eq!(ledger.next(None, moment("08:06:00"), at), None);
}
