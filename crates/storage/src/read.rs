//! Reading an object: whole where it is small, else in blocks, so that its size does not decide how much memory a reader takes.

use crate::bucket::said;
use crate::directory::blocking;
use crate::error::StoreError;
use crate::store::{Found, Meta, Place, Store, key};
use crate::swap::Version;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt,
};
use package::StorePath;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes read at a time: one trip to the disk's thread for most segments of the low rungs, four for 1080p. Memory of
/// a reader is one block, whatever the object's size.
pub const READ_BLOCK: usize = 256 << 10;

/// The longest part of an object that is read at once into memory.
pub const MAX_RANGE_BYTES: u64 = 64 << 20;

/// An object that has been opened or looked at. What it reads is what was there then.
pub struct Reading {
    path: StorePath,
    meta: Meta,
    tag: Option<String>,
    source: Source,
}

/// Where the bytes come from.
enum Source {
    /// A file.
    File(Arc<File>),
    /// A server.
    Server {
        objects: Arc<dyn ObjectStore>,
        /// Its answer, all of the object, where that has begun.
        begun: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    },
}

impl Store {
    /// Opens the object at `path` for reading, all of it; `None` when there is none. A later swap does not change what this
    /// reads.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub async fn read(&self, path: &StorePath) -> Result<Option<Reading>, StoreError> {
        let found = self.objects().get(&key(path)).await;
        let found = self.absent(path, found).await?;
        Ok(found.map(|result| Reading::opened(path.clone(), result, Arc::clone(self.objects()))))
    }

    /// As [`Store::read`], for who may not want all of it: a bucket is asked about the object, and for bytes only once
    /// [`Reading::stream`] is, and then for those alone.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn look(&self, path: &StorePath) -> Result<Option<Reading>, StoreError> {
        let Place::Bucket(bucket) = &self.place else { return self.read(path).await };
        let found = bucket.absent(bucket.objects.head(&key(path)).await).await?;
        Ok(found.map(|about| Reading::told(path.clone(), about, Arc::clone(&bucket.objects))))
    }

    /// Reads the object at `path` whole; `None` when there is none.
    ///
    /// # Errors
    /// When it has more than `limit` bytes or cannot be read.
    pub async fn get(&self, path: &StorePath, limit: usize) -> Result<Option<Found>, StoreError> {
        let Some(reading) = self.read(path).await? else { return Ok(None) };
        let tag = reading.tag();
        let bytes = reading.whole(limit).await?;
        let version = match &self.place {
            Place::Directory(_) => Version::of(&bytes),
            // Without a tag no swap will ever match, and the first one says so.
            Place::Bucket(_) => Version::tagged(tag.unwrap_or_default()),
        };
        Ok(Some(Found { bytes, version }))
    }

    /// Reads the bytes of `range` of the object at `path`; `None` when there is no such object.
    ///
    /// # Errors
    /// When the object ends before the range does, the range is longer than [`MAX_RANGE_BYTES`], or it cannot be read.
    pub async fn read_range(&self, path: &StorePath, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let Range { start, end } = range;
        let length = end.saturating_sub(start);
        if length > MAX_RANGE_BYTES {
            return Err(StoreError::TooLarge { path: path.clone(), bytes: length, limit: MAX_RANGE_BYTES });
        }
        if length == 0 {
            return Ok(self.head(path).await?.map(|_| Bytes::new()));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = match self.objects().get_opts(&key(path), options).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        let error = match found {
            Ok(bytes) if bytes.len() as u64 == length => return Ok(Some(bytes)),
            Ok(bytes) => {
                let missing = length.saturating_sub(bytes.len() as u64);
                return Err(StoreError::Truncated { path: path.clone(), missing });
            }
            Err(error) => error,
        };
        // Not there, shorter than the range (RFC 9110 §15.5.17), or unreadable.
        match self.head(path).await? {
            None => Ok(None),
            Some(there) if there.bytes < end => {
                Err(StoreError::Truncated { path: path.clone(), missing: end - there.bytes.max(start) })
            }
            Some(_) => Err(StoreError::unreadable(path, self.said(&error))),
        }
    }
}

impl Reading {
    fn opened(path: StorePath, found: GetResult, objects: Arc<dyn ObjectStore>) -> Self {
        let meta = Meta { bytes: found.meta.size, modified: found.meta.last_modified.into() };
        let source = match found.payload {
            GetResultPayload::File(file, _) => Source::File(Arc::new(file)),
            GetResultPayload::Stream(whole) => Source::Server { objects, begun: Some(whole) },
        };
        Self { path, meta, tag: found.meta.e_tag, source }
    }

