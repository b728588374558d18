//! What may happen to a job: its states and every way from one to the next, as functions that take `now`.

use crate::clock::Moment;
use crate::error::QueueError;
use crate::job::{Job, JobKey, Priority};
use crate::policy::Policy;
use crate::{Added, Change};
use serde::{Deserialize, Serialize};

/// How entries are written. A reader refuses what is newer.
const FORMAT: u64 = 1;
/// The longest reason that is kept, in characters: a line, not a log.
const MAX_REASON: usize = 500;

/// A job and what has happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    format: u64,
    /// What is to be done.
    pub job: Job,
    /// Its place in the order of arrival.
    pub number: u64,
    /// When it was added.
    pub added: Moment,
    /// How often it was begun, not counting what was given back.
    pub tries: u32,
    /// How often it was claimed: names the lease.
    round: u64,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Reason>,
    /// Where it is.
    pub state: State,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    /// Nobody is at it.
    Waiting {
        /// It failed; it is not tried again before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Moment>,
    },
    /// A worker is at it.
    Running {
        /// Which: host and process.
        worker: String,
        /// Since when.
        since: Moment,
        /// When it was last heard of.
        heard: Moment,
        /// When the lease ends, by the clock of who wrote this. With NATS the server's acknowledgement wait decides.
        until: Moment,
        /// NATS: the message that is the lease.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<u64>,
    },
    /// It runs no more until somebody says so.
    SetAside {
        /// Since when.
        since: Moment,
    },
    /// The lesson is there.
    Done {
        /// Since when.
        at: Moment,
    },
}

impl State {
    /// The state's name, as in `status` and JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { not_before: None } => "waiting",
            Self::Waiting { not_before: Some(_) } => "retrying",
            Self::Running { .. } => "running",
            Self::SetAside { .. } => "set-aside",
            Self::Done { .. } => "done",
        }
    }
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The fault's stable code.
    pub code: String,
    /// What is wrong, what to do.
    pub text: String,
}

impl Reason {
    /// A reason, cut to a line.
    pub fn new(code: &str, text: &str) -> Self {
        let text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_REASON).collect();
        Self { code: code.to_owned(), text }
    }
}

/// How a worker's work on a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The lesson is there.
    Done,
    /// The worker was asked to stop. Costs no try.
    GivenBack,
    /// The file, its description or its store cannot be used as they are: trying again helps nobody.
    Refused(Reason),
    /// A fault of ours or of the machine; another try may do better.
    Failed(Reason),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Done.
    Done,
    /// Anybody may take it at once.
    GivenBack,
    /// It is tried again then.
    Later(Moment),
    /// It waits for a person.
    SetAside,
}

/// Somebody else has the job by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job's lease was lost")]
pub struct LeaseLost;

impl Entry {
    /// A job that has just come.
    pub fn new(job: Job, number: u64, now: Moment) -> Self {
        let state = State::Waiting { not_before: None };
        Self { format: FORMAT, job, number, added: now, tries: 0, round: 0, fault: None, state }
    }

    /// The job's key.
    pub fn key(&self) -> JobKey {
        self.job.key()
    }

    /// The same job is added again.
    pub fn add_again(&mut self, job: &Job) -> Added {
        match &self.state {
            State::Waiting { .. } if job.more_urgent_than(&self.job) => {
                self.job.priority = job.priority;
                self.job.airs_at = job.airs_at.or(self.job.airs_at);
                // The file may have moved since.
                self.job.source.clone_from(&job.source);
                Added::Raised
            }
            State::Waiting { .. } => Added::Waiting,
            State::Running { .. } => Added::Running,
            State::SetAside { .. } => Added::SetAside(self.reason()),
            State::Done { .. } => Added::Done,
        }
    }

    /// Whether it may be taken now.
    pub fn is_ready(&self, now: Moment) -> bool {
        matches!(self.state, State::Waiting { not_before } if not_before.is_none_or(|then| then <= now))
    }

    /// `worker` takes it: it must be ready. `ticket` is NATS's message.
    pub fn take(&mut self, worker: &str, ticket: Option<u64>, now: Moment, policy: &Policy) {
        debug_assert!(self.is_ready(now), "only what is ready is taken");
        self.round += 1;
        self.tries += 1;
        self.state = State::Running {
            worker: worker.to_owned(),
            since: now,
            heard: now,
            until: now.after(policy.lease),
            ticket,
        };
    }

