//! What has been on air, which a new edition does not change: numbers of segments and discontinuities would step back.

use crate::file::Timetable;
use crate::finding::{Finding, Rule};
use crate::plan::{Channel, ItemId, Plan, Programme, Show};
use crate::stock::begun_before;
use package::PackageId;
use std::collections::BTreeSet;

/// A programme that has begun, as far as it has been sent.
struct Aired<'a> {
    item: Option<&'a ItemId>,
    start: u32,
    sent: Sent,
}

/// From which segment to which, and of what.
type Sent = (u32, u64, Option<PackageId>);

/// What `plan` would change of what `previous` has sent by now: each item once, whatever number of channels show it.
pub(super) fn past(timetable: &Timetable, previous: &Plan, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    if previous.date != plan.date {
        return findings;
    }
    let now = begun_before(plan, plan.made_at);
    let mut told = BTreeSet::new();
    for channel in &plan.channels {
        let Some(before) = previous.channel(channel.channel.as_str()) else { continue };
        let (was, is) = (aired(previous, before, now), aired(plan, channel, now));
        if was.iter().map(|aired| aired.sent).eq(is.iter().map(|aired| aired.sent)) {
            continue;
        }
        let name = &channel.channel;
        let way = "leave it as it was (`airclass package delete`, then `airclass purge`, withdraw a lesson that has begun)";
        let mut tell = |aired: &Aired<'_>, text: &dyn Fn(&ItemId, String) -> String| {
            let Some(item) = aired.item.filter(|&item| told.insert(item.clone())) else { return };
            let written = timetable.items.iter().find(|one| one.date == plan.date && one.id == *item);
            let at = plan.shown(aired.start).map(|at| plan.zone.local(at).strftime("%H:%M").to_string());
            let spot = written.map_or(&timetable.spot, |one| &one.spot);
            findings.push(spot.error(Rule::Past, text(item, at.unwrap_or_default())));
        };
        for gone in lacking(&was, &is) {
            tell(gone, &|item, at| {
                format!("`{item}` has been on channel `{name}` since {at} and would not have been, {way}")
            });
        }
        for new in lacking(&is, &was) {
            tell(new, &|item, at| {
                format!(
                    "`{item}` would begin on channel `{name}` at {at}, which is over, let it begin after now"
                )
            });
        }
        if findings.is_empty() {
            let text =
                format!("channel `{name}` would change what it has shown between items already, {way}");
            findings.push(timetable.spot.error(Rule::Past, text));
        }
    }
    findings
}

/// What runs now may still end otherwise.
fn aired<'a>(plan: &Plan, channel: &'a Channel, now: u64) -> Vec<Aired<'a>> {
    let begun = channel.programmes.iter().filter(|programme| u64::from(programme.start) < now);
    let aired = |programme: &'a Programme| Aired {
        item: programme.item.as_ref(),
        start: programme.start,
        sent: (programme.start, u64::from(programme.end()).min(now), shown(plan, programme)),
    };
    begun.map(aired).collect()
}

/// What of `some` is not among `others`.
fn lacking<'a>(some: &'a [Aired<'a>], others: &'a [Aired<'a>]) -> impl Iterator<Item = &'a Aired<'a>> {
    some.iter().filter(|one| others.iter().all(|other| other.sent != one.sent))
}

fn shown(plan: &Plan, programme: &Programme) -> Option<PackageId> {
    match &programme.show {
        Show::Lesson(lesson) => plan.lesson(lesson.as_str())?.media.as_ref().map(|media| media.package),
        Show::Clip(clip) => plan.clip(clip.as_str()).map(|clip| clip.media.package),
        Show::Nothing => None,
    }
}
