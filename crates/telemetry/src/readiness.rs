//! Should this process be given traffic? Every reason why not has a name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError, RwLock};

/// What is looked at. A service sets each check that it has; a check never set does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// All listeners are bound and accepting.
    Listening,
    /// The object store answers.
    Store,
    /// At least one upstream has answered, or none has been asked yet.
    Upstream,
    /// The process is not on its way out.
    NotDraining,
    /// It knows the time.
    Clock,
    /// It follows the day's plan, or knows that there is none.
    Plan,
    /// Nobody has taken it out of service.
    InService,
    /// Its owner is not at work on it.
    Maintenance,
    /// It was tried out before it is given any traffic.
    BurnIn,
    /// The certificate by which the fleet's control knows it counts.
    Certificate,
}

impl Check {
    /// The name operators see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Store => "store",
            Self::Upstream => "upstream",
            Self::NotDraining => "not_draining",
            Self::Clock => "clock",
            Self::Plan => "plan",
            Self::InService => "in_service",
            Self::Maintenance => "maintenance",
            Self::BurnIn => "burn_in",
            Self::Certificate => "certificate",
        }
    }
}

/// The state of all checks of one process.
#[derive(Debug, Default)]
pub struct Readiness {
    checks: RwLock<BTreeMap<Check, Result<(), String>>>,
    notes: RwLock<BTreeMap<&'static str, String>>,
    /// Whether another process has been told if it is to stand aside, and hears what comes of that from here on. Held while it is
    /// told, so that an order comes before that or is refused.
    given_away: Mutex<bool>,
}

impl Readiness {
    /// `check` holds.
    pub fn pass(&self, check: Check) {
        self.set(check, Ok(()));
    }

    /// `check` does not hold; `reason` is for a person.
    pub fn fail(&self, check: Check, reason: impl Into<String>) {
        self.set(check, Err(reason.into()));
    }

    /// Takes the process out of service: those who send traffic look elsewhere, who is here is served on.
    pub fn stand_aside(&self) {
        self.fail(Check::InService, "taken out of service; POST /in-service ends it");
    }

    /// Does as an operator orders: out of service, or in it again. False where another process has taken over, which would never
    /// hear of it.
    #[must_use]
    pub(crate) fn obey(&self, stand_aside: bool) -> bool {
        let given_away = self.given_away.lock().unwrap_or_else(PoisonError::into_inner);
        if *given_away {
            return false;
        }
        if stand_aside {
            self.stand_aside();
        } else {
            self.pass(Check::InService);
        }
        true
    }

    /// Whether the process that takes over is to stand aside. It is told here for the last time: orders are refused from here on.
    pub fn give_away(&self) -> bool {
        let mut given_away = self.given_away.lock().unwrap_or_else(PoisonError::into_inner);
        *given_away = true;
        self.stands_aside()
    }

    /// Whether it is out of service.
    pub fn stands_aside(&self) -> bool {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        checks.get(&Check::InService).is_some_and(Result::is_err)
    }

    /// Has `text`, a line, stand in the report under `name`. It does not count: a node may be given traffic all the same.
    pub fn note(&self, name: &'static str, text: impl Into<String>) {
        self.notes.write().unwrap_or_else(PoisonError::into_inner).insert(name, text.into());
    }

    fn set(&self, check: Check, state: Result<(), String>) {
        self.checks.write().unwrap_or_else(PoisonError::into_inner).insert(check, state);
    }

    /// Whether every check holds. A process that has set none is not ready: it is still starting.
    pub fn is_ready(&self) -> bool {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        !checks.is_empty() && checks.values().all(Result::is_ok)
    }

    /// Every check that was set, and why it fails where it does.
    pub fn checks(&self) -> Vec<(Check, Option<String>)> {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        checks.iter().map(|(&check, state)| (check, state.as_ref().err().cloned())).collect()
    }

    /// One line a check: `listening: ok` or `store: not ok: No such file or directory`; then one a note.
    pub fn report(&self) -> String {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        if checks.is_empty() {
            return "starting: no check has run yet\n".to_owned();
        }
        let mut report = String::new();
        for (check, state) in checks.iter() {
            match state {
                Ok(()) => writeln!(report, "{}: ok", check.as_str()),
                Err(reason) => writeln!(report, "{}: not ok: {reason}", check.as_str()),
            }
            .expect("writing to a String does not fail");
        }
        for (name, text) in self.notes.read().unwrap_or_else(PoisonError::into_inner).iter() {
            writeln!(report, "{name}: {text}").expect("writing to a String does not fail");
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_obeyed_or_refused_and_never_lost_on_a_process_that_has_given_way() {
        let readiness = Readiness::default();
        assert!(readiness.obey(true) && readiness.stands_aside());
        assert!(readiness.obey(false) && !readiness.stands_aside());
        assert!(readiness.obey(true));
        assert!(readiness.give_away(), "the next one stands aside");
        assert!(!readiness.obey(false));
        assert!(readiness.stands_aside());
    }

    #[test]
    fn one_failing_check_is_enough_and_is_named() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready());
        readiness.pass(Check::Listening);
        assert!(readiness.is_ready());
        readiness.fail(Check::Store, "disk gone");
        assert!(!readiness.is_ready());
        assert_eq!(
            readiness.checks(),
            [(Check::Listening, None), (Check::Store, Some("disk gone".to_owned()))]
        );
        readiness.note("fill", "08:30 100 %");
        assert_eq!(readiness.report(), "listening: ok\nstore: not ok: disk gone\nfill: 08:30 100 %\n");
        readiness.pass(Check::Store);
        assert!(readiness.is_ready());
    }
}
