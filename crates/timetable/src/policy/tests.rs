use super::*;
use crate::place::Region;
use crate::sample::grade;
use proptest::prelude::*;
use std::sync::Arc;

fn ruling(place: &str, grades: &[u8], document: Option<&str>) -> Ruling {
    Ruling {
        spot: Spot { file: Arc::from("p"), line: 1 },
        place: place.parse().unwrap(),
        grades: grades.iter().map(|&year| grade(year)).collect(),
        document: document.map(|id| id.parse().unwrap()),
        stagger_s: None,
        admit_after_s: None,
        admit_window_s: None,
        term_start: None,
        day_minutes: None,
        sitting_minutes: None,
        break_minutes: None,
        lessons_a_day: None,
    }
}

fn document(id: &str, issued: &str) -> Document {
    Document {
        id: id.parse().unwrap(),
        title: id.into(),
        authority: id.into(),
        issued: issued.into(),
        source: id.into(),
    }
}

#[test]
fn each_field_has_its_own_nearest_place() {
    let rulings = [
        Ruling {
            day_minutes: Some(180),
            sitting_minutes: Some(30),
            ..ruling("nation", &[7, 8], Some("old"))
        },
        Ruling { day_minutes: Some(150), ..ruling("nation", &[7, 8], Some("new")) },
        Ruling { sitting_minutes: Some(25), ..ruling("hubei", &[7], Some("old")) },
        Ruling { day_minutes: Some(60), ..ruling("hubei/wuhan", &[7], Some("old")) },
        Ruling { admit_after_s: Some(900), ..ruling("hubei", &[7, 8], None) },
        Ruling { admit_after_s: Some(0), ..ruling("hubei/wuhan/no-1", &[7], None) },
    ];
    let documents = [document("old", "2020-02"), document("new", "2020-08-27")];
    let policies = Policies::new(&rulings, &documents);
    let of = |place: &str, year| policies.effective(&place.parse().unwrap(), grade(year));
    let value = |limit: &Option<Limit>| limit.as_ref().map(|limit| limit.value);
    for (place, year, day, sitting, after) in [
        ("nation", 7, Some(150), Some(30), 0),
        ("hunan", 8, Some(150), Some(30), 0),
        ("hubei", 7, Some(150), Some(25), 900),
        ("hubei", 8, Some(150), Some(30), 900),
        ("hubei/wuhan", 7, Some(60), Some(25), 900),
        ("hubei/wuhan/no-1", 7, Some(60), Some(25), 0),
        ("hubei/wuhan/no-1", 1, None, None, 0),
    ] {
        let effective = of(place, year);
        let limits = &effective.limits;
        let found = (value(&limits.day_minutes), value(&limits.sitting_minutes), effective.admit_after_s);
        assert_eq!(found, (day, sitting, after), "{place} {year}");
    }
    let limit = of("hubei/wuhan", 7).limits.sitting_minutes.unwrap();
    assert_eq!((limit.place, limit.document), (Place::Region(Region::Hubei), Some("old".parse().unwrap())));
}

#[test]
fn a_limit_needs_a_document_and_a_place_one_word() {
    let told = |rulings: &[Ruling]| {
        let mut findings = Vec::new();
        Policies::new(rulings, &[document("a", "2020")]).check(&mut findings);
        findings.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let limit = |value, document| Ruling { day_minutes: Some(value), ..ruling("hubei", &[7], document) };
    assert_eq!(told(&[limit(60, Some("a"))]), []);
    assert_eq!(told(&[limit(60, None)]), [Rule::Undocumented]);
    assert_eq!(told(&[limit(60, Some("b"))]), [Rule::Undocumented]);
    assert_eq!(told(&[limit(60, Some("a")), limit(60, Some("a"))]), []);
    assert_eq!(told(&[limit(60, Some("a")), limit(70, Some("a"))]), [Rule::Ambiguous]);
    let start =
        |day| Ruling { term_start: Some(Date::constant(2026, 9, day)), ..ruling("hubei", &[7], None) };
    assert_eq!(told(&[start(1), start(7)]), [Rule::Ambiguous]);
}

/// Places on one branch and beside it.
const PLACES: [&str; 6] = ["nation", "hubei", "hunan", "hubei/wuhan", "hubei/wuhan/no-1", "hubei/xiangyang"];

proptest! {
    /// The effective value is that of the nearest place that says something: looked for from the school upwards, one place
    /// after the other.
    #[test]
    fn effective_is_the_nearest_override(
        said in prop::collection::btree_map((0..6_usize, 7..10_u8), 0..200_u32, 0..14),
        shuffled: u64, place in 0..6_usize, year in 7..10_u8,
    ) {
        let mut rulings: Vec<_> = said
            .iter()
            .map(|(&(place, year), &value)| Ruling { admit_after_s: Some(value), ..ruling(PLACES[place], &[year], None) })
            .collect();
        let turn = usize::try_from(shuffled % 14).unwrap();
        let length = rulings.len();
        rulings.rotate_left(turn.min(length));
        let parts: Vec<&str> = PLACES[place].split('/').collect();
        let upwards = (1..=parts.len()).rev().map(|count| parts[..count].join("/")).chain(["nation".to_owned()]);
        let expected = upwards
            .filter_map(|name| said.get(&(PLACES.iter().position(|place| *place == name)?, year)))
            .next();
        let effective = Policies::new(&rulings, &[]).effective(&PLACES[place].parse().unwrap(), grade(year));
        prop_assert_eq!(effective.admit_after_s, expected.copied().unwrap_or(0));
    }
}
