//! The active part of an HTTP/1.1 connection where hyper reads it: from the first byte of a request until it is answered, idle
//! or over.

use super::activity::Activity;
use super::answer::Answer;
use super::lookout::Lookout;
use super::stream::{Transport, Watched};
use super::strict::Strict;
use super::{Core, Here, Place};
use crate::body::RequestBody;
use crate::metrics::End;
use crate::service::{CountedRequest, Peer, Service};
use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use std::cell::Cell;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use tokio::time::Instant;

/// Header fields a request may have.
pub(super) const MAX_HEADERS: usize = 96;
/// Bytes of an answer that are handed to the kernel at once, and so wait for a client that does not take them: a segment of
/// the highest rung in one system call. Stored bodies are shared and not copied; of those that are passed on, there are no
/// more than connections to the upstream.
pub(super) const MAX_SEND_BUFFER: usize = 5 * 256 * 1_024;

/// How the active part ended.
pub(super) enum Outcome<T> {
    /// Over.
    Ended(End),
    /// Everything answered; the stream, and bytes read beyond the last request (mostly none).
    Idle(T, Bytes),
}

/// `early` are bytes that were read already; `answer` is what the first request in them is answered with, if that is known.
pub(super) async fn run<S: Service, T: Transport>(
    core: Rc<Core<S>>,
    stream: T,
    early: Bytes,
    answer: Option<Response<S::Body>>,
    peer: Peer,
    place: &Place,
    here: &Rc<Here>,
) -> Outcome<T> {
    let activity = Rc::new(Activity::begin(Instant::now()));
    let (strict, fault) = Strict::begin(core.limits.max_header_bytes);
    let io = Watched::new(stream, early, strict, Rc::clone(&activity));
    let (read, by_close) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let service = Tracking {
        core: Rc::clone(&core),
        peer,
        activity: Rc::clone(&activity),
        here: Rc::clone(here),
        first: Cell::new(answer.map(Box::new)),
        read: Rc::clone(&read),
        by_close: Rc::clone(&by_close),
    };
    // Then this is the connection's last request, and its answer says so.
    let last = core.drain.has_begun();
    let mut connection = http1::Builder::new()
        .keep_alive(!last)
        .max_headers(MAX_HEADERS)
        .max_header_size(core.limits.max_header_bytes)
        .max_buf_size(MAX_SEND_BUFFER)
        // Ours instead: one timer for header, stall and park together.
        .header_read_timeout(None)
        .serve_connection(io, service);

    let first_look = Instant::now() + core.limits.header.min(core.limits.park_after);
    let timer = pin!(tokio::time::sleep_until(first_look));
    let mut lookout = Lookout::new(timer);
    let judge = |now| activity.judge(now, &core.limits, place.pressure().level());
    let drain = core.drain.clone();
    let mut drain_begun = pin!(drain.begun());
    let (mut told, mut draining) = (false, false);
    let (mut parking, mut finishing) = (false, false);
    // Whether hyper has said what is wrong with a request, and reads no further.
    let mut refused = false;
    // Polled once, to be woken by it, and then only looked at: this task's waker stays the same, and a poll takes a lock that
    // all connections share, for every request.
    let mut minds_drain = false;

    let ended = std::future::poll_fn(|cx| {
        loop {
            let done = if finishing {
                Pin::new(&mut connection).poll(cx)
            } else {
                connection.poll_without_shutdown(cx)
            };
            if let Poll::Ready(result) = done {
                // Behind a body that nobody reads hyper is done before the client has the answer, and sends the rest only where it
                // shuts down.
                if result.is_ok() && !finishing && activity.is_blocked() {
                    finishing = true;
                    continue;
                }
                return Poll::Ready(result.map_err(|error| {
                    refused = error.is_parse();
                    if error.is_user() { End::Cut } else { End::Broken }
                }));
            }
            let may_have_begun = !std::mem::replace(&mut minds_drain, true) || core.drain.has_begun();
            if !told && may_have_begun && drain_begun.as_mut().poll(cx).is_ready() {
                told = true;
                if core.drain.is_closing() {
                    draining = true;
                    // Between requests this closes at once; in an answer it says `Connection: close`.
                    Pin::new(&mut connection).graceful_shutdown();
                    continue;
                }
            }
            // Read and answered, and nothing of a next request here: that one may be one for the short way.
            if (told || read.get()) && !last && !draining && !parking && activity.may_close() {
                // Another process may have taken over. A client that was not told yet that this connection ends may be sending
                // its next request right now: it is waited for, parked, and told in that answer.
                parking = true;
                Pin::new(&mut connection).graceful_shutdown();
                continue;
            }
            match lookout.poll(cx, judge) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(end)) => return Poll::Ready(Err(end)),
                Poll::Ready(None) => {
                    parking = true;
                    Pin::new(&mut connection).graceful_shutdown();
                    // A hyper that does not agree that it is idle is looked at again later.
                    lookout.again(Instant::now() + core.limits.park_after);
                }
            }
        }
    })
    .await;
    if let Some(fault) = fault.get() {
        place.metrics().refused(fault);
    }

    match ended {
        Err(end) => {
            let mut stream = connection.into_parts().io.into_inner();
            // An orderly end would say that the answer is whole.
            if end.leaves_unsent() || (end == End::Cut && by_close.get()) {
                stream.socket().forget_unsent();
            } else if refused {
                stream.close_and_linger().await;
            }
            Outcome::Ended(end)
        }
        Ok(()) => {
            let parts = connection.into_parts();
            let mut stream = parts.io.into_inner();
            if parking && !draining && !finishing && activity.may_close() {
                // Empty as a rule, and still the whole of hyper's read buffer: eight KiB for each parked connection.
                let rest = if parts.read_buf.is_empty() { Bytes::new() } else { parts.read_buf };
                return Outcome::Idle(stream, rest);
            }
            if read.get() {
                stream.close().await;
            } else {
                stream.close_and_linger().await;
            }
            Outcome::Ended(if draining || last { End::Drained } else { End::Closed })
        }
    }
}

