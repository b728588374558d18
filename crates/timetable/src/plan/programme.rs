//! Channels: the day as programmes without a gap, each so many segments.

use crate::school::Kind;
use package::{Grade, LessonId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One channel and its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name: `/channels/<channel>/main.m3u8`.
    pub channel: ChannelId,
    /// What a list shows.
    pub title: String,
    /// For whom, in order; empty: for everybody.
    pub grades: Vec<Grade>,
    /// How many discontinuities it has had before this day; see [`crate::on_air`]. Never falls from one day to the next.
    pub discontinuities_before: u64,
    /// From the first to the last of the day's 18,000 segments, one after the other.
    pub programmes: Vec<Programme>,
}

/// One programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programme {
    /// The item that it comes from; `None` between items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// Its first segment, from the day's beginning.
    pub start: u32,
    /// How many segments it lasts.
    pub segments: u32,
    /// What it is.
    pub kind: Kind,
    /// What the guide says; empty between items.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The lesson that the guide leads to, whether it is there or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesson: Option<LessonId>,
    /// What is sent.
    pub show: Show,
}

/// What a channel sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// This lesson from its first segment on; it is never shorter than the programme.
    Lesson(LessonId),
    /// This clip, from its first segment on and again and again.
    Clip(LessonId),
    /// Nothing: the timetable names no slate.
    Nothing,
}

/// A text that is no name of an item, channel or document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name: 1 to 80 of a-z 0-9 - _ . and not a dot first")]
pub struct InvalidId(pub String);

/// The longest name: a lesson's (64), and what makes a replay of it.
const MAX_ID: usize = 80;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// As in paths.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_id(&text) { Ok(Self(text)) } else { Err(InvalidId(text.chars().take(MAX_ID).collect())) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(super) use id_type;

id_type! {
    /// An item's name within its day. The same item has the same name in every edition.
    ItemId
}

id_type! {
    /// A channel's name, also in paths.
    ChannelId
}

pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

impl Programme {
    /// The segment behind its last, from the day's beginning.
    pub const fn end(&self) -> u32 {
        self.start.saturating_add(self.segments)
    }
}
