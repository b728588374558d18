//! What the plans keep shut: lessons before their instant, and packages that are only such lessons.
//!
//! Made anew with each plan; then a look is a path read and a table asked. What is spelt in another way is shut as well.

use crate::subject::Subject;
use jiff::Timestamp;
use package::PackageId;
use std::collections::HashMap;
use std::sync::Arc;
use timetable::{Kind, Plan, Zone};

/// What is shut until when.
#[derive(Debug, Default)]
pub struct Gate {
    lessons: HashMap<String, Planned>,
    packages: HashMap<PackageId, Planned>,
    /// When the last one opens: behind it nothing has to be looked up.
    last: Option<Timestamp>,
}

/// What plans say about a lesson or package.
#[derive(Debug, Clone, Default)]
struct Planned {
    /// `None`: it is open already, as what is shown again.
    opens: Option<Timestamp>,
    told: Option<Arc<Told>>,
}

/// What may be told of a lesson that somebody has to wait for.
#[derive(Debug)]
pub struct Told {
    /// What it is called.
    pub title: String,
    /// Where its day is.
    pub zone: Zone,
    /// In order of time.
    pub airings: Vec<Airing>,
}

/// When a channel shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Airing {
    /// The channel's title.
    pub channel: String,
    /// When it begins.
    pub at: Timestamp,
    /// Whether it was shown before.
    pub again: bool,
}

/// What the plans say about a path.
#[derive(Debug, Clone)]
pub enum Gated {
    /// Nothing.
    Unplanned,
    /// It is open.
    Open,
    /// It opens then.
    Shut(Shut),
}

/// Something that is not open yet.
#[derive(Debug, Clone)]
pub struct Shut {
    /// When it opens.
    pub until: Timestamp,
    pub(crate) told: Option<Arc<Told>>,
}

impl Shut {
    /// Of something that the plan says no more about.
    pub(crate) fn until(until: Timestamp) -> Self {
        Self { until, told: None }
    }
}

impl Gate {
    /// Of the plans that are followed.
    ///
    /// What two plans say of one lesson, the earlier instant decides: what was open stays open. That a lesson is only shown
    /// again opens nothing that another plan keeps shut.
    pub(crate) fn of<'a>(plans: impl Iterator<Item = &'a Plan> + Clone) -> Self {
        let mut gate = Self::default();
        for plan in plans.clone() {
            for lesson in &plan.lessons {
                let opens = (lesson.kind == Kind::Lesson).then_some(lesson.release);
                let known = gate.lessons.entry(lesson.lesson.to_string()).or_default();
                known.opens = known.opens.into_iter().chain(opens).min();
                if opens.is_some() {
                    let airings = airings(plan, lesson.lesson.as_str());
                    let title = lesson.title.clone();
                    known.told = Some(Arc::new(Told { title, zone: plan.zone, airings }));
                }
            }
            for clip in &plan.clips {
                gate.lessons.entry(clip.clip.to_string()).or_default();
            }
        }
        for plan in plans {
            for lesson in &plan.lessons {
                let Some(media) = &lesson.media else { continue };
                let opens = gate.lessons.get(lesson.lesson.as_str()).and_then(|planned| planned.opens);
                // Television sends it to everybody from its bell on, whatever the stagger of the grades.
                let aired = airings(plan, lesson.lesson.as_str()).first().map(|airing| airing.at);
                let opens = opens.map(|opens| aired.map_or(opens, |aired| opens.min(aired)));
                let known = gate.packages.entry(media.package).or_insert(Planned { opens, told: None });
                // Open as soon as one of the lessons that it is.
                known.opens = known.opens.zip(opens).map(|(one, other)| one.min(other));
            }
            for clip in &plan.clips {
                gate.packages.insert(clip.media.package, Planned::default());
            }
        }
        gate.last =
            gate.lessons.values().chain(gate.packages.values()).filter_map(|planned| planned.opens).max();
        gate
    }

    /// Whether what `path` is about may be sent at `now`. For every request.
    pub fn look(&self, path: &str, now: Timestamp) -> Gated {
        if self.all_open(now) {
            return Gated::Open;
        }
        match self.planned(path) {
            None => Gated::Unplanned,
            Some(Planned { opens: Some(until), told }) if now < *until => {
                Gated::Shut(Shut { until: *until, told: told.clone() })
            }
            Some(_) => Gated::Open,
        }
    }

    /// Whether nothing is shut any more at `now`.
    pub fn all_open(&self, now: Timestamp) -> bool {
        self.last.is_none_or(|last| now >= last)
    }

    /// Whether a plan says anything about what `path` is about.
    pub fn is_planned(&self, path: &str) -> bool {
        self.planned(path).is_some()
    }

    /// What may be told of the lesson that `path` is about.
    pub fn told(&self, path: &str) -> Option<&Told> {
        self.planned(path)?.told.as_deref()
    }

    fn planned(&self, path: &str) -> Option<&Planned> {
        match Subject::of(path)? {
            Subject::Lesson(lesson) => self.lessons.get(&*lesson),
            Subject::Package(package) => self.packages.get(&package),
        }
    }
}

