//! Waiting for the disks to have come to something: so long at most, and once for one that hangs.
//!
//! Whoever gives an order to purge waits for all disks to have it. One that does not answer in time would hold up each order anew, and be
//! given more and more to come to: until it has answered it is asked for nothing, and counts as one that is away.

use futures_util::FutureExt;
use futures_util::future::join_all;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long the disks are waited for to write an order or a pin down. A disk behind with all it may be behind with takes seconds.
pub(super) const WRITTEN_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 10 });

/// Those that were waited for in vain, one for each disk at most.
#[derive(Debug)]
pub(super) struct Barriers<F>(Mutex<Vec<Option<F>>>);

impl<F: Future<Output = bool> + Unpin> Barriers<F> {
    /// Over so many disks, none of which hangs.
    pub(super) fn over(disks: usize) -> Self {
        Self(Mutex::new((0..disks).map(|_| None).collect()))
    }

    /// Of which disks it is known that they hang.
    pub(super) fn hanging(&self) -> Vec<bool> {
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = |late: &mut Option<F>| {
            // What it has come to at last does not matter: whoever asked has gone.
            late.take_if(|late| late.now_or_never().is_some());
            late.is_some()
        };
        late.iter_mut().map(hangs).collect()
    }

    /// Has `begin` begin something on disks, for each in its place, and is told of those that hang; which have done it within
    /// [`WRITTEN_WITHIN`].
    pub(super) async fn pass(&self, begin: impl FnOnce(&[bool]) -> Vec<F>) -> Vec<bool> {
        let begun = begin(&self.hanging());
        let wait = async |mut doing: F| match timeout(WRITTEN_WITHIN, &mut doing).await {
            Ok(done) => (done, None),
            Err(_) => (false, Some(doing)),
        };
        let waited = join_all(begun.into_iter().map(wait)).await;
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = |(late, (done, doing)): (&mut Option<F>, (bool, Option<F>))| {
            *late = doing.or(late.take());
            done
        };
        late.iter_mut().zip(waited).map(end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{Ready, ready};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    /// As a disk's answer: at once, or when something is sent.
    type Answer = futures_util::future::Either<Ready<bool>, futures_util::future::BoxFuture<'static, bool>>;

    fn at_once(done: bool) -> Answer {
        futures_util::future::Either::Left(ready(done))
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_waited_for_once_and_asked_again_when_it_has_answered() {
        let barriers = Barriers::over(3);
        let (answers, answered) = oneshot::channel::<()>();
        let hung = futures_util::future::Either::Right(answered.map(|told| told.is_ok()).boxed());
        let began = Instant::now();
        let done = barriers.pass(|hanging| {
            assert_eq!(hanging, [false; 3]);
            vec![at_once(true), hung, at_once(false)]
        });
        assert_eq!(done.await, [true, false, false]);
        assert_eq!(began.elapsed(), WRITTEN_WITHIN);
        for _ in 0..2 {
            let done = barriers.pass(|hanging| {
                assert_eq!(hanging, [false, true, false]);
                hanging.iter().map(|hangs| at_once(!hangs)).collect()
            });
            assert_eq!(done.await, [true, false, true]);
        }
        assert_eq!(began.elapsed(), WRITTEN_WITHIN, "nobody waits for it any more");
        answers.send(()).unwrap();
        assert_eq!(barriers.hanging(), [false; 3]);
    }
}
