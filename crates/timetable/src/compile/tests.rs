use super::*;
use crate::file::{Given, Item, Shipped};
use crate::plan::{Lane, Show};
use crate::sample::{lesson_id, media, moment};
use crate::{Stocked, grades};
use jiff::civil::date;
use proptest::prelude::*;

pub(crate) const DAY: &str = r#"date = "2026-09-01"
slate = "slate"
item = [
  { start = "08:30", minutes = 20, grades = [7, 8, 9], lesson = "maths", title = "有理数", subject = "数学" },
  { start = "08:50", minutes = 5, grades = [7, 8, 9], kind = "eye_exercise", lesson = "eyes" },
  { start = "09:15", minutes = 20, grades = [7, 8], lesson = "english", title = "Unit 1", subject = "英语" },
  { start = "09:15", minutes = 20, grades = 9, lesson = "physics", title = "浮力", subject = "物理" },
  { start = "19:00", minutes = 20, grades = [7, 8, 9], lesson = "maths", kind = "replay" },
  { start = "10:00", minutes = 20, grades = 12, lesson = "essay", channel = "cetv", title = "作文" },
]
[[channel]]
id = "g9"
title = "九年级"
grades = 9
[[channel]]
id = "g7"
title = "七年级"
grades = 7
[[channel]]
id = "cetv"
title = "空中课堂"
[[policy]]
place = "nation"
grades = [7, 8]
stagger_minutes = 10
[[policy]]
place = "hubei"
grades = [7, 8]
admit_after_minutes = 15
term_start = "2026-09-07"
"#;

pub(crate) fn timetable(text: &str) -> Timetable {
    let file = Given { name: "day.toml", bytes: text.as_bytes() };
    Timetable::read(file, &Shipped::built_in(), |_| Err(String::new())).unwrap()
}

pub(crate) fn stock(lessons: &[(&str, u32, u32)]) -> Stock {
    let stocked = |&(name, number, segments): &(&str, u32, u32)| {
        let media = media(number, segments);
        (
            lesson_id(name),
            Stocked { title: format!("《{name}》"), subject: None, edition: None, volume: None, media },
        )
    };
    Stock::of(lessons.iter().map(stocked).collect())
}

pub(crate) fn whole() -> Stock {
    stock(&[
        ("maths", 1, 250),
        ("english", 2, 250),
        ("physics", 3, 245),
        ("essay", 4, 250),
        ("eyes", 10, 60),
        ("slate", 11, 10),
    ])
}

pub(crate) fn making(made_at: &str) -> Making<'static> {
    Making { made_at: moment(made_at), edition: None, previous: None, day_before: None, allow_missing: false }
}

pub(crate) const EVENING: &str = "2026-08-31T18:00:00+08:00";

pub(crate) fn made(text: &str, stock: &Stock) -> Plan {
    compile(&timetable(text), date(2026, 9, 1), stock, making(EVENING)).unwrap()
}

#[test]
fn one_file_becomes_what_everything_follows() {
    let plan = made(DAY, &whole());
    assert_eq!(plan.edition, 1);
    let lesson = |name: &str| plan.lesson(name).unwrap();
    // The earliest of its grades opens a lesson; the bell is what is written.
    for (name, bell, release) in [
        ("maths", "08:30:00", "08:30:00"),
        ("english", "09:15:00", "09:25:00"),
        ("physics", "09:15:00", "09:15:00"),
    ] {
        assert_eq!((lesson(name).bell, lesson(name).release), (moment(bell), moment(release)), "{name}");
    }
    assert!(lesson("maths").exam && !lesson("english").exam);
    assert_eq!(lesson("maths").title, "有理数");
    let order: Vec<_> = plan.fill.iter().map(|fill| fill.package).collect();
    let packages = [10, 11, 1, 3, 2, 4].map(crate::sample::package);
    assert_eq!(order, packages);
    assert!(plan.fill.iter().all(|fill| fill.lane == Lane::Night));
    let hubei = plan.slot_for(&"hubei/wuhan".parse().unwrap(), crate::sample::grade(7)).unwrap();
    assert_eq!((hubei.after_s, hubei.window_s, hubei.soft), (900, 900, true));
    assert_eq!(
        plan.slots
            .iter()
            .filter(|slot| slot.place.depth() == 1)
            .map(|slot| &slot.place)
            .collect::<BTreeSet<_>>()
            .len(),
        32
    );
    assert!(plan.documents.iter().any(|document| document.id.as_str() == "moe-2020-08-27"));
}

