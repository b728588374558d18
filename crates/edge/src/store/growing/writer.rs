//! The fill's end of a body that grows.

use super::{End, Growing, Piece, SHORT};
use crate::overload::Promise;
use crate::store::body::{BLOCK, Blocks};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// The fill's end of a growing body. Dropped unfinished, the body has broken off.
#[derive(Debug)]
pub(crate) struct GrowingWriter {
    growing: Arc<Growing>,
    /// The block being filled, without its pieces that are long enough.
    block: BytesMut,
    /// Bytes left in it. Counted here: an allocation may be larger than asked for.
    room: usize,
    /// Memory that the rest of it will take.
    promise: Option<Promise>,
}

impl GrowingWriter {
    /// Of a body of which nothing has come.
    pub(super) fn of(growing: &Arc<Growing>) -> Self {
        Self { growing: Arc::clone(growing), block: BytesMut::new(), room: 0, promise: None }
    }

    /// Has `promise` kept with each byte that comes.
    pub(crate) fn promised(mut self, promise: Promise) -> Self {
        self.promise = Some(promise);
        self
    }

    fn keep_promise(&mut self, bytes: usize) {
        if let Some(promise) = &mut self.promise {
            promise.keep(bytes as u64);
        }
    }

    /// Bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.growing.state().received
    }

    /// Whether a reader wants more than has come, however slowly it takes that.
    pub(crate) fn is_wanted(&self) -> bool {
        self.growing.state().is_wanted()
    }

    /// Whether more than `most` bytes have come that no reader has taken, and one wants them.
    pub(crate) fn is_ahead(&self, most: u64) -> bool {
        let state = self.growing.state();
        state.is_wanted() && state.received > state.taken.saturating_add(most)
    }

    /// Waits while it is. Who reads is not waited for longer than the connection that it reads for is let live.
    pub(crate) async fn let_readers_come(&self, most: u64) {
        poll_fn(|cx| {
            let mut state = self.growing.state();
            if !state.is_wanted() || state.received <= state.taken.saturating_add(most) {
                return Poll::Ready(());
            }
            state.pacing = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// So many bytes are still to come, where that is more than was promised.
    pub(crate) fn expect(&mut self, bytes: u64) {
        if let Some(promise) = &mut self.promise {
            promise.expect(bytes);
        }
    }

    /// The same of what readers want.
    pub(crate) fn expect_what_is_wanted(&mut self) {
        let wanted = {
            let state = self.growing.state();
            let end = state.wanted.last_key_value().map_or(0, |(&end, _)| end);
            end.min(self.growing.length.unwrap_or(end)).saturating_sub(state.received)
        };
        self.expect(wanted);
    }

    /// Adds what came and wakes the readers. Copies once, so that the upstream's buffer is free again and memory is
    /// what we count it to be; what is short is copied once more, until it is long enough.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        self.keep_promise(bytes.len());
        let mut at = self.received();
        let mut pieces: Vec<Piece> = Vec::new();
        while !bytes.is_empty() {
            if self.room == 0 {
                self.begin_block(at);
            }
            let begins = at - self.block.len() as u64;
            let length = bytes.len().min(self.room);
            self.room -= length;
            self.block.extend_from_slice(&bytes[..length]);
            bytes = &bytes[length..];
            at += length as u64;
            let piece = if self.room == 0 || self.block.len() >= SHORT {
                // What is split off stays in place; the rest of the block keeps its room.
                self.block.split().freeze()
            } else {
                Bytes::copy_from_slice(&self.block)
            };
            pieces.push(Piece { at: begins, bytes: piece });
        }
        self.growing.change(|state| {
            for piece in pieces {
                state.received = piece.end();
                match state.pieces.last_mut() {
                    Some(last) if last.at == piece.at => *last = piece,
                    _ => state.pieces.push(piece),
                }
            }
        });
    }

    /// Adds a block as it is: full, unless it is the last, and behind full ones.
    pub(crate) fn push_block(&mut self, bytes: Bytes) {
        debug_assert!(self.room == 0, "blocks follow blocks");
        self.keep_promise(bytes.len());
        self.growing.change(|state| {
            let at = state.received;
            state.received += bytes.len() as u64;
            state.pieces.push(Piece { at, bytes });
        });
    }

    /// Of what begins at `at`.
    fn begin_block(&mut self, at: u64) {
        let left = self.growing.length.map(|length| length.saturating_sub(at));
        // A body longer than stated gets full blocks; whoever fills finds out.
        let room = left.filter(|&left| left > 0).map_or(BLOCK as u64, |left| left.min(BLOCK as u64));
        self.room = usize::try_from(room).unwrap_or(BLOCK);
        self.block = BytesMut::with_capacity(self.room);
    }

    /// All has come. Gives the body as it is kept from now on.
    pub(crate) fn finish(self) -> Blocks {
        let pieces = self.growing.state().pieces.clone();
        let of_one_block = |one: &Piece, next: &Piece| one.at / BLOCK as u64 == next.at / BLOCK as u64;
        let blocks = pieces.chunk_by(of_one_block).map(|pieces| joined(pieces, self.room)).collect();
        self.growing.change(|state| state.end = Some(End::Complete));
        Blocks::new(blocks)
    }
}

/// A block's pieces as one; copied only where there are several, or it is the last and has so much `room` left, which would be
/// kept and not counted.
fn joined(pieces: &[Piece], room: usize) -> Bytes {
    if let [whole] = pieces
        && (room == 0 || whole.bytes.len() == BLOCK)
    {
        return whole.bytes.clone();
    }
    let mut whole = BytesMut::with_capacity(pieces.iter().map(|piece| piece.bytes.len()).sum());
    for piece in pieces {
        whole.extend_from_slice(&piece.bytes);
    }
    whole.freeze()
}

impl Drop for GrowingWriter {
    fn drop(&mut self) {
        self.growing.change(|state| {
            state.end.get_or_insert(End::BrokenOff);
        });
    }
}
