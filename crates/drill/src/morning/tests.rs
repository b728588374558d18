//! A small day: 08:30 for grade 9 before its examination, 09:10 for grades 7 and 8.

use super::*;
use proptest::prelude::*;

fn plan() -> Plan {
    let lesson = |name: &str, bell: &str, grades: &[u8]| {
        serde_json::json!({
            "lesson": name, "bell": format!("2026-09-01T{bell}:00+08:00"), "release": format!("2026-09-01T{bell}:00+08:00"),
            "kind": "lesson", "grades": grades, "exam": grades.contains(&9), "title": name, "segments": 250,
        })
    };
    let slot = |place: &str, class: &str, grades: &[u8], after_s: u32| {
        serde_json::json!({
            "place": place, "class": class, "band": "junior", "grades": grades, "after_s": after_s, "window_s": 900,
            "soft": false,
        })
    };
    let plan = serde_json::json!({
        "kind": "airclass-plan/1", "date": "2026-09-01", "zone": "Asia/Shanghai", "place": "nation", "edition": 1,
        "made_at": "2026-08-31T18:00:00+08:00", "valid_from": "2026-08-31T00:00:00+08:00",
        "valid_until": "2026-09-03T00:00:00+08:00", "first_segment": 372_540_000,
        "lessons": [lesson("maths-7", "09:10", &[7, 8]), lesson("maths-9", "08:30", &[9])],
        "slots": [
            slot("nation", "exam", &[9], 0),
            slot("nation", "usual", &[7, 8], 900),
            slot("hubei", "usual", &[7, 8], 1_800),
        ],
        "clips": [], "fill": [], "channels": [], "policies": [], "documents": [],
    });
    Plan::parse(&plan.to_string()).unwrap()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Everybody watches, on one carrier's lines.
fn assumed(pupils: &str) -> Assumptions {
    let text = format!(
        "attendance = 1000\nmix = {{ s0 = 1000 }}\ncarriers = {{ dianxin = 1000 }}\npupils = [{pupils}]\n"
    );
    settings::parse(&text, Path::new("forecast.toml")).unwrap()
}

const HUNAN: &str = "{ region = \"hunan\", grades = [7, 8, 9], each = 1000 }";
const HUBEI: &str = "{ region = \"hubei\", grades = [7], each = 500 }";

#[test]
fn a_morning_has_its_bells_in_proportion() {
    let bells = bells(&plan(), &assumed(HUNAN), 2_000, Hours::default());
    let told: Vec<_> = bells.iter().map(|bell| (&*bell.name, bell.at, bell.players())).collect();
    // Two grades are twice one.
    assert_eq!(told, [("08:30", Duration::ZERO, 1_000), ("09:10", minutes(40), 2_000)]);
    let first = &bells[0].shows[0];
    assert_eq!(
        (first.path.as_str(), first.curve),
        ("/lessons/maths-9/main.m3u8", Curve::Uniform(minutes(15)))
    );
    assert_eq!((first.after, first.length), (Duration::ZERO, Some(minutes(20))));
    assert_eq!(bells[1].shows[0].after, minutes(15));
}

#[test]
fn pupils_come_by_the_slot_of_their_place() {
    let hours = Hours { from: Some("09:00".parse().unwrap()), until: None };
    let bells = bells(&plan(), &assumed(&format!("{HUNAN}, {HUBEI}")), 100, hours);
    let shows: Vec<_> = bells[0].shows.iter().map(|show| (show.after, show.players)).collect();
    assert_eq!((&*bells[0].name, shows), ("09:10", vec![(minutes(15), 80), (minutes(30), 20)]));
}

#[test]
fn only_some_hours_can_be_replayed() {
    let names = |from: Option<&str>, until: Option<&str>| {
        let time = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let hours = Hours { from: time(from), until: time(until) };
        let bells = bells(&plan(), &assumed(HUNAN), 10, hours);
        bells.into_iter().map(|bell| (bell.name, bell.at)).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("08:31"), None), [("09:10".to_owned(), Duration::ZERO)]);
    assert_eq!(names(None, Some("09:10")), [("08:30".to_owned(), Duration::ZERO)]);
    assert_eq!(names(Some("12:00"), None), []);
}

#[test]
fn the_shipped_assumptions_are_read() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/forecast.toml");
    let assumed = read_assumptions(&shipped).unwrap();
    assert!(!bells(&plan(), &assumed, 100, Hours::default()).is_empty());
    assert!(read_assumptions(Path::new("/nowhere.toml")).is_err());
}

proptest! {
    #[test]
    fn shares_add_up(pupils in proptest::collection::vec(0u64..1 << 40, 1..40), players in 0usize..100_000) {
        let most: u64 = pupils.iter().sum();
        let shares = shares(pupils.iter().copied(), players, most);
        prop_assert_eq!(shares.iter().sum::<usize>(), if most == 0 { 0 } else { players });
        for (&share, &pupils) in shares.iter().zip(&pupils) {
            let exact = u128::from(pupils) * players as u128 / u128::from(most.max(1));
            prop_assert!((share as u128).abs_diff(exact) <= 1);
        }
    }
}
