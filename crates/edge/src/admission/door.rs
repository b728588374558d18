//! The door: slot, then line. One lock around the counters of both classes, taken for new sessions alone.

use super::answer::{Reason, Waiting, Words};
use super::brought::Brought;
use super::metrics::{AdmissionMetrics, CLASSES, Turn};
use super::options::AdmissionConfig;
use crate::policy::Release;
use crate::request::Asked;
use ::admission::{Lines, Node, Slot, Ticket, Verdict, Wait, slot};
use dayplan::Plans;
use http::Method;
use jiff::Timestamp;
use serve::{Level, Standing};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use telemetry::Telemetry;
use timetable::plan::PlannedLesson;
use timetable::{Class, Kind, Opening, Place, Plan};

/// Without slots and line everybody comes in. Shared by all cores; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    config: AdmissionConfig,
    plans: Plans,
    lines: Mutex<Lines>,
    /// Those who are told to wait, so that neighbours are told different times.
    turn: AtomicU64,
    metrics: AdmissionMetrics,
}

impl Door {
    /// One by the plans that are followed.
    pub(crate) fn new(config: Option<&AdmissionConfig>, release: &Release, telemetry: &Telemetry) -> Self {
        let (Some(config), Some(plans)) = (config, release.plans()) else { return Self::default() };
        let inner = Inner {
            config: config.clone(),
            lines: Mutex::new(Lines::new(Node::drawn(), plans.now())),
            plans: plans.clone(),
            turn: AtomicU64::new(RandomState::new().hash_one(0)),
            metrics: AdmissionMetrics::register(telemetry),
        };
        let door = Self(Some(Arc::new(inner)));
        door.look(Level::Calm);
        door
    }

    /// Lets go on in line as many as the node takes at this level; once a second.
    pub(crate) fn look(&self, level: Level) {
        let Some(inner) = &self.0 else { return };
        let full = inner.config.rate.map_or(0, std::num::NonZeroU32::get);
        let (rate, usual_too) = match level {
            Level::Calm | Level::Busy => (full, true),
            // Those before an examination go on, the others keep their places.
            Level::High => (full.div_ceil(2), false),
            Level::Critical => (0, false),
        };
        let mut lines = inner.lines();
        lines.set(rate, usual_too, inner.plans.now());
        for class in CLASSES {
            inner.metrics.waiting(class, lines.waiting(class));
        }
    }

    /// Behind the release gate, before anything is looked up. `None`: the request goes on.
    pub(crate) fn judge(&self, asked: &mut Asked, standing: &Standing, level: Level) -> Option<Waiting> {
        let inner = self.0.as_deref()?;
        dayplan::begun_with(asked.target.path())?;
        let brought = Brought::take(asked);
        // A node that fills by night is no student, and HEAD plays nothing.
        let begins = asked.method == Method::GET && !asked.planned && asked.class.begins(standing);
        if begins { inner.decide(asked, &brought, level) } else { None }
    }
}

impl Inner {
    fn decide(&self, asked: &Asked, brought: &Brought, level: Level) -> Option<Waiting> {
        let path = asked.target.path();
        let now = self.plans.now();
        let current = self.plans.current();
        let (plan, lesson, opening) =
            opening(current.plans(), &dayplan::begun_with(path)?, &self.config.place)?;
        let class = opening.class;
        let seed = self.turn.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (what, reason) = match slot(&opening, now, seed) {
            Slot::Open => self.ask(class, brought, seed, now),
            Slot::Later { soft: true, .. } if brought.goes_on && self.beside(class, level, now) => {
                (Turn::Continued, None)
            }
            Slot::Later { at, soft } => {
                let after = at.duration_since(now);
                (Turn::Slot, Some(Reason::Slot { after, opens: opening.from, soft }))
            }
        };
        self.metrics.told(class, what);
        let words = Words {
            title: &lesson.title,
            zone: plan.zone,
            told: current.gate().told(path),
            query: asked.target.query(),
            refused: brought.goes_on,
            now,
        };
        reason.map(|reason| Waiting::new(&reason, &words, &asked.headers))
    }

    /// In line, where there is one. A ticket that is not ours is none. Without a reason to wait: come in.
    fn ask(&self, class: Class, brought: &Brought, seed: u64, now: Timestamp) -> (Turn, Option<Reason>) {
        if self.config.rate.is_none() {
            return (Turn::Admitted, None);
        }
        let key = &self.config.key;
        let ticket = brought.ticket.as_deref().and_then(|text| Ticket::open(text, key, now).ok());
        match self.lines().ask(class, ticket.as_ref(), seed, now) {
            Verdict::Admit => (Turn::Admitted, None),
            Verdict::Wait(Wait { ticket, ahead, after, was_spent }) => {
                let turn = if was_spent { Turn::Spent } else { Turn::Line };
                (turn, Some(Reason::Line { after, ahead, ticket: ticket.seal(key) }))
            }
        }
    }

    /// Whether there is room for one who goes on before a soft slot.
    fn beside(&self, class: Class, level: Level, now: Timestamp) -> bool {
        match self.config.rate {
            Some(_) => self.lines().beside(class, now),
            None => level < Level::High,
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When sessions of `lesson` are let in at `place`: with the first of its grades, by the plan that lets them in first. A lesson
/// before an examination goes first wherever it is. `None`: it is not planned.
///
/// What is only shown again has no slot: it was released on another day, and tomorrow's plan must not shut it today.
fn opening<'a>(
    plans: impl Iterator<Item = &'a Plan>,
    lesson: &str,
    place: &Place,
) -> Option<(&'a Plan, &'a PlannedLesson, Opening)> {
    let openings = plans.filter_map(|plan| {
        let lesson = plan.lesson(lesson)?;
        let slots = lesson.grades.iter().filter_map(|grade| plan.slot_for(place, *grade));
        let first = slots.map(|slot| slot.opening(lesson)).min_by_key(|opening| opening.from);
        let at_once =
            Opening { from: lesson.release, until: lesson.release, class: Class::Usual, soft: false };
        let opening = first.unwrap_or(at_once);
        let class = if lesson.exam { Class::Exam } else { opening.class };
        Some((plan, lesson, Opening { class, ..opening }))
    });
    let again = |lesson: &PlannedLesson| lesson.kind != Kind::Lesson;
    let first = openings.min_by_key(|(_, lesson, opening)| (again(lesson), opening.from));
    first.map(|(plan, lesson, opening)| {
        let from = if again(lesson) { Timestamp::MIN } else { opening.from };
        (plan, lesson, Opening { from, ..opening })
    })
}
