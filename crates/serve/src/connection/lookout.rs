//! When an active HTTP/1.1 connection is looked at next.

use super::activity::Verdict;
use crate::metrics::End;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep};

/// One timer for header, stall and park together.
///
/// It is polled once, to be woken by it, and then only looked at: the task's waker stays the same, and a poll writes to the
/// timer for every request.
pub(super) struct Lookout<'a> {
    at: Pin<&'a mut Sleep>,
    is_minded: bool,
}

impl<'a> Lookout<'a> {
    pub(super) fn new(at: Pin<&'a mut Sleep>) -> Self {
        Self { at, is_minded: false }
    }

    /// Waits until something follows from what the connection does: its end, or, where there is none, that it is parked.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        judge: impl Fn(Instant) -> Verdict,
    ) -> Poll<Option<End>> {
        loop {
            if std::mem::replace(&mut self.is_minded, true) && !self.at.is_elapsed() {
                return Poll::Pending;
            }
            ready!(self.at.as_mut().poll(cx));
            match judge(Instant::now()) {
                Verdict::Wait(until) => self.again(until),
                Verdict::Close(end) => return Poll::Ready(Some(end)),
                Verdict::Park => return Poll::Ready(None),
            }
        }
    }

    /// Looks again then.
    pub(super) fn again(&mut self, at: Instant) {
        self.at.as_mut().reset(at);
        self.is_minded = false;
    }
}
