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
use framing::Fault;
use http::{Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::ext::ReasonPhrase;
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
pub(super) enum Outcome {
    /// Over.
    Ended(End),
    /// Everything answered; bytes read beyond the last request (mostly none).
    Idle(Bytes),
}

/// `early` are bytes that were read already; `answer` is what the first request in them is answered with, if that is known.
pub(super) async fn run<S: Service, T: Transport>(
    core: Rc<Core<S>>,
    stream: &mut T,
    early: Bytes,
    answer: Option<Response<S::Body>>,
    peer: Peer,
    place: &Place,
    here: &Rc<Here>,
) -> Outcome {
    let activity = Rc::new(Activity::begin(Instant::now()));
    let (strict, fault) = Strict::begin(core.limits.max_header_bytes);
    let reach = stream.socket().reach();
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
    let judge = |now| activity.judge(now, &core.limits, place.pressure().level(), || reach.bytes());
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
                    if refused {
                        // No service hears of it, so no access log has it.
                        let why = fault.get().map(Fault::as_str);
                        tracing::debug!(%error, why, "a client's request that is none");
                    }
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
            let (stream, _) = connection.into_parts().io.into_inner();
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
            // Else what is left of a body, of which hyper has read no more, would be read as the next request.
            let is_between = read.get() || (parts.read_buf.is_empty() && parts.io.is_between_requests());
            let (stream, early) = parts.io.into_inner();
            // What has come behind the last request is as good as a body that nobody reads.
            let is_read = read.get() && parts.read_buf.is_empty() && early.is_empty();
            let may_go_on = is_between && fault.get().is_none() && activity.may_close();
            if parking && !draining && !finishing && may_go_on {
                return Outcome::Idle(joined(parts.read_buf, early));
            }
            if is_read && !stream.socket().holds_bytes() {
                stream.close().await;
            } else if read.get() || draining || last {
                stream.close_and_linger().await;
            } else {
                stream.close_and_read_out().await;
            }
            Outcome::Ended(if draining || last { End::Drained } else { End::Closed })
        }
    }
}

/// What hyper has read and not answered, and what it has not read.
fn joined(read: Bytes, early: Bytes) -> Bytes {
    match (read.is_empty(), early.is_empty()) {
        // As a rule both are empty, and `read` is still the whole of hyper's buffer: eight KiB for each parked connection.
        (true, _) => early,
        (false, true) => read,
        (false, false) => [read, early].concat().into(),
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
            Ok(without_made_up_reason(here.advertise(response)).map(|body| Answer::new(body, answering)))
        };
        if let Some(response) = self.first.take() {
            self.read.set(request.body().is_end_stream());
            return Box::pin(std::future::ready(finish(*response)));
        }
        let reply = self
            .core
            .service
            .call(request.map(|body| RequestBody::noting(body, Rc::clone(&self.read))), self.peer.clone());
        Box::pin(async move { finish(reply.answer().await) })
    }
}

