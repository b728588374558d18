//! How long an answer is waited for: from the moment on in which the last bytes of its request were taken. An upload takes as long
//! as its line needs; a server that takes nothing more is given up.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

/// When the system last took bytes that are sent over one connection. Clones are the same.
#[derive(Clone)]
pub(super) struct Taken(Arc<Mutex<Instant>>);

impl Taken {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// What comes of `asked`; `None` when nothing does for `most`, and nothing of it is taken.
    pub(super) async fn wait<T>(&self, most: Duration, asked: impl Future<Output = T>) -> Option<T> {
        let mut asked = pin!(asked);
        let mut until = Instant::now() + most;
        loop {
            if let Ok(end) = timeout_at(until, asked.as_mut()).await {
                return Some(end);
            }
            let later = self.last() + most;
            if later <= until {
                return None;
            }
            until = later;
        }
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }
}

/// A stream that notes when it takes bytes.
pub(super) struct Noting<S> {
    stream: S,
    taken: Taken,
}

impl<S> Noting<S> {
    pub(super) fn new(stream: S, taken: Taken) -> Self {
        Self { stream, taken }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.taken.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.taken.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect::shake_hands;
    use super::*;
    use bytes::Bytes;
    use http::{Request, StatusCode};
    use object_store::client::HttpRequestBody;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::sleep;

    const PATIENCE: Duration = Duration::from_secs(30);
    /// What the line has room for.
    const PIECE: usize = 64 << 10;
    const OBJECT: usize = 16 * PIECE;

    /// Puts an object over a line of which `serve` is the other end.
    async fn put<S: Future<Output = ()> + Send + 'static>(
        serve: impl FnOnce(DuplexStream) -> S,
    ) -> Option<StatusCode> {
        let (ours, theirs) = tokio::io::duplex(PIECE);
        let taken = Taken::new();
        let mut sender = shake_hands(Noting::new(ours, taken.clone())).await.unwrap();
        drop(tokio::spawn(serve(theirs)));
        let body = HttpRequestBody::from(Bytes::from(vec![7; OBJECT]));
        let answer = taken.wait(PATIENCE, sender.send_request(Request::put("/a").body(body).unwrap()));
        answer.await.map(|answer| answer.unwrap().status())
    }

    /// It was 30 s from the first byte to the answer: what needed longer was never published.
    #[tokio::test(start_paused = true)]
    async fn an_upload_takes_as_long_as_its_line_needs() {
        let began = Instant::now();
        let answer = put(|mut server| async move {
            let mut read = 0;
            while read < OBJECT {
                sleep(PATIENCE / 3).await;
                read += server.read(&mut vec![0; PIECE]).await.unwrap();
            }
            sleep(PATIENCE / 3).await;
            server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            sleep(PATIENCE).await;
        });
        assert_eq!(answer.await, Some(StatusCode::OK));
        assert!(began.elapsed() > PATIENCE * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_no_more_or_does_not_answer_is_given_up() {
        for pieces in [0, 3, OBJECT / PIECE + 1] {
            let began = Instant::now();
            let answer = put(move |mut server| async move {
                for _ in 0..pieces {
                    sleep(PATIENCE / 3).await;
                    let _ = server.read(&mut vec![0; PIECE]).await.unwrap();
                }
                std::future::pending().await
            });
            assert_eq!(answer.await, None, "{pieces}");
            let pieces = u32::try_from(pieces).unwrap();
            assert!(began.elapsed() <= PATIENCE / 3 * pieces + PATIENCE, "{pieces}");
        }
    }
}
