//! Days, from today on, whose plan has a lesson. A plan is signed and followed as it is: what is taken out of the store stays in it.

use ::package::{LessonId, StorePath};
use faults::AnyFault;
use futures_util::{TryStreamExt, future};
use jiff::Timestamp;
use jiff::civil::Date;
use storage::Store;
use timetable::plan::Show;
use timetable::{AirSegment, MAX_ENVELOPE_BYTES, Plan, SignedPlan, Zone, plan_path};

/// A day that shows a lesson.
pub(super) struct Showing {
    pub(super) date: Date,
    /// Whether television has begun to, which stays as it was.
    pub(super) begun: bool,
}

/// The days, in order, from `now`'s on by each plan's own clock, whose plan in `store` shows `lesson`. A plan that cannot be
/// read is nobody's to follow, and is passed over.
pub(super) async fn days(store: &Store, lesson: &LessonId, now: Timestamp) -> Result<Vec<Showing>, AnyFault> {
    // No place is a whole day behind China: earlier plans need not be read.
    let first = Zone::CHINA.local(now).date().yesterday().unwrap_or(Date::MIN);
    let folder = StorePath::parse("plans").ok();
    let dates = store.list(folder.as_ref()).try_filter_map(|(path, _)| future::ok(date_of(&path)));
    let mut dates: Vec<Date> = dates.try_collect().await?;
    dates.retain(|&date| date >= first);
    dates.sort_unstable();
    let mut showing = Vec::new();
    for date in dates {
        let Some(found) = store.get(&plan_path(date), MAX_ENVELOPE_BYTES).await? else { continue };
        let plan = SignedPlan::parse(&found.bytes).and_then(|signed| Plan::parse(&signed.plan).ok());
        let shows = |plan: &Plan| {
            let is_to_come = plan.date >= plan.zone.local(now).date();
            is_to_come && (plan.lesson(lesson.as_str()).is_some() || plan.clip(lesson.as_str()).is_some())
        };
        if let Some(plan) = plan.as_ref().filter(|plan| shows(plan)) {
            showing.push(Showing { date, begun: has_begun(plan, lesson, now) });
        }
    }
    Ok(showing)
}

fn has_begun(plan: &Plan, lesson: &LessonId, now: Timestamp) -> bool {
    let mut programmes = plan.channels.iter().flat_map(|channel| &channel.programmes);
    programmes.any(|programme| {
        let starts = AirSegment(plan.first_segment.0 + u64::from(programme.start)).starts_at();
        let shows = match &programme.show {
            Show::Lesson(shown) | Show::Clip(shown) => shown == lesson,
            Show::Nothing => false,
        };
        (shows || programme.lesson.as_ref() == Some(lesson)) && starts.is_some_and(|starts| starts <= now)
    })
}

/// `plans/2026-09-01.json`
fn date_of(path: &StorePath) -> Option<Date> {
    path.as_str().strip_prefix("plans/")?.strip_suffix(".json")?.parse().ok()
}
