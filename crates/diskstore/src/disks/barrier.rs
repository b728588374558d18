//! Having disks come to something behind all work so far, and being told when they have.

use super::{Disks, Placed};
use crate::disk::{MakeNote, Work};
use bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Whether one disk has come to what it was asked for, once that is known. Dropped, the disk does it all the same. It never comes
/// where the disk hangs: the caller bounds the wait.
#[derive(Debug)]
pub struct Barrier(Option<oneshot::Receiver<()>>);

impl Future for Barrier {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        match &mut self.0 {
            Some(doing) => Pin::new(doing).poll(context).map(|done| done.is_ok()),
            None => Poll::Ready(false),
        }
    }
}

impl Disks {
    /// Waits until everything so far is on the disks. `false` when a disk could not. One that is not open is not waited for.
    pub async fn flush(&self) -> bool {
        let mut all = true;
        for settled in self.settle(|_| true) {
            all &= settled.await;
        }
        all
    }

    /// For each disk, as they are configured, whether everything so far is on it. Asked are those that `asks` names by their place
    /// and that are open; of others it is not.
    pub fn settle(&self, asks: impl Fn(usize) -> bool) -> Vec<Barrier> {
        self.have_done(asks, Work::Flush)
    }

    /// Has something noted on disks in place of what was noted before, behind all work so far; for each, as in
    /// [`Disks::settle`], whether it is. The longest note is a megabyte.
    ///
    /// `text` is asked for by each disk when it comes to it, so that what was found when it was opened is in it.
    pub fn note(
        &self,
        asks: impl Fn(usize) -> bool,
        text: impl Fn() -> Bytes + Send + Sync + 'static,
    ) -> Vec<Barrier> {
        let text = MakeNote(Arc::new(text));
        self.have_done(asks, move |done| Work::Note { text: text.clone(), done })
    }

    fn have_done(
        &self,
        asks: impl Fn(usize) -> bool,
        work: impl Fn(oneshot::Sender<()>) -> Work,
    ) -> Vec<Barrier> {
        let begin = |(at, placed): (usize, &Placed)| {
            let doing = (asks(at) && placed.disk.volume().is_some()).then(|| {
                let (done, doing) = oneshot::channel();
                placed.disk.submit(Bytes::new(), work(done));
                doing
            });
            Barrier(doing)
        };
        self.disks.iter().enumerate().map(begin).collect()
    }
}
