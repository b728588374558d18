//! The way out of a stream: h3 sends heads by it, and we bodies.

use super::lost;
use super::watch::error_code;
use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::quic::{SendStream, StreamErrorIncoming, StreamId, WriteBuf};
use quinn::{VarInt, WriteError};
use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The way out of a stream, shared by h3, which sends heads, and by us, who send bodies.
pub(super) type WayOut = Rc<RefCell<Out>>;

/// A stream that ends as broken off, unless it was said to be whole: quinn would finish it.
pub(super) struct Out {
    stream: quinn::SendStream,
    is_whole: bool,
}

impl Out {
    /// Sends of `pieces` what there is room for; those at the front become empty. Waits until there is room for some.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut [Bytes],
    ) -> Poll<Result<(), WriteError>> {
        pin!(self.stream.write_chunks(pieces)).poll(cx).map_ok(|_| ())
    }

    /// What is written is all.
    pub(super) fn finish(&mut self) {
        self.is_whole = true;
        // It was stopped or lost: nobody waits for its end.
        let _ = self.stream.finish();
    }

    /// Gives the answer up.
    pub(super) fn reset(&mut self, code: Code) {
        self.is_whole = true;
        let _ = self.stream.reset(error_code(code));
    }

    /// Waits until the client wants no more, or has got everything. `Some` when it wants no more.
    pub(super) fn stopped(
        &self,
    ) -> impl Future<Output = Result<Option<VarInt>, quinn::StoppedError>> + use<> + 'static {
        self.stream.stopped()
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if !self.is_whole {
            self.reset(Code::H3_INTERNAL_ERROR);
        }
    }
}

/// One direction, away.
pub(super) struct Leaving {
    pub(super) way_out: WayOut,
    writing: Option<WriteBuf<Bytes>>,
}

impl Leaving {
    pub(super) fn new(stream: quinn::SendStream) -> Self {
        Self { way_out: Rc::new(RefCell::new(Out { stream, is_whole: false })), writing: None }
    }
}

impl SendStream<Bytes> for Leaving {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        if let Some(writing) = &mut self.writing {
            let out = &mut *self.way_out.borrow_mut();
            while writing.has_remaining() {
                let written = ready!(Pin::new(&mut out.stream).poll_write(cx, writing.chunk()));
                writing.advance(written.map_err(lost::writing)?);
            }
        }
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.way_out.borrow_mut().finish();
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self, code: u64) {
        self.way_out.borrow_mut().reset(code.into());
    }

    fn send_id(&self) -> StreamId {
        lost::stream_id(self.way_out.borrow().stream.id())
    }
}
