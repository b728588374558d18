//! A body that goes out piece by piece, each in its turn.

use super::Place;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// A turn's worth: 2.6 ms of the usual line, so that none holds it for long.
const PIECE: usize = 64 << 10;

/// What of a body waits for its turn.
pub(crate) struct Paced {
    place: Place,
    held: Bytes,
    turn: Option<Pin<Box<Sleep>>>,
}

/// Its client took next to nothing, and another wanted its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client took too little for too long")]
pub(crate) struct LostPlace;

impl Paced {
    pub(crate) fn new(place: Place) -> Self {
        // From its head on: a client may never come to the body.
        place.gave(0, Instant::now());
        Self { place, held: Bytes::new(), turn: None }
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.held.len() as u64
    }

    /// Takes bytes that are to go in their turn. Only where none wait.
    pub(crate) fn take(&mut self, bytes: Bytes) {
        debug_assert!(self.held.is_empty(), "one after the other");
        self.held = bytes;
    }

    /// The next piece, when its turn has come; `None` where nothing waits.
    ///
    /// # Errors
    /// When its place is another's.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, LostPlace>>> {
        if self.place.is_lost() {
            return Poll::Ready(Some(Err(LostPlace)));
        }
        self.place.asked(Instant::now());
        if self.held.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.held.len().min(PIECE);
        let turn =
            self.turn.get_or_insert_with(|| Box::pin(sleep_until(self.place.turn(length, Instant::now()))));
        ready!(turn.as_mut().poll(cx));
        self.turn = None;
        self.place.gave(length, Instant::now());
        Poll::Ready(Some(Ok(self.held.split_to(length))))
    }
}
