//! The wish to stop, known to every connection of every core.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Hears when the process is asked to stop. Cheap to clone, and to wait for: every parked connection does.
#[derive(Debug, Clone)]
pub struct Drain(Arc<Wish>);

/// Asks all holders of [`Drain`] to stop; also when it is dropped.
#[derive(Debug)]
pub(crate) struct DrainSender(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    begun: AtomicBool,
    heard: Notify,
}

pub(crate) fn pair() -> (DrainSender, Drain) {
    let wish = Arc::<Wish>::default();
    (DrainSender(Arc::clone(&wish)), Drain(wish))
}

impl DrainSender {
    pub(crate) fn begin(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.heard.notify_waiters();
    }
}

impl Drop for DrainSender {
    fn drop(&mut self) {
        self.begin();
    }
}

impl Drain {
    /// Whether stopping has begun.
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Waits for it. Also returns when the server is gone altogether.
    pub async fn begun(&self) {
        let mut heard = pin!(self.0.heard.notified());
        // On the list before the flag is read: a wish that comes in between is heard.
        heard.as_mut().enable();
        if !self.has_begun() {
            heard.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_before_and_after_it_is_spoken() {
        let (sender, drain) = pair();
        assert!(!drain.has_begun());
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.begun().await }
        });
        tokio::task::yield_now().await;
        sender.begin();
        waiting.await.unwrap();
        drain.begun().await;
        assert!(drain.has_begun());
    }

    #[tokio::test]
    async fn a_server_that_is_gone_has_stopped() {
        let (sender, drain) = pair();
        drop(sender);
        drain.begun().await;
    }
}
