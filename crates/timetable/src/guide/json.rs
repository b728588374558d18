//! The day as JSON: what players and other people's programs read.

use crate::plan::{AdmissionSlot, ChannelId, Document, ItemId, Plan, Policy};
use crate::school::Kind;
use crate::time::Zone;
use jiff::Timestamp;
use jiff::civil::Date;
use package::{Grade, LessonId};
use serde::Serialize;

/// One day, for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day<'a> {
    kind: &'static str,
    /// Which day.
    pub date: Date,
    /// Whose clock.
    pub zone: Zone,
    /// Of the plan that it says.
    pub edition: u64,
    /// Television.
    pub channels: Vec<DayChannel<'a>>,
    /// What opens when.
    pub lessons: Vec<DayLesson<'a>>,
    /// Who is let in when.
    pub slots: &'a [AdmissionSlot],
    /// The limits that hold.
    pub policies: &'a [Policy],
    /// And where they come from.
    pub documents: &'a [Document],
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayChannel<'a> {
    /// Its name.
    pub channel: &'a ChannelId,
    /// What a list shows.
    pub title: &'a str,
    /// For whom.
    pub grades: &'a [Grade],
    /// What it shows.
    pub programmes: Vec<DayProgramme<'a>>,
}

/// One programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayProgramme<'a> {
    /// Its item.
    pub item: &'a ItemId,
    /// Begins.
    pub start: Timestamp,
    /// Ends.
    pub end: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub title: &'a str,
    /// The lesson that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson: Option<&'a LessonId>,
}

/// One lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayLesson<'a> {
    /// Its name.
    pub lesson: &'a LessonId,
    /// Opens.
    pub release: Timestamp,
    /// For whom.
    pub grades: &'a [Grade],
    /// What it is called.
    pub title: &'a str,
    /// 学科.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// 版本.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<&'a str>,
    /// 册次.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<&'a str>,
}

impl<'a> Day<'a> {
    /// What `plan` says that everybody may know; one channel, or all.
    pub fn of(plan: &'a Plan, channel: Option<&str>) -> Self {
        let channels = super::channels(&[plan], channel).into_iter().map(|channel| DayChannel {
            channel: &channel.channel,
            title: &channel.title,
            grades: &channel.grades,
            programmes: plan
                .guide(channel)
                .map(|entry| DayProgramme {
                    item: entry.item,
                    start: entry.start,
                    end: entry.end,
                    kind: entry.kind,
                    title: entry.title,
                    lesson: entry.lesson,
                })
                .collect(),
        });
        let lessons = plan.lessons.iter().map(|lesson| DayLesson {
            lesson: &lesson.lesson,
            release: lesson.release,
            grades: &lesson.grades,
            title: &lesson.title,
            subject: lesson.subject.as_deref(),
            edition: lesson.edition.as_deref(),
            volume: lesson.volume.as_deref(),
        });
        Self {
            kind: "airclass-day/1",
            date: plan.date,
            zone: plan.zone,
            edition: plan.edition,
            channels: channels.collect(),
            lessons: lessons.collect(),
            slots: &plan.slots,
            policies: &plan.policies,
            documents: &plan.documents,
        }
    }

    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec(self).expect("our types have string keys and no failing serializer");
        bytes.push(b'\n');
        bytes
    }
}
