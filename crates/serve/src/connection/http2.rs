//! An HTTP/2 connection. It is never parked: its streams are the reason that a client keeps only one.

use super::Core;
use super::stream::Transport;
use crate::metrics::End;
use crate::service::{Peer, Service};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

/// Requests at once on one connection. A player needs three; a browser's page a dozen.
const MAX_STREAMS: u32 = 100;
/// Bytes of an answer queued for one stream ahead of the client's window. With [`MAX_STREAMS`] the worst case a
/// connection is 25 MiB, of which bodies are shared and not copied.
const MAX_SEND_BUFFER: usize = 256 * 1_024;
/// A silent client is asked whether it lives, and has this long to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) async fn run<S: Service, T: Transport>(core: Rc<Core<S>>, stream: T, peer: Peer) -> End {
    let service = {
        let core = Rc::clone(&core);
        service_fn(move |request: Request<Incoming>| {
            let response = core.service.call(request, peer);
            async move { Ok::<_, Infallible>(response.await) }
        })
    };
    let max_header_list = u32::try_from(core.limits.max_header_bytes).unwrap_or(u32::MAX);
    let mut connection = pin!(
        http2::Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_send_buf_size(MAX_SEND_BUFFER)
            .max_header_list_size(max_header_list)
            .keep_alive_interval(core.limits.idle)
            .keep_alive_timeout(PING_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut drain = core.drain.clone();
    tokio::select! {
        result = connection.as_mut() => return end_of(&result),
        () = drain.begun() => connection.as_mut().graceful_shutdown(),
    }
    match connection.await {
        Ok(()) => End::Drained,
        error => end_of(&error),
    }
}

fn end_of(result: &hyper::Result<()>) -> End {
    match result {
        Ok(()) => End::Closed,
        Err(error) if error.is_timeout() => End::Stalled,
        Err(_) => End::Broken,
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
