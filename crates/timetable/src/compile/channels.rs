//! Items to programmes: on the grid, one after the other, the slate wherever there is nothing.

use super::Making;
use crate::check::{Placed, airings};
use crate::file::{ChannelEntry, Item, Timetable};
use crate::plan::{Channel, Plan, Programme, Show};
use crate::school::Kind;
use crate::stock::{Stock, begun_before};
use crate::time::{AirSegment, day_segment};
use grid::SEGMENTS_PER_DAY;
use package::LessonId;

/// All channels of the day. `plan` holds what can be shown already.
pub(super) fn channels(
    timetable: &Timetable,
    stock: &Stock,
    plan: &Plan,
    making: &Making<'_>,
) -> Vec<Channel> {
    let mut channels: Vec<_> =
        timetable.channels.iter().map(|entry| channel(timetable, stock, plan, making, entry)).collect();
    channels.sort_by(|a, b| a.channel.cmp(&b.channel));
    channels
}

fn channel(
    timetable: &Timetable,
    stock: &Stock,
    plan: &Plan,
    making: &Making<'_>,
    entry: &ChannelEntry,
) -> Channel {
    let date = plan.date;
    // Once the day is on air its number is in players' hands, whatever has been made of the day before since.
    let on_air = AirSegment::at(making.made_at) >= plan.first_segment;
    let stays = making.previous.filter(|previous| on_air && previous.date == date);
    let stays = stays.and_then(|previous| previous.channel(entry.id.as_str()));
    // A plan of the very day before, or a number that none has reached: there is at most one a segment.
    let goes_on = making.day_before.filter(|before| before.date.tomorrow().ok() == Some(date));
    let before = stays.map(|channel| channel.discontinuities_before).or_else(|| {
        goes_on.and_then(|before| Some(before.discontinuities_after(before.channel(entry.id.as_str())?)))
    });
    let slate = || match timetable.slate.as_ref().filter(|slate| plan.clip(slate.as_str()).is_some()) {
        Some(slate) => Show::Clip(slate.clone()),
        None => Show::Nothing,
    };
    // What was not there when its time came is not shown behind it: what was sent in its place has been sent.
    let now = begun_before(plan, making.made_at);
    let came_late = |placed: &Placed<'_>, start: u32| {
        let begun = stays.iter().flat_map(|channel| &channel.programmes);
        let mut begun = begun.filter(|programme| programme.start == start && u64::from(start) < now);
        begun.any(|programme| programme.item.as_ref() == Some(&placed.item.id) && programme.show == slate())
    };
    let mut programmes: Vec<Programme> = Vec::new();
    let day = u32::try_from(SEGMENTS_PER_DAY).unwrap_or(u32::MAX);
    let mut at = 0;
    for placed in airings(timetable, date, entry) {
        let (start, end) = (day_segment(placed.start).max(at), day_segment(placed.end()));
        if start >= end {
            continue;
        }
        programmes.extend(gap(at, start, slate()));
        let show = show(plan, stock, placed.item).filter(|_| !came_late(&placed, start));
        let (show, length) = show.unwrap_or((slate(), end - start));
        let length = length.min(end - start);
        programmes.push(programme(plan, &placed, start, length, show));
        // What is left behind a shorter lesson or clip.
        at = start + length;
        programmes.extend(gap(at, end, slate()));
        at = end.max(at);
    }
    programmes.extend(gap(at, day, slate()));
    Channel {
        channel: entry.id.clone(),
        title: entry.title.clone(),
        grades: entry.grades.clone(),
        discontinuities_before: before.unwrap_or(plan.first_segment.0),
        programmes,
    }
}

/// What an item shows and for how many segments that lasts; `None`: the slate.
fn show(plan: &Plan, stock: &Stock, item: &Item) -> Option<(Show, u32)> {
    if let Some(earlier) = stock.earlier(item) {
        return Some((Show::Clip(earlier.clip), earlier.media.segments.0));
    }
    let name: &LessonId = item.lesson.as_ref()?;
    if item.kind.shows_lesson() {
        let media = plan.lesson(name.as_str())?.media.as_ref()?;
        Some((Show::Lesson(name.clone()), media.segments.0))
    } else {
        Some((Show::Clip(name.clone()), plan.clip(name.as_str())?.media.segments.0))
    }
}

fn programme(plan: &Plan, placed: &Placed<'_>, start: u32, segments: u32, show: Show) -> Programme {
    let item = placed.item;
    let lesson = item.lesson.as_ref().filter(|_| item.kind.shows_lesson());
    let known = lesson.and_then(|lesson| plan.lesson(lesson.as_str())).map(|lesson| lesson.title.clone());
    let title = item.title.clone().or(known).unwrap_or_else(|| item.kind.name().to_owned());
    Programme {
        item: Some(item.id.clone()),
        start,
        segments,
        kind: item.kind,
        title,
        lesson: lesson.cloned(),
        show,
    }
}

fn gap(from: u32, until: u32, show: Show) -> Option<Programme> {
    (until > from).then(|| Programme {
        item: None,
        start: from,
        segments: until - from,
        kind: Kind::Gap,
        title: String::new(),
        lesson: None,
        show,
    })
}
