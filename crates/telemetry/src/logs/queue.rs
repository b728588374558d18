//! Lines on their way out: `who has something to say ─► a bounded queue ─► one thread that writes`.
//!
//! Whoever reads them may stand still: a pipe that nobody empties, a disk that is full or hangs. That holds up the thread that writes
//! and nobody else. What there is no room for meanwhile is dropped and counted, and the log says so once it flows again.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of lines that wait: some five thousand lines, more than a process says in an ordinary day.
pub(super) const MOST_WAITING: usize = 1 << 20;
/// Bytes of them below which the log flows: there is room to say what was lost, and that is not said for every other line.
const FLOWS_BELOW: usize = MOST_WAITING / 2;

/// Between those who log and the thread that writes.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes who writes.
    come: Condvar,
    /// Wakes who waits for the end.
    written: Condvar,
}

struct State {
    lines: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// Lines that were dropped or not taken since the log last said so.
    lost: u64,
    /// Whether the last line was taken.
    flows: bool,
    /// Whether a thread is about a line.
    busy: bool,
    /// Threads that were to write so far.
    writers: u32,
    /// The one of them that does; those before it end. 0: none has come yet.
    writer: u32,
}

impl State {
    fn is_owing(&self) -> bool {
        self.lost > 0 && self.flows && self.bytes < FLOWS_BELOW
    }

    fn is_over(&self) -> bool {
        !self.busy && self.lines.is_empty() && !self.is_owing()
    }
}

impl Queue {
    pub(super) const fn new() -> Self {
        let lines = VecDeque::new();
        let state = State { lines, bytes: 0, lost: 0, flows: true, busy: false, writers: 0, writer: 0 };
        Self { state: Mutex::new(state), come: Condvar::new(), written: Condvar::new() }
    }

