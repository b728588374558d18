//! Policies to rows: who is let in when, which limits hold, for every province and every place with rules of its own.

use crate::file::Timetable;
use crate::place::{Place, Region};
use crate::plan::{AdmissionSlot, Policy};
use crate::policy::Effective;
use crate::school::{Band, Class, grades};
use jiff::civil::Date;
use package::Grade;
use std::collections::BTreeSet;

/// One row for each place, class and group of grades to whom the same applies.
pub(super) fn slots(timetable: &Timetable, date: Date) -> Vec<AdmissionSlot> {
    let class = |grade| if timetable.exam_grades.contains(&grade) { Class::Exam } else { Class::Usual };
    let mut slots = Vec::new();
    for place in places(timetable) {
        let alike = |effective: &Effective, grade| {
            let Effective { admit_after_s, admit_window_s, term_start, .. } = *effective;
            (Band::of(grade), class(grade), admit_after_s, admit_window_s, term_start)
        };
        for (grades, (band, class, after_s, window_s, term_start)) in groups(timetable, &place, alike) {
            let soft = term_start.is_some_and(|start| date < start);
            let place = place.clone();
            slots.push(AdmissionSlot { place, class, band, grades, after_s, window_s, term_start, soft });
        }
    }
    slots.sort_by(|a, b| (&a.place, a.class, &a.grades).cmp(&(&b.place, b.class, &b.grades)));
    slots
}

/// One row for each place and group of grades for whom the same limits hold.
pub(crate) fn policies(timetable: &Timetable) -> Vec<Policy> {
    let mut policies = Vec::new();
    for place in places(timetable) {
        let alike = |effective: &Effective, grade| (Band::of(grade), effective.limits.clone());
        for (grades, (band, limits)) in groups(timetable, &place, alike) {
            policies.push(Policy { place: place.clone(), band, grades, limits });
        }
    }
    policies.sort_by(|a, b| (&a.place, &a.grades).cmp(&(&b.place, &b.grades)));
    policies
}

/// The place that the timetable is for, the provinces in it, and what has rules of its own, in order.
fn places(timetable: &Timetable) -> BTreeSet<Place> {
    let regions =
        Region::ALL.into_iter().filter(|region| region.has_the_nations_schools()).map(Place::Region);
    let ruled = timetable.policies().places().into_iter().cloned();
    let own = std::iter::once(timetable.place.clone());
    own.chain(regions.chain(ruled).filter(|place| timetable.place.covers(place))).collect()
}

/// Grades for which `alike` gives the same, in order of their first grade.
fn groups<T: PartialEq>(
    timetable: &Timetable,
    place: &Place,
    alike: impl Fn(&Effective, Grade) -> T,
) -> Vec<(Vec<Grade>, T)> {
    let policies = timetable.policies();
    let mut groups: Vec<(Vec<Grade>, T)> = Vec::new();
    for grade in grades() {
        let value = alike(&policies.effective(place, grade), grade);
        match groups.iter_mut().find(|(_, other)| *other == value) {
            Some((grades, _)) => grades.push(grade),
            None => groups.push((vec![grade], value)),
        }
    }
    groups
}
