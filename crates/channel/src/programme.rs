//! One programme from its beginning: start-over while it runs, catch-up when it is over, on the segments of the channel.

use crate::asked::Which;
use crate::days::Days;
use crate::segments;
use hls::{MediaPlaylist, PlaylistType};
use jiff::Timestamp;
use jiff::civil::Date;
use timetable::AirSegment;

/// How much of a programme there is.
pub(crate) enum Part {
    /// Nothing before this instant.
    Ahead(Timestamp),
    /// What has been on air, with the first segment and how many there are of it.
    Begun {
        /// The last segment on air.
        last: AirSegment,
        /// So many.
        count: u64,
        /// Whether that is all.
        over: bool,
    },
}

/// How much of `item` has been on air at `now`; `None` when the plans know no such programme.
pub(crate) fn part(days: &Days, channel: &str, date: Date, item: &str, now: AirSegment) -> Option<Part> {
    let (plan, _, programme) = days.programme(channel, date, item)?;
    let first = plan.first_segment.0 + u64::from(programme.start);
    if now.0 < first {
        return Some(Part::Ahead(AirSegment(first).starts_at()?));
    }
    let end = first + u64::from(programme.segments);
    let last = now.0.min(end - 1);
    Some(Part::Begun { last: AirSegment(last), count: last + 1 - first, over: now.0 + 1 >= end })
}

/// What has been on air of it. EVENT: only ever added to, and at its end it is not another kind of playlist.
pub(crate) fn playlist(
    days: &Days,
    channel: &str,
    which: Which<'_>,
    root: &str,
    (last, count, over): (AirSegment, u64, bool),
) -> Option<MediaPlaylist> {
    let run = days.up_to(channel, last, count);
    let first = run.first()?;
    let (map, mut segments) = segments::segments(&run, which, root);
    // Nothing lies in front that it would break with.
    if let Some(first) = segments.first_mut() {
        first.discontinuity = false;
    }
    let mut list = MediaPlaylist::window(first.segment.0, first.on_air.discontinuities, segments);
    list.playlist_type = Some(PlaylistType::Event);
    list.end_list = over;
    list.map = map;
    list.date_ranges = segments::programmes(&run);
    Some(segments::told(list, which))
}
