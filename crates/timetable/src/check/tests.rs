use super::*;
use crate::Weight;
use crate::compile::tests::{stock, timetable};
use crate::file::{Given, Shipped};

/// What is told about items of 1 September, errors alone, as `LINE rule`.
fn told(head: &str, items: &str, tail: &str) -> Vec<String> {
    let text = format!("date = \"2026-09-01\"\nexam_grades = []\n{head}\nitem = [\n{items}\n]\n{tail}");
    let findings = check(&timetable(&text), None);
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error);
    errors.map(|finding| format!("{} {}", finding.spot.line, finding.rule.as_str())).collect()
}

const EYES: &str = "{ start = \"08:50\", minutes = 5, grades = \"all\", kind = \"eye_exercise\" },\n";

#[test]
fn each_rule_finds_what_it_is_for() {
    let lesson = |start: &str, minutes: u32, grades: &str, name: &str, more: &str| {
        format!(
            "{{ start = \"{start}\", minutes = {minutes}, grades = {grades}, lesson = \"{name}\" {more} }},\n"
        )
    };
    let first = lesson("08:30", 20, "7", "a", "");
    let two = |start: &str, minutes, grades: &str, more: &str| {
        format!("{first}{EYES}{}", lesson(start, minutes, grades, "b", more))
    };
    let many: String =
        (0..7).map(|at| lesson(&format!("{:02}:30", 8 + at), 30, "7", &format!("l{at}"), "")).collect();
    for (what, items, expected) in [
        ("a sound morning", two("09:10", 20, "7", ""), &[][..]),
        ("at the same time", two("08:40", 20, "7", ""), &["6 overlap", "7 overlap"]),
        ("an exercise in a lesson", format!("{}{EYES}", lesson("08:35", 20, "7", "a", "")), &["6 overlap"]),
        ("other grades at the same time", two("08:30", 20, "8", ""), &[]),
        ("a break of ten minutes", two("09:00", 20, "7", ""), &["7 missing_break"]),
        ("no eye exercise", format!("{first}{}", lesson("09:10", 20, "7", "b", "")), &["6 eye_exercise"]),
        ("forty-five minutes", lesson("08:30", 45, "7", "a", ""), &["5 classroom_length"]),
        ("twenty-five minutes in primary school", lesson("08:30", 25, "1", "a", ""), &["5 sitting"]),
        ("thirty in junior school", lesson("08:30", 30, "7", "a", ""), &[]),
        ("three and a half hours", format!("{many}{EYES}").replace("08:50", "09:00"), &["11 day_total"]),
        ("no lesson's name", "{ start = \"08:30\", minutes = 20, grades = 7 },\n".into(), &["5 no_lesson"]),
        ("a channel of nobody", lesson("08:30", 20, "7", "a", ", channel = \"x\""), &["5 unknown_channel"]),
        ("past midnight", lesson("23:50", 20, "7", "a", ""), &["5 outside_day"]),
        (
            "two for one place in the syllabus",
            first.replace(" }", ", subject = \"x\", syllabus = \"1\" }")
                + EYES
                + &lesson("09:10", 20, "7", "b", ", subject = \"x\", syllabus = \"1\""),
            &["7 syllabus"],
        ),
        (
            "one for each edition, at the same time",
            lesson("08:30", 20, "7", "a", ", subject = \"x\", edition = \"人教版\", syllabus = \"1\"")
                + &lesson(
                    "08:30",
                    20,
                    "7",
                    "b",
                    ", subject = \"x\", edition = \"北师大版\", syllabus = \"1\"",
                ),
            &[],
        ),
        (
            "again before it was",
            format!("{}{first}", lesson("07:30", 20, "7", "a", ", kind = \"replay\"")),
            &["5 early_replay"],
        ),
    ] {
        assert_eq!(told("", &items, ""), expected, "{what}");
    }
    let late = two("09:10", 30, "7", "");
    assert_eq!(told("bells = [\"08:30\", \"09:10\", \"09:35\"]", &late, ""), ["7 overrun"]);
    assert_eq!(told("", "", ""), ["1 syntax"]);
}