/// The service as hyper calls it, reporting when a request begins and its answer ends.
struct Tracking<S: Service> {
    core: Rc<Core<S>>,
    peer: Peer,
    activity: Rc<Activity>,
    here: Rc<Here>,
    /// To the first request, where it is known before hyper reads it.
    first: Cell<Option<Box<Response<S::Body>>>>,
    /// Whether the last request's body, if it had one, was read to its end.
    read: Rc<Cell<bool>>,
    /// Whether nothing but the connection's end may say where the last answer ends, as over HTTP/1.0.
    by_close: Rc<Cell<bool>>,
}

impl<S: Service> hyper::service::Service<Request<Incoming>> for Tracking<S> {
    type Response = Response<Answer<S::Body, Answering>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.activity.request_began();
        self.by_close.set(request.version() == Version::HTTP_10);
        let answering =
            Answering { activity: Rc::clone(&self.activity), _counted: self.peer.standing.begin_request() };
        let here = Rc::clone(&self.here);
        let finish = move |response| {
            answering.activity.answer_began();
            Ok(here.advertise(response).map(|body| Answer::new(body, answering)))
        };
        if let Some(response) = self.first.take() {
            self.read.set(request.body().is_end_stream());
            return Box::pin(std::future::ready(finish(*response)));
        }
        let response = self
            .core
            .service
            .call(request.map(|body| RequestBody::noting(body, Rc::clone(&self.read))), self.peer.clone());
        Box::pin(async move { finish(response.await) })
    }
}

/// Held from the call to the end of the body.
struct Answering {
    activity: Rc<Activity>,
    _counted: CountedRequest,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.activity.answer_ended(Instant::now());
    }
}
