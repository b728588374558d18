//! A stream whose other end has to take what it has asked for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Gives up an end that takes nothing for so long.
pub(crate) struct Impatient<S> {
    stream: S,
    most: Duration,
    /// Set while it takes nothing.
    stalls: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) fn new(stream: S, most: Duration) -> Self {
        Self { stream, most, stalls: None }
    }

    /// `taken`, unless that is still to be waited for and has been for too long.
    fn waited<T>(&mut self, cx: &mut Context<'_>, taken: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if taken.is_ready() {
            self.stalls = None;
            return taken;
        }
        let most = self.most;
        let stalls = self.stalls.get_or_insert_with(|| Box::pin(sleep(most)));
        stalls.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.waited(cx, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.waited(cx, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let taken = Pin::new(&mut self.stream).poll_flush(cx);
        self.waited(cx, taken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let taken = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.waited(cx, taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, timeout};

    const MOST: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_and_who_takes_little_is_not() {
        for (each, taken) in [(MOST / 2, true), (MOST * 2, false)] {
            let (ours, mut theirs) = tokio::io::duplex(1);
            let mut ours = Impatient::new(ours, MOST);
            drop(tokio::spawn(async move {
                loop {
                    sleep(each).await;
                    let _ = theirs.read_u8().await;
                }
            }));
            let began = Instant::now();
            let written = timeout(MOST * 10, ours.write_all(&[7; 8])).await.unwrap();
            assert_eq!(written.is_ok(), taken, "{each:?}");
            assert!(taken || began.elapsed() <= MOST * 2);
        }
    }
}
