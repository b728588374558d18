//! Embargo: when a lesson's pointer opens, on each node by itself.

use crate::plan::{Plan, PlannedLesson};
use jiff::Timestamp;
use package::{LessonId, PackageId};

/// Whether a lesson may be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Yes: its instant has come.
    Open,
    /// Not before this instant.
    Shut(Timestamp),
    /// The plan says nothing about it: it is not the day's to open or shut.
    Unplanned,
}

impl Plan {
    /// Whether `lesson` may be played at `now`.
    pub fn released(&self, lesson: &LessonId, now: Timestamp) -> Release {
        self.lesson(lesson.as_str()).map_or(Release::Unplanned, |lesson| at(lesson.release, now))
    }

    /// Whether anything of `package` may be sent at `now`: as soon as the first of the lessons that it is opens. A clip
    /// is open whenever the plan counts.
    pub fn package_released(&self, package: PackageId, now: Timestamp) -> Release {
        if self.clips.iter().any(|clip| clip.media.package == package) {
            return Release::Open;
        }
        let opens = self.lessons_of(package).map(|lesson| lesson.release).min();
        opens.map_or(Release::Unplanned, |opens| at(opens, now))
    }

    /// The lessons that `package` is.
    pub fn lessons_of(&self, package: PackageId) -> impl Iterator<Item = &PlannedLesson> {
        self.lessons
            .iter()
            .filter(move |lesson| lesson.media.as_ref().is_some_and(|media| media.package == package))
    }

    /// The next instant after `now` at which a lesson opens.
    pub fn next_release(&self, now: Timestamp) -> Option<Timestamp> {
        self.lessons.iter().map(|lesson| lesson.release).filter(|&release| release > now).min()
    }
}

fn at(release: Timestamp, now: Timestamp) -> Release {
    if now >= release { Release::Open } else { Release::Shut(release) }
}
