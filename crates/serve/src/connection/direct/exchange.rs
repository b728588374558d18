//! Request and answer by turns: `read → answer → send`, on from the beginning. Interim responses are sent as they come.

use super::outgoing::Outgoing;
use super::question;
use crate::connection::activity::Activity;
use crate::connection::lend::Lender;
use crate::connection::stream::{Transport, forget};
use crate::connection::{Core, Here};
use crate::interim::Heard;
use crate::metrics::End;
use crate::ready::ReadyFields;
use crate::service::{CountedRequest, Peer, Reply, Service};
use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::Body;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio::time::Instant;

/// Bytes read at once: a header section, many times over.
const READ: usize = 8 * 1_024;

/// What the connection goes on with when its exchanges are over. Small: it is handed on, mostly as none, with each answer.
pub(super) enum Step<B> {
    /// Nothing is asked.
    Idle,
    /// These bytes are hyper's, and this is the answer to what they begin with, if there is one already.
    Hyper(Box<(Bytes, Option<Response<B>>)>),
    /// The client has closed it, between requests.
    Closed,
    /// It is given up.
    Given(End),
}

/// A service's answer that is not there yet.
type Answering<B> = Pin<Box<dyn Future<Output = Response<B>>>>;

enum State<B> {
    /// For the next request.
    Reading,
    /// For the service; the request's bytes, should hyper be needed after all.
    Answering(Answering<B>, Bytes),
    /// For the client to take the interim responses before this answer.
    Answered(Response<B>, Bytes),
    /// For the body, and for the client to take it.
    Sending,
}

pub(super) struct Exchange<'a, S: Service, T> {
    core: &'a Core<S>,
    stream: &'a mut T,
    peer: &'a Peer,
    here: &'a Here,
    activity: &'a Activity,
    state: State<S::Body>,
    /// Read, and not answered.
    read: BytesMut,
    /// Whether the client has ended its direction while it was being sent its last answer.
    asks_no_more: bool,
    /// What is being sent; its place on the heap is used again.
    body: Pin<Box<Option<S::Body>>>,
    /// Bytes of it that were announced and have not come.
    left: u64,
    counted: Option<CountedRequest>,
    outgoing: Outgoing,
    heard: Arc<Heard>,
}

impl<'a, S: Service, T: Transport> Exchange<'a, S, T> {
    pub(super) fn new(
        core: &'a Core<S>,
        stream: &'a mut T,
        peer: &'a Peer,
        here: &'a Here,
        activity: &'a Activity,
    ) -> Self {
        let lender = Lender::new(&core.lending, here.zero_copy).filter(|_| stream.lends());
        Self {
            core,
            stream,
            peer,
            here,
            activity,
            state: State::Reading,
            read: BytesMut::new(),
            asks_no_more: false,
            body: Box::pin(None),
            left: 0,
            counted: None,
            outgoing: Outgoing::new(lender),
            heard: Arc::default(),
        }
    }

