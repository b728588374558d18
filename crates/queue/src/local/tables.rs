//! The tables of the database, and an index that cannot disagree with them.
//!
//! | table | from | to |
//! |---|---|---|
//! | `jobs` | key | entry: what is not done |
//! | `done` | key | entry: what was, for a while |
//! | `places` | [`Place`] | key, of both |
//! | `numbers` | `next` | the next number |

use crate::DONE_KEPT;
use crate::clock::Moment;
use crate::entry::{Entry, State};
use crate::error::QueueError;
use crate::job::{Job, JobKey};
use crate::order::{self, PLACE, Pick, Place};
use package::Digest;
use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use std::ops::RangeBounds;

type Key = &'static [u8; 32];
const JOBS: TableDefinition<Key, &[u8]> = TableDefinition::new("jobs");
const DONE: TableDefinition<Key, &[u8]> = TableDefinition::new("done");
const PLACES: TableDefinition<&'static [u8; PLACE], Key> = TableDefinition::new("places");
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

/// What is forgotten at once of what was done: keeps each transaction short.
const FORGOTTEN_AT_ONCE: usize = 1_000;

/// Why reading or writing a table failed: the database, or what it holds.
#[derive(Debug)]
pub(super) enum TableError {
    Database(Box<redb::Error>),
    Entry(QueueError),
}

impl<E: Into<redb::Error>> From<E> for TableError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The tables, open in one transaction.
pub(super) struct Tables<'t> {
    jobs: Table<'t, Key, &'static [u8]>,
    done: Table<'t, Key, &'static [u8]>,
    places: Table<'t, &'static [u8; PLACE], Key>,
    numbers: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            jobs: transaction.open_table(JOBS)?,
            done: transaction.open_table(DONE)?,
            places: transaction.open_table(PLACES)?,
            numbers: transaction.open_table(NUMBERS)?,
        })
    }

    /// How many jobs are not done.
    pub(super) fn count(&self) -> Result<usize, TableError> {
        Ok(usize::try_from(self.jobs.len()?).unwrap_or(usize::MAX))
    }

    /// A number that no job had.
    pub(super) fn next_number(&mut self) -> Result<u64, TableError> {
        let number = self.numbers.get("next")?.map_or(1, |number| number.value());
        self.numbers.insert("next", number + 1)?;
        Ok(number)
    }

    /// A job that is not done.
    pub(super) fn job(&self, key: &JobKey) -> Result<Option<Entry>, TableError> {
        read(&self.jobs, key)
    }

    /// A job that was done.
    pub(super) fn done(&self, key: &JobKey) -> Result<Option<Entry>, TableError> {
        read(&self.done, key)
    }

    /// Writes `entry`, whatever was there under its key before.
    pub(super) fn put(&mut self, entry: &Entry) -> Result<(), TableError> {
        let key = entry.key();
        self.take_out(&key)?;
        let bytes = entry.to_bytes();
        let table = if matches!(entry.state, State::Done { .. }) { &mut self.done } else { &mut self.jobs };
        table.insert(&key.0.0, bytes.as_slice())?;
        self.places.insert(&Place::of(entry).0, &key.0.0)?;
        Ok(())
    }

    /// Forgets the job under `key`, done or not.
    pub(super) fn take_out(&mut self, key: &JobKey) -> Result<(), TableError> {
        for before in [self.job(key)?, self.done(key)?].into_iter().flatten() {
            self.places.remove(&Place::of(&before).0)?;
        }
        self.jobs.remove(&key.0.0)?;
        self.done.remove(&key.0.0)?;
        Ok(())
    }

    /// Jobs that are not done, in a range of places, in order.
    pub(super) fn at(
        &self,
        places: impl RangeBounds<Place>,
    ) -> Result<impl Iterator<Item = Result<Entry, TableError>>, TableError> {
        let keys = self.keys(places)?;
        Ok(keys.map(|key| {
            let key = key?;
            self.job(&key)?.ok_or(TableError::Entry(QueueError::Contended))
        }))
    }

    fn keys(
        &self,
        places: impl RangeBounds<Place>,
    ) -> Result<impl Iterator<Item = Result<JobKey, TableError>>, TableError> {
        let bounds = (places.start_bound().map(|place| &place.0), places.end_bound().map(|place| &place.0));
        let range = self.places.range::<&[u8; PLACE]>(bounds)?;
        Ok(range.map(|pair| Ok(JobKey(Digest(*pair?.1.value())))))
    }

    /// Who is next.
    pub(super) fn pick(&self, now: Moment) -> Result<Pick, TableError> {
        let running: Vec<Job> =
            self.at(Place::running())?.map(|entry| Ok(entry?.job)).collect::<Result<_, TableError>>()?;
        order::pick(self.at(Place::waiting())?, &running, now)
    }

    /// Everything that is not done.
    pub(super) fn all(&self) -> Result<Vec<Entry>, TableError> {
        every(&self.jobs)
    }

    /// Everything that was done.
    pub(super) fn all_done(&self) -> Result<Vec<Entry>, TableError> {
        every(&self.done)
    }

    /// Forgets what was done long ago.
    pub(super) fn forget(&mut self, now: Moment) -> Result<(), TableError> {
        let long_ago = Moment(now.0.saturating_sub(Moment(0).after(DONE_KEPT).0));
        let keys: Vec<JobKey> =
            self.keys(Place::done_before(long_ago))?.take(FORGOTTEN_AT_ONCE).collect::<Result<_, _>>()?;
        keys.iter().try_for_each(|key| self.take_out(key))
    }
}

fn read(table: &impl ReadableTable<Key, &'static [u8]>, key: &JobKey) -> Result<Option<Entry>, TableError> {
    let Some(bytes) = table.get(&key.0.0)? else { return Ok(None) };
    Entry::parse(bytes.value()).map(Some).map_err(TableError::Entry)
}

fn every(table: &impl ReadableTable<Key, &'static [u8]>) -> Result<Vec<Entry>, TableError> {
    table.iter()?.map(|pair| Entry::parse(pair?.1.value()).map_err(TableError::Entry)).collect()
}
