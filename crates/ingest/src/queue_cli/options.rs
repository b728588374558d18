//! What the command line says.

use clap::Args;
use package::LessonId;
use queue::{Policy, Priority};
use std::path::PathBuf;
use units::Span;

/// Which queue.
#[derive(Debug, Args)]
pub struct At {
    /// The queue: a file on a local disk, shared by processes of this machine, or nats://HOST:4222/NAME, shared by
    /// machines. Default: airclass/queue.redb in $STATE_DIRECTORY, $XDG_STATE_HOME or ~/.local/state.
    #[arg(long, env = "AIRCLASS_QUEUE", value_name = "PATH|URL")]
    pub queue: Option<String>,
}

/// What files are to become.
#[derive(Debug, Args)]
pub struct Wish {
    /// Where to publish; as for `run`.
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    pub store: String,
    /// The ladder's file, as workers find it. Default: the one built in.
    #[arg(long, env = "AIRCLASS_LADDER", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// next (it airs soon), new, or re-encode (it is there, with an older recipe).
    #[arg(long, default_value = "new", value_name = "PRIORITY")]
    pub priority: Priority,
}

/// `enqueue`.
#[derive(Debug, Args)]
pub struct Enqueue {
    /// Videos, at paths where workers find them too.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The queue.
    #[command(flatten)]
    pub at: At,
    /// The rest.
    #[command(flatten)]
    pub wish: Wish,
    /// When it airs, with its offset: 2026-09-01T08:00:00+08:00. The soonest goes first; makes the priority `next`.
    #[arg(long, value_name = "TIME")]
    pub airs: Option<jiff::Timestamp>,
    /// Name of the lesson (with one FILE only). Default: made of the file's name.
    #[arg(long, value_name = "ID")]
    pub lesson: Option<LessonId>,
    /// What is said about the lesson, in TOML. Default: the file's name with .toml, when it is there.
    #[arg(long, value_name = "FILE.toml")]
    pub meta: Option<PathBuf>,
}

/// `work`.
#[derive(Debug, Args)]
pub struct Work {
    /// The queue.
    #[command(flatten)]
    pub at: At,
    /// Do one job, if there is one, and end.
    #[arg(long, conflicts_with = "drain")]
    pub once: bool,
    /// End when nothing waits or runs any more, here or elsewhere.
    #[arg(long)]
    pub drain: bool,
    /// Lessons at the same time.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub parallel: u8,
    /// Chunks of one lesson at the same time; as for `run`.
    #[arg(long, env = "AIRCLASS_WORKERS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: Option<u8>,
    /// Sign manifests with this key; `airclass package keygen --out FILE` makes one.
    #[arg(long, env = "AIRCLASS_SIGN_KEY", value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
    /// A worker that is not heard of for so long has lost its job.
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    pub lease: Span,
    /// How often a job is begun before it is set aside.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub tries: u32,
    /// Delay after the first failure; four times as long after each further one, an hour at most.
    #[arg(long, default_value = "30s", value_name = "SPAN")]
    pub back_off: Span,
    /// One JSON object a line on standard output; as for `run`.
    #[arg(long)]
    pub json: bool,
}

impl Work {
    /// How patient the queue is.
    pub fn policy(&self) -> Policy {
        Policy { lease: self.lease.0, tries: self.tries, back_off: self.back_off.0 }
    }
}

/// `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// The folder; not what lies in folders below it. Nothing in it is moved or written.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The queue.
    #[command(flatten)]
    pub at: At,
    /// The rest.
    #[command(flatten)]
    pub wish: Wish,
    /// A file that has not changed for so long is complete.
    #[arg(long, default_value = "10s", value_name = "SPAN")]
    pub settle: Span,
    /// How often the folder is looked at.
    #[arg(long, default_value = "2s", value_name = "SPAN")]
    pub every: Span,
    /// Where it is remembered what was enqueued. Default: in the state folder, by the folder's path.
    #[arg(long, value_name = "FILE")]
    pub memory: Option<PathBuf>,
    /// End when every file that is there has been enqueued.
    #[arg(long)]
    pub once: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The queue.
    #[command(flatten)]
    pub at: At,
    /// As one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Let a job that was set aside or delayed run again at once. KEY: its beginning is enough.
    #[arg(long, value_name = "KEY")]
    pub retry: Option<String>,
    /// Take a job out that does not run.
    #[arg(long, value_name = "KEY", conflicts_with = "retry")]
    pub remove: Option<String>,
}
