//! Whether a plan is one that can be followed.

use super::programme::{Channel, Show};
use super::{Plan, PlannedLesson};
use crate::time::first_segment;
use grid::SEGMENTS_PER_DAY;
use jiff::{SignedDuration, Timestamp};
use package::Grade;

/// The most lessons a day: twelve grades, many editions.
pub const MAX_LESSONS: usize = 4_000;
/// The most clips, recordings among them that a day's corrections have replaced behind their showing.
pub const MAX_CLIPS: usize = 512;
/// The most channels.
pub const MAX_CHANNELS: usize = 64;
/// The most programmes of a channel: one every minute and a half.
pub const MAX_PROGRAMMES: usize = 1_024;
/// The most rows of admission: every school of a large city with rules of its own.
pub const MAX_SLOTS: usize = 20_000;
/// The most rows of policies.
pub const MAX_POLICIES: usize = 20_000;
/// The most documents.
pub const MAX_DOCUMENTS: usize = 256;
/// The longest text of one field, in characters.
const MAX_TEXT: usize = 400;
/// The longest a plan may hold around its day: a node that knew an older one for weeks would follow it for weeks.
const MAX_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Why something is no plan that can be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not of the right shape.
    #[error("not a plan: {0}")]
    Json(#[from] serde_json::Error),
    /// The day cannot be.
    #[error("the day does not fit the zone, the segments or the time within which the plan counts")]
    Day,
    /// More than anybody needs.
    #[error("{count} {what} are more than {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many at most.
        most: usize,
    },
    /// A list is out of order or names something twice.
    #[error("{0} are out of order or there twice")]
    Order(&'static str),
    /// A text that cannot stand in a list.
    #[error("`{0}` cannot be a text: up to {MAX_TEXT} characters without control characters")]
    Text(String),
    /// A lesson outside of its day, without grades, or of another kind.
    #[error("lesson `{0}` cannot be: its times, grades, kind or media contradict each other")]
    Lesson(String),
    /// Programmes that leave a gap, overlap or do not fill the day.
    #[error("channel `{channel}`: programmes do not follow each other at segment {at}")]
    Programmes {
        /// Which.
        channel: String,
        /// Where.
        at: u32,
    },
    /// A programme that shows what is not there or is too short.
    #[error("channel `{channel}`: what it shows at segment {at} is not in the plan or too short")]
    Show {
        /// Which.
        channel: String,
        /// Where.
        at: u32,
    },
    /// A package to fetch whose times contradict each other.
    #[error("fill: package {0} has times that contradict each other")]
    Fill(String),
    /// A row of admission or policy for no grades, or for grades of two bands.
    #[error("{0}: a row's grades are none, out of order or of two bands")]
    Grades(&'static str),
    /// A limit from a document that is not listed.
    #[error("document `{0}` is not in the plan")]
    Document(String),
}

pub(super) fn check(plan: &Plan) -> Result<(), PlanError> {
    check_day(plan).ok_or(PlanError::Day)?;
    for (what, count, most) in [
        ("lessons", plan.lessons.len(), MAX_LESSONS),
        ("clips", plan.clips.len(), MAX_CLIPS),
        ("packages to fill", plan.fill.len(), MAX_LESSONS + MAX_CLIPS),
        ("slots", plan.slots.len(), MAX_SLOTS),
        ("channels", plan.channels.len(), MAX_CHANNELS),
        ("policies", plan.policies.len(), MAX_POLICIES),
        ("documents", plan.documents.len(), MAX_DOCUMENTS),
    ] {
        within(what, count, most)?;
    }
    check_orders(plan)?;
    for lesson in &plan.lessons {
        check_lesson(plan, lesson)?;
    }
    for clip in &plan.clips {
        text(&clip.title)?;
        if !clip.media.is_whole() {
            return Err(PlanError::Lesson(clip.clip.to_string()));
        }
    }
    for fill in &plan.fill {
        if fill.from > fill.until || fill.needed_at > fill.pin_until || fill.from > fill.pin_until {
            return Err(PlanError::Fill(fill.package.to_string()));
        }
    }
    plan.channels.iter().try_for_each(|channel| check_channel(plan, channel))?;
    check_guidance(plan)
}

fn check_day(plan: &Plan) -> Option<()> {
    let midnight = plan.zone.midnight(plan.date)?;
    let next = midnight.checked_add(SignedDuration::from_hours(24)).ok()?;
    let validity = plan.valid_until.duration_since(plan.valid_from);
    let sound = first_segment(midnight) == (plan.first_segment, true)
        && plan.valid_from <= midnight
        && plan.valid_until >= next
        && validity <= MAX_VALIDITY;
    sound.then_some(())
}

fn check_orders(plan: &Plan) -> Result<(), PlanError> {
    let strictly = |what, sorted| if sorted { Ok(()) } else { Err(PlanError::Order(what)) };
    strictly("lessons", plan.lessons.is_sorted_by(|a, b| a.lesson < b.lesson))?;
    strictly("clips", plan.clips.is_sorted_by(|a, b| a.clip < b.clip))?;
    strictly("channels", plan.channels.is_sorted_by(|a, b| a.channel < b.channel))?;
    strictly("documents", plan.documents.is_sorted_by(|a, b| a.id < b.id))?;
    let slots = |a: &super::AdmissionSlot, b: &super::AdmissionSlot| {
        (&a.place, a.class, &a.grades) < (&b.place, b.class, &b.grades)
    };
    strictly("slots", plan.slots.is_sorted_by(slots))?;
    let policies = |a: &super::Policy, b: &super::Policy| (&a.place, &a.grades) < (&b.place, &b.grades);
    strictly("policies", plan.policies.is_sorted_by(policies))?;
    let mut packages: Vec<_> = plan.fill.iter().map(|fill| fill.package).collect();
    packages.sort();
    strictly("packages to fill", packages.is_sorted_by(|a, b| a < b))
}

fn check_lesson(plan: &Plan, lesson: &PlannedLesson) -> Result<(), PlanError> {
    for field in
        [Some(&lesson.title), lesson.subject.as_ref(), lesson.edition.as_ref(), lesson.volume.as_ref()]
    {
        field.map_or(Ok(()), |field| text(field))?;
    }
    let day = |moment: Timestamp| plan.zone.local(moment).date() == plan.date;
    let sound = day(lesson.bell)
        && day(lesson.release)
        && lesson.kind.shows_lesson()
        && ordered(&lesson.grades)
        && lesson.segments.0 > 0
        && lesson.media.as_ref().is_none_or(|media| media.is_whole() && !media.video.is_empty());
    if sound { Ok(()) } else { Err(PlanError::Lesson(lesson.lesson.to_string())) }
}

fn check_channel(plan: &Plan, channel: &Channel) -> Result<(), PlanError> {
    within("programmes of a channel", channel.programmes.len(), MAX_PROGRAMMES)?;
    text(&channel.title)?;
    let name = || channel.channel.to_string();
    if channel.discontinuities_before > plan.first_segment.0 {
        return Err(PlanError::Programmes { channel: name(), at: 0 });
    }
    let mut at = 0;
    for programme in &channel.programmes {
        if programme.start != at || programme.segments == 0 {
            return Err(PlanError::Programmes { channel: name(), at });
        }
        if !programme.title.is_empty() {
            text(&programme.title)?;
        }
        let shown = match &programme.show {
            Show::Lesson(lesson) => {
                let media = plan.lesson(lesson.as_str()).and_then(|lesson| lesson.media.as_ref());
                media.is_some_and(|media| media.segments.0 >= programme.segments)
            }
            Show::Clip(clip) => plan.clip(clip.as_str()).is_some_and(|clip| clip.media.segments.0 > 0),
            Show::Nothing => true,
        };
        if !shown {
            return Err(PlanError::Show { channel: name(), at });
        }
        at = programme.end();
    }
    if u64::from(at) == SEGMENTS_PER_DAY {
        Ok(())
    } else {
        Err(PlanError::Programmes { channel: name(), at })
    }
}

fn check_guidance(plan: &Plan) -> Result<(), PlanError> {
    use crate::school::Band;
    let of = |grades: &[Grade], band| ordered(grades) && grades.iter().all(|&grade| Band::of(grade) == band);
    if !plan.slots.iter().all(|slot| of(&slot.grades, slot.band)) {
        return Err(PlanError::Grades("slots"));
    }
    if !plan.policies.iter().all(|policy| of(&policy.grades, policy.band)) {
        return Err(PlanError::Grades("policies"));
    }
    for document in &plan.documents {
        [&document.title, &document.authority, &document.source]
            .into_iter()
            .try_for_each(|field| text(field))?;
        if !is_issued(&document.issued) {
            return Err(PlanError::Text(document.issued.chars().take(80).collect()));
        }
    }
    for limit in plan.policies.iter().flat_map(|policy| policy.limits.all()) {
        if let Some(document) = limit.document.as_ref().filter(|id| plan.document(id.as_str()).is_none()) {
            return Err(PlanError::Document(document.to_string()));
        }
    }
    Ok(())
}

fn within(what: &'static str, count: usize, most: usize) -> Result<(), PlanError> {
    if count > most { Err(PlanError::TooMany { what, count, most }) } else { Ok(()) }
}

/// `2020`, `2020-08`, `2020-08-27` or nothing: so texts are in the order of time.
pub(crate) fn is_issued(text: &str) -> bool {
    let part = |(part, digits): (&str, usize)| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.is_empty() || (text.split('-').count() <= 3 && text.split('-').zip([4, 2, 2]).all(part))
}

/// At least one, and none twice.
fn ordered(grades: &[Grade]) -> bool {
    !grades.is_empty() && grades.is_sorted_by(|a, b| a < b)
}

fn text(text: &str) -> Result<(), PlanError> {
    let sound =
        !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control);
    if sound { Ok(()) } else { Err(PlanError::Text(text.chars().take(80).collect())) }
}
