//! A store that is a directory on this machine or a share.

pub(crate) mod lock;
mod sweep;

use crate::error::{StoreError, io_error};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use package::catalogue::version_path;
use rustix::fs::Mode;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where folders lie while they are removed.
const REMOVED: &str = ".airclass-removed";
/// Removals of one folder that may have been interrupted in a row.
const MAX_ASIDE: usize = 16;

/// What of a folder's mode lets others than its owner read what lies in it.
const READERS: Mode = Mode::RGRP.union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

/// A directory, as it was when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    /// For objects of a package, of which there are thousands: made durable together, by [`Directory::settle`].
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// For the few papers that make something visible: each durable before the call returns.
    pub(crate) papers: Arc<dyn ObjectStore>,
    root: Arc<Path>,
    /// Device and inode of the directory when it was opened.
    opened: (u64, u64),
}

impl Directory {
    /// Reads and writes nothing.
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        let not_there = |source| StoreError::NotThere { store: root.display().to_string(), source };
        let folder = fs::metadata(root).map_err(not_there)?;
        if !folder.is_dir() {
            return Err(not_there(io::ErrorKind::NotADirectory.into()));
        }
        let local = || LocalFileSystem::new_with_prefix(root).map_err(|error| not_there(io_error(error)));
        Ok(Self {
            objects: Arc::new(local()?.with_automatic_cleanup(true)),
            papers: Arc::new(local()?.with_fsync(true)),
            root: root.into(),
            opened: (folder.dev(), folder.ino()),
        })
    }

    /// Makes the directory when it is not there.
    pub(crate) fn create(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root)
            .map_err(|source| StoreError::write(root.display(), "the directory itself", source))?;
        let directory = Self::open(root)?;
        directory.check_writable()?;
        directory.share()?;
        Ok(directory)
    }

    /// What this process writes from here on may be read by those who may read the directory: an origin of another user
    /// above all, from which the mask of somebody who publishes by hand (027, 077) would keep it. It is the mask of the
    /// whole process, since what makes the files takes none; keys are written with modes of their own.
    pub(crate) fn share(&self) -> Result<(), StoreError> {
        let folder =
            fs::metadata(&self.root).map_err(|source| StoreError::NotThere { store: self.name(), source })?;
        let readers = Mode::from_raw_mode(folder.mode()) & READERS;
        // There is no way to ask for it without setting it: for that instant it is the usual one.
        let own = rustix::process::umask(Mode::WGRP | Mode::WOTH);
        rustix::process::umask(own - readers);
        Ok(())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        let probe = self.root.join(format!(".airclass-probe-{}", std::process::id()));
        fs::write(&probe, b"probe")
            .and_then(|()| fs::remove_file(&probe))
            .map_err(|source| self.unwritten("a probe", source))
    }

    /// An empty directory in place of the one that was opened is a disk that was unmounted: without this, every lesson
    /// of the nation would be answered with "there is none". One that lists and lets nothing in it be read (it was published
    /// under another user's mask) is as good as none.
    pub(crate) async fn check_readable(&self) -> Result<(), StoreError> {
        let (root, opened) = (Arc::clone(&self.root), self.opened);
        let listed = blocking(move || {
            let folder = fs::metadata(&root)?;
            let empty = fs::read_dir(&root)?.next().is_none();
            if empty && (folder.dev(), folder.ino()) != opened {
                return Err(io::Error::other("an empty directory is in its place; is its disk mounted?"));
            }
            readable(&root.join(version_path().as_str()))
        });
        listed.await.map_err(|source| StoreError::NotThere { store: self.name(), source })
    }

    /// Durably, in place of what is there.
    pub(crate) async fn put(&self, key: &Key, bytes: PutPayload) -> Result<(), object_store::Error> {
        self.papers.put(key, bytes).await.map(drop)
    }

    /// Everything written so far would survive a loss of power.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        let root = Arc::clone(&self.root);
        let settled = blocking(move || Ok(rustix::fs::syncfs(File::open(root)?)?)).await;
        settled.map_err(|source| self.unwritten("what was uploaded", source))
    }

    /// Moved out of sight first, so that nobody sees a part; then removed, and with it what an earlier remover who was
    /// killed left there.
    pub(crate) async fn remove_folder(&self, folder: &str) -> Result<(), StoreError> {
        let (folder, removed) = (self.file(folder), self.file(REMOVED));
        let moved = blocking(move || {
            fs::create_dir_all(&removed)?;
            let name = folder.file_name().unwrap_or_default();
            let aside = (0..MAX_ASIDE).map(|number| removed.join(format!("{}.{number}", name.display())));
            for aside in aside {
                match fs::rename(&folder, &aside) {
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => continue,
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => break,
                }
            }
            // Somebody else who removes may be faster with parts of it.
            match fs::remove_dir_all(&removed) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        moved.await.map_err(|source| self.unwritten("away a folder", source))
    }

    pub(crate) fn name(&self) -> String {
        self.root.display().to_string()
    }

    pub(crate) fn unwritten(&self, what: impl ToString, source: io::Error) -> StoreError {
        StoreError::write(self.root.display(), what, source)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Whether a file that may be missing can be opened.
fn readable(file: &Path) -> io::Result<()> {
    match File::open(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{}: {error}", file.display())))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// "Not there" is an answer. A file where a folder should be is the same answer: nothing lies below it.
pub(crate) fn absent<T>(result: object_store::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => match io_error(error) {
            not_there if not_there.kind() == io::ErrorKind::NotADirectory => Ok(None),
            source => Err(source),
        },
    }
}

/// Runs `work`, which waits for the disk, beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
