//! A store and its single objects.

use crate::error::{StoreError, io_error};
use crate::read::Reading;
use crate::swap::Version;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use package::StorePath;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A store of lessons. Cheap to clone; clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    /// For objects of a package, of which there are thousands: made durable together, by [`Store::settle`].
    objects: Arc<dyn ObjectStore>,
    /// For the few papers that make something visible: each durable before the call returns.
    papers: Arc<dyn ObjectStore>,
    root: Arc<Path>,
    /// Device and inode of the directory when it was opened.
    opened: (u64, u64),
}

/// What is known about an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Its length.
    pub bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

/// A small object, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub bytes: Bytes,
    /// For [`Store::swap`].
    pub version: Version,
}

impl Store {
    /// Opens the store at `address`: a directory, or a `file://` URL of one. Reads and writes nothing.
    ///
    /// # Errors
    /// When there is no such directory, or the address is of a kind not built in.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let root = directory(address)?;
        let not_there = |source| StoreError::NotThere { root: root.clone(), source };
        let folder = fs::metadata(&root).map_err(not_there)?;
        if !folder.is_dir() {
            return Err(not_there(io::ErrorKind::NotADirectory.into()));
        }
        let local = || LocalFileSystem::new_with_prefix(&root).map_err(|error| not_there(io_error(error)));
        Ok(Self {
            objects: Arc::new(local()?),
            papers: Arc::new(local()?.with_fsync(true)),
            root: root.as_path().into(),
            opened: (folder.dev(), folder.ino()),
        })
    }

    /// Opens the store at `address` for writing, making the directory when it is not there.
    ///
    /// # Errors
    /// As [`Store::open`], and when the directory cannot be made or written.
    pub fn create(address: &str) -> Result<Self, StoreError> {
        let root = directory(address)?;
        fs::create_dir_all(&root)
            .map_err(|source| StoreError::write(root.clone(), "the directory itself", source))?;
        let store = Self::open(address)?;
        store.check_writable()?;
        Ok(store)
    }

    /// Whether an object could be written now, found out by writing something and taking it away again.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`] or [`StoreError::Full`].
    pub fn check_writable(&self) -> Result<(), StoreError> {
        let probe = self.root.join(format!(".airclass-probe-{}", std::process::id()));
        fs::write(&probe, b"probe")
            .and_then(|()| fs::remove_file(&probe))
            .map_err(|source| self.unwritten("a probe", source))
    }

    /// Whether the store can be read now: its directory is there and may be listed.
    ///
    /// An empty directory in place of the one that was opened is a disk that was unmounted: without this, every lesson
    /// of the nation would be answered with "there is none".
    ///
    /// # Errors
    /// [`StoreError::NotThere`].
    pub async fn check_readable(&self) -> Result<(), StoreError> {
        let (root, opened) = (Arc::clone(&self.root), self.opened);
        let listed = blocking(move || {
            let folder = fs::metadata(&root)?;
            let empty = fs::read_dir(&root)?.next().is_none();
            if empty && (folder.dev(), folder.ino()) != opened {
                return Err(io::Error::other("an empty directory is in its place; is its disk mounted?"));
            }
            Ok(())
        });
        listed.await.map_err(|source| StoreError::NotThere { root: self.root.to_path_buf(), source })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is known about the object at `path`; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn head(&self, path: &StorePath) -> Result<Option<Meta>, StoreError> {
        let found = absent(self.objects.head(&key(path)).await);
        let found = found.map_err(|error| StoreError::unreadable(path, error))?;
        Ok(found.map(|object| meta(&object)))
    }

    /// Opens the object at `path` for reading; `None` when there is none. A later swap does not change what this reads.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub async fn read(&self, path: &StorePath) -> Result<Option<Reading>, StoreError> {
        let found = absent(self.objects.get(&key(path)).await);
        let found = found.map_err(|error| StoreError::unreadable(path, error))?;
        found.map(|result| Reading::new(path.clone(), result)).transpose()
    }

    /// Reads the object at `path` whole; `None` when there is none.
    ///
    /// # Errors
    /// When it has more than `limit` bytes or cannot be read.
    pub async fn get(&self, path: &StorePath, limit: usize) -> Result<Option<Found>, StoreError> {
        let Some(reading) = self.read(path).await? else { return Ok(None) };
        let bytes = reading.whole(limit).await?;
        let version = Version::of(&bytes);
        Ok(Some(Found { bytes, version }))
    }

    /// Writes an object that will never change, unless one of the same length is there already. Whether it was written.
    ///
    /// Readable whole when this returns, and durable after the next [`Store::settle`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn put_immutable(&self, path: &StorePath, bytes: Bytes) -> Result<bool, StoreError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.head(path).await?.is_some_and(|there| there.bytes == length) {
            return Ok(false);
        }
        let put = self.objects.put(&key(path), PutPayload::from_bytes(bytes)).await;
        put.map_err(|error| self.unwritten(path, io_error(error)))?;
        Ok(true)
    }

    /// Writes an object whole, in place of what is there, and durably.
    ///
    /// # Errors
    /// When it cannot be written; what was there is then still there.
    pub async fn put(&self, path: &StorePath, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.papers.put(&key(path), PutPayload::from_bytes(bytes)).await;
        put.map_err(|error| self.unwritten(path, io_error(error))).map(drop)
    }

    /// Returns when everything written so far would survive a loss of power.
    ///
    /// # Errors
    /// When the disk says it did not.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let root = Arc::clone(&self.root);
        let settled = blocking(move || Ok(rustix::fs::syncfs(File::open(root)?)?)).await;
        settled.map_err(|source| self.unwritten("what was uploaded", source))
    }

    /// All objects below `folder` (all of the store without one), in no order. Locks and uploads are none.
    pub fn list(
        &self,
        folder: Option<&StorePath>,
    ) -> impl Stream<Item = Result<(StorePath, Meta), StoreError>> {
        let root = self.root.to_path_buf();
        let objects = self.objects.list(folder.map(key).as_ref());
        objects
            .map_err(move |error| StoreError::NotThere { root: root.clone(), source: io_error(error) })
            .try_filter_map(|object| async move {
                Ok(StorePath::parse(object.location.as_ref()).ok().map(|path| (path, meta(&object))))
            })
    }

    pub(crate) fn unwritten(&self, what: impl ToString, source: io::Error) -> StoreError {
        StoreError::write(self.root.to_path_buf(), what, source)
    }
}

