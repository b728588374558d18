use super::*;
use jiff::civil::{Date, date};
use package::LessonId;
use package::lesson::Grade;
use proptest::prelude::*;

const DAY: Date = date(2026, 9, 1);
const MINUTES: u16 = 20;

fn class(number: u8) -> ClassCode {
    // Any code will do; the last character is found by trying.
    let last = "23456789ABCDEFGHJKMNPQRSTUVWXYZ".chars();
    let text =
        |last| format!("{}{last}", ["22222-2223", "33333-3334", "44444-4445"][usize::from(number % 3)]);
    last.into_iter().find_map(|last| text(last).parse().ok()).unwrap()
}

fn lesson(number: u8) -> LessonId {
    format!("lesson-{number}").parse().unwrap()
}

fn grade(year: &str) -> Grade {
    year.parse().unwrap()
}

fn noise() -> NoiseKey {
    NoiseKey::new(&[7; 32])
}

/// All that one viewer says about a lesson.
#[derive(Debug, Clone)]
struct Viewer {
    seen: Vec<u16>,
    again: Vec<u16>,
}

fn say(tally: &mut Tally, class: ClassCode, lesson: LessonId, viewer: &Viewer) {
    // In two words, as a device that goes on does.
    let first = Word { class, lesson, began: true, seen: viewer.seen.clone(), again: Vec::new() };
    let second = Word { began: false, seen: Vec::new(), again: viewer.again.clone(), ..first.clone() };
    for word in [first, second] {
        let word = Word::parse(&serde_json::to_vec(&word).unwrap()).unwrap();
        tally.count(word, &[grade("7")], MINUTES).unwrap();
    }
}

fn viewer() -> impl Strategy<Value = Viewer> {
    let minutes = || prop::collection::btree_set(0..MINUTES, 0..12).prop_map(|set| set.into_iter().collect());
    (minutes(), minutes()).prop_map(|(seen, again): (Vec<u16>, Vec<u16>)| Viewer { seen, again })
}

fn told(tally: &Tally) -> (String, Vec<String>) {
    let published = publish(tally, &noise());
    (serde_json::to_string(&published).unwrap(), published.iter().map(csv).collect())
}

proptest! {
    /// Issue 7: adding or removing any one viewer of a class below k changes nothing in any published output.
    #[test]
    fn a_viewer_of_a_small_class_changes_nothing_that_is_told(
        small in prop::collection::vec(viewer(), 0..(MIN_CLASS as usize - 1)),
        other in prop::collection::vec(viewer(), 0..12),
        one in viewer(),
    ) {
        let mut without = Tally::new(DAY);
        small.iter().for_each(|viewer| say(&mut without, class(0), lesson(0), viewer));
        // Another class at the same lesson, and the same class at another lesson that enough have seen.
        other.iter().for_each(|viewer| say(&mut without, class(1), lesson(0), viewer));
        other.iter().for_each(|viewer| say(&mut without, class(0), lesson(1), viewer));
        let mut with = without.clone();
        say(&mut with, class(0), lesson(0), &one);
        prop_assert_eq!(told(&without), told(&with));
    }

    /// No number that is told stands for a group of fewer than k, nor does what is left of the class.
    #[test]
    fn no_number_tells_a_small_group(viewers in prop::collection::vec(viewer(), 0..30)) {
        let mut tally = Tally::new(DAY);
        viewers.iter().for_each(|viewer| say(&mut tally, class(0), lesson(0), viewer));
        let published = publish(&tally, &noise());
        if viewers.len() < MIN_CLASS as usize {
            prop_assert!(published.is_empty());
            return Ok(());
        }
        let (coverage, table) = (&published[0].lessons[0], &tally.classes[&class(0)][&lesson(0)]);
        for (cells, counts) in [(&coverage.seen, &table.seen), (&coverage.again, &table.again)] {
            for (cell, &count) in cells.iter().zip(counts) {
                match *cell {
                    Cell::Few => prop_assert!(count < MIN_CLASS),
                    Cell::NearlyAll => prop_assert!(table.began - count < MIN_CLASS),
                    Cell::About(about) => {
                        prop_assert!(count >= MIN_CLASS && table.began - count >= MIN_CLASS);
                        prop_assert!(about.is_multiple_of(MIN_CLASS) && about.abs_diff(count) < MIN_CLASS);
                    }
                }
            }
        }
    }

    /// Which node was told does not matter.
    #[test]
    fn tallies_of_nodes_together_are_the_tally_of_all(viewers in prop::collection::vec((viewer(), 0..3_u8), 0..20)) {
        let (mut all, mut nodes) = (Tally::new(DAY), vec![Tally::new(DAY); 3]);
        for (viewer, node) in &viewers {
            say(&mut all, class(*node), lesson(0), viewer);
            say(&mut nodes[usize::from(*node)], class(*node), lesson(0), viewer);
        }
        let mut together = Tally::new(DAY);
        for node in &nodes {
            together.merge(&Tally::parse(&node.to_bytes()).unwrap()).unwrap();
        }
        prop_assert_eq!(together, all);
    }

    #[test]
    fn words_that_are_none_are_refused_and_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Word::parse(&bytes);
        let _ = Tally::parse(&bytes);
    }
}

