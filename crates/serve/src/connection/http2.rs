//! An HTTP/2 connection. It is never parked: its streams are the reason that a client keeps only one.

mod abuse;
mod frames;
mod gathered;
mod guarded;
mod pieces;
mod read_out;

pub(crate) use abuse::Abuse;
pub(super) use abuse::Allowances;
pub(crate) use read_out::ReadOut;

use super::stream::Transport;
use super::streams::{Open, Streams, Verdict};
use super::{Core, Here, Place};
use crate::body::RequestBody;
use crate::metrics::End;
use crate::pressure::Pressure;
use crate::service::{Peer, Service};
use frames::PREFACE;
use gathered::Gathered;
use guarded::Guarded;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use pieces::Pieces;
use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// Requests at once on one connection. A player needs three; a browser's page a dozen.
const MAX_STREAMS: u32 = 100;
/// Bytes of an answer queued for one stream ahead of the client's window. With [`MAX_STREAMS`] the worst case a
/// connection is 25 MiB, of which bodies are shared and not copied.
const MAX_SEND_BUFFER: usize = 256 * 1_024;
/// How long after GOAWAY a client may still come with what it had sent before it heard, and how long it may take to get the last of
/// what is on its way.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// Streams that a client may take back before we have looked at them (CVE-2023-44487): as many as may be open. Where a packet is lost, all
/// that a player has asked and taken back behind it comes at once; how much that may be over time is [`Abuse::Resets`].
const MAX_PENDING_RESETS: usize = MAX_STREAMS as usize;
/// Streams that we may have to reset for a client's mistakes, in the whole life of a connection. An honest client makes
/// none; "made you reset" (CVE-2025-8671) is nothing but such mistakes.
const MAX_ERROR_RESETS: usize = 64;
/// Bytes of a request's body a client may send before we read them, for a stream and for all. Lessons are not
/// uploaded through here.
const STREAM_WINDOW: u32 = 64 * 1_024;
const CONNECTION_WINDOW: u32 = 1_024 * 1_024;
/// Largest frame taken, the least that may be offered (RFC 9113 §4.2).
const MAX_FRAME: u32 = 16 * 1_024;

/// Whether a connection whose first bytes are these speaks it. `None`: they may be the beginning of a preface.
pub(super) fn begins(first: &[u8]) -> Option<bool> {
    let so_far = &PREFACE[..first.len().min(PREFACE.len())];
    let may_be = !first.is_empty() && first.starts_with(so_far);
    (!may_be || so_far.len() == PREFACE.len()).then_some(may_be)
}

pub(super) async fn run<S: Service, T: Transport>(
    core: Rc<Core<S>>,
    stream: T,
    peer: Peer,
    place: &Place,
    here: &Rc<Here>,
) -> End {
    let abuse = Rc::new(Cell::new(None));
    let stream = Gathered::new(stream);
    let end = serve(core, stream.clone(), peer, &abuse, place.pressure(), here).await;
    let end = match abuse.get() {
        Some(abuse) => {
            place.metrics().abused(abuse);
            End::Abuse
        }
        None => end,
    };
    match end {
        end if end.leaves_unsent() => stream.forget_unsent(),
        // What was asked is answered, as far as we know. A client gives windows back while it reads, and a reset in return would take
        // from it what is still on its way.
        End::Drained | End::Closed => {
            if let Some(mut stream) = stream.into_inner() {
                stream.close_and_linger_while(LAST_WORDS).await;
            }
        }
        _ => {}
    }
    end
}