/// The directory an address means.
fn directory(address: &str) -> Result<PathBuf, StoreError> {
    let wrong = || StoreError::Address(address.to_owned());
    let path = match address.split_once("://") {
        None => PathBuf::from(address),
        Some(("file", rest)) => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            if !path.starts_with('/') {
                return Err(wrong());
            }
            PathBuf::from(percent_decoded(path).ok_or_else(wrong)?)
        }
        Some((kind, _)) => {
            return Err(StoreError::Unsupported { address: address.to_owned(), kind: kind.to_owned() });
        }
    };
    if path.as_os_str().is_empty() {
        return Err(wrong());
    }
    std::path::absolute(&path).map_err(|source| StoreError::NotThere { root: path, source })
}

/// RFC 3986 §2.1; `None` when a `%` is not followed by two digits or the result is no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn key(path: &StorePath) -> Key {
    Key::from(path.as_str())
}

fn meta(object: &object_store::ObjectMeta) -> Meta {
    Meta { bytes: object.size, modified: object.last_modified.into() }
}

/// "Not there" is an answer. A file where a folder should be is the same answer: nothing lies below it.
fn absent<T>(result: object_store::Result<T>) -> Result<Option<T>, object_store::Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => {
            let text = error.to_string();
            match io_error(error) {
                not_there if not_there.kind() == io::ErrorKind::NotADirectory => Ok(None),
                source => Err(object_store::Error::Generic {
                    store: "LocalFileSystem",
                    source: format!("{text}: {source}").into(),
                }),
            }
        }
    }
}

/// Runs `work`, which waits for the disk, beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(directory("/srv/store").unwrap(), Path::new("/srv/store"));
        assert_eq!(directory("file:///srv/my%20store").unwrap(), Path::new("/srv/my store"));
        assert_eq!(directory("file://localhost/srv").unwrap(), Path::new("/srv"));
        assert!(directory("store").unwrap().is_absolute());
        for (address, code) in [
            ("s3://bucket/lessons", "STORE_UNSUPPORTED"),
            ("http://host/x", "STORE_UNSUPPORTED"),
            ("file://elsewhere/srv", "STORE_ADDRESS"),
            ("file:///a%2", "STORE_ADDRESS"),
            ("file:///a%ff", "STORE_ADDRESS"),
            ("", "STORE_ADDRESS"),
        ] {
            use faults::Fault;
            assert_eq!(directory(address).unwrap_err().code(), code, "{address}");
        }
    }
}