#[test]
fn rounding_is_right_on_average_and_the_same_when_asked_again() {
    let noise = noise();
    for count in [5, 7, 9, 13] {
        let sum: u32 =
            (0..10_000).map(|cell| noise.round(count, MIN_CLASS, &format!("{count}/{cell}"))).sum();
        let mean = f64::from(sum) / 10_000.0;
        assert!((mean - f64::from(count)).abs() < 0.1, "{count}: {mean}");
    }
    assert_eq!(noise.round(7, 5, "a"), noise.round(7, 5, "a"));
}

#[test]
fn the_lower_grades_are_not_counted() {
    let word = Word { class: class(0), lesson: lesson(0), began: true, seen: vec![0], again: vec![] };
    for (years, counted) in [(&["1"][..], false), (&["3", "4"], false), (&["4"], true), (&["12"], true)] {
        let grades: Vec<_> = years.iter().map(|year| grade(year)).collect();
        let mut tally = Tally::new(DAY);
        let result = tally.count(word.clone(), &grades, MINUTES);
        assert_eq!(result.is_ok(), counted, "{years:?}");
        assert_eq!(tally.tables(), usize::from(counted));
    }
}

#[test]
fn a_word_says_nothing_beyond_the_lesson_and_has_bounds() {
    let mut tally = Tally::new(DAY);
    let word =
        Word { class: class(0), lesson: lesson(0), began: true, seen: vec![0, 19, 20, 200], again: vec![] };
    tally.count(word, &[grade("9")], MINUTES).unwrap();
    assert_eq!(tally.classes[&class(0)][&lesson(0)].seen.len(), usize::from(MINUTES));
    for body in [
        r#"{"class":"22222-22223","lesson":"a"}"#.to_owned(),
        format!(r#"{{"class":"{}","lesson":"a","seen":[3,3]}}"#, class(0)),
        format!(r#"{{"class":"{}","lesson":"a","seen":[240]}}"#, class(0)),
        format!(r#"{{"class":"{}","lesson":"a","device":"x"}}"#, class(0)),
        format!(r#"{{"class":"{}","lesson":"a","seen":[{}]}}"#, class(0), "0,".repeat(3_000)),
    ] {
        assert!(Word::parse(body.as_bytes()).is_err(), "{}", &body[..60]);
    }
}

#[test]
fn tallies_of_two_days_do_not_mix() {
    let mut tally = Tally::new(DAY);
    assert!(matches!(tally.merge(&Tally::new(date(2026, 9, 2))), Err(TallyError::Days { .. })));
}

#[test]
fn a_spreadsheet_has_a_line_a_minute() {
    let mut tally = Tally::new(DAY);
    for _ in 0..12 {
        say(&mut tally, class(0), lesson(0), &Viewer { seen: vec![0, 1], again: vec![1] });
    }
    for _ in 0..12 {
        say(&mut tally, class(0), lesson(0), &Viewer { seen: vec![0], again: vec![] });
    }
    let text = csv(&publish(&tally, &noise())[0]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].ends_with(",lesson-0,1,几乎全部,少于5"), "{text}");
    assert!(lines[2].contains(",lesson-0,2,约1"), "{text}");
}