    /// Goes on until something has to be waited for, or is not for here.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step<S::Body>> {
        loop {
            let step = match &mut self.state {
                State::Reading => ready!(self.poll_question(cx)),
                State::Answering(answering, question) => match answering.as_mut().poll(cx) {
                    Poll::Ready(answer) => {
                        let question = std::mem::take(question);
                        self.answered(answer, question)
                    }
                    Poll::Pending => match self.poll_interim(cx) {
                        Ok(()) => return self.poll_departure(cx),
                        Err(_) => Some(Step::Given(End::Broken)),
                    },
                },
                State::Answered(..) => match self.outgoing.poll_send(cx, self.stream, self.activity, false) {
                    Poll::Ready(Ok(())) => self.after_interim(),
                    Poll::Ready(Err(_)) => Some(Step::Given(End::Broken)),
                    Poll::Pending => return self.poll_departure(cx),
                },
                State::Sending => match self.poll_sent(cx) {
                    Poll::Ready(step) => step,
                    Poll::Pending => return self.poll_departure(cx),
                },
            };
            if let Some(step) = step {
                return Poll::Ready(step);
            }
        }
    }

    /// Reads the next request and asks the service.
    fn poll_question(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step<S::Body>>> {
        if self.read.is_empty() {
            match ready!(self.poll_read(cx)) {
                Ok(0) => return Poll::Ready(Some(Step::Closed)),
                Ok(_) => {}
                Err(_) => return Poll::Ready(Some(Step::Given(End::Broken))),
            }
        }
        let bytes = self.read.split().freeze();
        let most = self.core.limits.max_header_bytes;
        let Some(request) = question::read(&bytes, most) else {
            return Poll::Ready(Some(Step::Hyper(Box::new((bytes, None)))));
        };
        self.activity.request_began();
        self.counted = Some(self.peer.standing.begin_request());
        let peer = Peer { interim: Some(Heard::begin(&self.heard)), takes_ready: true, ..self.peer.clone() };
        Poll::Ready(match self.core.service.call(request, peer) {
            Reply::Now(answer) => self.answered(answer, bytes),
            Reply::Later(answering) => {
                self.state = State::Answering(Box::pin(answering), bytes);
                None
            }
        })
    }

    /// Sends interim responses as they come, as far as the client takes them.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        loop {
            if self.outgoing.is_empty() {
                let Some(heads) = self.heard.take_or_wait(cx) else { return Ok(()) };
                self.outgoing.push_interim(heads);
            }
            match self.outgoing.poll_send(cx, self.stream, self.activity, false) {
                Poll::Ready(sent) => sent?,
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Sends the answer, after interim responses that came before it.
    fn answered(&mut self, answer: Response<S::Body>, question: Bytes) -> Option<Step<S::Body>> {
        self.state = State::Sending;
        if self.outgoing.is_empty()
            && let Some(heads) = self.heard.take()
        {
            self.outgoing.push_interim(heads);
        }
        if self.outgoing.is_empty() {
            return self.begin_to_send(answer, question);
        }
        self.state = State::Answered(answer, question);
        None
    }

    /// Goes on with the answer that waited for the client to take those before it.
    fn after_interim(&mut self) -> Option<Step<S::Body>> {
        match std::mem::replace(&mut self.state, State::Sending) {
            State::Answered(answer, question) => self.begin_to_send(answer, question),
            _ => None,
        }
    }

    /// Puts the head before the body, or leaves both to hyper.
    fn begin_to_send(&mut self, mut answer: Response<S::Body>, question: Bytes) -> Option<Step<S::Body>> {
        let ready = S::ready(answer.body());
        let length =
            if self.core.drain.has_begun() { None } else { self.outgoing.begin(&answer, ready, self.here) };
        let Some(length) = length else {
            // Behind the request there may be more by now.
            let early =
                if self.read.is_empty() { question } else { [&question[..], &self.read].concat().into() };
            if let Some(fields) = ready.map(ReadyFields::to_map) {
                answer.headers_mut().extend(fields);
            }
            return Some(Step::Hyper(Box::new((early, Some(answer)))));
        };
        self.left = length;
        self.body.set(Some(answer.into_body()));
        None
    }

    /// Sends what there is of the answer, and then looks whether there is more.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step<S::Body>>> {
        loop {
            let gathered = if self.outgoing.runs_short() { self.gather(cx) } else { Gathered::Enough };
            if gathered == Gathered::BrokenOff {
                // As far as it goes: without a byte of it a client asks again by itself.
                let _ = self.outgoing.poll_send(cx, self.stream, self.activity, false);
                return Poll::Ready(Some(Step::Given(End::Cut)));
            }
            let more = gathered == Gathered::Enough && self.body.is_some();
            if ready!(self.outgoing.poll_send(cx, self.stream, self.activity, more)).is_err() {
                return Poll::Ready(Some(Step::Given(End::Broken)));
            }
            match gathered {
                Gathered::All => break,
                Gathered::Enough => {}
                Gathered::NotYet => return Poll::Pending,
                Gathered::BrokenOff => {}
            }
        }
        self.state = State::Reading;
        Poll::Ready(None)
    }

    /// Takes pieces of the body, as many as are sent at once.
    fn gather(&mut self, cx: &mut Context<'_>) -> Gathered {
        while let Some(body) = self.body.as_mut().as_pin_mut() {
            if self.left == 0 && body.is_end_stream() {
                self.end_body();
                break;
            }
            if !self.outgoing.has_room() {
                return Gathered::Enough;
            }
            match body.poll_frame(cx) {
                // What comes beyond what was announced is no part of it; trailers go to nobody who has not asked for them.
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data()
                        && let Some(left) = self.left.checked_sub(data.len() as u64)
                    {
                        self.left = left;
                        self.outgoing.push(data);
                    }
                }
                Poll::Ready(None) if self.left == 0 => self.end_body(),
                Poll::Ready(Some(Err(_)) | None) => return Gathered::BrokenOff,
                Poll::Pending => return Gathered::NotYet,
            }
        }
        Gathered::All
    }

    /// The service is told at once that nothing more is wanted of it, as hyper tells it; the client may still be taking the last
    /// pieces.
    fn end_body(&mut self) {
        self.body.set(None);
        self.counted = None;
        self.activity.answer_ended(Instant::now());
    }

    /// Hears whether the client leaves while it is being answered. What it sends meanwhile is read once, and then waits in
    /// the kernel. Who sends no more has left while there is no answer, for nothing else would tell; later writing does.
    fn poll_departure(&mut self, cx: &mut Context<'_>) -> Poll<Step<S::Body>> {
        if !self.read.is_empty() || self.asks_no_more {
            return Poll::Pending;
        }
        match ready!(self.poll_read(cx)) {
            Ok(1..) => Poll::Pending,
            Ok(0) if !matches!(self.state, State::Answering(..)) => {
                self.asks_no_more = true;
                Poll::Pending
            }
            Ok(0) | Err(_) => Poll::Ready(Step::Given(End::Broken)),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let mut room = [const { MaybeUninit::uninit() }; READ];
        let mut piece = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut piece))?;
        self.read.extend_from_slice(piece.filled());
        let length = piece.filled().len();
        forget(&mut piece);
        Poll::Ready(Ok(length))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gathered {
    /// There is no more of it.
    All,
    /// As much as is sent at once.
    Enough,
    /// All that there is by now.
    NotYet,
    /// It has ended too early.
    BrokenOff,
}
