//! A store and its single objects.

use crate::address::Address;
use crate::bucket::{Bucket, said};
use crate::directory::{self, Directory};
use crate::error::{StoreError, io_error};
use crate::swap::Version;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::path::Path as Key;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload};
use package::StorePath;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A store of lessons. Cheap to clone; clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) place: Place,
}

/// Where the objects lie.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Directory(Directory),
    Bucket(Bucket),
}

/// What is known about an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Its length.
    pub bytes: u64,
    /// When it was last written. A bucket tells whole seconds.
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
    /// Opens the store at `address`: a directory, a `file://` URL of one, or `s3://BUCKET[/PREFIX]` with endpoint, region
    /// and keys in the variables `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and their
    /// kin. Reads and writes nothing: whether a bucket is there is known after [`Store::check_readable`].
    ///
    /// # Errors
    /// When there is no such directory, the address is of a kind not built in, or a variable contradicts itself.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let place = match Address::parse(address)? {
            Address::Directory(root) => Place::Directory(Directory::open(&root)?),
            Address::Bucket { bucket, prefix } => Place::Bucket(Bucket::open(address, &bucket, &prefix)?),
        };
        Ok(Self { place })
    }

    /// Opens the store at `address` for writing. A directory is made when it is not there; a bucket is tried out and
    /// marked as a store.
    ///
    /// # Errors
    /// As [`Store::open`], when it cannot be made or written, and [`StoreError::NoConditionalPut`].
    pub async fn create(address: &str) -> Result<Self, StoreError> {
        let place = match Address::parse(address)? {
            Address::Directory(root) => Place::Directory(Directory::create(&root)?),
            Address::Bucket { bucket, prefix } => {
                let bucket = Bucket::open(address, &bucket, &prefix)?;
                bucket.create().await?;
                Place::Bucket(bucket)
            }
        };
        Ok(Self { place })
    }

    /// For who opens a store that is there and writes into it: what is written may be read by those who may read its
    /// directory, whatever this process's mask says. [`Store::create`] does it. A bucket has rules of its own.
    ///
    /// # Errors
    /// [`StoreError::NotThere`].
    pub fn share(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.share(),
            Place::Bucket(_) => Ok(()),
        }
    }

    /// Whether an object could be written now, found out by writing something.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`], [`StoreError::Full`] or [`StoreError::NoConditionalPut`].
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.check_writable(),
            Place::Bucket(bucket) => bucket.check_writable().await,
        }
    }

    /// Whether the store can be read now: its directory is there and what lies in it may be read, its bucket answers and is a store.
    ///
    /// # Errors
    /// [`StoreError::NotThere`].
    pub async fn check_readable(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.check_readable().await,
            Place::Bucket(bucket) => bucket.check_readable().await,
        }
    }

    /// Whether "there is none", which this store has just said of an object, is true: an unmounted disk looks empty. A bucket
    /// has looked at itself before it said so.
    ///
    /// # Errors
    /// [`StoreError::NotThere`].
    pub async fn check_absence(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.check_readable().await,
            Place::Bucket(_) => Ok(()),
        }
    }

    /// The directory, for what has to lie on the same disk; `None` for a bucket.
    pub fn directory(&self) -> Option<&Path> {
        match &self.place {
            Place::Directory(directory) => Some(directory.root()),
            Place::Bucket(_) => None,
        }
    }

    /// The directory that `address` names, whether it is there or not; `None` for a bucket, and for what is no address.
    pub fn directory_at(address: &str) -> Option<PathBuf> {
        match Address::parse(address) {
            Ok(Address::Directory(root)) => Some(root),
            Ok(Address::Bucket { .. }) | Err(_) => None,
        }
    }

    /// What is known about the object at `path`; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn head(&self, path: &StorePath) -> Result<Option<Meta>, StoreError> {
        let found = self.objects().head(&key(path)).await;
        Ok(self.absent(path, found).await?.map(|object| meta(&object)))
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
        self.put_unsettled(path, bytes).await?;
        Ok(true)
    }

    /// Writes an object whole, durable after the next [`Store::settle`].
    ///
    /// # Errors
    /// When it cannot be written; what was there is then still there.
    pub async fn put_unsettled(&self, path: &StorePath, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.objects().put(&key(path), PutPayload::from_bytes(bytes)).await;
        put.map(drop).map_err(|error| self.unwritten(path, error))
    }

    /// Writes an object whole, in place of what is there, and durably.
    ///
    /// # Errors
    /// When it cannot be written; what was there is then still there.
    pub async fn put(&self, path: &StorePath, bytes: Bytes) -> Result<(), StoreError> {
        let bytes = PutPayload::from_bytes(bytes);
        let put = match &self.place {
            Place::Directory(directory) => directory.put(&key(path), bytes).await,
            Place::Bucket(bucket) => bucket.objects.put(&key(path), bytes).await.map(drop),
        };
        put.map_err(|error| self.unwritten(path, error))
    }

    /// Removes the object at `path`, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn delete(&self, path: &StorePath) -> Result<(), StoreError> {
        match self.objects().delete(&key(path)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unwritten(format!("away {path}"), error)),
        }
    }

    /// Removes all the objects at `paths`, many at a time.
    ///
    /// # Errors
    /// When one cannot be removed; some of the others are then gone.
    pub async fn delete_all(&self, paths: Vec<StorePath>) -> Result<(), StoreError> {
        let keys = stream::iter(paths).map(|path| Ok(key(&path))).boxed();
        let deleted = self.objects().delete_stream(keys).filter_map(|deleted| async {
            match deleted {
                Ok(_) | Err(Error::NotFound { .. }) => None,
                Err(error) => Some(error),
            }
        });
        match deleted.boxed().next().await {
            None => Ok(()),
            Some(error) => Err(self.unwritten("away what is to be removed", error)),
        }
    }

    /// Removes all that lies below `folder`. Somebody who lists it meanwhile sees all or nothing in a directory, and less
    /// and less in a bucket.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn remove_folder(&self, folder: &StorePath) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.remove_folder(folder.as_str()).await,
            Place::Bucket(_) => {
                let paths = self.list(Some(folder)).map_ok(|(path, _)| path).try_collect().await?;
                self.delete_all(paths).await
            }
        }
    }

    /// Returns when everything written so far would survive a loss of power. What a bucket has taken already does.
    ///
    /// # Errors
    /// When the disk says it did not.
    pub async fn settle(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(directory) => directory.settle().await,
            Place::Bucket(_) => Ok(()),
        }
    }

    /// All objects below `folder` (all of the store without one), in no order. Locks and uploads are none.
    pub fn list(
        &self,
        folder: Option<&StorePath>,
    ) -> impl Stream<Item = Result<(StorePath, Meta), StoreError>> + Send + use<> {
        let store = self.clone();
        let objects = self.objects().list(folder.map(key).as_ref());
        objects.map_err(move |error| store.not_there(error)).try_filter_map(|object| async move {
            Ok(StorePath::parse(object.location.as_ref()).ok().map(|path| (path, meta(&object))))
        })
    }

    /// The names of the folders in `folder`, in no order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn folders(&self, folder: &StorePath) -> Result<Vec<String>, StoreError> {
        let listed = match self.objects().list_with_delimiter(Some(&key(folder))).await {
            Ok(listed) => listed,
            Err(Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(self.not_there(error)),
        };
        let names = listed.common_prefixes.iter().filter_map(|prefix| prefix.filename().map(str::to_owned));
        Ok(names.collect())
    }

    /// Its address, for people.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Directory(directory) => directory.name(),
            Place::Bucket(bucket) => bucket.name(),
        }
    }

    pub(crate) fn unwritten(&self, what: impl ToString, error: Error) -> StoreError {
        match &self.place {
            Place::Directory(directory) => directory.unwritten(what, io_error(error)),
            Place::Bucket(bucket) => bucket.unwritten(what, &error),
        }
    }

    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        match &self.place {
            Place::Directory(directory) => &directory.objects,
            Place::Bucket(bucket) => &bucket.objects,
        }
    }

    /// "There is none" as an answer, anything else as an error.
    pub(crate) async fn absent<T>(
        &self,
        path: &StorePath,
        result: object_store::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        match &self.place {
            Place::Directory(_) => {
                directory::absent(result).map_err(|error| StoreError::unreadable(path, error))
            }
            Place::Bucket(bucket) => bucket.absent(result).await,
        }
    }

    fn not_there(&self, error: Error) -> StoreError {
        match &self.place {
            Place::Directory(directory) => {
                StoreError::NotThere { store: directory.name(), source: io_error(error) }
            }
            Place::Bucket(bucket) => bucket.not_there(&error),
        }
    }

    pub(crate) fn said(&self, error: &Error) -> io::Error {
        match &self.place {
            Place::Directory(_) => io::Error::other(error.to_string()),
            Place::Bucket(_) => said::io_error(error),
        }
    }
}

pub(crate) fn key(path: &StorePath) -> Key {
    Key::from(path.as_str())
}

fn meta(object: &object_store::ObjectMeta) -> Meta {
    Meta { bytes: object.size, modified: object.last_modified.into() }
}
