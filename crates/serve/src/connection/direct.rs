//! The short way through a connection over HTTP/1.1, for what a player asks nearly always: a GET that comes whole in one
//! read, and an answer that says how long it is.
//!
//! hyper is ready for all that HTTP/1.1 allows, and a small hit pays for that. Here the same request goes to the same service, and
//! its answer straight to the kernel. Whatever is not as simple as that is hyper's from its first byte on: another method, a
//! body, a piece of a head, a second request behind the first, a connection that is to end, an answer without a length. Where
//! the service has answered before that shows, hyper sends that answer.

mod exchange;
mod head;
mod outgoing;
mod question;

use super::activity::Activity;
use super::lookout::Lookout;
use super::stream::Transport;
use super::{Core, Here, Place};
use crate::metrics::End;
use crate::service::{Peer, Service};
use bytes::Bytes;
use exchange::{Exchange, Step};
use http::Response;
use std::pin::pin;
use std::task::Poll;
use tokio::time::Instant;

/// How the short way ended.
pub(super) enum Left<B> {
    /// With the connection.
    Ended(End),
    /// Everything is answered, and nothing asked for a while.
    Idle,
    /// At bytes that hyper is to read, and what the first request in them is answered with, if that is known.
    Hyper(Bytes, Option<Response<B>>),
}

/// Answers until something else is wanted.
pub(super) async fn run<S: Service, T: Transport>(
    core: &Core<S>,
    stream: &mut T,
    peer: &Peer,
    place: &Place,
    here: &Here,
) -> Left<S::Body> {
    let activity = Activity::begin(Instant::now());
    let first_look = Instant::now() + core.limits.header.min(core.limits.park_after);
    let timer = pin!(tokio::time::sleep_until(first_look));
    let mut lookout = Lookout::new(timer);
    let reach = stream.socket().reach();
    let judge = |now| activity.judge(now, &core.limits, place.pressure().level(), || reach.bytes());
    let mut drain_begun = pin!(core.drain.begun());
    // Polled once, to be woken by it, and then only looked at, as where hyper runs.
    let (mut minds_drain, mut told) = (false, false);
    let mut exchange = Exchange::new(core, stream, peer, here, &activity);

    let step = std::future::poll_fn(|cx| {
        if let Poll::Ready(step) = exchange.poll(cx) {
            return Poll::Ready(step);
        }
        if !told && (!std::mem::replace(&mut minds_drain, true) || core.drain.has_begun()) {
            told = drain_begun.as_mut().poll(cx).is_ready();
        }
        // Whoever waits between requests closes, or hears of it in the next answer, which is hyper's.
        if told && activity.may_close() {
            return Poll::Ready(Step::Idle);
        }
        lookout.poll(cx, judge).map(|end| end.map_or(Step::Idle, Step::Given))
    })
    .await;
    drop(exchange);
    match step {
        Step::Idle => Left::Idle,
        Step::Hyper(left) => Left::Hyper(left.0, left.1),
        Step::Closed => {
            stream.close().await;
            Left::Ended(End::Closed)
        }
        Step::Given(end) => {
            if end.leaves_unsent() {
                stream.socket().forget_unsent();
            }
            Left::Ended(end)
        }
    }
}
