//! A plan by what follows from it: each section as named entries.

use super::{Fields, Section};
use crate::file::grades_text;
use crate::plan::{Limit, Media, Plan, PlannedLesson, Show};
use std::collections::BTreeMap;

type Entries = BTreeMap<String, Fields>;
type Reader = fn(&Plan) -> Entries;

/// Each section and where its entries come from.
pub(super) const SECTIONS: [(Section, Reader); 7] = [
    (Section::Guide, guide),
    (Section::Release, release),
    (Section::Fill, fill),
    (Section::Forecast, forecast),
    (Section::Slot, slots),
    (Section::Channel, channels),
    (Section::Policy, policies),
];

fn guide(plan: &Plan) -> Entries {
    let channels = plan.channels.iter();
    let entries = channels.flat_map(|channel| plan.guide(channel).map(move |entry| (channel, entry)));
    let entry = |(channel, entry): (&crate::plan::Channel, crate::guide::Entry<'_>)| {
        let time = |moment| plan.zone.local(moment).strftime("%H:%M:%S").to_string();
        let mut fields = Fields::from([
            ("start", time(entry.start)),
            ("end", time(entry.end)),
            ("title", entry.title.to_owned()),
            ("kind", entry.kind.as_str().to_owned()),
        ]);
        fields.extend(entry.lesson.map(|lesson| ("lesson", lesson.to_string())));
        (format!("{}/{}", channel.channel, entry.item), fields)
    };
    entries.map(entry).collect()
}

fn release(plan: &Plan) -> Entries {
    let entry = |lesson: &PlannedLesson| {
        let fields = Fields::from([
            ("release", lesson.release.to_string()),
            ("package", package(lesson.media.as_ref())),
        ]);
        (lesson.lesson.to_string(), fields)
    };
    plan.lessons.iter().map(entry).collect()
}

/// By the names of what is fetched: a corrected lesson is a change, not one thing less and one more.
fn fill(plan: &Plan) -> Entries {
    let lessons = plan.lessons.iter().filter_map(|lesson| Some((&lesson.lesson, lesson.media.as_ref()?)));
    let clips = plan.clips.iter().map(|clip| (&clip.clip, &clip.media));
    let entry = |(name, media): (&package::LessonId, &Media)| {
        let fill = plan.fill.iter().find(|fill| fill.package == media.package)?;
        let fields = Fields::from([
            ("package", fill.package.to_string()),
            ("lane", fill.lane.as_str().to_owned()),
            ("needed_at", fill.needed_at.to_string()),
            ("until", fill.until.to_string()),
            ("bytes", fill.bytes.to_string()),
        ]);
        Some((name.to_string(), fields))
    };
    lessons.chain(clips).filter_map(entry).collect()
}

fn forecast(plan: &Plan) -> Entries {
    let entry = |lesson: &PlannedLesson| {
        let mut fields = Fields::from([
            ("release", lesson.release.to_string()),
            ("grades", grades_text(&lesson.grades)),
            ("segments", lesson.segments.0.to_string()),
        ]);
        if let Some(media) = &lesson.media {
            let bits = media
                .video
                .iter()
                .filter_map(|rung| Some(format!("{}={}", rung.slot, media.average_bps(rung.slot)?)));
            fields.insert("average_bps", bits.collect::<Vec<_>>().join(" "));
        }
        (lesson.lesson.to_string(), fields)
    };
    plan.lessons.iter().map(entry).collect()
}

/// Rows, and for each lesson when its first and last pupils are let in.
fn slots(plan: &Plan) -> Entries {
    let mut entries = Entries::new();
    for slot in &plan.slots {
        let mut fields = Fields::from([
            ("after_s", slot.after_s.to_string()),
            ("window_s", slot.window_s.to_string()),
            ("soft", slot.soft.to_string()),
        ]);
        fields.extend(slot.term_start.map(|start| ("term_start", start.to_string())));
        entries
            .insert(format!("{} {} {}", slot.place, slot.class.as_str(), grades_text(&slot.grades)), fields);
    }
    for lesson in &plan.lessons {
        let of_it =
            plan.slots.iter().filter(|slot| slot.grades.iter().any(|grade| lesson.grades.contains(grade)));
        let openings: Vec<_> = of_it.map(|slot| slot.opening(lesson)).collect();
        let first = openings.iter().map(|opening| opening.from).min();
        let last = openings.iter().map(|opening| opening.until).max();
        if let Some((first, last)) = first.zip(last) {
            let fields = Fields::from([("first", first.to_string()), ("last", last.to_string())]);
            entries.insert(lesson.lesson.to_string(), fields);
        }
    }
    entries
}

fn channels(plan: &Plan) -> Entries {
    let mut entries = Entries::new();
    for channel in &plan.channels {
        for programme in &channel.programmes {
            let Some(item) = &programme.item else { continue };
            let shown = match &programme.show {
                Show::Lesson(lesson) => {
                    package(plan.lesson(lesson.as_str()).and_then(|lesson| lesson.media.as_ref()))
                }
                Show::Clip(clip) => package(plan.clip(clip.as_str()).map(|clip| &clip.media)),
                Show::Nothing => package(None),
            };
            let fields = Fields::from([
                ("start", programme.start.to_string()),
                ("segments", programme.segments.to_string()),
                ("package", shown),
            ]);
            entries.insert(format!("{}/{item}", channel.channel), fields);
        }
    }
    entries
}

fn policies(plan: &Plan) -> Entries {
    let entry = |policy: &crate::plan::Policy| {
        let limits = &policy.limits;
        let mut fields = Fields::new();
        let mut put = |name, limit: &Option<Limit>| {
            if let Some(limit) = limit {
                let document = limit.document.as_ref().map_or("", |document| document.as_str());
                fields.insert(name, format!("{} ({} {document})", limit.value, limit.place));
            }
        };
        put("day_minutes", &limits.day_minutes);
        put("sitting_minutes", &limits.sitting_minutes);
        put("break_minutes", &limits.break_minutes);
        put("lessons_a_day", &limits.lessons_a_day);
        (format!("{} {}", policy.place, grades_text(&policy.grades)), fields)
    };
    plan.policies.iter().map(entry).collect()
}

fn package(media: Option<&Media>) -> String {
    media.map_or_else(|| "none".to_owned(), |media| media.package.to_string())
}
