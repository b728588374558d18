//! The queue in a database file, shared by the processes of one machine.
//!
//! The database (redb) lets one process in at a time and is crash safe. So each call is a short transaction of its own:
//! take the lock, open, change, commit, close. That costs some milliseconds and a few flushes, for jobs that run for
//! minutes; a process that is killed in the middle leaves a file that the next one repairs, and no lock.
//!
//! The file belongs on a local disk: locks of network disks are not to be trusted with it. Machines share a queue
//! through [`crate::nats`].

mod lock;
mod tables;

use crate::clock::{Clock, Deadline, Moment};
use crate::entry::{Ended, Ending, Entry, LeaseLost};
use crate::error::QueueError;
use crate::job::{Job, JobKey};
use crate::order::{Pick, Place};
use crate::policy::Policy;
use crate::{Added, Change, Claim, Hold, MAX_JOBS, Queue, Repeat};
use redb::Database;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tables::{TableError, Tables};

/// How long the lock is waited for: very many transactions.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How often somebody who waits for a job looks whether the queue has changed.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is looked at even so.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// Memory for the database's pages; a transaction touches a few dozen.
const PAGES: usize = 8 << 20;

/// A queue in a file.
pub struct Local {
    path: PathBuf,
    lock: PathBuf,
    policy: Policy,
    clock: Arc<dyn Clock>,
}

impl Local {
    /// Opens the file, and makes it and its folder when they are not there.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn open(path: &Path, policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let path =
            std::path::absolute(path).map_err(|source| QueueError::File { path: path.to_owned(), source })?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        let queue = Self { lock: lock.into(), path, policy, clock };
        if let Some(folder) = queue.path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| queue.unusable(source))?;
        }
        queue.change(|_, _| Ok(()))?;
        Ok(queue)
    }

    fn unusable(&self, source: io::Error) -> QueueError {
        QueueError::File { path: self.path.clone(), source }
    }

    /// One transaction, alone. What `work` did is there whole or not at all.
    fn transact<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>, Moment) -> Result<T, TableError>,
        changed: impl FnOnce(&T) -> bool,
    ) -> Result<T, QueueError> {
        let held = lock::take(&self.lock, LOCK_WAIT).map_err(|source| self.unusable(source))?;
        let held = held.ok_or_else(|| QueueError::Busy { path: self.path.clone(), waited: LOCK_WAIT })?;
        // Only now: what was waited for the lock must not make a lease look younger.
        let now = self.clock.now();
        let done = self.with_tables(|tables| work(tables, now), changed).map_err(|error| match error {
            TableError::Database(source) => QueueError::Database { path: self.path.clone(), source },
            TableError::Entry(error) => error,
        })?;
        let (result, changed) = done;
        if changed {
            held.changed().map_err(|source| self.unusable(source))?;
        }
        Ok(result)
    }

    fn with_tables<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, TableError>,
        changed: impl FnOnce(&T) -> bool,
    ) -> Result<(T, bool), TableError> {
        let database = Database::builder().set_cache_size(PAGES).create(&self.path)?;
        let transaction = database.begin_write()?;
        let result = work(&mut Tables::open(&transaction)?)?;
        let changed = changed(&result);
        if changed {
            transaction.commit()?
        } else {
            transaction.abort()?
        }
        Ok((result, changed))
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>, Moment) -> Result<T, TableError>,
    ) -> Result<T, QueueError> {
        self.transact(work, |_| true)
    }

    fn look<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>, Moment) -> Result<T, TableError>,
    ) -> Result<T, QueueError> {
        self.transact(work, |_| false)
    }

    /// Takes the next job, if there is one.
    fn try_claim(&self, worker: &str) -> Result<Option<Claim>, QueueError> {
        let policy = self.policy;
        let claim = |tables: &mut Tables<'_>, now| {
            let lapsed: Vec<Entry> = tables.at(Place::lapsed(now))?.collect::<Result<_, _>>()?;
            let any_lapsed = !lapsed.is_empty();
            for mut entry in lapsed {
                entry.lapse(now, &policy);
                tables.put(&entry)?;
            }
            let Pick::Ready(mut entry) = tables.pick(now)? else { return Ok((None, any_lapsed)) };
            entry.take(worker, None, now, &policy);
            tables.put(&entry)?;
            Ok((Some(Claim { entry: *entry, ticket: None }), true))
        };
        self.transact(claim, |(_, changed)| *changed).map(|(claim, _)| claim)
    }
}

