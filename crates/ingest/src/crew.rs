//! Several units of a lesson at once, each as a task of its own; what others have done already is taken as it is, and
//! what others are doing is left to them.

use crate::cancel::Cancel;
use crate::claim::{BEAT_EVERY, Holder, Onlooker};
use crate::fault::{MediaError, SourceFault};
use crate::spool::{Held, Spool};
use crate::task::{Answer, Header, Task};
use crate::unit::{Piece, Record, Unit};
use crate::worker::{self, Limits};
use package::Rendition;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::StoreError;

/// Reports on their way to whoever shows progress.
const REPORTS: usize = 64;
/// How long to wait before looking again at units that others hold.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why the units did not all get done.
#[derive(Debug, thiserror::Error)]
pub enum CrewError {
    /// A task failed.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// What it made could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else has published the package meanwhile.
    #[error("the package was published by another process")]
    Overtaken,
}

impl CrewError {
    /// Somebody else's doing; the error to tell is another one's.
    fn is_echo(&self) -> bool {
        matches!(self, Self::Media(MediaError::Stopped))
    }
}

/// What a crew tells while it works.
enum Report {
    /// Segments were made now, or were there.
    Segments(u64),
    /// A unit is done.
    Done(usize, Record),
    /// A unit failed.
    Failed(CrewError),
}

/// Who does the units of one lesson.
pub struct Crew<'a> {
    /// The source.
    pub file: &'a File,
    /// Where results go.
    pub spool: &'a Spool<'a>,
    /// How many work at once, at least 1.
    pub workers: usize,
    /// What each may take.
    pub limits: &'a Limits,
    /// Whether the package is published: nothing is left to do then.
    pub published: &'a (dyn Fn() -> Result<bool, StoreError> + Sync),
    /// Ctrl-C.
    pub cancel: &'a Cancel,
}

/// Units nobody of this crew has begun, and what is known about those who have.
struct Waiting {
    units: Vec<usize>,
    onlooker: Onlooker,
}

/// What to do next.
enum Next {
    /// It is ours to do.
    Do(usize, Held),
    /// It is done.
    Done(usize, Record),
    /// All that is left is being done by others.
    Wait,
    /// Nothing is left.
    Nothing,
}

/// One crew at work.
struct Shift<'a> {
    crew: &'a Crew<'a>,
    units: &'a [Unit],
    task: &'a (dyn Fn(&Unit) -> Task + Sync),
    me: Holder,
    waiting: Mutex<Waiting>,
    /// Told when a worker of ours fails or ends: those who wait for others look again.
    changed: Condvar,
    cancel: Cancel,
}

impl Crew<'_> {
    /// Does `units`; gives their records in the same order. `progress` is told the number of segments done, now and then.
    ///
    /// # Errors
    /// The first unit's that failed; the others are stopped then. What was done stays done.
    pub fn work(
        &self,
        units: &[Unit],
        task: &(dyn Fn(&Unit) -> Task + Sync),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<Record>, CrewError> {
        let waiting = Waiting { units: (0..units.len()).collect(), onlooker: Onlooker::default() };
        let shift = Shift {
            crew: self,
            units,
            task,
            me: Holder::me(),
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
            cancel: self.cancel.within(),
        };
        let (reports, told) = sync_channel(REPORTS);
        let mut records: Vec<Option<Record>> = vec![None; units.len()];
        let mut failed: Option<CrewError> = None;
        std::thread::scope(|scope| {
            for _ in 0..self.workers.min(units.len()) {
                let (shift, reports) = (&shift, reports.clone());
                scope.spawn(move || shift.worker(&reports));
            }
            drop(reports);
            let mut segments = 0;
            for report in told {
                match report {
                    Report::Segments(more) => {
                        segments += more;
                        progress(segments);
                    }
                    Report::Done(index, record) => records[index] = Some(record),
                    Report::Failed(error) => {
                        // The others stop at their next step; their own "stopped" is no news.
                        shift.cancel.stop();
                        shift.changed.notify_all();
                        if failed.as_ref().is_none_or(CrewError::is_echo) {
                            failed = Some(error);
                        }
                    }
                }
            }
        });
        match failed {
            Some(error) => Err(error),
            None => records.into_iter().collect::<Option<_>>().ok_or(MediaError::Crashed("crew").into()),
        }
    }
}

