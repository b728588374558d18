//! quinn's connection and streams as h3 takes them.
//!
//! In place of the crate h3-quinn, which hides the streams: a client that takes its request back has to be heard while
//! the answer is still being made, bodies go out as the cache holds them and not as copies, and what comes in passes
//! [`Frames`] first.

use super::frames::{Frames, Wrong};
use super::lost;
use super::watch::{Watch, error_code};
use super::way_out::{Leaving, WayOut};
use crate::connection::Abuse;
use bytes::Bytes;
use h3::error::Code;
use h3::quic::{
    BidiStream, Connection, ConnectionErrorIncoming, OpenStreams, RecvStream, SendStream,
    StreamErrorIncoming, StreamId, WriteBuf,
};
use quinn::{ConnectionError, ReadError};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, ConnectionError>>>>;

/// A connection.
pub(super) struct Quic {
    connection: quinn::Connection,
    watch: Rc<Watch>,
    /// Most bytes of a header section.
    limit: usize,
    accepting: Option<Waiting<(quinn::SendStream, quinn::RecvStream)>>,
    accepting_one: Option<Waiting<quinn::RecvStream>>,
    opening: Option<Waiting<quinn::SendStream>>,
}

impl Quic {
    pub(super) fn new(connection: quinn::Connection, watch: Rc<Watch>, limit: usize) -> Self {
        Self { connection, watch, limit, accepting: None, accepting_one: None, opening: None }
    }
}

impl Connection<Bytes> for Quic {
    type RecvStream = Arriving;
    type OpenStreams = Self;

    fn poll_accept_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arriving, ConnectionErrorIncoming>> {
        let waiting = self.accepting_one.get_or_insert_with(|| {
            let connection = self.connection.clone();
            Box::pin(async move { connection.accept_uni().await })
        });
        let stream = ready!(waiting.as_mut().poll(cx));
        self.accepting_one = None;
        let stream = stream.map_err(lost::connection)?;
        // Three of them say something; the rest is for us to throw away.
        self.watch.spend(Abuse::Unknown);
        Poll::Ready(Ok(Arriving::new(stream, Frames::of_one_direction(), Rc::clone(&self.watch))))
    }

    fn poll_accept_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Request, ConnectionErrorIncoming>> {
        let waiting = self.accepting.get_or_insert_with(|| {
            let connection = self.connection.clone();
            Box::pin(async move { connection.accept_bi().await })
        });
        let streams = ready!(waiting.as_mut().poll(cx));
        self.accepting = None;
        let (leaving, arriving) = streams.map_err(lost::connection)?;
        Poll::Ready(Ok(Request {
            leaving: Leaving::new(leaving),
            arriving: Arriving::new(arriving, Frames::of_request(self.limit), Rc::clone(&self.watch)),
        }))
    }

    fn opener(&self) -> Self {
        Self::new(self.connection.clone(), Rc::clone(&self.watch), self.limit)
    }
}

impl OpenStreams<Bytes> for Quic {
    type BidiStream = Request;
    type SendStream = Leaving;

    /// A server opens none.
    fn poll_open_bidi(&mut self, _: &mut Context<'_>) -> Poll<Result<Request, StreamErrorIncoming>> {
        Poll::Ready(Err(lost::unknown(quinn::ClosedStream::default())))
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Leaving, StreamErrorIncoming>> {
        let waiting = self.opening.get_or_insert_with(|| {
            let connection = self.connection.clone();
            Box::pin(async move { connection.open_uni().await })
        });
        let stream = ready!(waiting.as_mut().poll(cx));
        self.opening = None;
        match stream {
            Ok(stream) => Poll::Ready(Ok(Leaving::new(stream))),
            Err(error) => Poll::Ready(Err(lost::opening(error))),
        }
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.connection.close(error_code(code), reason);
    }
}

/// A request's stream.
pub(super) struct Request {
    leaving: Leaving,
    arriving: Arriving,
}

impl Request {
    /// The way out, to be used beside h3.
    pub(super) fn way_out(&self) -> WayOut {
        Rc::clone(&self.leaving.way_out)
    }

