//! What the store has of the lessons that a timetable names. The caller looks; rules only read.

use crate::file::Item;
use crate::plan::{Clip, ItemId, Media, Plan, Show};
use crate::time::AirSegment;
use jiff::Timestamp;
use jiff::civil::Date;
use package::LessonId;
use std::collections::BTreeMap;

/// What was found, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// Lessons and clips as the store has them.
    pub found: BTreeMap<LessonId, Stocked>,
    /// What items of lessons have begun to show.
    begun: BTreeMap<(Date, ItemId), (LessonId, Media)>,
}

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
    /// Of a store, without anything that has begun.
    pub fn of(found: BTreeMap<LessonId, Stocked>) -> Self {
        Self { found, begun: BTreeMap::new() }
    }

    /// The lesson `lesson`.
    pub fn get(&self, lesson: &LessonId) -> Option<&Stocked> {
        self.found.get(lesson)
    }

    /// What `item` shows: what it has begun to show, or what its lesson or clip is now.
    pub fn shown(&self, item: &Item) -> Option<&Media> {
        let lesson = item.lesson.as_ref()?;
        let begun = self.begun.get(&(item.date, item.id.clone())).filter(|(name, _)| name == lesson);
        begun.map(|(_, media)| media).or_else(|| self.get(lesson).map(|stocked| &stocked.media))
    }

    /// What `item` has begun to show, where its lesson is another recording by now.
    pub(crate) fn earlier(&self, item: &Item) -> Option<Clip> {
        let (stocked, shown) = (self.get(item.lesson.as_ref()?)?, self.shown(item)?);
        let is_earlier = item.kind.shows_lesson() && shown.package != stocked.media.package;
        is_earlier.then(|| Clip::earlier(stocked.title.clone(), shown.clone()))
    }

    /// With what `previous` has begun to show by `now` as it shows it. A recording that was made anew since, or taken away, is
    /// no reason to change what has been on air, nor to refuse every other change of the day. What an item has begun to show of a
    /// lesson is that item's alone; a clip, and a lesson that is taken away, stay for the day.
    #[must_use]
    pub fn with_begun(&self, previous: &Plan, now: Timestamp) -> Self {
        let mut stock = self.clone();
        let begun = begun_before(previous, now);
        let programmes = previous.channels.iter().flat_map(|channel| &channel.programmes);
        for programme in programmes.filter(|programme| u64::from(programme.start) < begun) {
            let clip = match &programme.show {
                Show::Lesson(_) => None,
                Show::Clip(name) => previous.clip(name.as_str()),
                Show::Nothing => continue,
            };
            match (clip, &programme.lesson, &programme.item) {
                (Some(clip), ..) if !clip.is_earlier() => stock.keep_clip(clip),
                (_, Some(lesson), Some(item)) => {
                    let planned = previous.lesson(lesson.as_str());
                    let now = planned.and_then(|planned| planned.media.as_ref());
                    if let Some((planned, now)) = planned.zip(now) {
                        stock.found.entry(lesson.clone()).or_insert_with(|| Stocked {
                            title: planned.title.clone(),
                            subject: planned.subject.clone(),
                            edition: planned.edition.clone(),
                            volume: planned.volume.clone(),
                            media: now.clone(),
                        });
                    }
                    if let Some(media) = clip.map(|clip| &clip.media).or(now) {
                        let shown = (lesson.clone(), media.clone());
                        stock.begun.insert((previous.date, item.clone()), shown);
                    }
                }
                _ => {}
            }
        }
        stock
    }

    fn keep_clip(&mut self, clip: &Clip) {
        let (title, media) = (clip.title.clone(), clip.media.clone());
        match self.found.get_mut(&clip.clip) {
            Some(stocked) => stocked.media = media,
            None => {
                let gone = Stocked { title, subject: None, edition: None, volume: None, media };
                self.found.insert(clip.clip.clone(), gone);
            }
        }
    }
}

/// The first of the day's segments that `plan` may still change at `now`: behind the one that runs, which is listed whole at its
/// beginning.
pub(crate) fn begun_before(plan: &Plan, now: Timestamp) -> u64 {
    (AirSegment::at(now).0 + 1).saturating_sub(plan.first_segment.0)
}
