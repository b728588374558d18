//! The wish to stop, known to every connection of every core.

use tokio::sync::watch;

/// Hears when the process is asked to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Drain(watch::Receiver<bool>);

/// Asks all holders of [`Drain`] to stop.
#[derive(Debug)]
pub(crate) struct DrainSender(watch::Sender<bool>);

pub(crate) fn pair() -> (DrainSender, Drain) {
    let (sender, receiver) = watch::channel(false);
    (DrainSender(sender), Drain(receiver))
}

impl DrainSender {
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    /// Whether stopping has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it. Also returns when the server is gone altogether.
    pub async fn begun(&mut self) {
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
