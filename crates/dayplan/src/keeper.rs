//! Keeps the plans of yesterday, today and tomorrow up to date: asks the source, judges, follows, writes down.

mod page;
mod refused;

use crate::clock::Clock;
use crate::metrics::{Day, Metrics};
use crate::options::PlanConfig;
use crate::plans::{Followed, Plans};
use crate::shelf::Shelf;
use crate::source::{Fetched, Published, Source, Unheard};
use crate::tokens::{TokenFile, Tokens};
use jiff::civil::Date;
use package::Digest;
use refused::Refused;
use signing::TrustFile;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Check, Label, Readiness, Telemetry};
use timetable::{Accepted, Zone};
use tokio::time::{Instant, sleep, sleep_until};

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is on this machine is looked at at least so often: it costs no network.
const NEAR_POLL: Duration = Duration::from_secs(2);

/// Today's plan is asked for each time, the others each so many times: what changes them has hours.
const OTHERS_EVERY: u64 = 5;
/// While the source gives no answer the wait between two questions doubles, up to this, or the poll where that is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What is wrong where the source knows nothing of plans: every lesson would be open, and nothing fetched for a bell.
const DEAF: &str =
    "who is asked for plans follows none: start it with `plan.keys` and `plan.tokens`, the origin first";

/// Follows plans on behalf of one node.
pub struct Keeper {
    plans: Plans,
    keys: TrustFile,
    tokens: Option<TokenFile>,
    shelf: Option<Shelf>,
    /// The days that were last looked for there.
    shelved: Option<[Date; 3]>,
    poll: Duration,
    days: BTreeMap<Date, DayState>,
    /// What the source last said of itself: fine, or why not; `None` before it was asked.
    source: Option<Result<(), Unheard>>,
    /// Rounds in a row without an answer.
    unheard: u32,
    /// The source answers, and follows no plans.
    deaf: bool,
    metrics: Metrics,
    readiness: Arc<Readiness>,
    page: page::Page,
}

/// What is known about a day's plan.
#[derive(Debug, Default)]
struct DayState {
    followed: Option<Arc<Followed>>,
    /// What is published and refused.
    refused: Option<Refused>,
}

impl Keeper {
    /// Follows the last good plans from the shelf at once; the source is asked by [`run`](Self::run).
    pub fn start(config: PlanConfig, telemetry: &Telemetry) -> (Self, Plans) {
        let clock = Clock::start(config.clock_offset, telemetry);
        Self::with(config, clock, telemetry)
    }

    fn with(config: PlanConfig, clock: Clock, telemetry: &Telemetry) -> (Self, Plans) {
        let PlanConfig { keys, tokens, state, poll, .. } = config;
        let shown = tokens.as_ref().map_or_else(Tokens::default, |file| file.tokens().clone());
        let plans = Plans::new(clock, shown);
        let mut keeper = Self {
            plans: plans.clone(),
            keys,
            tokens,
            shelf: state.map(Shelf::new),
            shelved: None,
            poll,
            days: BTreeMap::new(),
            source: None,
            unheard: 0,
            deaf: false,
            metrics: Metrics::register(telemetry),
            readiness: Arc::clone(&telemetry.readiness),
            page: page::Page::register(telemetry),
        };
        keeper.take_from_shelf();
        keeper.follow();
        keeper.tell();
        (keeper, plans)
    }

    /// Asks `source` until the end, and looks at the clock. To be run once, on one core.
    pub async fn run(mut self, source: impl Source, near: bool) {
        if near {
            self.poll = self.poll.min(NEAR_POLL);
        }
        // Nodes that were started together do not ask together.
        let turn = RandomState::new();
        for round in 0_u64.. {
            // What is near costs nothing to ask for: tomorrow's plan is an order, too.
            self.round(&source, near || round % OTHERS_EVERY == 0).await;
            let part = u32::try_from(turn.hash_one(round) % 256).unwrap_or_default();
            let wait = self.wait(near);
            let wait = wait - wait / 4 + wait / 2 * part / 256;
            let until = Instant::now() + wait;
            while Instant::now() + LOOK_EVERY < until {
                sleep(LOOK_EVERY).await;
                self.look_at_clock();
            }
            sleep_until(until).await;
        }
    }

    /// Until the next round, before it is spread. What is on this machine is pressed by nobody: a file that is mended at 07:59 counts.
    fn wait(&self, near: bool) -> Duration {
        if near {
            return self.poll;
        }
        self.poll.saturating_mul(1 << self.unheard.min(10)).min(LONGEST_WAIT.max(self.poll))
    }

    fn look_at_clock(&self) {
        self.plans.clock().look();
        self.plans.clock().tell(&self.readiness);
    }

