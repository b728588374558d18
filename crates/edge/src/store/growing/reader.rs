//! A client's end of a body that grows.

use super::{End, Growing};
use crate::store::wait_list::Ticket;
use bytes::Bytes;
use std::collections::btree_map::Entry;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A client's end of a growing body.
#[derive(Debug)]
pub(crate) struct GrowingReader {
    growing: Arc<Growing>,
    /// The next byte of the body.
    next: u64,
    /// One beyond the last byte wanted; `None` for all there is.
    end: Option<u64>,
    /// Where to look for `next` first.
    piece: usize,
    turn: Turn,
    ticket: Ticket,
}

/// In which order a herd is served: everybody's first bytes before anybody's second.
///
/// A reader that took all there is would keep the core for as long as a socket takes bytes, hundreds of microseconds,
/// while thousands behind it wait for their first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Has had nothing: gets [`FIRST_BYTES`].
    First,
    /// Has had them: has nothing for so many more polls, so that its task goes to the end of the queue.
    StepsBack(u8),
    /// Takes what there is.
    Free,
}

/// What a reader gets at its first turn. A page: more makes the first write to a socket slower, less does not make it
/// faster.
pub(super) const FIRST_BYTES: u64 = 4 * 1_024;
/// hyper asks a body twice in one turn of a task, before it flushes and after. Whoever asks once loses nothing: each
/// time the task is woken again.
pub(super) const POLLS_OF_A_TURN: u8 = 2;

impl GrowingReader {
    pub(crate) fn new(growing: Arc<Growing>, range: Option<Range<u64>>) -> Self {
        let (next, end) = range.map_or((0, growing.length), |range| (range.start, Some(range.end)));
        let turn = if growing.at_hand { Turn::Free } else { Turn::First };
        let pacing = {
            let mut state = growing.state();
            *state.wanted.entry(end.unwrap_or(u64::MAX)).or_default() += 1;
            state.takes(next)
        };
        pacing.into_iter().for_each(Waker::wake);
        Self { growing, next, end, piece: 0, turn, ticket: Ticket::default() }
    }

    pub(crate) fn remaining(&self) -> Option<u64> {
        self.end.map(|end| end.saturating_sub(self.next))
    }

    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining() == Some(0) {
            return Poll::Ready(None);
        }
        if let Turn::StepsBack(polls) = self.turn {
            self.turn = if polls > 1 { Turn::StepsBack(polls - 1) } else { Turn::Free };
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut state = self.growing.state();
        // The last one may have grown since. A range begins somewhere inside; after that pieces follow one another.
        self.piece = self.piece.saturating_sub(1);
        while let Some(piece) = state.pieces.get(self.piece) {
            let piece_end = piece.end();
            if self.next >= piece_end {
                self.piece += 1;
                continue;
            }
            let from = usize::try_from(self.next - piece.at).unwrap_or(usize::MAX);
            let mut until = self.end.map_or(piece_end, |end| end.min(piece_end));
            if self.turn == Turn::First {
                until = until.min(self.next + FIRST_BYTES);
                self.turn = Turn::StepsBack(POLLS_OF_A_TURN);
            }
            let to = usize::try_from(until - piece.at).unwrap_or(usize::MAX);
            let bytes = piece.bytes.slice(from..to);
            self.next = until;
            let pacing = state.takes(until);
            drop(state);
            pacing.into_iter().for_each(Waker::wake);
            return Poll::Ready(Some(Ok(bytes)));
        }
        match state.end {
            Some(End::Complete) => Poll::Ready(None),
            Some(End::BrokenOff) => {
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the upstream broke off"))))
            }
            None => {
                state.waiting.register(&mut self.ticket, cx.waker());
                Poll::Pending
            }
        }
    }
}

impl Drop for GrowingReader {
    fn drop(&mut self) {
        let pacing = {
            let mut state = self.growing.state();
            state.waiting.leave(&mut self.ticket);
            if let Entry::Occupied(mut readers) = state.wanted.entry(self.end.unwrap_or(u64::MAX)) {
                *readers.get_mut() -= 1;
                if *readers.get() == 0 {
                    readers.remove();
                }
            }
            state.pacing.take()
        };
        pacing.into_iter().for_each(Waker::wake);
    }
}
