//! The thread that writes, opens the store, and looks after the disk.

use super::work::{Job, Work};
use super::{Disk, Found, LOT, Opened, Patience, Stage, State};
use crate::clock;
use crate::media::is_full;
use crate::queue::Popped;
use crate::volume::{Begin, Object, OpenError, Volume, Wanted, WriteError};
use bytes::Bytes;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Removals written down at once.
const BATCH: usize = 4_096;

/// How long what is still to be written keeps a disk that is to be let go: the next process's clients wait for it.
const LET_GO_WITHIN: Duration = Duration::from_millis(500);
/// Between two looks whether it is written.
const LEAVING_LOOK: Duration = Duration::from_millis(10);
/// Until a disk that another process has is tried again, while it is expected to give way in a moment.
const GIVING_WAY: Duration = Duration::from_millis(10);
/// The same when it has not: somebody has made a mistake.
const LOCKED_WAIT: Duration = Duration::from_millis(100);

/// What a disk asks of its caller.
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    pub(crate) opened: Opened,
}

/// When something that failed is tried again, and what else is to be done from time to time.
#[derive(Debug, Default)]
struct Retry {
    wait: Duration,
    at: Option<Instant>,
    /// Since when removals are written down and not yet on the disk.
    removed_since: Option<Instant>,
    /// When it was last looked whether the directory is there.
    looked: Option<Instant>,
    /// Since when the disk is being let go.
    leaving: Option<Instant>,
    /// It has been said that another process has it.
    said: bool,
    /// The store that was open last.
    store: Option<u64>,
}

impl Retry {
    fn failed(&mut self, now: Instant, patience: &Patience) {
        self.wait = (self.wait * 2).clamp(patience.first_wait, patience.longest_wait);
        self.at = Some(now + self.wait);
    }

    /// Somebody else has it.
    fn locked(&mut self, now: Instant, wait: Duration, patience: &Patience) {
        self.at = Some(now + wait.min(patience.longest_wait));
    }

    /// Until there is something to do.
    fn until_next(&self, now: Instant, tend_every: Duration) -> Duration {
        if self.leaving.is_some() {
            return LEAVING_LOOK.min(tend_every);
        }
        // What is due and was not done waits for a write.
        let next = self.at.map(|at| at.saturating_duration_since(now)).filter(|wait| !wait.is_zero());
        next.map_or(tend_every, |next| next.min(tend_every))
    }

    fn succeeded(&mut self) {
        (self.wait, self.at) = (Duration::ZERO, None);
    }

    fn is_due(&self, now: Instant) -> bool {
        self.at.is_none_or(|at| now >= at)
    }
}

