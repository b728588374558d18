//! An HTTP/3 connection (RFC 9114) over QUIC: `accepted → requests → GOAWAY → end`. It is never parked: a client keeps
//! only one, and its streams cost nothing while nothing is asked.
//!
//! h3 knows the protocol, and keeps too little order for a server open to strangers: what comes passes
//! [`frames`] and [`section`] before it, and [`head`] after it. Each request is a task; when its client takes it back, the
//! task is dropped wherever it is.

mod frames;
mod head;
mod lost;
mod section;
mod streams;
mod upload;
mod watch;
mod way_out;

pub use frames::http3_request;
pub(crate) use upload::Upload;

use super::http2::Abuse;
use super::streams::{Open, Owed, Verdict};
use super::{Core, Place};
use crate::body::RequestBody;
use crate::metrics::End;
use crate::options::Limits;
use crate::pressure::Pressure;
use crate::service::{BoxError, Peer, Service};
use bytes::Bytes;
use frames::Wrong;
use h3::error::{Code, ConnectionError};
use h3::frame::FrameStream;
use h3::quic::{ConnectionErrorIncoming, RecvStream, SendStream};
use h3::server::{Connection, RequestResolver};
use h3::stream::BufRecvStream;
use http::{Method, Response, header};
use http_body::Body;
use quinn::{Dir, Side};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use streams::{Quic, Request};
use tokio::time::{Instant, sleep, timeout};
use watch::{LAST_WORDS, Watch};
use way_out::WayOut;

/// Requests at once on one connection. A player needs three; a browser's page a dozen.
pub(crate) const MAX_STREAMS: u32 = 100;

/// HEADERS with `:status 431` (RFC 9204 appendix A, name 24), for a header section that nobody has decoded.
const TOO_LARGE: &[u8] = b"\x01\x08\x00\x00\x5f\x09\x03431";

/// Runs a connection whose handshake is done to its end.
pub(crate) async fn run<S: Service>(
    core: Rc<Core<S>>,
    connection: quinn::Connection,
    peer: Peer,
    place: &Place,
) -> End {
    let watch = Watch::begin(connection.clone(), Instant::now());
    let end = serve(core, connection, peer, &watch, place.pressure()).await;
    // The last words are written by other tasks of this core, which may be about to end.
    tokio::task::yield_now().await;
    match watch.found() {
        Some(abuse) => {
            place.metrics().abused_http3(abuse);
            End::Abuse
        }
        None => end,
    }
}

