use super::*;
use crate::compile::tests::{DAY, made, stock, whole};

fn changes(from: &str, to: &str) -> Vec<String> {
    assert!(DAY.contains(from), "{from}");
    diff(&made(DAY, &whole()), &made(&DAY.replacen(from, to, 1), &whole()))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn one_item_moved_changes_its_own_entries_only() {
    let changes =
        changes("start = \"09:15\", minutes = 20, grades = 9", "start = \"09:20\", minutes = 20, grades = 9");
    assert_eq!(
        changes,
        [
            "guide     g9/physics: end 09:35:00 → 09:40:00, start 09:15:00 → 09:20:00",
            "release   physics: release 2026-09-01T01:15:00Z → 2026-09-01T01:20:00Z",
            "fill      physics: needed_at 2026-09-01T01:15:00Z → 2026-09-01T01:20:00Z",
            "forecast  physics: release 2026-09-01T01:15:00Z → 2026-09-01T01:20:00Z",
            "slot      physics: first 2026-09-01T01:15:00Z → 2026-09-01T01:20:00Z, last 2026-09-01T01:30:00Z → 2026-09-01T01:35:00Z",
            "channel   g9/physics: start 6938 → 7000",
        ]
    );
}

#[test]
fn a_title_is_the_guides_alone() {
    assert_eq!(changes("浮力", "压强"), ["guide     g9/physics: title 浮力 → 压强"]);
}

#[test]
fn a_policy_is_admissions_alone() {
    let changes = changes("admit_after_minutes = 15", "admit_after_minutes = 30");
    assert_eq!(changes.len(), 3, "{changes:#?}");
    assert!(changes.iter().all(|change| change.starts_with("slot")), "{changes:#?}");
    assert!(
        changes.iter().any(|change| change == "slot      hubei usual 7-8: after_s 900 → 1800"),
        "{changes:#?}"
    );
}

#[test]
fn a_corrected_lesson_is_another_package_of_the_same_entries() {
    let corrected = stock(&[
        ("maths", 21, 250),
        ("english", 2, 250),
        ("physics", 3, 245),
        ("essay", 4, 250),
        ("eyes", 10, 60),
        ("slate", 11, 10),
    ]);
    let changes = diff(&made(DAY, &whole()), &made(DAY, &corrected));
    let told: Vec<_> = changes.iter().map(|change| (change.section, change.entry.as_str())).collect();
    assert_eq!(
        told,
        [
            (Section::Release, "maths"),
            (Section::Fill, "maths"),
            (Section::Channel, "g7/maths"),
            (Section::Channel, "g7/maths-again-1900"),
            (Section::Channel, "g9/maths"),
            (Section::Channel, "g9/maths-again-1900"),
        ]
    );
}

#[test]
fn the_same_day_differs_in_nothing() {
    let plan = made(DAY, &whole());
    let other = Plan { edition: 9, made_at: crate::sample::moment("05:00:00"), ..plan.clone() };
    assert_eq!(diff(&plan, &other), []);
}
