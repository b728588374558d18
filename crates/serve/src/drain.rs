//! The wish to end, known to every connection of every core. It comes in two strengths: *give way* to another process,
//! where nobody is in a hurry, and *close*, where the address is about to be gone.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

/// Hears when the process is asked to stop. Cheap to clone, and to wait for: every parked connection does.
#[derive(Debug, Clone)]
pub struct Drain(Arc<Wish>);

/// Asks all holders of [`Drain`] to stop; also when it is dropped.
#[derive(Debug)]
pub struct DrainSender(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    strength: AtomicU8,
    heard: Notify,
}

/// Strengths of the wish; zero is none.
const GIVE_WAY: u8 = 1;
const CLOSE: u8 = 2;

impl DrainSender {
    /// Accept no more, close what is idle, let answers end.
    pub fn begin(&self) {
        self.wish(CLOSE);
    }

    /// Accept no more; each connection ends with its next answer.
    pub fn give_way(&self) {
        self.wish(GIVE_WAY);
    }

    fn wish(&self, strength: u8) {
        self.0.strength.fetch_max(strength, Ordering::AcqRel);
        self.0.heard.notify_waiters();
    }
}

impl Drop for DrainSender {
    fn drop(&mut self) {
        self.begin();
    }
}

impl Drain {
    /// One, and who may speak it. A server makes its own; this is also for what runs without one.
    pub fn pair() -> (DrainSender, Self) {
        let wish = Arc::<Wish>::default();
        (DrainSender(Arc::clone(&wish)), Self(wish))
    }

    /// Whether ending has begun.
    pub fn has_begun(&self) -> bool {
        self.is(GIVE_WAY)
    }

    /// Whether idle connections are to be closed.
    pub fn is_closing(&self) -> bool {
        self.is(CLOSE)
    }

    /// Waits for the beginning of the end. Also returns when the server is gone altogether.
    pub async fn begun(&self) {
        self.wait(GIVE_WAY).await;
    }

    /// Waits until idle connections are to be closed.
    pub(crate) async fn closing(&self) {
        self.wait(CLOSE).await;
    }

    fn is(&self, strength: u8) -> bool {
        self.0.strength.load(Ordering::Acquire) >= strength
    }

    async fn wait(&self, strength: u8) {
        let mut heard = pin!(self.0.heard.notified());
        loop {
            // On the list before the flag is read: a wish that comes in between is heard.
            heard.as_mut().enable();
            if self.is(strength) {
                return;
            }
            heard.as_mut().await;
            heard.set(self.0.heard.notified());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_before_and_after_it_is_spoken() {
        let (sender, drain) = Drain::pair();
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
    async fn giving_way_is_no_closing() {
        let (sender, drain) = Drain::pair();
        sender.give_way();
        drain.begun().await;
        assert!(drain.has_begun() && !drain.is_closing());
        let closing = tokio::spawn({
            let drain = drain.clone();
            async move { drain.closing().await }
        });
        tokio::task::yield_now().await;
        sender.begin();
        closing.await.unwrap();
        // It never grows weaker.
        sender.give_way();
        assert!(drain.is_closing());
    }

    #[tokio::test]
    async fn a_server_that_is_gone_has_stopped() {
        let (sender, drain) = Drain::pair();
        drop(sender);
        drain.begun().await;
    }
}
