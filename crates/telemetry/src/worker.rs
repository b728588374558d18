//! A thread whose end is waited for, but not for ever: what it writes to may hang, and a stop has an end.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread at work.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    thread: Option<JoinHandle<()>>,
    /// Nothing ever comes here: the other end goes with the thread.
    over: Mutex<Receiver<()>>,
}

impl Worker {
    /// Has a thread of this name do it.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(name: &'static str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (lives, over) = sync_channel(0);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _lives: SyncSender<()> = lives;
            work();
        })?;
        Ok(Self { name, thread: Some(thread), over: Mutex::new(over) })
    }

    /// Waits until it has ended, so long at most; whether it has. One that has not goes on until the process ends.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let over = self.over.get_mut().unwrap_or_else(PoisonError::into_inner);
        if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(thread = self.name, "a thread panicked");
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_thread_is_waited_for_and_not_for_ever() {
        let (release, held) = sync_channel::<()>(0);
        let mut worker = Worker::start("held", move || {
            let _ = held.recv();
        })
        .unwrap();
        assert!(!worker.ends_within(Duration::ZERO), "it still works");
        drop(release);
        assert!(worker.ends_within(Duration::MAX));
        assert!(worker.ends_within(Duration::ZERO), "it has ended once and for all");
        let mut panics = Worker::start("panics", || panic!("as asked")).unwrap();
        assert!(panics.ends_within(Duration::MAX));
    }
}
