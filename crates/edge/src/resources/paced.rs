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

impl Paced {
    pub(crate) fn new(place: Place) -> Self {
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
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.held.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.held.len().min(PIECE);
        let turn =
            self.turn.get_or_insert_with(|| Box::pin(sleep_until(self.place.turn(length, Instant::now()))));
        ready!(turn.as_mut().poll(cx));
        self.turn = None;
        Poll::Ready(Some(self.held.split_to(length)))
    }
}