async fn serve<S: Service>(
    core: Rc<Core<S>>,
    connection: quinn::Connection,
    peer: Peer,
    watch: &Rc<Watch>,
    pressure: &Pressure,
) -> End {
    let limit = core.limits.max_header_bytes;
    let quic = Quic::new(connection, Rc::clone(watch), limit);
    // It opens three streams, which the client has to allow.
    let mut builder = h3::server::builder();
    let begun = builder.max_field_section_size(limit as u64).send_grease(false).build(quic);
    let mut connection: Connection<Quic, Bytes> = match timeout(core.limits.handshake, begun).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return end_of(&error, watch),
        Err(_) => return End::Handshake,
    };
    let drain = core.drain.clone();
    let mut drain_begun = pin!(drain.begun());
    let mut look_again = pin!(sleep(core.limits.header.min(core.limits.idle)));
    // Set once the connection is asked to end: why.
    let mut ending = None;
    // The first request that has not come; from which on we have said that we answer none.
    let (mut next_id, mut refused_from) =
        (lost::stream_id(quinn::StreamId::new(Side::Client, Dir::Bi, 0)), None);
    loop {
        let next = poll_fn(|cx| {
            loop {
                match connection.poll_accept_request_stream(cx) {
                    // Of a connection that ends h3 only says that it has written all answers, and says it each time.
                    Poll::Ready(Ok(None)) if ending.is_some() => {}
                    Poll::Ready(stream) => return Poll::Ready(Next::Stream(stream)),
                    Poll::Pending => {}
                }
                if ending.is_none() && drain_begun.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Next::End(End::Drained));
                }
                if look_again.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                match (judge(watch, &core.limits, pressure), ending) {
                    (Verdict::Wait(_), Some(end)) if watch.streams.open() == 0 => {
                        return Poll::Ready(Next::Over(end));
                    }
                    (Verdict::Wait(_), Some(_)) => look_again.as_mut().reset(Instant::now() + LAST_WORDS),
                    (Verdict::Wait(until), None) => look_again.as_mut().reset(until),
                    (Verdict::Close(End::Idle), None) => return Poll::Ready(Next::End(End::Idle)),
                    (Verdict::Close(end), ending) => return Poll::Ready(Next::Over(ending.unwrap_or(end))),
                }
            }
        })
        .await;
        match next {
            Next::Stream(Ok(Some(mut stream)))
                if refused_from.is_some_and(|from| stream.send_id() >= from) =>
            {
                stream.stop_sending(Code::H3_REQUEST_REJECTED.value());
                stream.reset(Code::H3_REQUEST_REJECTED.value());
            }
            Next::Stream(Ok(Some(stream))) => {
                next_id = stream.send_id() + 1;
                watch.asked();
                let (way_out, wrong) = (stream.way_out(), stream.wrong());
                let resolver = connection.create_resolver(FrameStream::new(BufRecvStream::new(stream)));
                let open = Rc::new(Open::begin(&watch.streams, &peer.standing));
                let (core, watch, peer) = (Rc::clone(&core), Rc::clone(watch), peer.clone());
                let answer = answer(core, resolver, Rc::clone(&way_out), peer, Rc::clone(&open));
                drop(tokio::task::spawn_local(async move {
                    watched(answer, &way_out, &wrong, &watch).await;
                    drop(open);
                }));
            }
            // The client has said that it asks no more. What it had asked before may come behind that, and its answers, which are
            // written, are still on their way.
            Next::Stream(Ok(None)) => {
                ending = Some(End::Closed);
                look_again.as_mut().reset(Instant::now() + LAST_WORDS);
            }
            Next::Stream(Err(error)) => return ending.unwrap_or_else(|| end_of(&error, watch)),
            Next::End(end) => {
                ending = Some(end);
                // What was sent before the client heard of it is answered, too; nothing from there on, which it may ask somebody else
                // (RFC 9114 §5.2). h3's own word is 0 where nothing has come, and it answers the request that it names.
                let from = next_id + MAX_STREAMS as usize;
                let telling = connection.inner.shutdown(&mut refused_from, from);
                // A client that has no room for it does without.
                if let Ok(Err(error)) = timeout(LAST_WORDS, telling).await {
                    return end_of(&error, watch);
                }
                look_again.as_mut().reset(Instant::now() + LAST_WORDS);
            }
            Next::Over(end) => return end,
        }
    }
}

/// QUIC gives room back as the client has what was sent, so that what is taken is what has come to it.
fn judge(watch: &Watch, limits: &Limits, pressure: &Pressure) -> Verdict {
    watch.streams.judge(Instant::now(), limits, pressure.level(), || None)
}

/// What a connection has to see to next.
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at where it is made, and a box would be made for each request"
)]
enum Next {
    /// A request's stream, the client's farewell, or the end.
    Stream(Result<Option<Request>, ConnectionError>),
    /// To be ended in peace, for this reason.
    End(End),
    /// To be closed.
    Over(End),
}

fn end_of(error: &ConnectionError, watch: &Watch) -> End {
    match error {
        ConnectionError::Timeout if watch.streams.open() > 0 => End::Stalled,
        ConnectionError::Timeout => End::Idle,
        // Clients that leave say so, with a code or without.
        ConnectionError::Remote(ConnectionErrorIncoming::ApplicationClose { error_code })
            if *error_code == 0 || *error_code == Code::H3_NO_ERROR.value() =>
        {
            End::Closed
        }
        _ => End::Broken,
    }
}

/// Runs a request's task until it is done or its client wants no answer any more.
async fn watched(
    answer: impl Future<Output = Result<(), Unanswered>>,
    way_out: &WayOut,
    wrong: &std::cell::Cell<Option<Wrong>>,
    watch: &Watch,
) {
    let mut stopped = pin!(way_out.borrow().stopped());
    let mut result = tokio::select! {
        biased;
        stopped = &mut stopped => match stopped {
            Ok(Some(_)) => Err(Unanswered::TakenBack),
            // The connection is gone.
            Ok(None) | Err(_) => return,
        },
        result = answer => result,
    };
    if matches!(
        result,
        Err(Unanswered::NoHead | Unanswered::Malformed | Unanswered::TooLarge | Unanswered::TakenBack)
    ) {
        // When it was too much, the connection is over.
        watch.spend(Abuse::Resets);
    }
    if result.is_err() && wrong.get() == Some(Wrong::TooLarge) {
        let mut answer = [Bytes::from_static(TOO_LARGE)];
        result = poll_fn(|cx| way_out.borrow_mut().poll_send(cx, &mut answer))
            .await
            .map_err(|_| Unanswered::Broken);
        way_out.borrow_mut().finish();
    }
    let code = match (result, wrong.get()) {
        // It is not over before the client has it all: closing a connection takes back what is on its way.
        (Ok(()) | Err(Unanswered::TooLarge), _) => return drop(stopped.await),
        (Err(_), Some(wrong)) => wrong.code(),
        (Err(Unanswered::TakenBack), None) => Code::H3_REQUEST_CANCELLED,
        (Err(Unanswered::Malformed), None) => Code::H3_MESSAGE_ERROR,
        (Err(Unanswered::NoHead), None) => Code::H3_REQUEST_INCOMPLETE,
        // Nobody may take the part for the whole.
        (Err(Unanswered::Broken), None) => Code::H3_INTERNAL_ERROR,
    };
    way_out.borrow_mut().reset(code);
}

