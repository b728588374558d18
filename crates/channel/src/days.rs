//! Plans of days that follow each other, as one run of segments.

use jiff::civil::Date;
use timetable::plan::{Channel, Plan, Programme};
use timetable::{AirSegment, OnAir};

/// The plans a node knows: yesterday's, today's, tomorrow's.
#[derive(Debug, Clone, Default)]
pub struct Days<'a>(Vec<&'a Plan>);

/// One segment of a channel and what is sent in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aired<'a> {
    pub(crate) segment: AirSegment,
    /// The day it is of.
    pub(crate) plan: &'a Plan,
    pub(crate) on_air: OnAir<'a>,
}

impl<'a> Days<'a> {
    /// In any order.
    pub fn new(plans: impl IntoIterator<Item = &'a Plan>) -> Self {
        let mut plans: Vec<&Plan> = plans.into_iter().collect();
        plans.sort_by_key(|plan| plan.first_segment);
        Self(plans)
    }

    /// The channel in the plan of the day that holds `segment`.
    pub(crate) fn channel(&self, name: &str, segment: AirSegment) -> Option<(&'a Plan, &'a Channel)> {
        let holds = |plan: &&&Plan| {
            (plan.first_segment.0..plan.first_segment.0 + grid::SEGMENTS_PER_DAY).contains(&segment.0)
        };
        let plan = self.0.iter().find(holds)?;
        Some((plan, plan.channel(name)?))
    }

    /// The programme that comes from item `item` of the day `date`.
    pub(crate) fn programme(
        &self,
        name: &str,
        date: Date,
        item: &str,
    ) -> Option<(&'a Plan, &'a Channel, &'a Programme)> {
        let plan = self.0.iter().find(|plan| plan.date == date)?;
        let channel = plan.channel(name)?;
        let of_item = |programme: &&Programme| programme.item.as_ref().is_some_and(|id| id.as_str() == item);
        Some((plan, channel, channel.programmes.iter().find(of_item)?))
    }

    /// Up to `count` segments of a channel with `last` as the last of them, without a gap between them; empty when the
    /// plans do not say what `last` is.
    pub(crate) fn up_to(&self, name: &str, last: AirSegment, count: u64) -> Vec<Aired<'a>> {
        let first = AirSegment((last.0 + 1).saturating_sub(count));
        let mut run: Vec<Aired<'a>> = Vec::new();
        for &plan in &self.0 {
            let Some(channel) = plan.channel(name) else { continue };
            let begin = first.0.max(plan.first_segment.0);
            if begin > last.0 {
                continue;
            }
            let window = plan.window(channel, AirSegment(begin), last.0 + 1 - begin);
            for (segment, on_air) in (begin..).map(AirSegment).zip(window) {
                // A day nobody has a plan of: what lies before it cannot be reached by going on.
                if run.last().is_some_and(|before| before.segment.0 + 1 != segment.0) {
                    run.clear();
                }
                run.push(Aired { segment, plan, on_air });
            }
        }
        if run.last().is_some_and(|aired| aired.segment == last) { run } else { Vec::new() }
    }
}