    /// Of what a server has told without sending any of it.
    fn told(path: StorePath, found: ObjectMeta, objects: Arc<dyn ObjectStore>) -> Self {
        let meta = Meta { bytes: found.size, modified: found.last_modified.into() };
        Self { path, meta, tag: found.e_tag, source: Source::Server { objects, begun: None } }
    }

    /// Its length and when it was written.
    pub fn meta(&self) -> Meta {
        self.meta
    }

    /// The server's name for its content.
    fn tag(&self) -> Option<String> {
        self.tag.clone()
    }

    /// The bytes of `range`, in blocks of at most [`READ_BLOCK`], read one after the other as they are asked for.
    ///
    /// The caller has checked `range` against [`Meta::bytes`]. An object cut short meanwhile ends in
    /// [`StoreError::Truncated`], never in fewer bytes without a word.
    pub fn stream(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let Self { path, meta, tag, source } = self;
        if range.is_empty() {
            return stream::empty().boxed();
        }
        let whole = range == (0..meta.bytes);
        match source {
            Source::File(file) => blocks_of_file(path, file, range).boxed(),
            Source::Server { begun: Some(begun), .. } if whole => {
                blocks_of_answer(path, begun, meta.bytes).boxed()
            }
            // An answer that has begun is left: the part is asked for, of the very same object.
            Source::Server { objects, .. } => {
                let length = range.end - range.start;
                let options = GetOptions {
                    range: (!whole).then_some(GetRange::Bounded(range)),
                    if_match: tag.clone(),
                    ..GetOptions::default()
                };
                let part = async move {
                    let key = Key::from(path.as_str());
                    match objects.get_opts(&key, options).await {
                        // Some servers pass over the condition.
                        Ok(found) if found.meta.e_tag != tag => {
                            Err(StoreError::unreadable(&path, io::Error::other("it was replaced meanwhile")))
                        }
                        Ok(found) => Ok(blocks_of_answer(path, found.into_stream(), length)),
                        Err(error) => Err(StoreError::unreadable(&path, said::io_error(&error))),
                    }
                };
                stream::once(part).try_flatten().boxed()
            }
        }
    }

    /// All of it, when it has no more than `limit` bytes.
    async fn whole(self, limit: usize) -> Result<Bytes, StoreError> {
        let (bytes, limit) = (self.meta.bytes, u64::try_from(limit).unwrap_or(u64::MAX));
        if bytes > limit {
            return Err(StoreError::TooLarge { path: self.path, bytes, limit });
        }
        let blocks: Vec<Bytes> = self.stream(0..bytes).try_collect().await?;
        match <[Bytes; 1]>::try_from(blocks) {
            Ok([one]) => Ok(one),
            Err(many) => Ok(many.concat().into()),
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("path", &self.path).field("meta", &self.meta).finish_non_exhaustive()
    }
}

fn blocks_of_file(
    path: StorePath,
    file: Arc<File>,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + use<> {
    stream::try_unfold((path, file, range), |(path, file, mut rest)| async move {
        let left = rest.end.saturating_sub(rest.start);
        if left == 0 {
            return Ok(None);
        }
        let want = usize::try_from(left).unwrap_or(READ_BLOCK).min(READ_BLOCK);
        let (source, offset) = (Arc::clone(&file), rest.start);
        let block = blocking(move || block(&source, offset, want)).await;
        let block = block.map_err(|error| StoreError::unreadable(&path, error))?;
        if block.is_empty() {
            return Err(StoreError::Truncated { path, missing: left });
        }
        rest.start += block.len() as u64;
        Ok(Some((block, (path, file, rest))))
    })
}

/// What a server sends, in pieces of our size; `length` bytes or an error.
fn blocks_of_answer(
    path: StorePath,
    answer: BoxStream<'static, object_store::Result<Bytes>>,
    length: u64,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + use<> {
    stream::try_unfold(
        (path, answer, Bytes::new(), length),
        |(path, mut answer, mut came, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            while came.is_empty() {
                came = match answer.next().await {
                    Some(Ok(bytes)) => bytes,
                    Some(Err(error)) => return Err(StoreError::unreadable(&path, said::io_error(&error))),
                    None => return Err(StoreError::Truncated { path, missing: left }),
                };
            }
            let most = usize::try_from(left).unwrap_or(READ_BLOCK).min(READ_BLOCK).min(came.len());
            let block = came.split_to(most);
            let left = left - block.len() as u64;
            Ok(Some((block, (path, answer, came, left))))
        },
    )
}

/// Up to `want` bytes from `offset`; fewer at the end only.
fn block(file: &File, offset: u64, want: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; want];
    let mut filled = 0;
    while filled < want {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer.into())
}