    /// Hands a line over; whether there was room for it. Never waits for who reads.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.state();
        if state.bytes + line.len() > MOST_WAITING {
            state.lost += 1;
            return false;
        }
        state.bytes += line.len();
        state.lines.push_back(line.into());
        let sleeps = !state.busy && state.lines.len() == 1;
        drop(state);
        if sleeps {
            self.come.notify_all();
        }
        true
    }

    /// Whether anybody writes.
    pub(super) fn has_writer(&self) -> bool {
        self.state().writers != 0
    }

    /// The number of a thread that is to write. Whichever comes first, it is the last number that goes on.
    pub(super) fn next_writer(&self) -> u32 {
        let mut state = self.state();
        state.writers += 1;
        state.writers
    }

    /// Writes to `out` what comes, until a thread of a later number does so. `failed` hears of each line that was not taken, and `say`
    /// how many were lost, which it logs.
    pub(super) fn write_to(&self, writer: u32, mut out: impl Write, failed: impl Fn(), say: impl Fn(u64)) {
        let mut state = self.state();
        state.writer = state.writer.max(writer);
        self.come.notify_all();
        loop {
            let waits = |state: &mut State| {
                state.writer == writer && (state.busy || (state.lines.is_empty() && !state.is_owing()))
            };
            state = self.come.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            if state.writer != writer {
                return;
            }
            state.busy = true;
            let lost = if state.is_owing() { std::mem::take(&mut state.lost) } else { 0 };
            let line = if lost == 0 { state.lines.pop_front() } else { None };
            state.bytes -= line.as_ref().map_or(0, |line| line.len());
            drop(state);
            // Outside of the lock: it comes back here as a line.
            if lost > 0 {
                say(lost);
            }
            // A call for a line, so that two processes that share the log do not come between each other.
            let taken = line.map(|line| out.write_all(&line).is_ok());
            if taken == Some(false) {
                failed();
            }
            state = self.state();
            state.busy = false;
            if let Some(taken) = taken {
                state.flows = taken;
                state.lost += u64::from(!taken);
            }
            if state.is_over() {
                self.written.notify_all();
            }
            if state.writer != writer {
                // The one that comes after waits until this one is done.
                self.come.notify_all();
                return;
            }
        }
    }

    /// Waits until all is written, so long at most; whether it is.
    pub(super) fn wait_until_written(&self, limit: Duration) -> bool {
        let waits = |state: &mut State| !state.is_over();
        let waited = self.written.wait_timeout_while(self.state(), limit, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_over()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// No machine needs so long.
    const PATIENCE: Duration = Duration::from_secs(60);
    const LINE: usize = 1 << 10;
    const ROOM: usize = MOST_WAITING / LINE;

    /// Shows each line to a test, and then does with it as the test says.
    struct Reader {
        shown: SyncSender<String>,
        takes: Receiver<bool>,
    }

    impl Write for Reader {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // The test may be over.
            let _ = self.shown.send(String::from_utf8_lossy(line).trim_end().to_owned());
            match self.takes.recv() {
                Ok(false) => Err(io::ErrorKind::StorageFull.into()),
                Ok(true) | Err(_) => Ok(line.len()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Scene {
        queue: Arc<Queue>,
        failed: Arc<AtomicU64>,
    }

    impl Scene {
        fn new() -> Self {
            Self { queue: Arc::new(Queue::new()), failed: Arc::default() }
        }

        /// Another thread that writes; what it shows, and where it is told whether that is taken.
        fn writer(&self) -> (Receiver<String>, SyncSender<bool>) {
            let ((shown, shows), (take, takes)) = (sync_channel(0), sync_channel(ROOM * 4));
            let (queue, failed) = (Arc::clone(&self.queue), Arc::clone(&self.failed));
            let number = queue.next_writer();
            std::thread::spawn(move || {
                let say = |lost| assert!(queue.push(format!("{lost} lost").as_bytes()));
                let failed = || {
                    failed.fetch_add(1, Ordering::Relaxed);
                };
                queue.write_to(number, Reader { shown, takes }, failed, say);
            });
            (shows, take)
        }

        fn push(&self, number: usize) -> bool {
            self.queue.push(format!("{number:<LINE$}").as_bytes())
        }
    }

    #[test]
    fn a_reader_that_stands_still_holds_nobody_up_and_hears_what_it_has_missed() {
        let scene = Scene::new();
        let (shown, take) = scene.writer();
        assert!(scene.push(0));
        assert_eq!(shown.recv().unwrap(), "0");
        // It stands still. All of these come back at once.
        assert!((1..=ROOM).all(|number| scene.push(number)));
        assert!((0..7).all(|_| !scene.push(0)));
        assert!(!scene.queue.wait_until_written(Duration::ZERO));
        (0..=ROOM + 1).for_each(|_| take.send(true).unwrap());
        let lines: Vec<_> = (0..=ROOM).map(|_| shown.recv().unwrap()).collect();
        assert!(scene.queue.wait_until_written(PATIENCE));
        let told = lines.iter().position(|line| line == "7 lost").expect("it is told");
        let others = lines.iter().filter(|line| *line != "7 lost");
        assert!(others.eq((1..=ROOM).map(|number| number.to_string()).collect::<Vec<_>>().iter()), "{told}");
    }

    #[test]
    fn a_full_disk_costs_the_lines_of_that_time_and_they_are_told() {
        let scene = Scene::new();
        let (shown, take) = scene.writer();
        for (number, taken) in [false, false, true].into_iter().enumerate() {
            assert!(scene.push(number));
            assert_eq!(shown.recv().unwrap(), number.to_string());
            take.send(taken).unwrap();
        }
        assert_eq!(shown.recv().unwrap(), "2 lost");
        take.send(true).unwrap();
        assert!(scene.queue.wait_until_written(PATIENCE));
        assert_eq!(scene.failed.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn another_thread_writes_behind_the_one_before_it() {
        let scene = Scene::new();
        let (first, take) = scene.writer();
        assert!(scene.push(0));
        assert_eq!(first.recv().unwrap(), "0");
        let (second, take_second) = scene.writer();
        assert!(scene.push(1));
        while scene.queue.state().writer < 2 {
            std::thread::yield_now();
        }
        assert!(second.try_recv().is_err(), "one at a time");
        take.send(true).unwrap();
        assert_eq!(second.recv().unwrap(), "1");
        assert!(first.recv().is_err(), "it has ended");
        take_second.send(true).unwrap();
        assert!(scene.queue.wait_until_written(PATIENCE));
    }
}