use std::collections::BTreeSet;

#[test]
fn channels_show_items_on_the_grid_and_the_slate_between_them() {
    let plan = made(DAY, &whole());
    let shown = |channel: &str| {
        let channel = plan.channel(channel).unwrap();
        let row = |programme: &crate::plan::Programme| {
            let item = programme.item.as_ref().map_or("", |item| item.as_str()).to_owned();
            (item, programme.start, programme.end())
        };
        channel.programmes.iter().filter(|programme| programme.item.is_some()).map(row).collect::<Vec<_>>()
    };
    let row = |item: &str, start, end| (item.to_owned(), start, end);
    assert_eq!(
        shown("g9"),
        [
            row("maths", 6_375, 6_625),
            // The clip is shorter than the item, and 09:15 lies half a segment off the grid.
            row("eye_exercise-0850-7-9", 6_625, 6_685),
            row("physics", 6_938, 7_183),
            row("maths-again-1900", 14_250, 14_500),
        ]
    );
    assert_eq!(shown("g7")[0], row("maths", 6_500, 6_750));
    assert_eq!(shown("cetv"), [row("essay", 7_500, 7_750)]);
    let g9 = plan.channel("g9").unwrap();
    assert_eq!(g9.programmes[0].show, Show::Clip(lesson_id("slate")));
    assert_eq!(g9.discontinuities_before, plan.first_segment.0);
}

#[test]
fn the_next_day_goes_on_counting() {
    let both = DAY.replace("  { start = \"10:00\"", "  { date = \"2026-09-02\", start = \"08:30\", minutes = 20, grades = [9, 12], lesson = \"maths\" },\n  { start = \"10:00\"");
    let timetable = timetable(&both);
    let first = compile(&timetable, date(2026, 9, 1), &whole(), making(EVENING)).unwrap();
    let next = Making { day_before: Some(&first), ..making(EVENING) };
    let second = compile(&timetable, date(2026, 9, 2), &whole(), next).unwrap();
    for channel in &first.channels {
        let after = second.channel(channel.channel.as_str()).unwrap().discontinuities_before;
        assert_eq!(after, first.discontinuities_after(channel));
    }
}

/// An edition of the morning moved the numbers of all that had been on air since midnight, where the evening before had been changed
/// behind this day's first edition.
#[test]
fn a_later_edition_goes_on_counting_from_where_the_day_began() {
    let both = DAY.replace("  { start = \"10:00\"", "  { date = \"2026-09-02\", start = \"08:30\", minutes = 20, grades = [9, 12], lesson = \"maths\" },\n  { start = \"10:00\"");
    let (timetable, day) = (timetable(&both), date(2026, 9, 2));
    let evening = compile(&timetable, date(2026, 9, 1), &whole(), making(EVENING)).unwrap();
    let goes_on = Making { day_before: Some(&evening), ..making(EVENING) };
    let first = compile(&timetable, day, &whole(), goes_on).unwrap();
    let mut changed = evening.clone();
    changed.channels.iter_mut().for_each(|channel| channel.discontinuities_before -= 2);
    let number = |made_at: &str| {
        let made_at = made_at.parse().unwrap();
        let later = Making { made_at, previous: Some(&first), day_before: Some(&changed), ..making(EVENING) };
        compile(&timetable, day, &whole(), later).unwrap().channel("g9").unwrap().discontinuities_before
    };
    let before = first.channel("g9").unwrap().discontinuities_before;
    assert_eq!(number("2026-09-01T23:59:59+08:00"), before - 2, "nobody has seen it");
    assert_eq!(number("2026-09-02T00:00:00+08:00"), before);
    assert_eq!(number("2026-09-02T09:00:00+08:00"), before);
}