    /// Asks for today once, and where `all` are asked for, for each day.
    async fn round(&mut self, source: &impl Source, all: bool) {
        self.look_at_clock();
        self.keys.now();
        if let Some(tokens) = self.tokens.as_mut().and_then(TokenFile::again) {
            self.plans.believe(tokens.clone());
        }
        let mut changed = self.forget() | self.take_from_shelf();
        let mut said = Ok(());
        let mut deaf = false;
        let [yesterday, today, tomorrow] = self.dates();
        // What opens next comes first.
        for date in [today, tomorrow, yesterday].into_iter().take(if all { 3 } else { 1 }) {
            let known = self.days.get(&date).and_then(|day| day.followed.as_ref());
            let digest = known.map(|followed| followed.accepted.digest);
            match source.fetch(date, today, digest).await {
                Err(unheard) => {
                    said = Err(unheard);
                    break;
                }
                Ok(Fetched { published, sample, age }) => {
                    let now = self.plans.now();
                    self.metrics.heard(now.checked_sub(age).unwrap_or(now));
                    if let Some(sample) = sample {
                        self.plans.clock().heard(sample);
                    }
                    deaf |= published == Published::NotFollowed;
                    changed |= self.consider(date, published).await;
                }
            }
        }
        if let Err(Unheard(reason)) = &said
            && !matches!(&self.source, Some(Err(_)))
        {
            tracing::warn!(reason, "the source of plans gives no answer");
        }
        if deaf && !self.deaf {
            tracing::warn!("{DEAF}");
        }
        self.deaf = deaf;
        self.unheard = if said.is_ok() { 0 } else { self.unheard.saturating_add(1) };
        self.source = Some(said);
        if changed {
            self.follow();
        }
        self.plans.clock().tell(&self.readiness);
        self.tell();
    }

    /// Judges what is published for `date`; whether another plan is followed now.
    async fn consider(&mut self, date: Date, published: Published) -> bool {
        let envelope = match published {
            Published::Nothing | Published::NotFollowed | Published::AsKnown => {
                // A plan that is taken away is not taken back: what was followed is.
                if let Some(day) = self.days.get_mut(&date) {
                    day.refused = None;
                }
                return false;
            }
            Published::Envelope(envelope) => envelope,
        };
        let day = self.days.entry(date).or_default();
        if day.followed.as_ref().is_some_and(|followed| followed.envelope == envelope) {
            day.refused = None;
            return false;
        }
        let (trust, previous) = (self.keys.trust().clone(), day.followed.clone());
        let (bytes, now) = (envelope.clone(), self.plans.now());
        // A plan has megabytes; a core has students.
        let judged = tokio::task::spawn_blocking(move || {
            let previous = previous.as_ref().map(|followed| &followed.accepted);
            let digest = Digest::of(&bytes);
            (digest, timetable::accept(&bytes, &trust, date, previous, now))
        });
        let Ok((digest, judged)) = judged.await else { return false };
        match judged {
            Ok(accepted) => {
                let followed = Arc::new(Followed { accepted, envelope });
                day.refused = None;
                let is_new =
                    day.followed.as_ref().is_none_or(|old| old.accepted.digest != followed.accepted.digest);
                log_followed(&followed.accepted, is_new);
                if let Some(shelf) = self.shelf.clone() {
                    let kept = Arc::clone(&followed);
                    let put = tokio::task::spawn_blocking(move || shelf.put(&kept)).await;
                    if let Ok(Err(error)) = put {
                        tracing::error!(%error, "the plan cannot be kept on disk; see `plan.state`");
                    }
                }
                day.followed = Some(followed);
                if is_new {
                    self.metrics.changed();
                }
                true
            }
            Err(refusal) => {
                let is_known = |known: &Refused| (known.digest, known.why) == (digest, refusal);
                if day.refused.as_ref().is_some_and(is_known) {
                    return false;
                }
                let refused = (!refusal.passes()).then(|| Refused::new(digest, refusal, &envelope));
                if let Some(refused) = &refused {
                    self.metrics.refused(refusal);
                    let follows = day.followed.as_ref().map(|followed| followed.plan().edition);
                    let keys = refused.keys(self.keys.trust());
                    tracing::error!(%date, reason = refusal.as_str(), problem = refusal.problem(), keys, follows, "day plan refused");
                }
                day.refused = refused;
                false
            }
        }
    }

    /// The days that plans are followed for, where the plans are for.
    fn dates(&self) -> [Date; 3] {
        let zone = self.plans.current().plans().next_back().map_or(Zone::CHINA, |plan| plan.zone);
        let today = zone.local(self.plans.now()).date();
        [today.yesterday().unwrap_or(today), today, today.tomorrow().unwrap_or(today)]
    }