impl Shift<'_> {
    /// Takes one unit after another until nothing is left.
    fn worker(&self, reports: &SyncSender<Report>) {
        loop {
            let report = match self.next() {
                Err(error) => Report::Failed(error),
                Ok(Next::Nothing) => return,
                Ok(Next::Wait) => {
                    let waiting = self.waiting();
                    drop(self.changed.wait_timeout(waiting, LOOK_AGAIN));
                    continue;
                }
                Ok(Next::Done(index, record)) => {
                    let segments = record.pieces.iter().filter(|piece| is_segment(&piece.header)).count();
                    let _ = reports.send(Report::Segments(segments as u64));
                    Report::Done(index, record)
                }
                Ok(Next::Do(index, held)) => match self.unit(&self.units[index], held, reports) {
                    Ok(record) => Report::Done(index, record),
                    Err(error) => Report::Failed(error),
                },
            };
            let failed = matches!(report, Report::Failed(_));
            if reports.send(report).is_err() || failed {
                return;
            }
        }
    }

    /// Finds something to do. The first unit that nobody is at, in order: sound is first, since it takes longest.
    fn next(&self) -> Result<Next, CrewError> {
        self.cancel.check()?;
        let mut waiting = self.waiting();
        if waiting.units.is_empty() {
            return Ok(Next::Nothing);
        }
        // Who publishes clears the spool: without looking there first, all would be done again.
        if (self.crew.published)()? {
            return Err(CrewError::Overtaken);
        }
        let Waiting { units, onlooker } = &mut *waiting;
        for place in 0..units.len() {
            let index = units[place];
            let unit = &self.units[index];
            if let Some(record) = self.crew.spool.record(unit)? {
                units.remove(place);
                return Ok(Next::Done(index, record));
            }
            if let Some(held) = self.crew.spool.claim(unit, &self.me, onlooker)? {
                units.remove(place);
                return Ok(Next::Do(index, held));
            }
        }
        Ok(Next::Wait)
    }

    /// Does a unit, showing all the while that we live.
    fn unit(&self, unit: &Unit, held: Held, reports: &SyncSender<Report>) -> Result<Record, CrewError> {
        std::thread::scope(|scope| {
            let (ended, alive) = sync_channel(0);
            let beats = scope.spawn(move || self.beat(unit, held, &alive));
            let result = self.perform(unit, reports);
            drop::<SyncSender<()>>(ended);
            let held = beats.join().ok().flatten();
            if result.is_err()
                && let Some(held) = held
            {
                self.crew.spool.let_go(unit, &held);
            }
            result
        })
    }

    /// Until `alive` is closed. A beat that cannot be written is tried again; a claim that was taken over is left.
    fn beat(&self, unit: &Unit, held: Held, alive: &std::sync::mpsc::Receiver<()>) -> Option<Held> {
        let mut held = held;
        while alive.recv_timeout(BEAT_EVERY) == Err(RecvTimeoutError::Timeout) {
            match self.crew.spool.beat(unit, &held) {
                Ok(Some(next)) => held = next,
                Ok(None) => return None,
                Err(_) => {}
            }
        }
        Some(held)
    }

    fn perform(&self, unit: &Unit, reports: &SyncSender<Report>) -> Result<Record, CrewError> {
        let spool = self.crew.spool;
        let task = (self.task)(unit);
        let unreadable = |error| MediaError::Source(SourceFault::Unreadable(error));
        let file = reopened(self.crew.file).map_err(unreadable)?;
        let mut record = Record::default();
        let mut kept: Result<(), StoreError> = Ok(());
        let performed = worker::retried(|| {
            // A second try makes everything anew.
            let again = record.pieces.drain(..).count();
            let mut skip = again;
            let mut sink = |answer: Answer| {
                let Some(object) = object(&answer.header) else { return Ok(()) };
                match spool.write(&object, answer.body) {
                    Ok(written) => {
                        // Told once, however often it is made.
                        let new = skip == 0 && is_segment(&answer.header);
                        skip = skip.saturating_sub(1);
                        let _ = reports.send(Report::Segments(u64::from(new)));
                        record.pieces.push(Piece { header: answer.header, written });
                        Ok(())
                    }
                    Err(error) => {
                        kept = Err(error);
                        Err(MediaError::Stopped)
                    }
                }
            };
            worker::perform(&task, &file, self.crew.limits, &mut sink, &self.cancel)
        });
        // A full disk first: the task then only says that nobody listens.
        kept?;
        performed?;
        spool.done(unit, &record)?;
        Ok(record)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same file with a place of its own: two that read one open file move each other's place. Not by its name, under
/// which there may be another file by now.
fn reopened(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn is_segment(header: &Header) -> bool {
    matches!(header, Header::Segment { .. })
}

/// Where an answer's body belongs in the package; `None` for those without one.
fn object(header: &Header) -> Option<package::ObjectPath> {
    match header {
        Header::Init { rendition, .. } => Some(Rendition::init(*rendition)),
        Header::Segment { rendition, number, .. } => Some(rendition.segment(*number)),
        Header::Sheet { sheet } => Some(package::layout::thumbs_sheet(*sheet)),
        Header::Slide(slide) => Some(package::layout::slide(slide.at_ms)),
        Header::Progress { .. } | Header::Survey | Header::Trial => None,
    }
}
