//! The bytes of an answer, counted as they are handed to the connection.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use futures_util::{Stream, TryStreamExt};
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
    Stream {
        /// The block that came before the head was sent.
        first: Option<Bytes>,
        rest: BoxStream<'static, Result<Bytes, ReadError>>,
        errors: IntCounter,
    },
}

/// Why a body does not begin, or ends early. The connection is then cut, so that nobody takes the part for the whole.
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
        let within = stream::unfold(Some(blocks.boxed()), move |blocks| async move {
            let mut blocks = blocks?;
            let failed = match tokio::time::timeout(limit, blocks.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(block))) => return Some((Ok(block), Some(blocks))),
                Ok(Some(Err(error))) => ReadError::Store(error),
                Err(_) => ReadError::Timeout(limit),
            };
            Some((Err(failed), None))
        });
        let content = Content::Stream { first: None, rest: within.boxed(), errors };
        Self { content, left: length, sent: None }
    }

    /// With its first block there: what cannot be read at all is then answered with an error, not begun with a 200 and cut.
    ///
    /// # Errors
    /// When the first block does not come.
    pub(crate) async fn begun(mut self) -> Result<Self, ReadError> {
        if let Content::Stream { first, rest, .. } = &mut self.content {
            *first = rest.try_next().await?;
        }
        Ok(self)
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
            Content::Stream { first, rest, errors } => {
                let next = match first.take() {
                    Some(block) => Some(Ok(block)),
                    None => ready!(rest.poll_next_unpin(context)),
                };
                if let Some(Err(error)) = &next {
                    errors.inc();
                    tracing::error!(%error, "an answer is cut short");
                }
                next
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io;

    fn failed() -> StoreError {
        let source = Box::new(io::Error::other("the disk is ill"));
        StoreError::Unreadable { path: package::StorePath::parse("p/a/s0/00000.m4s").unwrap(), source }
    }

    fn body(blocks: Vec<Result<Bytes, StoreError>>, length: u64) -> Body {
        let errors = IntCounter::new("errors", "errors").unwrap();
        Body::stream(stream::iter(blocks), length, Duration::from_secs(1), errors)
    }

    #[tokio::test]
    async fn what_cannot_be_read_at_all_is_known_before_the_head_is_sent() {
        assert!(matches!(body(vec![Err(failed())], 9).begun().await, Err(ReadError::Store(_))));
        // The second piece fails: what has begun is cut.
        let two = vec![Ok(Bytes::from_static(b"abc")), Err(failed())];
        let mut begun = body(two, 9).begun().await.unwrap();
        assert_eq!(begun.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(begun.frame().await.unwrap().is_err());
        let whole = body(vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"def"))], 6);
        assert_eq!(whole.begun().await.unwrap().collect().await.unwrap().to_bytes(), "abcdef");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_gives_nothing_is_not_waited_for_without_end() {
        let errors = IntCounter::new("errors", "errors").unwrap();
        let body = Body::stream(stream::pending(), 9, Duration::from_secs(1), errors);
        assert!(matches!(body.begun().await, Err(ReadError::Timeout(_))));
    }
}
