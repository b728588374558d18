//! What the public may know: which programme is when. It names lessons and never packages, so it may be out before they are.

mod html;
mod ics;
mod json;
mod limits;
mod xmltv;

pub use html::html;
pub use ics::ics;
pub use json::{Day, DayChannel, DayLesson, DayProgramme};
pub use limits::LimitTable;
pub use xmltv::xmltv;

use crate::plan::{Channel, ItemId, Plan, Programme};
use crate::school::Kind;
use crate::time::AirSegment;
use grid::SEGMENT_MS;
use jiff::Timestamp;
use package::LessonId;
use std::collections::BTreeMap;

/// One programme as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The item.
    pub item: &'a ItemId,
    /// When it begins; whole minutes, where the grid begins it a moment later.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub title: &'a str,
    /// The lesson that it shows.
    pub lesson: Option<&'a LessonId>,
    /// 学科 of that.
    pub subject: Option<&'a str>,
}

impl Plan {
    /// What `channel` shows, without what lies between items.
    pub fn guide<'a>(&'a self, channel: &'a Channel) -> impl Iterator<Item = Entry<'a>> {
        channel.programmes.iter().enumerate().filter_map(|(at, programme)| {
            // A recording may be a little shorter than its item; the guide says when the item ends.
            let behind = channel.programmes.get(at + 1).filter(|next| next.kind == Kind::Gap);
            self.entry(programme, behind.map_or(0, |gap| gap.segments))
        })
    }

    fn entry<'a>(&'a self, programme: &'a Programme, behind: u32) -> Option<Entry<'a>> {
        let lesson = programme.lesson.as_ref();
        let planned = lesson.and_then(|lesson| self.lesson(lesson.as_str()));
        Some(Entry {
            item: programme.item.as_ref()?,
            start: self.shown(programme.start)?,
            end: self.shown_end(programme.end(), behind)?,
            kind: programme.kind,
            title: &programme.title,
            lesson,
            subject: planned.and_then(|planned| planned.subject.as_deref()),
        })
    }

    /// The whole minute that `segment` ends in, when nothing else begins before.
    fn shown_end(&self, segment: u32, behind: u32) -> Option<Timestamp> {
        let end = self.shown(segment)?;
        let over = end.as_second().rem_euclid(60);
        let free = i64::from(behind.saturating_mul(5));
        let whole = if over > 0 && 60 - over <= free { end.as_second() - over + 60 } else { end.as_second() };
        Timestamp::from_second(whole).ok()
    }

    /// A segment of the day as people write it: the grid rounds whole minutes up to 4.8 s.
    pub(crate) fn shown(&self, segment: u32) -> Option<Timestamp> {
        let begins = AirSegment(self.first_segment.0 + u64::from(segment)).starts_at()?.as_millisecond();
        let over = begins.rem_euclid(60_000);
        let minute = if over < i64::try_from(SEGMENT_MS).ok()? {
            begins - over
        } else {
            begins - begins.rem_euclid(1_000)
        };
        Timestamp::from_millisecond(minute).ok()
    }
}

/// The channels to show, of all days: all, or one. The newest day says what a channel is called.
fn channels<'a>(plans: &[&'a Plan], only: Option<&str>) -> Vec<&'a Channel> {
    let named = |channel: &&Channel| only.is_none_or(|only| channel.channel.as_str() == only);
    let mut channels = BTreeMap::new();
    for channel in plans.iter().flat_map(|plan| plan.channels.iter().filter(named)) {
        channels.insert(&channel.channel, channel);
    }
    channels.into_values().collect()
}

/// What a channel shows on all days, with the plan of each.
fn entries<'a>(plans: &[&'a Plan], channel: &Channel) -> Vec<(&'a Plan, Entry<'a>)> {
    let days = plans.iter().filter_map(|plan| Some((*plan, plan.channel(channel.channel.as_str())?)));
    days.flat_map(|(plan, channel)| plan.guide(channel).map(move |entry| (plan, entry))).collect()
}

/// Text within XML and HTML, in elements and in quoted attributes. What XML 1.0 cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