#[test]
fn what_is_missing_is_refused_or_waited_for() {
    let mut stock = whole();
    stock.found.remove(&lesson_id("physics"));
    let timetable = timetable(DAY);
    let day = date(2026, 9, 1);
    let findings = compile(&timetable, day, &stock, making(EVENING)).unwrap_err();
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "day.toml:7: not_stored: lesson `physics` is not in the store, ingest it (airclass ingest run FILE --lesson physics); compile --allow-missing plans the day without it"
        ]
    );
    let waiting = Making { allow_missing: true, ..making(EVENING) };
    let evening = compile(&timetable, day, &stock, waiting).unwrap();
    assert!(evening.lesson("physics").unwrap().media.is_none());
    let slated =
        evening.channel("g9").unwrap().programmes.iter().find(|p| p.lesson == Some(lesson_id("physics")));
    assert_eq!(slated.unwrap().show, Show::Clip(lesson_id("slate")));
    // It comes at five: the express lane, and it stays there in later editions.
    let five = Making { previous: Some(&evening), ..making("05:00:00") };
    let morning = compile(&timetable, day, &whole(), five).unwrap();
    assert_eq!((morning.edition, morning.fill[0].lane), (2, Lane::Express));
    assert_eq!(morning.fill[0].package, crate::sample::package(3));
    let six = Making { previous: Some(&morning), ..making("06:00:00") };
    let again = compile(&timetable, day, &whole(), six).unwrap();
    assert!(again.says_the_same(&morning));
}

#[test]
fn what_has_been_on_air_stays() {
    let (timetable, day) = (timetable(DAY), date(2026, 9, 1));
    let plan = made(DAY, &whole());
    let moved = self::timetable(&DAY.replace(
        "start = \"09:15\", minutes = 20, grades = 9",
        "start = \"09:20\", minutes = 20, grades = 9",
    ));
    // On the grid it begins at 09:15:02.4, and its first segment is in playlists from then on.
    for (now, sound) in [
        ("09:00:00", true),
        ("09:15:02", true),
        ("09:15:03", false),
        ("09:16:00", false),
        ("12:00:00", false),
    ] {
        let making = Making { previous: Some(&plan), ..making(now) };
        assert!(compile(&timetable, day, &whole(), making).is_ok(), "{now}");
        let moved = compile(&moved, day, &whole(), making);
        assert_eq!(moved.is_ok(), sound, "{now}");
        if let Err(findings) = moved {
            assert_eq!(findings[0].rule, Rule::Past);
        }
    }
}

/// Who had changed five lines heard that a channel would change what it has shown, on line 1.
#[test]
fn what_would_change_on_air_is_told_by_its_item_and_line() {
    let plan = made(DAY, &whole());
    let told = |text: &str| {
        let making = Making { previous: Some(&plan), ..making("09:30:00") };
        let found = compile(&timetable(text), date(2026, 9, 1), &whole(), making).unwrap_err();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let way = "leave it as it was (`airclass package delete`, then `airclass purge`, withdraw a lesson that has begun)";
    // On two channels, told once; what is behind now may be moved along.
    let moved = DAY.replace("\"08:30\", minutes = 20", "\"08:25\", minutes = 20").replace("19:00", "19:30");
    assert_eq!(
        told(&moved),
        [format!(
            "day.toml:4: past: `maths` has been on channel `g7` since 08:40 and would not have been, {way}"
        )]
    );
    let gone: String =
        DAY.lines().filter(|line| !line.contains("physics")).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        told(&gone),
        [format!(
            "day.toml:1: past: `physics` has been on channel `g9` since 09:15 and would not have been, {way}"
        )]
    );
    let added = DAY.replace(
        "item = [",
        "item = [\n{ start = \"07:00\", minutes = 5, grades = 9, kind = \"exercise\", lesson = \"eyes\" },",
    );
    assert_eq!(
        told(&added),
        [
            "day.toml:4: past: `exercise-0700-9` would begin on channel `g9` at 07:00, which is over, let it begin after now"
        ]
    );
}

/// A correction of the morning's recording, or its withdrawal, had every later edition of the day refused.
#[test]
fn what_has_begun_stays_as_it_was_and_the_rest_of_the_day_may_change() {
    let (day, plan) = (date(2026, 9, 1), made(DAY, &whole()));
    let moved = timetable(&DAY.replace("start = \"19:00\"", "start = \"19:30\""));
    let mut anew = whole();
    anew.found.get_mut(&lesson_id("maths")).unwrap().media = media(21, 250);
    anew.found.get_mut(&lesson_id("slate")).unwrap().media = media(22, 12);
    anew.found.get_mut(&lesson_id("physics")).unwrap().media = media(23, 245);
    let mut gone = whole();
    gone.found.remove(&lesson_id("maths"));
    let package = |plan: &Plan, lesson: &str| plan.lesson(lesson).unwrap().media.as_ref().unwrap().package;
    let at_nine = Making { previous: Some(&plan), ..making("09:00:00") };
    for stock in [&anew, &gone] {
        let later = compile(&moved, day, stock, at_nine).unwrap();
        assert_eq!(sent(&later, "maths"), sent(&plan, "maths"));
        assert_eq!(later.clip("slate"), plan.clip("slate"));
        // What has not begun is what the store has.
        assert_eq!(package(&later, "physics"), stock.get(&lesson_id("physics")).unwrap().media.package);
        // Before the bell nothing has: what is gone is missed.
        let before = Making { previous: Some(&plan), ..making("08:00:00") };
        assert_eq!(compile(&moved, day, stock, before).is_ok(), stock == &anew);
    }
    // What is taken away stays for the day.
    let without = compile(&moved, day, &gone, at_nine).unwrap();
    assert_eq!(package(&without, "maths"), package(&plan, "maths"));
    let early = compile(&moved, day, &anew, Making { previous: Some(&plan), ..making("08:00:00") }).unwrap();
    assert_eq!(package(&early, "maths"), crate::sample::package(21));
}

