//! Reading an object in blocks, so that its size does not decide how much memory a reader takes.

use crate::bucket::said;
use crate::directory::blocking;
use crate::error::StoreError;
use crate::store::Meta;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore};
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

/// An object that has been opened. What it reads is what was there when it was opened.
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
    /// A server whose answer, all of the object, has begun.
    Answer { whole: BoxStream<'static, object_store::Result<Bytes>>, objects: Arc<dyn ObjectStore> },
}

impl Reading {
    pub(crate) fn new(path: StorePath, found: GetResult, objects: Arc<dyn ObjectStore>) -> Self {
        let meta = Meta { bytes: found.meta.size, modified: found.meta.last_modified.into() };
        let source = match found.payload {
            GetResultPayload::File(file, _) => Source::File(Arc::new(file)),
            GetResultPayload::Stream(whole) => Source::Answer { whole, objects },
        };
        Self { path, meta, tag: found.meta.e_tag, source }
    }

    /// Its length and when it was written.
    pub fn meta(&self) -> Meta {
        self.meta
    }

    /// The server's name for its content.
    pub(crate) fn tag(&self) -> Option<String> {
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
        match source {
            Source::File(file) => blocks_of_file(path, file, range).boxed(),
            Source::Answer { whole, .. } if range == (0..meta.bytes) => {
                blocks_of_answer(path, whole, meta.bytes).boxed()
            }
            // The answer that has begun is left: the part is asked for, of the very same object.
            Source::Answer { objects, .. } => {
                let length = range.end - range.start;
                let options = GetOptions {
                    range: Some(GetRange::Bounded(range)),
                    if_match: tag,
                    ..GetOptions::default()
                };
                let part = async move {
                    let key = Key::from(path.as_str());
                    match objects.get_opts(&key, options).await {
                        Ok(found) => Ok(blocks_of_answer(path, found.into_stream(), length)),
                        Err(error) => Err(StoreError::unreadable(&path, said::io_error(&error))),
                    }
                };
                stream::once(part).try_flatten().boxed()
            }
        }
    }

    /// All of it, when it has no more than `limit` bytes.
    pub(crate) async fn whole(self, limit: usize) -> Result<Bytes, StoreError> {
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
