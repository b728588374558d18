//! What the tests play on: a queue of either kind, jobs, and time.

use package::{Description, Digest};
use queue::{Added, Claim, Clock, Entry, Job, Local, Moment, Nats, Policy, Priority, Queue, Repeat, System};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use testkit::nats::NatsServer;

/// As long as a job may take to come; a bound, not a pace.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A lease that ends under no test that does not mean it to, however long a busy machine stands still.
pub(crate) const LONG: Duration = Duration::from_secs(180);
/// One that is waited for where time is the server's.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// A clock that the test moves.
#[derive(Default)]
pub(crate) struct Hands(pub(crate) AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

/// One of the two kinds.
pub(crate) enum Stage {
    /// Time is the test's.
    File { path: PathBuf, _folder: tempfile::TempDir, clock: Arc<Hands> },
    /// Time is the server's: delays are short, and waited for.
    Server(NatsServer),
}

impl Stage {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands(AtomicU64::new(1_790_000_000_000)));
        Self::File { path: folder.path().join("state/queue.redb"), _folder: folder, clock }
    }

    pub(crate) fn server() -> Self {
        Self::Server(NatsServer::start())
    }

    /// What a command line names it by.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::File { path, .. } => path.to_str().unwrap().to_owned(),
            Self::Server(server) => server.address("q"),
        }
    }

    /// Patience that suits the kind.
    pub(crate) fn policy(&self) -> Policy {
        match self {
            Self::File { .. } => Policy { tries: 3, ..Policy::default() },
            Self::Server(_) => Policy { lease: LONG, tries: 3, back_off: Duration::from_millis(100) },
        }
    }

    /// The queue, opened anew.
    pub(crate) fn open(&self) -> Arc<dyn Queue> {
        self.open_with(self.policy())
    }

    /// The same with another lease. On a server it is then that of all who work there.
    pub(crate) fn open_for(&self, lease: Duration) -> Arc<dyn Queue> {
        self.open_with(Policy { lease, ..self.policy() })
    }

    /// The same with another patience.
    pub(crate) fn open_with(&self, policy: Policy) -> Arc<dyn Queue> {
        match self {
            Self::File { path, clock, .. } => {
                let clock = Arc::clone(clock) as Arc<dyn Clock>;
                Arc::new(Local::open(path, policy, clock).unwrap())
            }
            Self::Server(server) => {
                Arc::new(Nats::open(&server.address("q"), policy, Arc::new(System)).unwrap())
            }
        }
    }

    /// Lets so much time pass where time is ours; on a server, claims wait for it.
    pub(crate) fn pass(&self, span: Duration) {
        if let Self::File { clock, .. } = self {
            clock.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
        }
    }
}

/// A job named so.
pub(crate) fn job(name: &str, priority: Priority) -> Job {
    Job {
        source: format!("/lessons/{name}.mp4").into(),
        content: Digest::of(name.as_bytes()),
        lesson: name.parse().unwrap(),
        description: Description::default(),
        store: "/store".to_owned(),
        ladder: None,
        recipe: Digest::of(b"ladder"),
        priority,
        airs_at: None,
    }
}

/// The same, airing then.
pub(crate) fn airing(name: &str, at: u64) -> Job {
    Job { airs_at: Some(Moment(at)), ..job(name, Priority::AirsNext) }
}

pub(crate) fn add(queue: &dyn Queue, job: Job) -> Added {
    queue.add(&[job], Repeat::Allowed).unwrap().remove(0)
}

/// A claim that must come.
pub(crate) fn claim(queue: &dyn Queue, worker: &str) -> Claim {
    queue.claim(worker, PATIENCE).unwrap().expect("there is a job")
}

/// A claim that must not come.
pub(crate) fn nothing(queue: &dyn Queue) {
    let claim = queue.claim("nobody", Duration::ZERO).unwrap();
    assert!(claim.is_none(), "{:?}", claim.map(|claim| claim.entry));
}

pub(crate) fn name(entry: &Entry) -> &str {
    entry.job.lesson.as_str()
}

/// Names and states, in the queue's order.
pub(crate) fn states(queue: &dyn Queue) -> Vec<(String, &'static str)> {
    queue.list().unwrap().iter().map(|entry| (name(entry).to_owned(), entry.state.as_str())).collect()
}