/// When channels show `lesson`.
fn airings(plan: &Plan, lesson: &str) -> Vec<Airing> {
    let shows = plan.channels.iter().flat_map(|channel| {
        let programmes = channel.programmes.iter();
        let its =
            programmes.filter(|programme| programme.lesson.as_ref().is_some_and(|l| l.as_str() == lesson));
        its.filter_map(|programme| {
            let segment = timetable::AirSegment(plan.first_segment.0 + u64::from(programme.start));
            let again = programme.kind == Kind::Replay;
            Some(Airing { channel: channel.title.clone(), at: segment.starts_at()?, again })
        })
    });
    let mut airings: Vec<_> = shows.collect();
    airings.sort_by_key(|airing| airing.at);
    airings
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::plans::{self as sample, moment, package};
    use timetable::Plan;

    fn gate(plans: &[Plan]) -> Gate {
        Gate::of(plans.iter())
    }

    fn until(gate: &Gate, path: &str, now: &str) -> Option<Timestamp> {
        match gate.look(path, moment(now)) {
            Gated::Shut(shut) => Some(shut.until),
            Gated::Open | Gated::Unplanned => None,
        }
    }

    #[test]
    fn what_is_on_air_is_open_while_the_pointer_waits_for_its_grades() {
        let mut plan = sample::plan();
        for lesson in &mut plan.lessons {
            lesson.release = moment("08:50:00").max(lesson.release);
        }
        let gate = gate(&[plan]);
        let segment = format!("/p/{}/s0/00000.m4s", package(1));
        assert_eq!(until(&gate, &segment, "08:29:59.999"), Some(moment("08:30:00")));
        assert_eq!(until(&gate, &segment, "08:30:00"), None);
        assert_eq!(until(&gate, "/lessons/maths-9/main.m3u8", "08:49:59"), Some(moment("08:50:00")));
    }

    #[test]
    fn a_lesson_and_its_package_open_at_their_instant() {
        let gate = gate(&[sample::plan()]);
        let opens = moment("08:30:00");
        for path in [
            "/lessons/maths-9/main.m3u8".to_owned(),
            "/lessons/maths-9/lesson.json".to_owned(),
            "/lessons/maths-9".to_owned(),
            format!("/p/{}/main.m3u8", package(1)),
            format!("/p/{}/s0/00000.m4s", package(1)),
        ] {
            assert_eq!(until(&gate, &path, "08:29:59.999"), Some(opens), "{path}");
            assert_eq!(until(&gate, &path, "08:30:00"), None, "{path}");
            assert!(gate.is_planned(&path));
        }
        assert!(gate.all_open(moment("09:10:00")) && !gate.all_open(moment("09:09:59")));
        for path in [
            "/lessons/other/main.m3u8",
            "/p/main.m3u8",
            "/catalogue/version.json",
            "/",
            "/lessons/slate/main.m3u8",
        ] {
            assert_eq!(until(&gate, path, "00:00:00"), None, "{path}");
        }
        // A clip is shown all day.
        assert_eq!(until(&gate, &format!("/p/{}/main.m3u8", package(10)), "00:00:00"), None);
        assert!(gate.is_planned("/lessons/slate/main.m3u8"));
    }

    #[test]
    fn other_spellings_of_a_path_are_shut_too() {
        let gate = gate(&[sample::plan()]);
        for path in [
            "/lessons/%6Daths-9/main.m3u8",
            "/%6cessons/maths-9/main.m3u8",
            "//lessons/maths-9/main.m3u8",
            "/lessons//maths-9/main.m3u8",
            "/lessons/./maths-9/main.m3u8",
            "/x/../lessons/maths-9/main.m3u8",
            "/x/%2e%2e/lessons/maths-9/main.m3u8",
            "/lessons%2fmaths-9/main.m3u8",
            "/lessons\\maths-9\\main.m3u8",
            "/lessons/maths-9;v=1/main.m3u8",
            "/lessons;a/maths-9/main.m3u8",
        ] {
            assert!(until(&gate, path, "08:29:59").is_some(), "{path}");
            assert!(until(&gate, path, "08:30:00").is_none(), "{path}");
        }
        for path in ["/lessons", "%", "%2", "/%zz", "*", ""] {
            assert!(matches!(gate.look(path, moment("00:00:00")), Gated::Unplanned), "{path}");
        }
    }

    #[test]
    fn what_one_plan_has_opened_another_does_not_shut() {
        let today = sample::plan();
        let mut tomorrow = sample::plan_of("2026-09-02");
        // As it is: the same lessons for the first time once more.
        let both = gate(&[today.clone(), tomorrow.clone()]);
        assert_eq!(until(&both, "/lessons/maths-9/main.m3u8", "08:30:00"), None);
        // Shown again tomorrow, it stays shut today, and does not shut before midnight what nobody else has planned.
        for lesson in &mut tomorrow.lessons {
            (lesson.kind, lesson.release) = (Kind::Replay, moment("2026-09-02T00:00:00+08:00"));
        }
        let both = gate(&[today, tomorrow.clone()]);
        assert_eq!(until(&both, "/lessons/maths-9/main.m3u8", "08:29:59"), Some(moment("08:30:00")));
        let alone = gate(&[tomorrow]);
        assert_eq!(until(&alone, "/lessons/maths-9/main.m3u8", "08:29:59"), None);
        assert!(alone.is_planned("/lessons/maths-9/main.m3u8"));
    }

    #[test]
    fn a_package_opens_with_the_first_lesson_that_it_is() {
        let mut plan = sample::plan();
        let second = plan.lessons[1].media.clone();
        plan.lessons[0].media = second;
        let gate = gate(&[plan.clone()]);
        let path = format!("/p/{}/main.m3u8", package(1));
        assert_eq!(until(&gate, &path, "08:29:59"), Some(moment("08:30:00")));
        assert_eq!(until(&gate, &path, "08:30:00"), None);
        // A lesson that the store does not have yet stays shut all the same.
        plan.lessons[0].media = None;
        assert!(until(&Gate::of([plan].iter()), "/lessons/maths-7/main.m3u8", "08:30:00").is_some());
    }

    #[test]
    fn where_it_is_shown_is_known() {
        let gate = gate(&[sample::plan()]);
        let Gated::Shut(shut) = gate.look("/lessons/maths-9/main.m3u8", moment("08:00:00")) else { panic!() };
        let told = shut.told.unwrap();
        let airing = Airing { channel: "初中".to_owned(), at: moment("08:30:00"), again: false };
        assert_eq!((told.title.as_str(), &told.airings), ("课 maths-9", &vec![airing]));
    }
}
