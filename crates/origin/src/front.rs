//! 门面: the addresses of all that comes before a lesson (`/front.json`), for edges that keep it over the morning.
//!
//! ```text
//! papers ─► digest ─► known? ─► the list made before
//!                        └─────► page, catalogue, today's guides, plain pages of the list ─► kept
//! ```
//! Of lessons only those have a plain page here that a guide of these days names: others are asked for one by one.

use crate::list;
use crate::object::{ObjectError, Objects};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use package::catalogue::{MAX_CATALOGUE_BYTES, Version, shard_name, version_path};
use package::platforms::{platforms_path, standing_path};
use package::resource::{MAX_RESOURCES_BYTES, resources_path};
use package::{Digest, Front, Grade, Hasher, LessonId, StorePath, front};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use timetable::{MAX_PLAN_BYTES, Zone, day_path, days_path, limits_path};

/// Guides of so many days, from yesterday's on: what runs over midnight, today, tomorrow and a Monday.
const DAYS: usize = 4;

/// The list as it was made last, and of what.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<(Digest, Bytes)>>);

/// `timetable/days.json`.
#[derive(Debug, Default, Deserialize)]
struct Days {
    days: Vec<Date>,
}

/// What of a day's guide is needed here.
#[derive(Debug, Default, Deserialize)]
struct Guide {
    channels: Vec<GuideChannel>,
    lessons: Vec<GuideLesson>,
}

#[derive(Debug, Deserialize)]
struct GuideChannel {
    channel: String,
}

#[derive(Debug, Deserialize)]
struct GuideLesson {
    lesson: LessonId,
    #[serde(default)]
    grades: Vec<Grade>,
}

/// Everything that the list follows from.
struct Papers {
    digest: Digest,
    version: Version,
    days: Vec<Date>,
    guides: Vec<Guide>,
}

impl Objects {
    /// The list, as it is at `now`.
    pub(crate) async fn front(&self, kept: &Kept, now: Timestamp) -> Result<Bytes, ObjectError> {
        let papers = self.papers(now).await?;
        let known = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((digest, bytes)) = known
            && digest == papers.digest
        {
            return Ok(bytes);
        }
        let digest = papers.digest;
        let front = Front { version: digest.to_string()[..32].to_owned(), paths: self.paths(papers).await? };
        let bytes = Bytes::from(front.to_bytes());
        *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, bytes.clone()));
        Ok(bytes)
    }

    async fn papers(&self, now: Timestamp) -> Result<Papers, ObjectError> {
        let mut hasher = Hasher::new();
        let mut note = |bytes: &Option<Bytes>| {
            let bytes = bytes.as_deref().unwrap_or_default();
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        // Everything that this program makes by itself changes with the page.
        note(&Some(player::index().etag.into()));
        note(&Some(self.support.to_json().into()));
        for path in [limits_path(), platforms_path(), resources_path()] {
            note(&self.paper(&path, MAX_RESOURCES_BYTES).await?);
        }
        let version = self.paper(&version_path(), MAX_CATALOGUE_BYTES).await?;
        note(&version);
        let days = self.paper(&days_path(), MAX_RESOURCES_BYTES).await?;
        note(&days);
        let version = version.map_or(Ok(Version::default()), |bytes| list::parsed(Version::parse(&bytes)))?;
        // Guides that cannot be read are nobody's: the rest is as true without them.
        let Days { mut days } =
            days.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let today = Zone::CHINA.local(now).date();
        days.retain(|&day| day >= today.yesterday().unwrap_or(today));
        days.sort_unstable();
        days.truncate(DAYS);
        let mut guides = Vec::new();
        for &day in &days {
            let guide = self.paper(&day_path(day), MAX_PLAN_BYTES).await?;
            note(&guide);
            guides.extend(guide.and_then(|bytes| serde_json::from_slice::<Guide>(&bytes).ok()));
        }
        Ok(Papers { digest: hasher.finish(), version, days, guides })
    }

    /// What students need first stands first.
    async fn paths(&self, Papers { version, days, guides, .. }: Papers) -> Result<Vec<String>, ObjectError> {
        let mut paths: Vec<String> = vec!["/".to_owned()];
        paths.extend(player::asset_paths());
        paths.push("/worker.js".to_owned());
        let stored = |path: StorePath| format!("/{path}");
        paths.push(stored(version_path()));
        paths.extend(version.files().cloned().map(stored));
        // Which platforms can be reached changes all the time, and is in no digest.
        let papers = [days_path(), limits_path(), resources_path(), platforms_path(), standing_path()];
        paths.extend(papers.map(stored));
        paths.push("/resources/support.json".to_owned());
        paths.extend(days.into_iter().map(|day| stored(day_path(day))));
        let channels =
            guides.iter().flat_map(|guide| &guide.channels).map(|channel| channel.channel.as_str());
        let channels: BTreeSet<_> = channels.collect();
        paths.extend(
            channels.iter().flat_map(|name| ["xml", "ics"].map(|kind| format!("/guide/{name}.{kind}"))),
        );
        paths.extend(["/list/", "/list/resources"].map(str::to_owned));
        let lessons = guides.iter().flat_map(|guide| &guide.lessons);
        let planned: BTreeSet<_> = lessons.clone().map(|planned| &planned.lesson).collect();
        let grades: BTreeSet<_> = lessons.flat_map(|planned| &planned.grades).copied().collect();
        let mut pages = Vec::new();
        for entry in &version.shards {
            let name = shard_name(entry.stage, entry.grade);
            paths.push(format!("/list/{name}"));
            paths.extend((2..=entry.lessons.div_ceil(list::PAGE)).map(|page| format!("/list/{name}/{page}")));
            if planned.is_empty() || entry.grade.is_some_and(|grade| !grades.contains(&grade)) {
                continue;
            }
            let lessons = list::lessons(self, entry).await?;
            let todays = lessons.iter().filter(|listed| planned.contains(&listed.lesson));
            pages.extend(todays.map(|listed| format!("/list/{name}/~{}", listed.lesson)));
        }
        paths.extend(pages);
        paths.truncate(front::MAX_FRONT_PATHS);
        Ok(paths)
    }
}