#[test]
fn channels_show_one_thing_at_a_time() {
    let items = "{ start = \"08:30\", minutes = 20, grades = 7, lesson = \"a\" },\n{ start = \"08:40\", minutes = 20, grades = 8, lesson = \"b\" },\n";
    let channel = |grades: &str| format!("[[channel]]\nid = \"tv\"\ntitle = \"tv\"\ngrades = {grades}\n");
    assert_eq!(told("", items, &channel("7")), [""; 0]);
    assert_eq!(told("", items, &channel("[7, 8]")), ["6 overlap"]);
    // A stagger takes them apart.
    let stagger = "[[policy]]\nplace = \"nation\"\ngrades = 8\nstagger_minutes = 10\n";
    assert_eq!(told("", items, &format!("{}{stagger}", channel("[7, 8]"))), [""; 0]);
    assert_eq!(told("", items, &channel("7").repeat(2)), ["14 duplicate"]);
}

#[test]
fn exam_grades_are_not_left_out() {
    let text = "date = \"2026-09-01\"\nitem = [\n{ start = \"08:30\", minutes = 20, grades = 9, lesson = \"a\" },\n]\n";
    let findings = check(&timetable(text), None);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        finding.to_string(),
        "day.toml:3: exam_grades: grade 12 is before its examination and has no lesson on 2026-09-01, add one or take it out of exam_grades"
    );
}

#[test]
fn a_lesson_in_the_night_is_a_note_since_2_30_was_meant_for_the_afternoon() {
    let text = "date = \"2026-09-01\"\nexam_grades = []\nitem = [\n{ start = \"2:30\", minutes = 20, grades = 7, lesson = \"a\" },\n{ start = \"06:00\", minutes = 20, grades = 7, kind = \"reading\", lesson = \"b\" },\n{ start = \"00:00\", end = \"06:00\", grades = 8, kind = \"rest\" },\n]\n";
    let findings = check(&timetable(text), None);
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "day.toml:4: note: night: `a` begins at 02:30, when children sleep: write 14:30 if the afternoon is meant"
        ]
    );
}

#[test]
fn a_lesson_between_the_bells_is_a_note_since_families_wait_for_the_bell() {
    let text = "date = \"2026-09-01\"\nexam_grades = []\nbells = [\"08:30\", \"09:10\"]\nitem = [\n{ start = \"08:30\", minutes = 20, grades = 7, lesson = \"a\" },\n{ start = \"09:01\", minutes = 9, grades = 8, lesson = \"b\" },\n{ start = \"08:50\", minutes = 5, grades = 7, kind = \"eye_exercise\" },\n]\n";
    let told: Vec<_> = check(&timetable(text), None).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "day.toml:6: note: off_bell: `b` begins at 09:01, which is none of the bells: look whether it is right, and add it to bells if it is"
        ]
    );
    let without = text.replace("bells = [\"08:30\", \"09:10\"]\n", "");
    assert_eq!(check(&timetable(&without), None), []);
}

#[test]
fn a_channel_that_nothing_is_for_is_a_note() {
    let channel = "[[channel]]\nid = \"extra\"\ntitle = \"extra\"\n";
    let item = "date = \"2026-09-01\"\nexam_grades = []\nitem = [\n{ start = \"08:30\", minutes = 20, grades = 7, lesson = \"a\" },\n]\n";
    let told = |text: &str| {
        check(&timetable(text), None).iter().map(|finding| finding.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&format!("{item}{channel}")),
        [
            "day.toml:7: note: silent_channel: channel `extra` shows nothing and is not there, give it grades, name it as an item's channel, or say a slate"
        ]
    );
    let named = item.replace("lesson = \"a\"", "lesson = \"a\", channel = \"extra\"");
    for sound in [format!("{named}{channel}"), format!("slate = \"a\"\n{item}{channel}")] {
        assert_eq!(told(&sound), [""; 0], "{sound}");
    }
}

