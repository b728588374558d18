//! 错峰: when new sessions are let in.

use crate::place::Place;
use crate::plan::{AdmissionSlot, Plan, PlannedLesson, Policy};
use crate::school::Class;
use jiff::{SignedDuration, Timestamp};
use package::Grade;

/// When one slot lets new sessions into one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The first are let in.
    pub from: Timestamp,
    /// And all who come later at once.
    pub until: Timestamp,
    /// Who goes first.
    pub class: Class,
    /// "Continue anyway" works before, while there is room.
    pub soft: bool,
}

impl Plan {
    /// The slot of a student of `grade` in `place`: the nearest place's that has one.
    pub fn slot_for(&self, place: &Place, grade: Grade) -> Option<&AdmissionSlot> {
        nearest(&self.slots, place, grade, |slot| (&slot.place, &slot.grades))
    }

    /// The limits of a student of `grade` in `place`: the nearest place's that has any.
    pub fn policy_for(&self, place: &Place, grade: Grade) -> Option<&Policy> {
        nearest(&self.policies, place, grade, |policy| (&policy.place, &policy.grades))
    }
}

impl AdmissionSlot {
    /// When this slot lets new sessions into `lesson`.
    pub fn opening(&self, lesson: &PlannedLesson) -> Opening {
        let later = |moment: Timestamp, seconds: u32| {
            moment.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(moment)
        };
        let from = later(lesson.release, self.after_s);
        Opening { from, until: later(from, self.window_s), class: self.class, soft: self.soft }
    }
}

/// Rows are in order of places.
fn nearest<'a, T>(
    rows: &'a [T],
    place: &Place,
    grade: Grade,
    of: impl Fn(&T) -> (&Place, &Vec<Grade>),
) -> Option<&'a T> {
    place.upwards().find_map(|place| {
        let first = rows.partition_point(|row| *of(row).0 < place);
        let there = rows.iter().skip(first).take_while(|row| *of(row).0 == place);
        there.into_iter().find(|row| of(row).1.contains(&grade))
    })
}
