//! What the store has of the lessons that a timetable names. The caller looks; rules only read.

use crate::plan::{Media, Plan, Show};
use crate::time::AirSegment;
use jiff::Timestamp;
use package::LessonId;
use std::collections::BTreeMap;

/// What was found, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock(pub BTreeMap<LessonId, Stocked>);

/// One lesson or clip, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stocked {
    /// What the list shows.
    pub title: String,
    /// 学科.
    pub subject: Option<String>,
    /// 版本.
    pub edition: Option<String>,
    /// 册次.
    pub volume: Option<String>,
    /// The package that it is now.
    pub media: Media,
}

impl Stock {
    /// The lesson `lesson`.
    pub fn get(&self, lesson: &LessonId) -> Option<&Stocked> {
        self.0.get(lesson)
    }

    /// With what `previous` has begun to show by `now` as it shows it. A recording that was made anew since, or taken away, is
    /// no reason to change what has been on air, nor to refuse every other change of the day.
    #[must_use]
    pub fn with_begun(&self, previous: &Plan, now: Timestamp) -> Self {
        let mut stock = self.clone();
        let begun = begun_before(previous, now);
        let programmes = previous.channels.iter().flat_map(|channel| &channel.programmes);
        for programme in programmes.filter(|programme| u64::from(programme.start) < begun) {
            let shown = match &programme.show {
                Show::Lesson(name) => previous.lesson(name.as_str()).and_then(|lesson| {
                    let (subject, edition, volume) = (&lesson.subject, &lesson.edition, &lesson.volume);
                    let said = (subject.clone(), edition.clone(), volume.clone());
                    Some((name, &lesson.title, said, lesson.media.as_ref()?))
                }),
                Show::Clip(name) => previous
                    .clip(name.as_str())
                    .map(|clip| (name, &clip.title, (None, None, None), &clip.media)),
                Show::Nothing => None,
            };
            let Some((name, title, (subject, edition, volume), media)) = shown else { continue };
            match stock.0.get_mut(name) {
                Some(stocked) if stocked.media.package == media.package => {}
                Some(stocked) => stocked.media = media.clone(),
                None => {
                    let gone =
                        Stocked { title: title.clone(), subject, edition, volume, media: media.clone() };
                    stock.0.insert(name.clone(), gone);
                }
            }
        }
        stock
    }
}

/// The first of the day's segments that `plan` may still change at `now`: behind the one that runs, which is listed whole at its
/// beginning.
pub(crate) fn begun_before(plan: &Plan, now: Timestamp) -> u64 {
    (AirSegment::at(now).0 + 1).saturating_sub(plan.first_segment.0)
}
