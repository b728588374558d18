//! The bytes of an answer, counted as they are handed to the connection.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body::{Frame, SizeHint};
use prometheus::IntCounter;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use storage::StoreError;

/// An answer's body.
pub(crate) struct Body {
    content: Content,
    /// Bytes still to come. Exact: it becomes `Content-Length`.
    left: u64,
    sent: Option<IntCounter>,
}

enum Content {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes, ReadError>>),
}

/// Why a body ends early. The connection is then cut, so that nobody takes the part for the whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The store failed in the middle.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store gave nothing for too long.
    #[error("the store gave nothing for {0:?}")]
    Timeout(Duration),
}

impl Body {
    /// Nothing.
    pub(crate) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    /// What is in memory already.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let left = bytes.len() as u64;
        Self { content: Content::Whole(bytes), left, sent: None }
    }

    /// `length` bytes as they come from the store, each block within `limit`.
    pub(crate) fn stream(
        blocks: impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static,
        length: u64,
        limit: Duration,
        errors: IntCounter,
    ) -> Self {
        let within = stream::unfold(Some((blocks.boxed(), errors)), move |state| async move {
            let (mut blocks, errors) = state?;
            let failed = match tokio::time::timeout(limit, blocks.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(block))) => return Some((Ok(block), Some((blocks, errors)))),
                Ok(Some(Err(error))) => ReadError::Store(error),
                Err(_) => ReadError::Timeout(limit),
            };
            errors.inc();
            tracing::error!(error = %failed, "an answer is cut short");
            Some((Err(failed), None))
        });
        Self { content: Content::Stream(within.boxed()), left: length, sent: None }
    }

    /// Counts what is sent from here on.
    pub(crate) fn counted(mut self, sent: IntCounter) -> Self {
        self.sent = Some(sent);
        self
    }

    fn pass(&mut self, bytes: Bytes) -> Frame<Bytes> {
        let length = bytes.len() as u64;
        self.left = self.left.saturating_sub(length);
        if let Some(sent) = &self.sent {
            sent.inc_by(length);
        }
        Frame::data(bytes)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = ReadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReadError>>> {
        let next = match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Stream(blocks) => ready!(blocks.poll_next_unpin(context)),
        };
        Poll::Ready(next.map(|block| block.map(|bytes| self.pass(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
