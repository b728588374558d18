//! Reading an object in blocks, so that its size does not decide how much memory a reader takes.

use crate::error::StoreError;
use crate::store::{Meta, blocking};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{GetResult, GetResultPayload};
use package::StorePath;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes read at a time: one trip to the disk's thread for most segments of the low rungs, four for 1080p. Memory of
/// a reader is one block, whatever the object's size.
pub const READ_BLOCK: usize = 256 << 10;

/// An object that has been opened. What it reads is what was there when it was opened.
#[derive(Debug)]
pub struct Reading {
    path: StorePath,
    meta: Meta,
    file: Arc<File>,
}

impl Reading {
    pub(crate) fn new(path: StorePath, found: GetResult) -> Result<Self, StoreError> {
        let meta = Meta { bytes: found.meta.size, modified: found.meta.last_modified.into() };
        match found.payload {
            GetResultPayload::File(file, _) => Ok(Self { path, meta, file: Arc::new(file) }),
            GetResultPayload::Stream(_) => {
                Err(StoreError::unreadable(&path, io::Error::from(io::ErrorKind::Unsupported)))
            }
        }
    }

    /// Its length and when it was written.
    pub fn meta(&self) -> Meta {
        self.meta
    }

    /// The bytes of `range`, in blocks of at most [`READ_BLOCK`], read one after the other as they are asked for.
    ///
    /// The caller has checked `range` against [`Meta::bytes`]. An object cut short meanwhile ends in
    /// [`StoreError::Truncated`], never in fewer bytes without a word.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + use<> {
        let Self { path, file, .. } = self;
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

    /// All of it, when it has no more than `limit` bytes.
    pub(crate) async fn whole(self, limit: usize) -> Result<Bytes, StoreError> {
        let (bytes, limit) = (self.meta.bytes, u64::try_from(limit).unwrap_or(u64::MAX));
        if bytes > limit {
            return Err(StoreError::TooLarge { path: self.path, bytes, limit });
        }
        let blocks: Vec<Bytes> = self.stream(0..bytes).boxed().try_collect().await?;
        match <[Bytes; 1]>::try_from(blocks) {
            Ok([one]) => Ok(one),
            Err(many) => Ok(many.concat().into()),
        }
    }
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
