//! What is on air now: a window that moves by a segment each 4.8 s.

use crate::asked::Which;
use crate::days::{Aired, Days};
use crate::segments;
use hls::MediaPlaylist;
use timetable::AirSegment;

/// A quarter of an hour (Apple 8.12), in segments, rounded up.
pub(crate) const WINDOW: u64 = 188;
/// Apple 8.11: fewer are no playlist yet.
pub(crate) const LEAST: usize = 6;

/// The window whose last segment is the one that runs at `now`.
///
/// That one is listed whole at its beginning, because it lies on the node as all others do: a player that keeps three
/// target durations behind the end (RFC 8216bis §6.3.3) is 15 s behind the timetable. `None` when the plans say too little.
pub(crate) fn playlist(
    days: &Days,
    channel: &str,
    which: Which<'_>,
    root: &str,
    now: AirSegment,
) -> Option<MediaPlaylist> {
    let run = days.up_to(channel, now, WINDOW);
    if run.len() < LEAST { None } else { window(&run, which, root) }
}

fn window(run: &[Aired], which: Which<'_>, root: &str) -> Option<MediaPlaylist> {
    let first = run.first()?;
    let (map, segments) = segments::segments(run, which, root);
    let before = segments::discontinuities_before(first);
    let mut list = MediaPlaylist::window(first.segment.0, before, segments);
    list.map = map;
    list.date_ranges = segments::programmes(run);
    Some(segments::told(list, which))
}