impl Queue for Local {
    fn add(&self, jobs: &[Job], repeat: Repeat) -> Result<Vec<Added>, QueueError> {
        self.change(|tables, now| {
            tables.forget(now)?;
            jobs.iter().map(|job| add(tables, job, repeat, now)).collect()
        })
    }

    fn claim(&self, worker: &str, wait: Duration) -> Result<Option<Claim>, QueueError> {
        let deadline = Deadline::after(wait);
        loop {
            let seen = lock::changes(&self.lock);
            if let Some(claim) = self.try_claim(worker)? {
                return Ok(Some(claim));
            }
            let anyway = Deadline::after(LOOK_ANYWAY);
            while lock::changes(&self.lock) == seen && !anyway.left().is_zero() {
                if deadline.left().is_zero() {
                    return Ok(None);
                }
                std::thread::park_timeout(LOOK.min(deadline.left()));
            }
        }
    }

    fn beat(&self, claim: &Claim) -> Result<Hold, QueueError> {
        self.transact(
            |tables, now| {
                let Some(mut entry) = tables.job(&claim.entry.key())? else { return Ok(Hold::Lost) };
                if entry.beat(&claim.entry, now, &self.policy).is_err() {
                    return Ok(Hold::Lost);
                }
                tables.put(&entry)?;
                Ok(Hold::Held)
            },
            |hold| *hold == Hold::Held,
        )
    }

    fn end(&self, claim: &Claim, ending: Ending) -> Result<Result<Ended, LeaseLost>, QueueError> {
        self.transact(
            |tables, now| {
                let Some(mut entry) = tables.job(&claim.entry.key())? else { return Ok(Err(LeaseLost)) };
                let ended = entry.end(&claim.entry, ending, now, &self.policy);
                if ended.is_ok() {
                    tables.put(&entry)?;
                }
                if ended == Ok(Ended::Done) {
                    for old in tables.all()?.iter().filter(|old| old.is_outdated_by(&entry)) {
                        tables.take_out(&old.key())?;
                    }
                }
                Ok(ended)
            },
            Result::is_ok,
        )
    }

    fn list(&self) -> Result<Vec<Entry>, QueueError> {
        let mut entries = self.look(|tables, _| tables.all())?;
        crate::order::sort(&mut entries);
        Ok(entries)
    }

    fn done(&self) -> Result<Vec<Entry>, QueueError> {
        let mut entries = self.look(|tables, _| tables.all_done())?;
        crate::order::sort(&mut entries);
        Ok(entries)
    }

    fn retry(&self, key: &JobKey) -> Result<Change, QueueError> {
        self.change(|tables, _| {
            let Some(mut entry) = tables.job(key)? else { return Ok(Change::Unknown) };
            let change = entry.retry();
            tables.put(&entry)?;
            Ok(change)
        })
    }

    fn remove(&self, key: &JobKey) -> Result<Change, QueueError> {
        self.change(|tables, _| {
            let Some(entry) = tables.job(key)? else { return Ok(Change::Unknown) };
            let change = entry.may_remove();
            if change == Change::Made {
                tables.take_out(key)?;
            }
            Ok(change)
        })
    }
}

fn add(tables: &mut Tables<'_>, job: &Job, repeat: Repeat, now: Moment) -> Result<Added, TableError> {
    let key = job.key();
    if let Some(mut entry) = tables.job(&key)? {
        let added = entry.add_again(job);
        tables.put(&entry)?;
        return Ok(added);
    }
    if repeat == Repeat::Unwanted && tables.done(&key)?.is_some() {
        return Ok(Added::Done);
    }
    if tables.count()? >= MAX_JOBS {
        return Err(TableError::Entry(QueueError::Full(MAX_JOBS)));
    }
    let number = tables.next_number()?;
    tables.put(&Entry::new(job.clone(), number, now))?;
    Ok(Added::New)
}