/// A status code that nobody has registered has no reason; hyper would write `<none>`.
fn without_made_up_reason<B>(mut response: Response<B>) -> Response<B> {
    if response.status().canonical_reason().is_none() {
        response.extensions_mut().insert(ReasonPhrase::from_static(b""));
    }
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Connections, LOCAL, Lending, Socket, plain};
    use crate::drain::Drain;
    use crate::metrics::Metrics;
    use crate::options::Limits;
    use crate::pressure::Level;
    use crate::service::{Reply, Scheme, Standing};
    use http_body_util::{BodyExt, Full};
    use prometheus::IntCounter;
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::time::Duration;
    use telemetry::Telemetry;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;
    use tokio::task::{AbortHandle, LocalSet, spawn_local, yield_now};

    /// Answers before it has read what it is sent, which it goes on reading, or does not where it is to be ignored.
    #[derive(Clone, Default)]
    struct Hasty {
        asked: Rc<RefCell<Vec<String>>>,
        reading: Rc<RefCell<Option<AbortHandle>>>,
    }

    impl Service for Hasty {
        type Body = Full<Bytes>;

        fn call(
            &self,
            request: Request<RequestBody>,
            _: Peer,
        ) -> Reply<Full<Bytes>, impl Future<Output = Response<Full<Bytes>>> + use<>> {
            let path = request.uri().path().to_owned();
            if path != "/ignored" {
                let reading = spawn_local(async move { drop(request.into_body().collect().await) });
                self.reading.replace(Some(reading.abort_handle()));
            }
            self.asked.borrow_mut().push(path);
            Reply::Later(std::future::ready(Response::new(Full::from("hello"))))
        }
    }

    /// A connection's surroundings.
    async fn around(drain: Drain) -> (Rc<Core<Hasty>>, Peer, Place, Rc<Here>) {
        let lending = Rc::new(Lending::new(IntCounter::new("lent", "bytes").unwrap()));
        let core =
            Rc::new(Core { service: Rc::new(Hasty::default()), limits: Limits::default(), drain, lending });
        let peer = Peer {
            address: LOCAL,
            scheme: Scheme::Http,
            to_https: None,
            standing: Standing::default(),
            interim: None,
            takes_ready: false,
        };
        let metrics = Arc::new(Metrics::register(&Telemetry::new("test")));
        let place = Connections::new(1, metrics).place().await.take();
        (
            core,
            peer,
            place,
            Rc::new(Here { tls: None, proxy: None, alternative: None, zero_copy: None, to_https: None }),
        )
    }

    /// Lets the server go as far as it comes.
    async fn turns() {
        for _ in 0..16 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn attack_19_what_is_left_of_a_body_is_no_request_while_another_process_takes_over() {
        let story = async {
            let (sender, drain) = Drain::pair();
            let (core, peer, place, here) = around(drain).await;
            let Hasty { asked, reading } = core.service.as_ref().clone();
            let (mut client, server) = UnixStream::pair().unwrap();
            let serving = spawn_local(plain(core, Socket::Unix(server), peer, place, here));
            client
                .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nbody")
                .await
                .unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"hello") {
                client.read_buf(&mut answer).await.unwrap();
            }
            sender.give_way();
            turns().await;
            reading.take().unwrap().abort();
            turns().await;
            client.write_all(b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            client.shutdown().await.unwrap();
            client.read_to_end(&mut answer).await.unwrap();
            serving.await.unwrap();
            assert!(answer.ends_with(b"hello"), "{}", String::from_utf8_lossy(&answer));
            assert_eq!(*asked.borrow(), ["/"]);
        };
        LocalSet::new().run_until(story).await;
    }

    #[tokio::test]
    async fn a_body_that_has_come_and_nobody_wants_keeps_no_connection_from_going_on() {
        let story = async {
            let (sender, drain) = Drain::pair();
            let (core, peer, place, here) = around(drain).await;
            let asked = Rc::clone(&core.service.asked);
            let (mut client, server) = UnixStream::pair().unwrap();
            let serving = spawn_local(plain(core, Socket::Unix(server), peer, place, here));
            let request = b"POST /ignored HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";
            client.write_all(request).await.unwrap();
            turns().await;
            sender.give_way();
            turns().await;
            client.write_all(b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            let mut answers = String::new();
            client.read_to_string(&mut answers).await.unwrap();
            serving.await.unwrap();
            assert_eq!(*asked.borrow(), ["/ignored", "/next"], "{answers}");
            assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
        };
        LocalSet::new().run_until(story).await;
    }

    #[tokio::test(start_paused = true)]
    async fn pressure_that_comes_while_a_connection_is_parked_ends_it_sooner() {
        for (pressed, ends) in [(None, 75), (Some(20), 30)] {
            let story = async {
                let (_sender, drain) = Drain::pair();
                let (core, peer, place, here) = around(drain).await;
                let pressure = place.pressure().clone();
                let (mut client, server) = UnixStream::pair().unwrap();
                let serving = spawn_local(plain(core, Socket::Unix(server), peer, place, here));
                client.write_all(b"GET /ignored HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
                while client.read_buf(&mut Vec::new()).await.unwrap() == 0 {}
                let parked = Instant::now();
                if let Some(seconds) = pressed {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    pressure.set(Level::High);
                }
                serving.await.unwrap();
                parked.elapsed().as_secs()
            };
            assert_eq!(LocalSet::new().run_until(story).await, ends, "{pressed:?}");
        }
    }

    #[tokio::test]
    async fn requests_behind_one_another_are_all_answered_however_often_hyper_pauses() {
        const REQUESTS: usize = 80;
        let story = async {
            let (_sender, drain) = Drain::pair();
            let (core, peer, place, here) = around(drain).await;
            let asked = Rc::clone(&core.service.asked);
            let (mut client, server) = UnixStream::pair().unwrap();
            // More than is read at once.
            let pad = "x".repeat(200);
            let request = |n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\nx-pad: {pad}\r\n\r\n");
            let mut early = Bytes::from((0..REQUESTS).map(request).collect::<String>());
            let mut stream = Socket::Unix(server);
            let mut rounds = 0;
            while !early.is_empty() {
                rounds += 1;
                let run = run(Rc::clone(&core), &mut stream, early, None, peer.clone(), &place, &here);
                early = match run.await {
                    Outcome::Idle(rest) => rest,
                    Outcome::Ended(end) => panic!("{end:?} after {} requests", asked.borrow().len()),
                };
            }
            drop(stream);
            assert!(rounds > 1);
            let expected: Vec<_> = (0..REQUESTS).map(|n| format!("/{n}")).collect();
            assert_eq!(*asked.borrow(), expected);
            let mut answers = String::new();
            client.read_to_string(&mut answers).await.unwrap();
            assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), REQUESTS);
        };
        LocalSet::new().run_until(story).await;
    }
}