    /// Where it will stand what was wrong with the request.
    pub(super) fn wrong(&self) -> Rc<Cell<Option<Wrong>>> {
        Rc::clone(&self.arriving.wrong)
    }
}

/// One direction, here.
pub(super) struct Arriving {
    id: StreamId,
    /// `None` once it is read elsewhere.
    stream: Option<quinn::RecvStream>,
    frames: Frames,
    /// Has come and was not looked at.
    input: Bytes,
    watch: Rc<Watch>,
    wrong: Rc<Cell<Option<Wrong>>>,
}

impl Arriving {
    fn new(stream: quinn::RecvStream, frames: Frames, watch: Rc<Watch>) -> Self {
        let id = lost::stream_id(stream.id());
        Self { id, stream: Some(stream), frames, input: Bytes::new(), watch, wrong: Rc::default() }
    }

    /// Goes on reading one of QPACK's streams, which h3 leaves when it knows the type. What is wrong there ends the connection.
    fn follow(&mut self) {
        let mut rest = Self {
            id: self.id,
            stream: self.stream.take(),
            frames: std::mem::replace(&mut self.frames, Frames::of_one_direction()),
            input: std::mem::take(&mut self.input),
            watch: Rc::clone(&self.watch),
            wrong: Rc::clone(&self.wrong),
        };
        drop(tokio::task::spawn_local(async move {
            while let Ok(Some(_)) = poll_fn(|cx| rest.poll_data(cx)).await {}
        }));
    }

    /// Ends the stream, or the whole connection.
    fn refuse(&mut self, wrong: Wrong) -> StreamErrorIncoming {
        self.wrong.set(Some(wrong));
        let code = wrong.code();
        match wrong {
            Wrong::Malformed => self.stop_sending(code.value()),
            // The answer says what is wrong (RFC 9114 §4.1).
            Wrong::TooLarge => self.stop_sending(Code::H3_NO_ERROR.value()),
            Wrong::Protocol(_) => self.watch.close(code),
            // Closed when it was too much.
            Wrong::Costly(_) => {}
        }
        StreamErrorIncoming::StreamTerminated { error_code: code.value() }
    }
}

impl RecvStream for Arriving {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        if let Some(wrong) = self.wrong.get() {
            return Poll::Ready(Err(StreamErrorIncoming::StreamTerminated {
                error_code: wrong.code().value(),
            }));
        }
        loop {
            match self.frames.next(&mut self.input) {
                Ok(Some(piece)) => {
                    if self.frames.is_of_qpack() {
                        self.follow();
                    }
                    return Poll::Ready(Ok(Some(piece)));
                }
                Ok(None) => {}
                Err(Wrong::Costly(abuse)) if self.watch.spend(abuse) => continue,
                Err(wrong) => return Poll::Ready(Err(self.refuse(wrong))),
            }
            let Some(stream) = &mut self.stream else { return Poll::Pending };
            // Cancelled and begun anew it loses nothing.
            let chunk = ready!(pin!(stream.read_chunk(usize::MAX, true)).poll(cx));
            let end = match chunk {
                Ok(Some(chunk)) => {
                    self.input = chunk.bytes;
                    continue;
                }
                Err(ReadError::Reset(_)) if self.frames.is_of_qpack() => self.frames.end(),
                Err(error) => return Poll::Ready(Err(lost::reading(error))),
                Ok(None) => self.frames.end(),
            };
            return Poll::Ready(match end {
                Ok(()) => Ok(None),
                Err(wrong) => Err(self.refuse(wrong)),
            });
        }
    }

    fn stop_sending(&mut self, code: u64) {
        if let Some(stream) = &mut self.stream {
            // Nothing more comes anyhow when this fails.
            let _ = stream.stop(error_code(code.into()));
        }
    }

    fn recv_id(&self) -> StreamId {
        self.id
    }
}

impl SendStream<Bytes> for Request {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.leaving.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.leaving.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.leaving.poll_finish(cx)
    }

    fn reset(&mut self, code: u64) {
        self.leaving.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.leaving.send_id()
    }
}

impl RecvStream for Request {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        self.arriving.poll_data(cx)
    }

    fn stop_sending(&mut self, code: u64) {
        self.arriving.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.arriving.recv_id()
    }
}

impl BidiStream<Bytes> for Request {
    type SendStream = Leaving;
    type RecvStream = Arriving;

    fn split(self) -> (Leaving, Arriving) {
        (self.leaving, self.arriving)
    }
}
