//! What an operator may tell a process through its admin listener, besides asking.

use std::sync::Mutex;
use tokio::sync::{Mutex as Queue, mpsc, oneshot};

/// Orders that wait to be heard. An operator gives one and waits for its answer.
const WAITING: usize = 4;

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read the configuration again.
    Reload,
    /// End when running answers have ended.
    Drain,
}

/// An order, and whom to answer.
#[derive(Debug)]
pub struct Told {
    /// What.
    pub order: Order,
    /// Takes the answer.
    pub answer: Answer,
}

/// Takes the answer to an order.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Result<String, String>>);

impl Answer {
    /// One line each: what was done, or why it was not.
    pub fn give(self, answer: Result<String, String>) {
        // Who has asked may have gone.
        let _ = self.0.send(answer);
    }
}

/// The way from the admin listener to the process's main loop.
#[derive(Debug)]
pub struct Orders {
    sender: mpsc::Sender<Told>,
    receiver: Queue<mpsc::Receiver<Told>>,
    heard: Mutex<bool>,
}

impl Default for Orders {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver: Queue::new(receiver), heard: Mutex::new(false) }
    }
}

impl Orders {
    /// The next order. For the one main loop; without it orders are refused.
    pub async fn next(&self) -> Told {
        *self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        match self.receiver.lock().await.recv().await {
            Some(told) => told,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// Gives `order` and waits for its answer.
    pub(crate) async fn give(&self, order: Order) -> Result<String, String> {
        if !*self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err("this process takes no orders".to_owned());
        }
        let (sender, answer) = oneshot::channel();
        let busy = || "busy with another order; try again".to_owned();
        self.sender.try_send(Told { order, answer: Answer(sender) }).map_err(|_| busy())?;
        answer.await.unwrap_or_else(|_| Err("the process is ending".to_owned()))
    }
}