/// Why a request got no whole answer.
enum Unanswered {
    /// Its head did not come in time, or not at all.
    NoHead,
    /// It could mean two things.
    Malformed,
    /// Its head is beyond the bound, and h3 has answered that.
    TooLarge,
    /// The client does not want it any more.
    TakenBack,
    /// The answer broke off, or could not be sent.
    Broken,
}

/// Reads a request, has it answered and sends the answer.
async fn answer<S: Service>(
    core: Rc<Core<S>>,
    resolver: RequestResolver<Quic, Bytes>,
    way_out: WayOut,
    peer: Peer,
    open: Rc<Open>,
) -> Result<(), Unanswered> {
    let resolved = timeout(core.limits.header, resolver.resolve_request()).await;
    let (request, stream) = match resolved {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(h3::error::StreamError::RemoteTerminate { .. })) => return Err(Unanswered::TakenBack),
        Ok(Err(h3::error::StreamError::HeaderTooBig { .. })) => {
            // h3 has said so.
            way_out.borrow_mut().finish();
            return Err(Unanswered::TooLarge);
        }
        Ok(Err(_)) | Err(_) => return Err(Unanswered::NoHead),
    };
    let announced = head::judge(&request).map_err(|_| Unanswered::Malformed)?;
    let (mut sender, receiver) = stream.split();
    let expecting = request.headers().contains_key(header::EXPECT).then(|| Rc::clone(&way_out));
    let mut upload = Upload::new(receiver, announced, expecting, Rc::clone(open.streams()));
    poll_fn(|cx| {
        upload.peek(cx);
        Poll::Ready(())
    })
    .await;
    if upload.is_malformed() {
        return Err(Unanswered::Malformed);
    }
    let method = request.method().clone();
    let request = request.map(|()| RequestBody::over_http3(upload));
    let mut response = core.service.call(request, peer).boxed().answer().await;
    head::finish(&mut response, &method);
    let (parts, body) = response.into_parts();
    sender.send_response(Response::from_parts(parts, ())).await.map_err(|_| Unanswered::Broken)?;
    if method != Method::HEAD {
        let mut body = pin!(body);
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            match frame.map_err(broken)?.into_data() {
                Ok(data) => send(&way_out, data, &open).await?,
                Err(frame) => {
                    let Ok(trailers) = frame.into_trailers() else { continue };
                    sender.send_trailers(trailers).await.map_err(|_| Unanswered::Broken)?;
                }
            }
        }
    }
    way_out.borrow_mut().finish();
    Ok(())
}

fn broken(error: impl Into<BoxError>) -> Unanswered {
    tracing::debug!(error = %error.into(), "an answer broke off");
    Unanswered::Broken
}

/// Sends a piece of a body, as fast as the client takes it. What is on its way is shared with who gave it, not copied.
async fn send(way_out: &WayOut, data: Bytes, open: &Rc<Open>) -> Result<(), Unanswered> {
    if data.is_empty() {
        return Ok(());
    }
    let owed = Owed::begin(open);
    let mut pieces = [frames::data_head(data.len()), data];
    let mut left = &mut pieces[..];
    while !left.is_empty() {
        let before: usize = left.iter().map(Bytes::len).sum();
        poll_fn(|cx| way_out.borrow_mut().poll_send(cx, left)).await.map_err(|_| Unanswered::Broken)?;
        let taken = before - left.iter().map(Bytes::len).sum::<usize>();
        open.streams().took(taken);
        owed.took(taken);
        while left.first().is_some_and(Bytes::is_empty) {
            left = &mut left[1..];
        }
    }
    Ok(())
}