/// What channel g9 sends first of an item.
fn sent(plan: &Plan, item: &str) -> crate::plan::Media {
    let channel = plan.channel("g9").unwrap();
    let programmes = channel.programmes.iter();
    let mut of_it =
        programmes.filter(|programme| programme.item.as_ref().is_some_and(|id| id.as_str() == item));
    let first = crate::AirSegment(plan.first_segment.0 + u64::from(of_it.next().unwrap().start));
    plan.on_air(channel, first).unwrap().sent.unwrap().media.clone()
}

/// The evening's repeat of a lesson that was corrected in the morning showed the faulty recording again.
#[test]
fn what_was_corrected_after_its_showing_is_right_in_the_evening() {
    let (timetable, day) = (timetable(DAY), date(2026, 9, 1));
    let again = "maths-again-1900";
    let (first, corrected) = (made(DAY, &whole()), |number| {
        let mut anew = whole();
        anew.found.get_mut(&lesson_id("maths")).unwrap().media = media(number, 249);
        anew
    });
    let later = |previous: &Plan, stock: &Stock, now: &str| {
        compile(&timetable, day, stock, Making { previous: Some(previous), ..making(now) }).unwrap()
    };
    let number = |number| crate::sample::package(number);
    let nine = later(&first, &corrected(21), "09:00:00");
    let shown = |plan: &Plan| (sent(plan, "maths").package, sent(plan, again).package);
    assert_eq!(shown(&nine), (number(1), number(21)));
    assert_eq!(nine.lesson("maths").unwrap().media, Some(media(21, 249)));
    // Nobody who watches sees another number or another end.
    let window = |plan: &Plan, from: u64, count| {
        let channel = plan.channel("g9").unwrap();
        let first = crate::AirSegment(plan.first_segment.0 + from);
        let told = |on: crate::OnAir<'_>| {
            (on.into, on.discontinuity, on.discontinuities, on.sent.map(|sent| sent.segment))
        };
        plan.window(channel, first, count).map(told).collect::<Vec<_>>()
    };
    assert_eq!(window(&nine, 0, 14_000), window(&first, 0, 14_000));
    // Nodes keep both, and the new one is open with its lesson.
    let filled =
        |plan: &Plan| plan.fill.iter().filter(|fill| [number(1), number(21)].contains(&fill.package)).count();
    assert_eq!(filled(&nine), 2);
    assert!(
        nine.clips.iter().filter(|clip| clip.is_earlier()).map(|clip| clip.media.package).eq([number(1)])
    );
    // The same again is the same, another correction after the evening's showing keeps both as they were, and what is as it
    // was at first again needs nothing beside it.
    assert!(later(&nine, &corrected(21), "12:00:00").says_the_same(&nine));
    let night = later(&nine, &corrected(22), "20:00:00");
    assert_eq!(shown(&night), (number(1), number(21)));
    assert_eq!(night.lesson("maths").unwrap().media, Some(media(22, 249)));
    let back = later(&nine, &whole(), "12:00:00");
    assert_eq!((shown(&back), back.clips == first.clips), ((number(1), number(1)), true));
    // One that does not fit the evening's item is told there.
    let mut long = whole();
    long.found.get_mut(&lesson_id("maths")).unwrap().media = media(21, 260);
    let at_nine = Making { previous: Some(&first), ..making("09:00:00") };
    let findings = compile(&timetable, day, &long, at_nine).unwrap_err();
    assert_eq!(
        findings.iter().map(|one| (one.rule, one.spot.line)).collect::<Vec<_>>(),
        [(Rule::WrongLength, 8)]
    );
    // It is said once.
    let on_air = corrected(21).with_begun(&first, moment("09:00:00"));
    let notes: Vec<_> =
        crate::begun_otherwise(&timetable, &corrected(21), &on_air).iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "day.toml:4: note: past: `maths` has another recording since it began: that showing stays as it was, its page and later showings have the new one"
        ]
    );
}

