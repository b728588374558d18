//! The last good plans on disk: a start without a source follows them.

use crate::plans::Followed;
use crate::source::read;
use bytes::Bytes;
use jiff::civil::Date;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// A folder with an envelope a day.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The envelope of a day.
    pub(crate) fn get(&self, date: Date) -> io::Result<Option<Bytes>> {
        match read(&self.file(date)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a plan there, whole or not at all.
    pub(crate) fn put(&self, followed: &Followed) -> io::Result<()> {
        let file = self.file(followed.plan().date);
        let new = file.with_extension("new");
        fs::create_dir_all(&self.0)?;
        let mut written = File::create(&new)?;
        written.write_all(&followed.envelope)?;
        written.sync_all()?;
        fs::rename(&new, &file)
    }

    /// Removes what is older than `date`.
    pub(crate) fn clear_before(&self, date: Date) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let day =
                path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<Date>().ok());
            if day.is_some_and(|day| day < date) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&self, date: Date) -> PathBuf {
        self.0.join(format!("{date}.json"))
    }
}