    /// Its worker is heard of.
    ///
    /// # Errors
    /// When it is somebody else's.
    pub fn beat(&mut self, claimed: &Self, now: Moment, policy: &Policy) -> Result<(), LeaseLost> {
        let mine = self.is_leased_to(claimed);
        match &mut self.state {
            State::Running { heard, until, .. } if mine => {
                (*heard, *until) = (now, now.after(policy.lease));
                Ok(())
            }
            _ => Err(LeaseLost),
        }
    }

    /// Its worker is through with it.
    ///
    /// # Errors
    /// When it is somebody else's.
    pub fn end(
        &mut self,
        claimed: &Self,
        ending: Ending,
        now: Moment,
        policy: &Policy,
    ) -> Result<Ended, LeaseLost> {
        if !self.is_leased_to(claimed) {
            return Err(LeaseLost);
        }
        Ok(match ending {
            Ending::Done => {
                (self.fault, self.state) = (None, State::Done { at: now });
                Ended::Done
            }
            Ending::GivenBack => {
                self.tries = self.tries.saturating_sub(1);
                self.state = State::Waiting { not_before: None };
                Ended::GivenBack
            }
            Ending::Refused(reason) => self.set_aside(reason, now),
            Ending::Failed(reason) if self.tries >= policy.tries => self.set_aside(reason, now),
            Ending::Failed(reason) => {
                let then = now.after(policy.delay(self.tries));
                (self.fault, self.state) = (Some(reason), State::Waiting { not_before: Some(then) });
                Ended::Later(then)
            }
        })
    }

    /// Its worker was not heard of for too long. Anybody may take it at once, for the lease was delay enough, unless
    /// it has cost so many workers that it must be the job. Nothing happens to a job that does not run.
    pub fn lapse(&mut self, now: Moment, policy: &Policy) {
        let State::Running { worker, .. } = &self.state else { return };
        let text = format!(
            "its worker {worker} was not heard of for {:?}; see what became of it, then retry the job",
            policy.lease
        );
        let reason = Reason::new("WORKER_LOST", &text);
        if self.tries >= policy.tries {
            self.set_aside(reason, now);
        } else {
            (self.fault, self.state) = (Some(reason), State::Waiting { not_before: None });
        }
    }

    /// Somebody has mended the cause.
    pub fn retry(&mut self) -> Change {
        match self.state {
            State::SetAside { .. } => {
                self.tries = 0;
                self.state = State::Waiting { not_before: None };
                Change::Made
            }
            State::Waiting { not_before: Some(_) } => {
                self.state = State::Waiting { not_before: None };
                Change::Made
            }
            _ => Change::NotNow(self.state.as_str()),
        }
    }

    /// Whether somebody may take it out: not from under a worker.
    pub fn may_remove(&self) -> Change {
        match self.state {
            State::Running { .. } => Change::NotNow(self.state.as_str()),
            _ => Change::Made,
        }
    }

    /// Whether a later job of the same lesson, `done`, has made this one pointless: run now, it would put what it was about
    /// in place of what came after it. What runs is left to its worker.
    pub fn is_outdated_by(&self, done: &Self) -> bool {
        !matches!(self.state, State::Running { .. })
            && self.number < done.number
            && self.job.same_lesson(&done.job)
    }

    /// Whether `claimed` is this run of this job: it may have been taken out since, and added again.
    fn is_leased_to(&self, claimed: &Self) -> bool {
        matches!(self.state, State::Running { .. })
            && (self.number, self.round) == (claimed.number, claimed.round)
    }

    fn set_aside(&mut self, reason: Reason, now: Moment) -> Ended {
        (self.fault, self.state) = (Some(reason), State::SetAside { since: now });
        Ended::SetAside
    }

    /// Why the last try failed.
    fn reason(&self) -> Reason {
        self.fault.clone().unwrap_or_else(|| Reason::new("UNKNOWN", "it was set aside without a reason"))
    }

    /// The class of a waiting job, and when it airs where that counts.
    pub(crate) fn urgency(&self) -> (Priority, u64) {
        let airs = self.job.airs_at.filter(|_| self.job.priority == Priority::AirsNext);
        (self.job.priority, airs.map_or(u64::MAX, |at| at.0))
    }

    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("paths were checked when the job was made")
    }

    /// Reads what [`Entry::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it is no entry, or one of a later release.
    pub fn parse(bytes: &[u8]) -> Result<Self, QueueError> {
        /// What every format has.
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(QueueError::Unreadable)?;
        if head.format > FORMAT {
            return Err(QueueError::Newer { found: head.format });
        }
        serde_json::from_slice(bytes).map_err(QueueError::Unreadable)
    }
}

#[cfg(test)]
mod tests;