    /// Lets go of days that are over, and of those that a clock which was ahead took for near; whether there were any.
    fn forget(&mut self) -> bool {
        let [first, .., last] = self.dates();
        // A clock that is set back over midnight will soon be there again.
        let last = last.tomorrow().unwrap_or(last);
        let (before, now) = (self.days.len(), self.plans.now());
        self.days.retain(|date, day| {
            let counts = day.followed.as_ref().is_none_or(|followed| now < followed.plan().valid_until);
            (first..=last).contains(date) && counts
        });
        let changed = self.days.len() < before;
        if let Some(shelf) = self.shelf.as_ref().filter(|_| changed)
            && let Err(error) = shelf.clear_before(first)
        {
            tracing::warn!(%error, "old plans cannot be cleared away; see `plan.state`");
        }
        changed
    }

    /// Looks on the shelf for the plans of days that are not followed, once for the days that it is; whether there were any. At a start,
    /// and again when the clock was wrong then and has been put right.
    fn take_from_shelf(&mut self) -> bool {
        let dates = self.dates();
        let Some(shelf) = self.shelf.clone().filter(|_| self.shelved != Some(dates)) else { return false };
        self.shelved = Some(dates);
        let mut found = false;
        for date in dates {
            if self.days.get(&date).is_some_and(|day| day.followed.is_some()) {
                continue;
            }
            let envelope = match shelf.get(date) {
                Ok(Some(envelope)) => envelope,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(%date, %error, "the plan on disk cannot be read; see `plan.state`");
                    continue;
                }
            };
            match timetable::accept(&envelope, self.keys.trust(), date, None, self.plans.now()) {
                Ok(accepted) => {
                    log_followed(&accepted, true);
                    let followed = Some(Arc::new(Followed { accepted, envelope }));
                    self.days.entry(date).or_default().followed = followed;
                    found = true;
                }
                Err(refusal) => {
                    tracing::error!(%date, reason = refusal.as_str(), "the plan on disk is refused")
                }
            }
        }
        found
    }

    /// Brings what is known into force.
    fn follow(&self) {
        self.plans.replace(self.days.values().filter_map(|day| day.followed.clone()).collect());
    }

    /// Brings metrics and readiness up to date.
    fn tell(&self) {
        let dates = self.dates();
        for (&day, date) in Day::ALL.iter().zip(dates) {
            let followed = self.days.get(&date).and_then(|day| day.followed.as_ref());
            self.metrics.follows(day, followed.map_or(0, |followed| followed.plan().edition));
        }
        self.metrics.alarm(self.days.values().any(|day| day.refused.is_some()));
        match self.problem(dates[1]) {
            None => self.readiness.pass(Check::Plan),
            Some(problem) => self.readiness.fail(Check::Plan, problem),
        }
        self.readiness.note("plans", self.words(dates));
        self.page.tell(dates, &self.days);
    }

    /// Why the node should be given no traffic: it does not know what is to be shut today.
    fn problem(&self, today: Date) -> Option<String> {
        let day = self.days.get(&today);
        if day.is_some_and(|day| day.followed.is_some()) {
            return None;
        }
        if let Some(refused) = day.and_then(|day| day.refused.as_ref()) {
            let (why, whose) = (refused.why, self.whose(refused));
            return Some(format!("none for {today}: the published one is refused, {why}{whose}"));
        }
        match &self.source {
            None => Some(format!("none for {today}: the source was not asked yet")),
            Some(Err(Unheard(reason))) => Some(format!("none for {today}: {reason}")),
            // There is none, and that is known: a holiday.
            Some(Ok(())) => None,
        }
    }

    /// Which keys are meant, where a key is why.
    fn whose(&self, refused: &Refused) -> String {
        refused.keys(self.keys.trust()).map_or_else(String::new, |keys| format!(" ({keys})"))
    }

    fn words(&self, dates: [Date; 3]) -> String {
        let day = |date: Date| {
            let day = self.days.get(&date)?;
            let followed =
                day.followed.as_ref().map(|followed| format!("edition {}", followed.plan().edition));
            let refused = day.refused.as_ref();
            let refused = refused.map(|one| format!("refused {}{}", one.why.as_str(), self.whose(one)));
            let told: Vec<_> = followed.into_iter().chain(refused).collect();
            (!told.is_empty()).then(|| format!("{date} {}", told.join(", ")))
        };
        let days: Vec<_> = dates.into_iter().filter_map(day).collect();
        match (days.is_empty(), self.deaf) {
            (true, true) => format!("none; {DEAF}"),
            (true, false) => "none".to_owned(),
            (false, _) => days.join("; "),
        }
    }
}

fn log_followed(accepted: &Accepted, is_new: bool) {
    if is_new {
        let Accepted { plan, key, .. } = accepted;
        tracing::info!(date = %plan.date, edition = plan.edition, key = %key.id, lessons = plan.lessons.len(), "day plan followed");
    }
}

#[cfg(test)]
mod tests;
