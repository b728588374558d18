//! Several units of a lesson at once, each as a task of its own; what others have done already is taken as it is.

use crate::cancel::Cancel;
use crate::fault::{MediaError, SourceFault};
use crate::spool::Spool;
use crate::task::{Answer, Header, Task, perform};
use crate::unit::{Piece, Record, Unit};
use package::Rendition;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use storage::StoreError;

/// Reports on their way to whoever shows progress.
const REPORTS: usize = 64;

/// Why a unit ended without its record.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// The task failed.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// What it made could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UnitError {
    /// Somebody else's doing; the error to tell is another one's.
    pub fn is_echo(&self) -> bool {
        matches!(self, Self::Media(MediaError::Stopped))
    }
}

/// What a crew tells while it works.
enum Report {
    /// A unit's segments were made now, or were there.
    Segments(u64),
    /// A unit is done.
    Done(usize, Record),
    /// A unit failed.
    Failed(UnitError),
}

/// Who does the units of one lesson.
pub struct Crew<'a> {
    /// The source.
    pub file: &'a File,
    /// Where results go.
    pub spool: &'a Spool<'a>,
    /// How many work at once, at least 1.
    pub workers: usize,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
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
    ) -> Result<Vec<Record>, UnitError> {
        let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..units.len()).collect());
        let cancel = self.cancel.within();
        let (reports, told) = sync_channel(REPORTS);
        let mut records: Vec<Option<Record>> = vec![None; units.len()];
        let mut failed: Option<UnitError> = None;
        std::thread::scope(|scope| {
            for _ in 0..self.workers.min(units.len()) {
                let (reports, waiting, cancel) = (reports.clone(), &waiting, &cancel);
                scope.spawn(move || {
                    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    while let Some(index) = next() {
                        let report = match self.unit(&units[index], task, cancel, &reports) {
                            Ok(record) => Report::Done(index, record),
                            Err(error) => Report::Failed(error),
                        };
                        if reports.send(report).is_err() {
                            return;
                        }
                    }
                });
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
                        cancel.stop();
                        if failed.as_ref().is_none_or(UnitError::is_echo) {
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

    fn unit(
        &self,
        unit: &Unit,
        task: &(dyn Fn(&Unit) -> Task + Sync),
        cancel: &Cancel,
        reports: &SyncSender<Report>,
    ) -> Result<Record, UnitError> {
        cancel.check()?;
        if let Some(record) = self.spool.record(unit)? {
            let segments = record.pieces.iter().filter(|piece| is_segment(&piece.header)).count();
            let _ = reports.send(Report::Segments(segments as u64));
            return Ok(record);
        }
        let mut record = Record::default();
        let mut kept: Result<(), StoreError> = Ok(());
        let mut sink = |answer: Answer| {
            let Some(object) = object(&answer.header) else { return Ok(()) };
            match self.spool.write(&object, answer.body) {
                Ok(written) => {
                    let _ = reports.send(Report::Segments(u64::from(is_segment(&answer.header))));
                    record.pieces.push(Piece { header: answer.header, written });
                    Ok(())
                }
                Err(error) => {
                    kept = Err(error);
                    Err(MediaError::Stopped)
                }
            }
        };
        let file = reopened(self.file).map_err(|error| MediaError::Source(SourceFault::Unreadable(error)))?;
        let performed = perform(&task(unit), &file, &mut sink, cancel);
        // A full disk first: the task then only says that nobody listens.
        kept?;
        performed?;
        self.spool.done(unit, &record)?;
        Ok(record)
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
        Header::Segment { rendition, number } => Some(rendition.segment(*number)),
        Header::Progress { .. } | Header::Survey => None,
    }
}
