//! Sessions that belong together: of one lesson, one province, one carrier.

use crate::assumptions::Assumptions;
use jiff::{SignedDuration, Timestamp};
use package::Grade;
use std::collections::{BTreeMap, HashMap};
use timetable::plan::{Media, PlannedLesson};
use timetable::{AirSegment, Kind, Place, Plan, Region};

/// The most that a session is taken to need: ten times what any lesson has. A plan may say anything.
const MOST_BPS: u64 = 100_000_000;

/// So many sessions that begin evenly within a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave<'a> {
    /// Which lesson.
    pub lesson: &'a PlannedLesson,
    /// Of which grade.
    pub grade: Grade,
    /// Where.
    pub region: Region,
    /// On whose lines.
    pub carrier: &'a str,
    /// The first begins.
    pub from: Timestamp,
    /// All have begun.
    pub until: Timestamp,
    /// How many.
    pub sessions: u64,
    /// How long each lasts.
    pub length: SignedDuration,
    /// What each takes a second, on average over the mix.
    pub bps: u64,
}

/// The day's sessions, of those whom the plan is for. `slots`: whether the plan's slots hold; without them everybody comes at the bell.
///
/// Pupils of a grade that has several lessons at one bell are spread over them evenly. There is a wave for each lesson, grade, region
/// and carrier at most, however many rows the pupils are written down in.
pub fn waves<'a>(plan: &'a Plan, assumed: &'a Assumptions, slots: bool) -> Vec<Wave<'a>> {
    let mut choices: HashMap<(Timestamp, Grade), u64> = HashMap::new();
    for lesson in &plan.lessons {
        for &grade in &lesson.grades {
            *choices.entry((lesson.bell, grade)).or_default() += 1;
        }
    }
    let mut pupils: BTreeMap<(Grade, Region), u64> = BTreeMap::new();
    // One file of assumptions serves every province's plan.
    let follows = |region| plan.place.region().is_none_or(|own| own == region);
    for row in assumed.pupils.iter().filter(|row| follows(row.region)) {
        for &grade in &row.grades {
            *pupils.entry((grade, row.region)).or_default() += row.each;
        }
    }
    let mut waves = Vec::new();
    for lesson in &plan.lessons {
        let bps = lesson.media.as_ref().map_or(0, |media| bps(media, assumed));
        let length = length(lesson);
        let share = if lesson.kind == Kind::Replay { assumed.replay } else { assumed.attendance };
        for &grade in &lesson.grades {
            let lessons = choices.get(&(lesson.bell, grade)).copied().unwrap_or(1).max(1);
            for region in Region::ALL {
                let Some(&each) = pupils.get(&(grade, region)) else { continue };
                let (from, until) = begins(plan, lesson, grade, region, assumed, slots);
                let watching = each * u64::from(share) / 1_000 / lessons;
                for (carrier, &part) in &assumed.carriers {
                    let sessions = watching * u64::from(part) / 1_000;
                    if sessions > 0 {
                        let carrier = carrier.as_str();
                        waves.push(Wave {
                            lesson,
                            grade,
                            region,
                            carrier,
                            from,
                            until,
                            sessions,
                            length,
                            bps,
                        });
                    }
                }
            }
        }
    }
    waves
}

/// When sessions of `grade` in `region` begin.
fn begins(
    plan: &Plan,
    lesson: &PlannedLesson,
    grade: Grade,
    region: Region,
    assumed: &Assumptions,
    slots: bool,
) -> (Timestamp, Timestamp) {
    let arrival = SignedDuration::try_from(assumed.arrival.0).unwrap_or(SignedDuration::ZERO);
    let start = if slots { lesson.release } else { lesson.bell };
    let slot = plan.slot_for(&Place::Region(region), grade).filter(|_| slots && lesson.kind == Kind::Lesson);
    let (from, until) = match slot.map(|slot| slot.opening(lesson)) {
        Some(opening) => (opening.from, opening.until),
        None => (start, start),
    };
    let at_least = from.saturating_add(arrival).unwrap_or(from);
    (from, until.max(at_least))
}

fn length(lesson: &PlannedLesson) -> SignedDuration {
    let segments = lesson.media.as_ref().map_or(lesson.segments, |media| media.segments);
    let end = AirSegment(u64::from(segments.0)).starts_at();
    end.map_or(SignedDuration::ZERO, |end| end.duration_since(Timestamp::UNIX_EPOCH))
}

/// What a session takes a second: the mean over the mix, and what is sent around it.
fn bps(media: &Media, assumed: &Assumptions) -> u64 {
    let of_mix = assumed.mix.iter().map(|(&slot, &part)| {
        // A package without a rung, AV1 say, is watched on its twin.
        let rate = media.average_bps(slot).or_else(|| media.average_bps(slot.in_h264())).unwrap_or(0);
        rate.min(MOST_BPS) * u64::from(part) / 1_000
    });
    let media = of_mix.sum::<u64>();
    (media + media * u64::from(assumed.overhead) / 1_000).min(MOST_BPS)
}