async fn serve<S: Service, T: Transport>(
    core: Rc<Core<S>>,
    stream: Gathered<T>,
    peer: Peer,
    abuse: &Rc<Cell<Option<Abuse>>>,
    pressure: &Pressure,
    here: &Rc<Here>,
) -> End {
    let streams = Rc::new(Streams::begin(Instant::now()));
    let service = {
        let (core, streams, here) = (Rc::clone(&core), Rc::clone(&streams), Rc::clone(here));
        service_fn(move |request: Request<Incoming>| {
            let open = Open::begin(&streams, &peer.standing);
            let (here, method) = (Rc::clone(&here), request.method().clone());
            let (head, body) = request.into_parts();
            let (body, rest) = ReadOut::of(body);
            let request = Request::from_parts(head, RequestBody::over_http2(body));
            // hyper and tokio move it several times on its way to a task.
            let reply = core.service.call(request, peer.clone()).boxed();
            async move {
                let response = here.advertise(reply.answer().await);
                rest.read_out_behind(response.status());
                Ok::<_, Infallible>(Pieces::of(response, &method, open))
            }
        })
    };
    let max_header_list = u32::try_from(core.limits.max_header_bytes).unwrap_or(u32::MAX);
    let mut connection = pin!(
        http2::Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_ERROR_RESETS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .max_send_buf_size(MAX_SEND_BUFFER)
            .max_header_list_size(max_header_list)
            // No PING asks whether a client lives: over a slow line the answer comes behind all that the kernel has for it. Who
            // takes nothing for long is stalled, and who asks nothing idle.
            .keep_alive_interval(None)
            .serve_connection(Guarded::new(stream.clone(), Rc::clone(abuse), Rc::clone(&streams)), service)
    );
    let reach = stream.reach();
    let drain = core.drain.clone();
    let mut drain_begun = pin!(drain.begun());
    let mut look_again = pin!(tokio::time::sleep(core.limits.header.min(core.limits.idle)));
    // Set once the connection is asked to end: why.
    let mut ending = None;

    std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                // Its last words: why it ends. A client that does not take them now does without.
                let _ = stream.poll_send(cx);
                if abuse.get().is_none() && result.as_ref().is_err_and(asked_for_calm) {
                    abuse.set(Some(Abuse::Library));
                }
                return Poll::Ready(ending.unwrap_or_else(|| end_of(&result)));
            }
            if let Poll::Ready(Err(_)) = stream.poll_send(cx) {
                return Poll::Ready(ending.unwrap_or(End::Broken));
            }
            if ending.is_none() && drain_begun.as_mut().poll(cx).is_ready() {
                ending = Some(End::Drained);
                connection.as_mut().graceful_shutdown();
                continue;
            }
            if look_again.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match streams.judge(Instant::now(), &core.limits, pressure.level(), || reach.bytes()) {
                Verdict::Wait(until) => look_again.as_mut().reset(until),
                Verdict::Close(End::Idle) if ending.is_none() => {
                    ending = Some(End::Idle);
                    connection.as_mut().graceful_shutdown();
                    look_again.as_mut().reset(Instant::now() + LAST_WORDS);
                }
                Verdict::Close(end) => return Poll::Ready(end),
            }
        }
    })
    .await
}

fn end_of(result: &hyper::Result<()>) -> End {
    match result {
        Ok(()) => End::Closed,
        Err(_) => End::Broken,
    }
}

/// Whether h2 itself has ended the connection because a limit was exceeded.
fn asked_for_calm(error: &hyper::Error) -> bool {
    let reason = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    reason.is_some_and(|error| !error.is_remote() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

/// Runs a connection's streams on the core that has the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        // Detached: hyper hears of a stream's end through the stream itself.
        drop(tokio::task::spawn_local(future));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preface_is_known_when_it_is_whole_and_anything_else_as_soon_as_it_differs() {
        for length in 1..PREFACE.len() {
            assert_eq!(begins(&PREFACE[..length]), None);
            assert_eq!(begins(&[&PREFACE[..length], b"x"].concat()), Some(false));
        }
        assert_eq!(begins(PREFACE), Some(true));
        assert_eq!(begins(&[PREFACE, b"x"].concat()), Some(true));
        assert_eq!(begins(b""), Some(false));
    }
}
