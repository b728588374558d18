//! A server that hangs up on what it is sent, and may have said why before.
//!
//! Some answer an upload with a 413 or a 401 and close what they have not read: what is written then fails, while the answer lies
//! in the kernel. hyper gives an exchange up with the first write that fails; here writing fails silently, and what is read tells.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that is heard to its end, whatever becomes of what is written to it.
pub(super) struct Heard<S> {
    inner: S,
    /// Whether the other end has hung up on what was written.
    is_deaf: bool,
}

impl<S> Heard<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, is_deaf: false }
    }

    /// What `written` means to who writes: to one that has hung up, `all` is as good as sent.
    fn noted<T>(&mut self, written: Poll<io::Result<T>>, all: T) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) if has_hung_up(&error) => {
                self.is_deaf = true;
                Poll::Ready(Ok(all))
            }
            written => written,
        }
    }
}

fn has_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.noted(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        if self.is_deaf {
            return Poll::Ready(Ok(all));
        }
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.noted(written, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.noted(flushed, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::RequestBody;
    use super::super::sender::Sender;
    use super::*;
    use http::{HeaderValue, Request};
    use tokio::task::LocalSet;

    /// One that hangs up on what it is sent, behind these words.
    struct HangsUp {
        words: &'static [u8],
        has_hung_up: bool,
    }

    impl AsyncRead for HangsUp {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if !self.has_hung_up {
                return Poll::Pending;
            }
            buffer.put_slice(std::mem::take(&mut self.words));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for HangsUp {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            self.has_hung_up = true;
            // As a kernel says that there is something to read.
            cx.waker().wake_by_ref();
            Poll::Ready(Err(ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn answer(words: &'static str) -> Option<u16> {
        let stream = HangsUp { words: words.as_bytes(), has_hung_up: false };
        let mut sender = Sender::over(stream, "a").await.unwrap();
        let mut request = Request::new(RequestBody::Empty);
        request.headers_mut().insert("host", HeaderValue::from_static("a"));
        sender.send_request(request).await.ok().map(|answer| answer.status().as_u16())
    }

    #[tokio::test]
    async fn who_hangs_up_on_what_it_is_sent_is_heard() {
        LocalSet::new()
            .run_until(async {
                let refusal =
                    "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                for (words, status) in [(refusal, Some(413)), ("HTTP/1.1 413 Pay", None), ("", None)] {
                    assert_eq!(answer(words).await, status, "{words}");
                }
            })
            .await;
    }
}
