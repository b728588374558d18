//! The day plan: what everything follows, as flat lists by stable names.
//!
//! Its text is canonical (one order of fields and entries, one spelling), so that the same timetable over the same store is
//! the same text. Keys that a later release adds are passed over; what is needed to obey it safely is checked whole before
//! anything of it is used.
//!
//! It names packages, and a package's name is what opens it: the plan is for nodes. What the public may know before a
//! release is the [guide](crate::guide).

mod check;
mod guidance;
mod media;
mod pictures;
mod programme;

pub use check::{
    MAX_CHANNELS, MAX_CLIPS, MAX_DOCUMENTS, MAX_LESSONS, MAX_POLICIES, MAX_PROGRAMMES, MAX_SLOTS, PlanError,
};
pub use guidance::{AdmissionSlot, Document, DocumentId, Limit, Limits, Policy};
pub use media::{Clip, Fill, Lane, Media, PlannedLesson, Rung, Sound};
pub use pictures::Pictures;
pub use programme::{Channel, ChannelId, InvalidId, ItemId, Programme, Show};

pub(crate) use check::is_issued;

use crate::place::Place;

use crate::time::{AirSegment, Zone};
use jiff::Timestamp;
use jiff::civil::Date;
use package::StorePath;
use serde::{Deserialize, Serialize};

/// A file in a folder of plans that an agent fills: how old it is says how long its control was not heard. Without one the folder is
/// filled by hand.
pub const HEARD: &str = ".heard";
/// The largest plan read: a day has some hundred KB, 64 crowded channels some MB.
pub const MAX_PLAN_BYTES: usize = 8 << 20;

/// One day, for all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What paper this is.
    pub kind: PlanKind,
    /// Which day.
    pub date: Date,
    /// Whose day.
    pub zone: Zone,
    /// Whom the timetable is for.
    pub place: Place,
    /// Grows with every change of the day's plan; one that is not newer than what a node has is refused.
    pub edition: u64,
    /// When it was compiled.
    pub made_at: Timestamp,
    /// Nodes follow it from here on; before the day begins, so that they can fill.
    pub valid_from: Timestamp,
    /// And until here, which is after the day: what was released stays released and pinned.
    pub valid_until: Timestamp,
    /// The segment that begins the day; on it lies segment 0 of every programme.
    pub first_segment: AirSegment,
    /// What opens when; by name.
    pub lessons: Vec<PlannedLesson>,
    /// What channels show beside lessons; by name.
    pub clips: Vec<Clip>,
    /// What nodes fetch beforehand, in the order in which they should.
    pub fill: Vec<Fill>,
    /// Who is let in when; by place, class and grades.
    pub slots: Vec<AdmissionSlot>,
    /// Television; by name.
    pub channels: Vec<Channel>,
    /// The limits that hold; by place and grades.
    pub policies: Vec<Policy>,
    /// Where limits come from; by name.
    pub documents: Vec<Document>,
}

/// What kind of paper this is; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PlanKind {
    /// The first edition of the form.
    #[default]
    #[serde(rename = "airclass-plan/1")]
    Plan1,
}

impl Plan {
    /// Reads a plan's text and checks it whole.
    ///
    /// # Errors
    /// When it is none, ends early, or says what cannot be.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_str(text)?;
        plan.check()?;
        Ok(plan)
    }

    /// The canonical text, which is what is signed.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("our types have string keys and no failing serializer")
    }

    /// Whether everything it says can be; compiling ends with it and reading begins with it.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn check(&self) -> Result<(), PlanError> {
        check::check(self)
    }

    /// What it says about `lesson`.
    pub fn lesson(&self, lesson: &str) -> Option<&PlannedLesson> {
        by_name(&self.lessons, lesson, |entry| entry.lesson.as_str())
    }

    /// The clip `clip`.
    pub fn clip(&self, clip: &str) -> Option<&Clip> {
        by_name(&self.clips, clip, |entry| entry.clip.as_str())
    }

    /// The channel `channel`.
    pub fn channel(&self, channel: &str) -> Option<&Channel> {
        by_name(&self.channels, channel, |entry| entry.channel.as_str())
    }

    /// The document `document`.
    pub fn document(&self, document: &str) -> Option<&Document> {
        by_name(&self.documents, document, |entry| entry.id.as_str())
    }

    /// Whether `other` says the same about the day: all but edition and time of making.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let bare = |plan: &Self| Self { edition: 0, made_at: Timestamp::UNIX_EPOCH, ..plan.clone() };
        bare(self) == bare(other)
    }
}

/// `plans/<date>.json`: the signed plan, for nodes.
pub fn plan_path(date: Date) -> StorePath {
    path(format!("plans/{date}.json"))
}

/// `timetable/<date>.json`: the day's guide, for everybody.
pub fn day_path(date: Date) -> StorePath {
    path(format!("timetable/{date}.json"))
}

/// `timetable/days.json`: the days that have a guide.
pub fn days_path() -> StorePath {
    StorePath::parse("timetable/days.json").expect("a constant path is valid")
}

/// `timetable/limits.json`: [`crate::guide::LimitTable`].
pub fn limits_path() -> StorePath {
    StorePath::parse("timetable/limits.json").expect("a constant path is valid")
}

fn path(text: String) -> StorePath {
    StorePath::parse(&text).expect("a date is digits and hyphens")
}

fn by_name<'a, T>(entries: &'a [T], name: &str, of: impl Fn(&T) -> &str) -> Option<&'a T> {
    entries.get(entries.binary_search_by(|entry| of(entry).cmp(name)).ok()?)
}

#[cfg(test)]
mod tests;
