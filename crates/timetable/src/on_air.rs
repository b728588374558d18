//! What a channel sends at any moment: clock arithmetic over the plan, the same on every node.
//!
//! The media sequence number of a segment is its [`AirSegment`]. Its discontinuity sequence number is how many
//! discontinuities the channel has had up to it: one at the beginning of each programme, and one each time that a clip
//! begins again, because decode times then step back.

use crate::plan::{Channel, Media, Plan, Programme, Show};
use crate::time::AirSegment;
use grid::{SEGMENTS_PER_DAY, SegmentNumber};
use package::LessonId;

/// What a channel sends in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnAir<'a> {
    /// Within which programme.
    pub programme: &'a Programme,
    /// How many segments into it.
    pub into: u32,
    /// Which segment of which package; `None` when nothing is sent.
    pub sent: Option<Sent<'a>>,
    /// Whether a discontinuity lies right before it.
    pub discontinuity: bool,
    /// Its discontinuity sequence number.
    pub discontinuities: u64,
}

/// A segment of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The name of the lesson or clip.
    pub name: &'a LessonId,
    /// The package.
    pub media: &'a Media,
    /// Which segment of it, in every rendition.
    pub segment: SegmentNumber,
}

impl Plan {
    /// What `channel` sends in `segment`; `None` when that is not in the plan's day.
    ///
    /// The discontinuity number costs a pass over the day's programmes up to here; a window of many segments is
    /// [`Plan::window`].
    pub fn on_air<'a>(&'a self, channel: &'a Channel, segment: AirSegment) -> Option<OnAir<'a>> {
        self.window(channel, segment, 1).next()
    }

    /// What `channel` sends in up to `count` segments from `first` on; those that are not in the plan's day are left out.
    pub fn window<'a>(
        &'a self,
        channel: &'a Channel,
        first: AirSegment,
        count: u64,
    ) -> impl Iterator<Item = OnAir<'a>> {
        let begin = first.0.max(self.first_segment.0) - self.first_segment.0;
        let end = first.0.saturating_add(count).saturating_sub(self.first_segment.0).min(SEGMENTS_PER_DAY);
        let begin = u32::try_from(begin.min(SEGMENTS_PER_DAY)).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let mut place = channel.programmes.partition_point(|programme| programme.end() <= begin);
        let before =
            channel.programmes.iter().take(place).map(|programme| self.breaks(programme, programme.segments));
        let mut before = channel.discontinuities_before + before.sum::<u64>();
        (begin..end).map_while(move |at| {
            let mut programme = channel.programmes.get(place)?;
            if at >= programme.end() {
                before += self.breaks(programme, programme.segments);
                place += 1;
                programme = channel.programmes.get(place)?;
            }
            let into = at - programme.start;
            let sent = self.sent(programme, into);
            let discontinuity = into == 0 || sent.is_some_and(|sent| sent.segment.0 == 0);
            let discontinuities = before + self.breaks(programme, into + 1);
            Some(OnAir { programme, into, sent, discontinuity, discontinuities })
        })
    }

    /// How many discontinuities `channel` has had when the day is over: what the next day's plan goes on from.
    pub fn discontinuities_after(&self, channel: &Channel) -> u64 {
        let day = channel.programmes.iter().map(|programme| self.breaks(programme, programme.segments));
        channel.discontinuities_before + day.sum::<u64>()
    }

    /// Discontinuities in the first `segments` segments of `programme`.
    fn breaks(&self, programme: &Programme, segments: u32) -> u64 {
        let round = match &programme.show {
            Show::Clip(clip) => self.clip(clip.as_str()).map(|clip| clip.media.segments.0),
            Show::Lesson(_) | Show::Nothing => None,
        };
        match round {
            Some(round) if round > 0 => u64::from(segments.div_ceil(round)),
            _ => u64::from(segments > 0),
        }
    }

    fn sent<'a>(&'a self, programme: &'a Programme, into: u32) -> Option<Sent<'a>> {
        let (name, media) = match &programme.show {
            Show::Lesson(lesson) => (lesson, self.lesson(lesson.as_str())?.media.as_ref()?),
            Show::Clip(clip) => (clip, &self.clip(clip.as_str())?.media),
            Show::Nothing => return None,
        };
        let segment = into.checked_rem(media.segments.0)?;
        Some(Sent { name, media, segment: SegmentNumber(segment) })
    }
}

#[cfg(test)]
mod tests;
