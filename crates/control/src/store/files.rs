//! The store of one control: `records.jsonl` and a file for each body, in its state folder.

use super::Appended;
use crate::error::ControlError;
use bytes::Bytes;
use fleet::MAX_BODY_BYTES;
use package::Digest;
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const RECORDS: &str = "records.jsonl";
const BODIES: &str = "bodies";
/// Bodies that are kept: orders of a month, and those that last. Others of older orders are asked for by nobody.
const MAX_BODIES: usize = 4_096;

/// A folder that this process alone writes to.
pub(crate) struct Files {
    records: Mutex<Records>,
    bodies: PathBuf,
    path: PathBuf,
}

struct Records {
    file: File,
    /// Where each record begins, and where the next one will.
    begins: Vec<u64>,
    end: u64,
}

impl Files {
    /// Opens the folder; a record that a crash left half written is cut off: nobody was told of it.
    pub(crate) fn open(state: &Path) -> Result<Self, ControlError> {
        let (path, bodies) = (state.join(RECORDS), state.join(BODIES));
        let fault = |error: io::Error| ControlError::file(&path, error);
        fs::create_dir_all(&bodies).map_err(|error| ControlError::file(&bodies, error))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fault)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| ControlError::file(&path, "another control writes to it; stop that one first"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fault)?;
        let mut begins = Vec::new();
        let mut end = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if line.ends_with(b"\n") {
                begins.push(end);
                end += line.len() as u64;
            }
        }
        if end < text.len() as u64 {
            tracing::warn!(path = %path.display(), "the last record was not written to its end; it is cut off");
            file.set_len(end).map_err(fault)?;
        }
        Ok(Self { records: Mutex::new(Records { file, begins, end }), bodies, path })
    }

    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn append(&self, number: u64, line: &[u8]) -> io::Result<Appended> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.begins.len() as u64 + 1 != number {
            return Ok(Appended::Taken);
        }
        let end = records.end;
        let written = records.write(end, line);
        if let Err(error) = written {
            // Half a record must not stand before the next one.
            records.file.set_len(end)?;
            return Err(error);
        }
        records.begins.push(end);
        records.end = end + line.len() as u64 + 1;
        Ok(Appended::Written)
    }

    pub(super) fn read_after(&self, number: u64) -> io::Result<Vec<Bytes>> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(number).ok().and_then(|number| records.begins.get(number).copied());
        let Some(from) = at else { return Ok(Vec::new()) };
        let mut text = Vec::new();
        records.file.seek(SeekFrom::Start(from))?;
        records.file.read_to_end(&mut text)?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(Bytes::copy_from_slice).collect())
    }

    /// Of those before it, `lasting` stay.
    pub(super) fn keep_body(
        &self,
        digest: Digest,
        body: &[u8],
        lasting: &BTreeSet<Digest>,
    ) -> io::Result<()> {
        let (path, draft) = (self.bodies.join(digest.to_string()), self.bodies.join(format!("{digest}.new")));
        let mut file = File::create(&draft)?;
        file.write_all(body)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        self.clear(lasting)
    }

    pub(super) fn body(&self, digest: Digest) -> io::Result<Option<Bytes>> {
        match settings::small_file(&self.bodies.join(digest.to_string()), MAX_BODY_BYTES as u64) {
            Ok(body) => Ok(Some(body.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets the oldest bodies go that do not last.
    fn clear(&self, lasting: &BTreeSet<Digest>) -> io::Result<()> {
        let lasts = |name: &OsStr| {
            name.to_str().and_then(|name| name.parse().ok()).is_some_and(|digest| lasting.contains(&digest))
        };
        let mut bodies = Vec::new();
        for entry in fs::read_dir(&self.bodies)? {
            let entry = entry?;
            if lasts(&entry.file_name()) {
                continue;
            }
            bodies.push((entry.metadata()?.modified()?, entry.path()));
        }
        if bodies.len() > MAX_BODIES {
            bodies.sort();
            let surplus = bodies.len() - MAX_BODIES;
            bodies.drain(..surplus).try_for_each(|(_, path)| fs::remove_file(path))?;
        }
        Ok(())
    }
}

impl Records {
    fn write(&mut self, end: u64, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(end))?;
        self.file.write_all(&[line, b"\n"].concat())?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path()).unwrap();
        assert_eq!(files.append(1, b"one").unwrap(), Appended::Written);
        assert_eq!(files.append(1, b"another").unwrap(), Appended::Taken);
        assert_eq!(files.append(2, b"two").unwrap(), Appended::Written);
        assert!(Files::open(folder.path()).is_err(), "two controls at one folder");
        drop(files);
        let mut file = OpenOptions::new().append(true).open(folder.path().join(RECORDS)).unwrap();
        file.write_all(b"thr").unwrap();
        let files = Files::open(folder.path()).unwrap();
        assert_eq!(files.read_after(0).unwrap(), [&b"one"[..], b"two"]);
        assert_eq!(files.append(3, b"three").unwrap(), Appended::Written);
        assert_eq!(files.read_after(1).unwrap(), [&b"two"[..], b"three"]);
        assert!(files.read_after(3).unwrap().is_empty());
        let digest = Digest::of(b"body");
        assert_eq!(files.body(digest).unwrap(), None);
        files.keep_body(digest, b"body", &BTreeSet::new()).unwrap();
        assert_eq!(files.body(digest).unwrap().unwrap(), &b"body"[..]);
    }
}