impl Disk {
    pub(super) fn write_until_closed(&self, asked: &Asked) {
        let mut retry = Retry::default();
        self.open(asked, &mut retry);
        loop {
            let wait = retry.until_next(clock::now(), self.patience.tend_every);
            // What is to be written waits for a disk that will be there in a moment.
            let popped = if self.is_opening() { self.writes.rest(wait) } else { self.writes.pop(wait) };
            let closed = matches!(popped, Popped::Closed);
            let worked = matches!(popped, Popped::Item(_));
            self.writing.begins(0);
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn(popped, asked, &mut retry)));
            self.writing.ends(0);
            if worked {
                self.in_hand.fetch_sub(1, Ordering::SeqCst);
            }
            if turn.is_err() {
                tracing::error!(disk = self.label, "writing panicked; this is a bug");
                self.take_offline(&mut retry);
            }
            // What waited for a disk that has come with the last turn is written, too.
            if closed && (self.is_opening() || self.writes.weight() == 0) {
                return self.reach(Stage::Ended);
            }
        }
    }

    fn turn(&self, popped: Popped<Job>, asked: &Asked, retry: &mut Retry) {
        let is_last = matches!(popped, Popped::Closed);
        if is_last && self.pending(|pending| pending.is_owing()) {
            // There is no later for what was removed.
            retry.succeeded();
        }
        self.look_after(asked, retry);
        let volume = self.volume();
        // A disk whose last write failed is tried again with the next one, when it is time.
        let volume = volume.filter(|volume| {
            !volume.is_let_go() && (self.state() == State::Online || retry.is_due(clock::now()))
        });
        match (popped, volume) {
            (Popped::Item(job), Some(volume)) => {
                let began = clock::now();
                self.counters.write_jobs.inc();
                self.work(&volume, job, retry);
                self.counters.write_micros.add_since(began);
            }
            (Popped::Item(job), None) => {
                self.counters.dropped_writes.inc();
                self.abandon(job);
            }
            (Popped::Nothing | Popped::Closed, Some(volume)) => {
                let reached = self.pending(|pending| pending.last_ticket());
                let done = self.note_removals(&volume, retry).and_then(|()| volume.flush_rest());
                if done.is_ok() {
                    retry.removed_since = None;
                }
                self.wrote(done, retry);
                if is_last && self.pending(|pending| pending.is_owing()) {
                    self.note_left(&volume);
                }
                // Only what was queued before: a job may have come since.
                if self.writes.weight() == 0 {
                    self.pending(|pending| pending.reached(reached));
                }
            }
            (Popped::Nothing | Popped::Closed, None) => {}
        }
    }

    fn work(&self, volume: &Volume, job: Job, retry: &mut Retry) {
        if let Err(error) = self.note_removals(volume, retry) {
            self.wrote(Err(error), retry);
            self.counters.dropped_writes.inc();
            return self.abandon(job);
        }
        let overtaken = self.pending(|pending| {
            // All work before this one is through.
            pending.reached(job.ticket);
            pending.overtakes(&job.key, job.ticket)
        });
        if overtaken {
            return;
        }
        let key = job.key.clone();
        let is_put = matches!(job.work, Work::Put { .. });
        let done = match job.work {
            Work::Put { generation, object } => {
                let generation = generation.unwrap_or_else(|| volume.next_generation());
                self.put(volume, (job.ticket, job.key), generation, object, retry)
            }
            Work::Extend { generation, blocks } => volume.extend(&job.key, generation, blocks),
            Work::Freshen { generation, head } => volume.freshen(&job.key, generation, head),
            // Whoever asked may be gone.
            Work::Pin { until, done } => {
                volume.pin(&job.key, until).map(|pinned| done.send(pinned).map_or((), drop))
            }
            // Nobody may be waiting any more.
            Work::Flush(done) => {
                volume.flush().map_err(WriteError::from).map(|()| done.send(()).unwrap_or(()))
            }
            Work::Note { text, done } => {
                let noted = volume.flush().map(|()| volume.write_note(&(text.0)()));
                match noted.map_err(WriteError::from) {
                    // It takes records all the same, which lie where room was kept for them.
                    Ok(Err(error)) if is_full(&error) => {
                        tracing::error!(disk = self.label, %error, "what is to be noted on the disk is not");
                        Ok(())
                    }
                    Ok(noted) => noted.map_err(WriteError::from).map(|()| done.send(()).unwrap_or(())),
                    Err(error) => Err(error),
                }
            }
        };
        match done {
            Ok(()) => self.wrote(Ok(()), retry),
            Err(WriteError::Superseded) => {}
            Err(error) => {
                self.counters.dropped_writes.inc();
                if is_put {
                    self.remove(key);
                }
                if let WriteError::Io(error) = error {
                    self.wrote(Err(error), retry);
                }
            }
        }
    }

    /// Writes a version of an object, a long one lot by lot: between two of them what was removed is written down, and whoever
    /// looks sees that the disk comes on.
    fn put(
        &self,
        volume: &Volume,
        (ticket, key): (u64, Bytes),
        generation: u64,
        object: Object,
        retry: &mut Retry,
    ) -> Result<(), WriteError> {
        volume.fits(&key, &object)?;
        let Object { head, length, mut blocks } = object;
        let mut rest = blocks.split_off(lot(&blocks));
        volume.put(key.clone(), generation, Object { head, length, blocks })?;
        while !rest.is_empty() {
            self.writing.begins(0);
            self.note_removals(volume, retry)?;
            // The next process waits for the disk: what there is of it has to do.
            if self.is_leaving() || self.pending(|pending| pending.overtakes(&key, ticket)) {
                return Ok(());
            }
            let then = rest.split_off(lot(&rest));
            volume.extend(&key, generation, std::mem::replace(&mut rest, then))?;
        }
        Ok(())
    }

    /// Writes removals down before any work that came after them. Within a second they are on the disk.
    fn note_removals(&self, volume: &Volume, retry: &mut Retry) -> io::Result<()> {
        let removed = self.pending(|pending| pending.to_note());
        for batch in removed.chunks(BATCH) {
            let due = batch.iter().filter(|removal| removal.is_due(volume.may_hold(&removal.key)));
            let mut due = due.map(|removal| &removal.key[..]).peekable();
            if due.peek().is_some() {
                volume.note_removed(due)?;
                retry.removed_since.get_or_insert_with(clock::now);
            }
            self.pending(|pending| pending.noted(batch));
        }
        let tired = |since: Instant| clock::now().duration_since(since) > self.patience.tend_every;
        if retry.removed_since.is_some_and(tired) {
            volume.flush()?;
            retry.removed_since = None;
        }
        Ok(())
    }

    /// What became of a write.
    fn wrote(&self, done: io::Result<()>, retry: &mut Retry) {
        match (done, self.state()) {
            (Ok(()), State::ReadOnly) => {
                retry.succeeded();
                self.set_state(State::Online);
                tracing::info!(disk = self.label, "the disk takes writes again");
            }
            (Err(error), State::Online | State::ReadOnly) => {
                if self.state() == State::Online {
                    tracing::error!(disk = self.label, %error, "a write failed; the disk is only read for a while");
                }
                retry.failed(clock::now(), &self.patience);
                self.set_state(State::ReadOnly);
            }
            _ => {}
        }
    }

    /// Lets the disk go when everything is written. What is being read is read on beside the next process: each byte is verified.
    fn leave(&self, retry: &mut Retry) {
        let now = clock::now();
        let Some(volume) = self.volume() else { return };
        if volume.is_let_go() {
            if !self.is_in_use() {
                self.set_volume(None);
            }
            return;
        }
        let since = *retry.leaving.get_or_insert(now);
        if self.in_hand.load(Ordering::SeqCst) > 0 && now.duration_since(since) < LET_GO_WITHIN {
            return;
        }
        let written = self.note_removals(&volume, retry).and_then(|()| volume.flush_rest());
        if let Err(error) = written {
            tracing::error!(disk = self.label, %error, "the last of what was to be written is not");
            self.note_left(&volume);
        }
        volume.let_go();
        self.set_state(State::Offline);
        retry.leaving = None;
        tracing::info!(disk = self.label, "the disk is let go");
    }

    /// Opens what is away, leaves alone what has gone.
    fn look_after(&self, asked: &Asked, retry: &mut Retry) {
        let now = clock::now();
        if self.is_leaving() {
            return self.leave(retry);
        }
        let looks = retry.looked.is_none_or(|looked| now.duration_since(looked) >= self.patience.tend_every);
        if looks {
            retry.looked = Some(now);
        }
        match self.state() {
            State::Online | State::ReadOnly if looks && !self.folder.is_there() => {
                tracing::error!(
                    disk = self.label,
                    "the directory is gone; the disk is left alone for a while"
                );
                self.take_offline(retry);
            }
            State::Online | State::ReadOnly if self.pending(|pending| pending.is_lost()) => {
                tracing::warn!(
                    disk = self.label,
                    "more was removed than can be remembered; the disk begins empty"
                );
                self.set_volume(None);
                self.open(asked, retry);
            }
            State::Online | State::ReadOnly => {}
            // Readers have given it up.
            State::Offline if self.volume().is_some() => self.take_offline(retry),
            State::Opening | State::Offline if retry.is_due(clock::now()) => self.open(asked, retry),
            State::Opening | State::Offline => {}
        }
    }

    fn take_offline(&self, retry: &mut Retry) {
        // A directory that was unmounted or renamed still takes it. From a disk that is out nobody will hear of it.
        if let Some(volume) = self.volume() {
            self.note_left(&volume);
        }
        self.set_state(State::Offline);
        self.set_volume(None);
        retry.failed(clock::now(), &self.patience);
    }

    pub(super) fn note_left(&self, volume: &Volume) {
        if let Err(error) = volume.note_left() {
            tracing::warn!(disk = self.label, %error, "it cannot be noted on the disk that it is left alone");
        }
    }

    fn set_volume(&self, volume: Option<Arc<Volume>>) {
        *self.volume.write().unwrap_or_else(PoisonError::into_inner) = volume;
    }

    fn open(&self, asked: &Asked, retry: &mut Retry) {
        let before = self.state();
        // Two random numbers, from the only source of randomness of the standard library.
        let random = || RandomState::new().hash_one(0_u8);
        let begin = Begin { identity: (random(), random()), anew: self.pending(|pending| pending.is_lost()) };
        let opened = Volume::open(
            &*self.folder,
            self.geometry,
            begin,
            Arc::clone(&asked.wanted),
            Arc::clone(&self.counters),
        );
        let noted = opened.and_then(|volume| Ok((volume.note()?, volume)));
        match noted {
            Ok(((note, left), volume)) => {
                let store = volume.name();
                // What this process has removed meanwhile is remembered, and written down first of all.
                let is_known = retry.store.replace(store) == Some(store);
                (asked.opened)(Found { store, note, left: left && !is_known });
                if begin.anew {
                    self.pending(|pending| pending.begin_anew());
                }
                tracing::info!(disk = self.label, objects = volume.objects(), "disk open");
                self.failed_reads.store(0, Ordering::Relaxed);
                self.set_volume(Some(Arc::new(volume)));
                self.set_state(State::Online);
                retry.succeeded();
            }
            Err(OpenError::Locked) => {
                if !std::mem::replace(&mut retry.said, true) {
                    tracing::warn!(
                        disk = self.label,
                        "another process has the disk; it is used when that lets it go"
                    );
                }
                let is_expected = self.is_opening();
                if !is_expected {
                    self.set_state(State::Offline);
                }
                let wait = if is_expected { GIVING_WAY } else { LOCKED_WAIT };
                retry.locked(clock::now(), wait, &self.patience);
            }
            Err(error) => {
                if before == State::Opening {
                    tracing::error!(disk = self.label, %error, "the disk cannot be used; it is tried again");
                }
                self.set_state(State::Offline);
                retry.failed(clock::now(), &self.patience);
            }
        }
        self.reach(Stage::Settled);
    }
}

/// How many of the first of these blocks are written in one go.
fn lot(blocks: &[(u32, Bytes)]) -> usize {
    let mut bytes = 0;
    let fits = |(_, block): &&(u32, Bytes)| {
        bytes += block.len();
        bytes <= LOT
    };
    blocks.iter().take_while(fits).count().max(1).min(blocks.len())
}
