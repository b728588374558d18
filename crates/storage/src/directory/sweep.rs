//! Clearing what uploads that were killed left behind.
//!
//! An upload is written as `name#1` beside its object and renamed. A process killed between the two leaves the file;
//! nobody can see it, but it takes room. The next publisher of the same lesson clears it, if nobody else is uploading.

use super::lock::Lock;
use super::{Directory, blocking};
use crate::error::StoreError;
use std::fs;
use std::io;
use std::path::Path;

/// Folders within folders: `p/<package>/audio/hi` is the deepest we write.
const MAX_DEPTH: usize = 4;

impl Directory {
    /// Removes leftover uploads below `folders` and gives their number. Does nothing while another publisher is
    /// uploading: its files look the same.
    pub(crate) async fn sweep(&self, folders: &[String]) -> Result<usize, StoreError> {
        let Some(_uploads) = self.try_lock_exclusive(Lock::Uploads).await? else { return Ok(0) };
        let _swap = self.lock_exclusive(Lock::Swap).await?;
        let folders: Vec<_> = folders.iter().map(|folder| self.file(folder)).collect();
        let swept = blocking(move || {
            folders.iter().try_fold(0, |swept, folder| Ok(swept + sweep_folder(folder, MAX_DEPTH)?))
        });
        swept.await.map_err(|source| self.unwritten("away a leftover", source))
    }
}

fn sweep_folder(folder: &Path, depth: usize) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 1 {
            swept += sweep_folder(&entry.path(), depth - 1)?;
        } else if kind.is_file() && is_upload(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// `name#7`, as `object_store` names an upload to a directory.
fn is_upload(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
