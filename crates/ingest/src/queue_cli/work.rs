//! `airclass-ingest work`: takes jobs, does them, says how they ended.

use super::QueueUsage;
use super::keeper::keep;
use super::lane::Lane;
use super::options::Work;
use crate::cancel::Cancel;
use crate::ffmpeg::{self, Verbosity};
use crate::job::{self, Ended, Workshop};
use crate::progress::{self, Report};
use crate::quality::Policy;
use crate::worker::Limits;
use crate::{run, signals};
use faults::{AnyFault, Blame, note};
use queue::{Claim, Ending, Hold, Job, Queue, QueueError, Reason, State};
use signing::SigningKey;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;
use storage::Store;

/// How long a claim waits before it is looked whether somebody wants to stop.
const WAIT: Duration = Duration::from_secs(1);
/// How often a queue that does not answer is told of the end of a job, or asked whose it is. The job comes back when it is not heard.
const TRIES: usize = 5;

/// Runs it.
pub fn run(options: &Work) -> ExitCode {
    ffmpeg::set_up(Verbosity::Silent);
    match begin(options) {
        Ok(status) => status,
        Err(fault) => fault.report(),
    }
}

fn begin(options: &Work) -> Result<ExitCode, AnyFault> {
    let queue = super::open(options.at.queue.as_deref(), options.policy())?;
    let stop = Cancel::new();
    signals::stop_on_interrupt(&stop)
        .map_err(|source| QueueUsage::System { what: "signal handler", source })?;
    let sign_key = options.sign_key.as_deref().map(SigningKey::read).transpose()?;
    let crew = Crew {
        queue: &*queue,
        options,
        sign_key,
        stop: &stop,
        worst: AtomicU8::new(0),
        failed: AtomicBool::new(false),
    };
    match crew.work() {
        Some(fault) => Err(fault),
        None if stop.is_stopped() => Ok(ExitCode::from(run::INTERRUPTED)),
        None => Ok(ExitCode::from(crew.worst.into_inner())),
    }
}

/// What the lanes of one process share.
struct Crew<'a> {
    queue: &'a dyn Queue,
    options: &'a Work,
    sign_key: Option<SigningKey>,
    stop: &'a Cancel,
    /// The worst exit status of jobs that were set aside.
    worst: AtomicU8,
    /// Whether a lane has lost the queue: the others end their jobs, and take no more. With one of two the process would go on for
    /// ever, at half its work, and nobody would start it anew.
    failed: AtomicBool,
}

impl Crew<'_> {
    /// All lanes; why one of them could not go on.
    fn work(&self) -> Option<AnyFault> {
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..self.options.parallel)
                .map(|number| {
                    scope.spawn(move || {
                        let end = self.lane(number);
                        self.failed.fetch_or(end.is_err(), Ordering::Relaxed);
                        end
                    })
                })
                .collect();
            hands.into_iter().filter_map(|hand| hand.join().unwrap_or(Ok(())).err()).last()
        })
    }

    /// One lane: job after job.
    fn lane(&self, number: u8) -> Result<(), AnyFault> {
        let name = worker_name(number);
        while !self.stop.is_stopped() && !self.failed.load(Ordering::Relaxed) {
            let wait = if self.options.once { Duration::ZERO } else { WAIT };
            match self.queue.claim(&name, wait)? {
                Some(claim) => self.perform(&claim)?,
                None if self.options.drain && self.is_drained()? => break,
                None => {}
            }
            if self.options.once {
                break;
            }
        }
        Ok(())
    }

    fn is_drained(&self) -> Result<bool, AnyFault> {
        Ok(self.queue.list()?.iter().all(|entry| matches!(entry.state, State::SetAside { .. })))
    }

    fn perform(&self, claim: &Claim) -> Result<(), AnyFault> {
        let job = &claim.entry.job;
        let mut report: Box<dyn Report> = if self.options.parallel == 1 {
            progress::report(self.options.json)
        } else {
            Box::new(Lane { lesson: job.lesson.clone(), json: self.options.json })
        };
        let every = self.options.policy().beat_every();
        let (ended, lost) =
            keep(self.queue, claim, every, self.stop, |cancel| self.ingest(claim, cancel, report.as_mut()));
        let mut blame = Blame::Ours;
        let ending = match ended {
            Ok(()) => Ending::Done,
            Err(Ended::Stopped) if lost => {
                tell_lost(job);
                return Ok(());
            }
            Err(Ended::Stopped) => Ending::GivenBack,
            Err(Ended::Fault(fault)) => {
                run::tell(report.as_mut(), &fault);
                blame = fault.blame();
                ending(&fault)
            }
        };
        match insist(|| self.queue.end(claim, ending.clone()))? {
            Ok(queue::Ended::SetAside) => {
                self.worst.fetch_max(blame.exit_status(), Ordering::Relaxed);
                let key = &claim.entry.key().to_string()[..12];
                note!("note: lesson {} is set aside; airclass-ingest status --retry {key}", job.lesson);
            }
            Ok(queue::Ended::Later(_)) => note!("note: lesson {} is tried again later", job.lesson),
            Ok(queue::Ended::GivenBack) => note!("note: lesson {} is given back", job.lesson),
            Ok(queue::Ended::Done) => {}
            Err(queue::LeaseLost) => tell_lost(job),
        }
        Ok(())
    }

    /// Whether the job is still this worker's. A queue that gave no answer for a while may have given it to another one, which has ended
    /// it since; nobody knows what was made of the lesson after that.
    fn hold(&self, claim: &Claim) -> Result<(), Ended> {
        match insist(|| self.queue.beat(claim))? {
            Hold::Held => Ok(()),
            Hold::Lost => Err(Ended::Stopped),
        }
    }

    /// The one place where a job meets the ingest.
    fn ingest(&self, claim: &Claim, cancel: &Cancel, report: &mut dyn Report) -> Result<(), Ended> {
        let job = &claim.entry.job;
        let ladder = run::ladder(job.ladder.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| QueueUsage::System { what: "event queue", source })?;
        let store = runtime.block_on(Store::create(&job.store))?;
        let quality = Policy { target: Some(ladder.audio.target()), ..Policy::shipped()? };
        let workshop = Workshop {
            runtime: &runtime,
            store: &store,
            ladder: &ladder,
            quality: &quality,
            toolbox: run::toolbox(),
            subtitles: &[],
            workers: self.options.workers.map_or_else(run::default_workers, usize::from),
            limits: Limits::default(),
            sign_key: self.sign_key.as_ref(),
            cancel,
            hold: &|| self.hold(claim),
        };
        job::ingest(&workshop, &job.source, &job.lesson, &job.description, report).map(drop)
    }
}