/// A lesson that came after its bell had every later edition of the day refused, too.
#[test]
fn a_lesson_that_comes_after_its_bell_opens_and_the_channel_keeps_what_it_sent() {
    let (timetable, day) = (timetable(DAY), date(2026, 9, 1));
    let mut without = whole();
    without.found.remove(&lesson_id("maths"));
    let missing = Making { allow_missing: true, ..making("00:00:00") };
    let night = compile(&timetable, day, &without, missing).unwrap();
    let nine = Making { previous: Some(&night), ..making("08:40:00") };
    let later = compile(&timetable, day, &whole(), nine).unwrap();
    assert!(later.lesson("maths").unwrap().media.is_some());
    let shows = |id: &str| {
        let channel = later.channel("g9").unwrap();
        let programme =
            channel.programmes.iter().filter(|programme| programme.lesson == Some(lesson_id("maths")));
        programme.map(|programme| programme.show == Show::Lesson(lesson_id(id))).collect::<Vec<_>>()
    };
    // The slate in the morning, the lesson in the evening.
    assert_eq!(shows("maths"), [false, true]);
}

/// Items of one morning that may or may not fit together.
fn items() -> impl Strategy<Value = Vec<(u32, u32, Vec<u8>, bool)>> {
    let item = (0..36_u32, 1..6_u32, prop::collection::btree_set(7..10_u8, 1..3), any::<bool>());
    let item = item.prop_map(|(start, length, grades, everywhere)| {
        (30_600 + start * 300, length * 300, grades.into_iter().collect::<Vec<_>>(), everywhere)
    });
    prop::collection::vec(item, 1..7)
}

fn written(items: &[(u32, u32, Vec<u8>, bool)]) -> Timetable {
    let mut timetable = timetable(
        "date = \"2026-09-01\"\nitem = []\n[[channel]]\nid = \"all\"\ntitle = \"x\"\n[[channel]]\nid = \"g7\"\ntitle = \"x\"\ngrades = 7\n",
    );
    for (line, (start, length, grades, everywhere)) in items.iter().enumerate() {
        timetable.items.push(Item {
            spot: timetable.spot.at(line + 1),
            id: format!("item-{line}").parse().unwrap(),
            date: date(2026, 9, 1),
            start: *start,
            length: *length,
            grades: self::grades().filter(|grade| grades.contains(&grade.year())).collect(),
            kind: crate::Kind::Reading,
            title: None,
            subject: None,
            edition: None,
            volume: None,
            syllabus: None,
            lesson: None,
            channel: everywhere.then(|| "all".parse().unwrap()),
        });
    }
    timetable
}

proptest! {
    // A plan of a whole nation each time.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_plan_with_an_overlap_passes(items in items()) {
        let overlap = items.iter().enumerate().any(|(at, (start, length, grades, all))| {
            items[..at].iter().any(|(other_start, other_length, other_grades, other_all)| {
                let together = *start < other_start + other_length && *other_start < start + length;
                let same = grades.iter().any(|grade| other_grades.contains(grade)) || (*all && *other_all);
                together && same
            })
        });
        let plan = compile(&written(&items), date(2026, 9, 1), &Stock::default(), making(EVENING));
        match plan {
            Ok(plan) => {
                prop_assert!(!overlap);
                prop_assert!(plan.check().is_ok());
            }
            Err(findings) => prop_assert!(overlap && findings.iter().all(|finding| finding.rule == Rule::Overlap)),
        }
    }

    #[test]
    fn the_order_of_the_file_means_nothing(turn in 0..6_usize, other in 0..3_usize) {
        let mut timetable = timetable(DAY);
        let day = date(2026, 9, 1);
        let text = compile(&timetable, day, &whole(), making(EVENING)).unwrap().to_text();
        timetable.items.rotate_left(turn);
        timetable.channels.rotate_left(other);
        let rulings = timetable.rulings.len();
        timetable.rulings.rotate_left(other.min(rulings));
        timetable.documents.reverse();
        prop_assert_eq!(compile(&timetable, day, &whole(), making(EVENING)).unwrap().to_text(), text);
    }
}