#[test]
fn a_sheet_alone_is_told_where_exam_grades_are_said() {
    let file =
        Given { name: "day.csv", bytes: b"date,start,minutes,grade,lesson\n2026-09-01,08:30,20,7,a\n" };
    let sheet = Timetable::read(file, &Shipped::default(), |_| Err(String::new())).unwrap();
    let findings = check(&sheet, None);
    let way = "take it out of exam_grades (of a TOML file that names this sheet by `items`)";
    assert!(findings.iter().all(|finding| finding.text.ends_with(way)), "{findings:?}");
    assert_eq!(findings.len(), 2);
}

#[test]
fn a_day_that_is_over_is_a_note_by_the_clock_of_its_place() {
    let text = "date = \"2026-09-01\"\nitem = [\n{ start = \"08:30\", minutes = 20, grades = 9, lesson = \"a\" },\n{ date = \"2026-09-02\", start = \"08:30\", minutes = 20, grades = 9, lesson = \"b\" },\n]\n";
    let timetable = timetable(text);
    let told = |now: &str| {
        let notes = days_over(&timetable, now.parse().unwrap());
        notes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told("2026-09-01T15:59:59Z"), [""; 0], "until midnight in China");
    assert_eq!(
        told("2026-09-01T16:00:00Z"),
        [
            "day.toml:3: note: day_over: 2026-09-01 is over, it is 2026-09-02: look whether year, month and day are right"
        ]
    );
    assert_eq!(told("2027-09-01T00:00:00Z").len(), 2);
}

#[test]
fn limits_of_other_places_are_notes_with_their_document() {
    let text = "date = \"2026-09-01\"\nexam_grades = []\nitem = [\n{ start = \"08:30\", minutes = 30, grades = 7, lesson = \"a\" },\n]\n";
    let findings = check(&timetable(text), None);
    let [note] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        note.to_string(),
        "day.toml:4: note: sitting: `a` lasts 30 min, grade 7 may sit 20 min in sichuan (sichuan-2020-03-11), make it shorter or leave something out"
    );
    // A timetable of Sichuan has to keep it.
    let own = text.replace("exam_grades", "place = \"sichuan\"\nexam_grades");
    assert_eq!(check(&timetable(&own), None)[0].weight, Weight::Error);
}

#[test]
fn lessons_are_as_long_as_their_items() {
    let text = "date = \"2026-09-01\"\nexam_grades = []\nslate = \"slate\"\nitem = [\n{ start = \"08:30\", minutes = 20, grades = 7, lesson = \"a\" },\n]\n";
    for (segments, expected) in [
        (Some(250), None),
        (Some(238), None),
        (
            Some(237),
            Some(
                "5 lesson `a` lasts 18:58 in the store and `a` 20:00 here, change minutes or ingest the right recording",
            ),
        ),
        (
            Some(251),
            Some(
                "5 lesson `a` lasts 20:05 in the store and `a` 20:00 here, change minutes or ingest the right recording",
            ),
        ),
        (
            None,
            Some(
                "5 lesson `a` is not in the store, ingest it (airclass ingest run FILE --lesson a); compile --allow-missing plans the day without it",
            ),
        ),
    ] {
        let lesson = segments.map(|segments| ("a", 1, segments));
        let stock = stock(&lesson.into_iter().chain([("slate", 2, 5)]).collect::<Vec<_>>());
        let told = check(&timetable(text), Some(&stock));
        let told: Vec<_> =
            told.iter().map(|finding| format!("{} {}", finding.spot.line, finding.text)).collect();
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{segments:?}");
    }
    // A quarter of an hour is no whole number of segments; nobody wrote 15:03.
    let quarter = text.replace("minutes = 20", "minutes = 15");
    let told = check(&timetable(&quarter), Some(&stock(&[("a", 1, 250), ("slate", 2, 5)])));
    assert!(told[0].text.contains("lasts 20:00 in the store and `a` 15:00 here"), "{told:?}");
    let without_slate = stock(&[("a", 1, 250)]);
    assert_eq!(check(&timetable(text), Some(&without_slate))[0].rule, Rule::NotStored);
}