/// Asks until there is an answer.
fn insist<T>(ask: impl Fn() -> Result<T, QueueError>) -> Result<T, QueueError> {
    let mut tries = 1;
    loop {
        match ask() {
            Err(_) if tries < TRIES => tries += 1,
            answer => return answer,
        }
    }
}

fn tell_lost(job: &Job) {
    note!("note: lesson {} is another worker's by now", job.lesson);
}

/// Bad input is set aside at once. A store or a disk that is away may come back, whoever is to blame.
fn ending(fault: &AnyFault) -> Ending {
    let line = fault.line();
    let text = line.strip_prefix(fault.code()).map_or(line.as_str(), |rest| rest.trim_start_matches(": "));
    let reason = Reason::new(fault.code(), text);
    let may_pass = fault.code().starts_with("STORE_") || fault.code() == "SOURCE_UNREADABLE";
    match fault.blame() {
        Blame::Input if !may_pass => Ending::Refused(reason),
        _ => Ending::Failed(reason),
    }
}

/// `host/process` and a number of the lane beyond the first.
fn worker_name(number: u8) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    match number {
        0 => format!("{host}/{}", std::process::id()),
        number => format!("{host}/{}.{number}", std::process::id()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use queue::{Added, Change, Entry, JobKey, LeaseLost, Repeat};
    use std::sync::Mutex;

    /// A queue without jobs, which one of those who ask has lost.
    struct LostByOne(Mutex<bool>);

    impl Queue for LostByOne {
        fn claim(&self, _: &str, _: Duration) -> Result<Option<Claim>, QueueError> {
            let was_lost = std::mem::replace(&mut *self.0.lock().unwrap(), true);
            if was_lost { Ok(None) } else { Err(QueueError::Contended) }
        }

        fn add(&self, _: &[Job], _: Repeat) -> Result<Vec<Added>, QueueError> {
            Ok(Vec::new())
        }

        fn beat(&self, _: &Claim) -> Result<Hold, QueueError> {
            Ok(Hold::Lost)
        }

        fn end(&self, _: &Claim, _: Ending) -> Result<Result<queue::Ended, LeaseLost>, QueueError> {
            Ok(Err(LeaseLost))
        }

        fn list(&self) -> Result<Vec<Entry>, QueueError> {
            Ok(Vec::new())
        }

        fn done(&self) -> Result<Vec<Entry>, QueueError> {
            Ok(Vec::new())
        }

        fn retry(&self, _: &JobKey) -> Result<Change, QueueError> {
            Ok(Change::Unknown)
        }

        fn remove(&self, _: &JobKey) -> Result<Change, QueueError> {
            Ok(Change::Unknown)
        }
    }

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        work: Work,
    }

    /// When the server was restarted the lane that waited was gone, and the process stayed with the others.
    #[test]
    fn a_lane_that_has_lost_the_queue_ends_the_process() {
        let Line { work } = Line::parse_from(["work", "--parallel", "3"]);
        let crew = Crew {
            queue: &LostByOne(Mutex::new(false)),
            options: &work,
            sign_key: None,
            stop: &Cancel::new(),
            worst: AtomicU8::new(0),
            failed: AtomicBool::new(false),
        };
        assert_eq!(crew.work().expect("it is told").code(), "QUEUE_CONTENDED");
    }
}
