//! An HTTP/2 connection. It is never parked: its streams are the reason that a client keeps only one.

mod abuse;
mod frames;
mod gathered;
mod guarded;

pub(crate) use abuse::Abuse;
pub(super) use abuse::Allowances;

use super::answer::{Answer, Ending};
use super::pace::{Pace, SLOW_LOOK};
use super::stream::Transport;
use super::{Core, Here, Place};
use crate::body::RequestBody;
use crate::metrics::End;
use crate::options::Limits;
use crate::pressure::{Level, Pressure};
use crate::service::{Peer, Service};
use gathered::Gathered;
use guarded::Guarded;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
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
/// A silent client is asked whether it lives, and has this long to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Stall limits that a client has for one piece of a body. Here only whole pieces of up to 256 KiB are seen going;
/// on the slowest line that can play anything at all (20 kbit/s) one takes 105 s.
const STALL_LIMITS: u32 = 3;

/// Streams that a client may take back before we have looked at them (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that we may have to reset for a client's mistakes, in the whole life of a connection. An honest client makes
/// none; "made you reset" (CVE-2025-8671) is nothing but such mistakes.
const MAX_ERROR_RESETS: usize = 64;
/// Bytes of a request's body a client may send before we read them, for a stream and for all. Lessons are not
/// uploaded through here.
const STREAM_WINDOW: u32 = 64 * 1_024;
const CONNECTION_WINDOW: u32 = 1_024 * 1_024;
/// Largest frame taken, the least that may be offered (RFC 9113 §4.2).
const MAX_FRAME: u32 = 16 * 1_024;

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
    if end.leaves_unsent() {
        stream.forget_unsent();
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
            let open = Open::begin(&streams);
            // On the heap at once: hyper and tokio move it several times on its way to a task, and it is large.
            let response = Box::pin(core.service.call(request.map(RequestBody::from), peer.clone()));
            let here = Rc::clone(&here);
            async move {
                let response = here.advertise(response.await);
                Ok::<_, Infallible>(response.map(|body| Answer::new(body, open)))
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
            .keep_alive_interval(core.limits.idle)
            .keep_alive_timeout(PING_TIMEOUT)
            .serve_connection(
                Guarded::new(stream.clone(), Rc::clone(abuse), Rc::clone(&streams.pace)),
                service
            )
    );
    let drain = core.drain.clone();
    let mut drain_begun = pin!(drain.begun());
    let mut look_again = pin!(tokio::time::sleep(core.limits.header));
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
            match streams.judge(Instant::now(), &core.limits, pressure.level()) {
                Verdict::Wait(until) => look_again.as_mut().reset(until),
                Verdict::Close(End::Idle) if ending.is_none() => {
                    ending = Some(End::Idle);
                    connection.as_mut().graceful_shutdown();
                    look_again.as_mut().reset(Instant::now() + PING_TIMEOUT);
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
        Err(error) if error.is_timeout() => End::Stalled,
        Err(_) => End::Broken,
    }
}

/// Whether h2 itself has ended the connection because a limit was exceeded.
fn asked_for_calm(error: &hyper::Error) -> bool {
    let reason = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    reason.is_some_and(|error| !error.is_remote() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

/// What a connection's streams are doing. Takes `now`; reads no clock.
struct Streams {
    open: Cell<u32>,
    /// Streams whose next bytes are there and wait for the client to take those before them.
    owed: Cell<u32>,
    /// What the client takes, over all streams: it is the connection that holds a place.
    pace: Rc<Pace>,
    /// When a stream last opened, handed over a piece, or closed.
    moved: Cell<Instant>,
    /// Whether something has moved since the last look, so that the hot path sets a flag and reads no clock.
    moving: Cell<bool>,
}

/// What to do with the connection now.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Wait(Instant),
    Close(End),
}

impl Streams {
    fn begin(now: Instant) -> Self {
        Self {
            open: Cell::new(0),
            owed: Cell::new(0),
            pace: Rc::default(),
            moved: Cell::new(now),
            moving: Cell::new(false),
        }
    }

    fn judge(&self, now: Instant, limits: &Limits, level: Level) -> Verdict {
        if self.moving.take() {
            self.moved.set(now);
        }
        if self.owed.get() == 0 {
            self.pace.rest();
        } else if self.pace.is_slow(now, limits, level) {
            return Verdict::Close(End::Slow);
        }
        // Never further than this: what is quick now may be slow in a moment, and what is open idle.
        let (limit, end, look) = if self.open.get() > 0 {
            (limits.stall * STALL_LIMITS, End::Stalled, SLOW_LOOK)
        } else {
            (limits.idle_under(level), End::Idle, limits.idle)
        };
        let at = self.moved.get() + limit;
        if now >= at { Verdict::Close(end) } else { Verdict::Wait(at.min(now + look)) }
    }
}

/// Held from a stream's request to the end of its answer.
struct Open {
    streams: Rc<Streams>,
    /// Whether it is among [`Streams::owed`].
    owed: Cell<bool>,
}

impl Open {
    fn begin(streams: &Rc<Streams>) -> Self {
        streams.open.set(streams.open.get() + 1);
        streams.moving.set(true);
        Self { streams: Rc::clone(streams), owed: Cell::new(false) }
    }
}

impl Ending for Open {
    fn moved(&self) {
        self.streams.moving.set(true);
        if !self.owed.replace(true) {
            self.streams.owed.set(self.streams.owed.get() + 1);
        }
    }

    fn ran_dry(&self) {
        if self.owed.replace(false) {
            self.streams.owed.set(self.streams.owed.get().saturating_sub(1));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ran_dry();
        self.streams.open.set(self.streams.open.get().saturating_sub(1));
        self.streams.moving.set(true);
    }
}

/// Runs a connection's streams on the core that has the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        // Detached: hyper hears of a stream's end through the stream itself.
        drop(tokio::task::spawn_local(async move { drop(future.await) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { idle: Duration::from_secs(75), stall: Duration::from_secs(60), ..Limits::default() }
    }

    fn judge(streams: &Streams, now: Instant) -> Verdict {
        streams.judge(now, &limits(), Level::Calm)
    }

    #[test]
    fn a_connection_without_streams_ends_when_it_has_been_idle_for_long() {
        let start = Instant::now();
        let streams = Streams::begin(start);
        assert_eq!(judge(&streams, start), Verdict::Wait(start + limits().idle));
        assert_eq!(judge(&streams, start + limits().idle), Verdict::Close(End::Idle));
        // Sooner where places are wanted.
        let pressed = limits().idle_under(Level::High);
        assert_eq!(streams.judge(start + pressed, &limits(), Level::High), Verdict::Close(End::Idle));
    }

    #[test]
    fn a_stream_that_moves_lives_and_one_that_does_not_ends_the_connection() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let open = Open::begin(&streams);
        let mut now = start;
        for _ in 0..100 {
            now += Duration::from_secs(70);
            open.moved();
            assert!(matches!(judge(&streams, now), Verdict::Wait(_)));
        }
        let late = now + limits().stall * STALL_LIMITS;
        assert_eq!(judge(&streams, late), Verdict::Close(End::Stalled));
        drop(open);
        assert!(matches!(judge(&streams, late), Verdict::Wait(_)));
    }

    #[test]
    fn attack_63_streams_of_which_next_to_nothing_is_taken_end_under_pressure() {
        for (level, taken, end) in [
            (Level::Critical, 100, true),
            (Level::High, 39_000, true),
            // 32 kbit/s for ten seconds are 40,000 bytes.
            (Level::High, 41_000, false),
            (Level::Busy, 100, false),
        ] {
            let start = Instant::now();
            let streams = Rc::new(Streams::begin(start));
            let (slow, other) = (Open::begin(&streams), Open::begin(&streams));
            slow.moved();
            assert_eq!(streams.judge(start, &limits(), level), Verdict::Wait(start + SLOW_LOOK));
            // One that is answered in the meantime says nothing of the other.
            other.moved();
            drop(other);
            streams.pace.took(taken);
            let verdict = streams.judge(start + SLOW_LOOK, &limits(), level);
            assert_eq!(verdict == Verdict::Close(End::Slow), end, "{level:?} {taken} {verdict:?}");
        }
    }

    #[test]
    fn a_stream_that_waits_for_the_upstream_is_not_the_clients_slowness() {
        let start = Instant::now();
        let streams = Rc::new(Streams::begin(start));
        let open = Open::begin(&streams);
        open.moved();
        streams.judge(start, &limits(), Level::Critical);
        open.ran_dry();
        for look in 1..3 {
            let verdict = streams.judge(start + SLOW_LOOK * look, &limits(), Level::Critical);
            assert!(matches!(verdict, Verdict::Wait(_)), "{verdict:?}");
        }
    }
}
