//! What waits to be taken by the client.

use super::head::{self, ROOM};
use crate::connection::Here;
use crate::connection::activity::Activity;
use crate::connection::http1::MAX_SEND_BUFFER;
use crate::connection::stream::Transport;
use bytes::{Buf, Bytes};
use http::Response;
use http_body::Body;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// Pieces that are sent at once; nearly all of them are whole blocks, of which there are five.
const MAX_PIECES: usize = 16;

/// Bytes left of an answer from which on more of it is taken: what a socket holds unsent as a rule (`send_buffer`).
const SHORT: usize = 64 * 1_024;

/// An answer on its way: what of its head is not sent, and pieces of its body, in order.
pub(super) struct Outgoing {
    room: Box<[u8; ROOM]>,
    head: Range<usize>,
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self { room: Box::new([0; ROOM]), head: 0..0, pieces: VecDeque::new(), bytes: 0 }
    }

    /// Begins an answer, where nothing of another is left: gives the length of the body. `None`: it is one for hyper.
    pub(super) fn begin<B: Body>(&mut self, answer: &Response<B>, here: &Here) -> Option<u64> {
        let written = head::write(answer, here, &mut self.room)?;
        self.head = 0..written.head;
        Some(written.body)
    }

    /// Whether one more piece may be sent with the others.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < MAX_SEND_BUFFER && self.pieces.len() < MAX_PIECES
    }

    /// Whether so little is left that more should be taken. While a client does not take what there is, nothing is read for it: blocks
    /// from a disk are its alone, and would leave a core's cache before they are sent.
    pub(super) fn runs_short(&self) -> bool {
        self.bytes <= SHORT
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.bytes += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Hands all of it to the kernel.
    pub(super) fn poll_send<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut T,
        activity: &Activity,
    ) -> Poll<io::Result<()>> {
        while self.bytes > 0 || !self.head.is_empty() {
            let mut slices = [IoSlice::new(&[]); 1 + MAX_PIECES];
            let mut count = 0;
            let head = Some(&self.room[self.head.clone()]).filter(|head| !head.is_empty());
            for (slice, piece) in
                slices.iter_mut().zip(head.into_iter().chain(self.pieces.iter().map(|piece| &piece[..])))
            {
                *slice = IoSlice::new(piece);
                count += 1;
            }
            let written = Pin::new(&mut *stream).poll_write_vectored(cx, &slices[..count]);
            let length = ready!(noted(written, activity, |length| *length))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent(length);
        }
        // TLS may hold encrypted bytes that the socket did not take yet.
        noted(Pin::new(stream).poll_flush(cx), activity, |()| 0)
    }

    fn sent(&mut self, mut length: usize) {
        let of_head = length.min(self.head.len());
        self.head.start += of_head;
        length -= of_head;
        self.bytes -= length;
        while let Some(piece) = self.pieces.front_mut() {
            if piece.len() > length {
                piece.advance(length);
                return;
            }
            length -= piece.len();
            self.pieces.pop_front();
        }
    }
}

/// Notes whether the client takes what there is.
fn noted<V>(
    result: Poll<io::Result<V>>,
    activity: &Activity,
    length: impl FnOnce(&V) -> usize,
) -> Poll<io::Result<V>> {
    match &result {
        Poll::Ready(Ok(value)) => activity.bytes_written(length(value)),
        Poll::Pending => activity.write_blocked(Instant::now),
        Poll::Ready(Err(_)) => {}
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_taken_when_nearly_all_is_sent() {
        let mut outgoing = Outgoing::new();
        assert!(outgoing.runs_short());
        for _ in 0..2 {
            outgoing.push(Bytes::from(vec![7; 256 * 1_024]));
        }
        assert!(outgoing.has_room() && !outgoing.runs_short());
        outgoing.sent(448 * 1_024 - 1);
        assert!(!outgoing.runs_short());
        outgoing.sent(1);
        assert!(outgoing.runs_short());
    }
}
