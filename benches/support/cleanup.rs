//! Nothing is left behind: no process, no directory, however the bench ends.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

/// What a signal must clean up, since it runs no destructor.
static LEFT: Mutex<Left> = Mutex::new(Left { groups: Vec::new(), directory: None });

struct Left {
    groups: Vec<Pid>,
    directory: Option<PathBuf>,
}

/// The status a shell gives to a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// The directory of this run. Gone when dropped, or when the bench is interrupted.
pub(crate) struct Workplace(TempDir);

impl Workplace {
    pub(crate) fn open() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("airclass-bench-")
            .tempdir()
            .context("no temporary directory; set TMPDIR to a place that can be written")?;
        left().directory = Some(directory.path().to_owned());
        std::thread::Builder::new().name("signals".to_owned()).spawn(watch_signals)?;
        Ok(Self(directory))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A fresh directory inside.
    pub(crate) fn directory(&self, name: &str) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix(name).tempdir_in(self.path())?)
    }
}

/// A process group that must not outlive us.
pub(crate) fn started(group: Pid) {
    left().groups.push(group);
}

/// It is gone.
pub(crate) fn stopped(group: Pid) {
    left().groups.retain(|&known| known != group);
}

fn left() -> std::sync::MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch_signals() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let signalled = runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return false;
        };
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        true
    });
    if signalled {
        let left = left();
        for &group in &left.groups {
            let _ = killpg(group, Signal::SIGKILL);
        }
        if let Some(directory) = &left.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
        eprintln!("bench: interrupted; everything it had started is stopped");
        std::process::exit(INTERRUPTED);
    }
}
