//! The origin behind all peers: small, counted, and able to be slow, to break off or to die.

mod body;

pub(crate) use body::Manner;

use crate::payload;
use anyhow::{Context, Result};
use body::Paced;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// An origin at work, on a thread of its own. Dropped, it dies as a killed process does: the port is closed and
/// every connection cut.
pub(crate) struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    requests: AtomicU64,
    /// While set, answers are held back.
    held: watch::Sender<bool>,
    manner: Mutex<Manner>,
}

/// The path of an object: the origin makes what the path says. `name` keeps equal objects apart.
pub(crate) fn path(length: usize, name: &str) -> String {
    format!("/{length}/{name}")
}

/// The path of an object whose bytes are those from `from` on: unlike [`path`]'s, no two are alike.
pub(crate) fn path_from(from: usize, length: usize, name: &str) -> String {
    format!("/{from}+{length}/{name}")
}

impl Upstream {
    pub(crate) fn start() -> Result<Self> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the origin")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            requests: AtomicU64::new(0),
            held: watch::Sender::new(false),
            manner: Mutex::default(),
        });
        let (stop, mut stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("origin".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
            // Dropping the runtime drops every connection.
        })?;
        Ok(Self { address, shared, stop, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that have reached it.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// From now on questions are taken and not answered.
    pub(crate) fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// How it answers from now on, whoever has asked before.
    pub(crate) fn answer(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// What was held is answered, all at once.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Pause after the kernel refuses to accept.
const BACK_OFF: Duration = Duration::from_millis(10);

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BACK_OFF).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        drop(tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }));
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Paced>, Infallible> {
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    let manner = *shared.manner.lock().unwrap_or_else(PoisonError::into_inner);
    let mut response = Response::new(Paced::empty());
    let Some((from, length)) = bytes_in(request.uri().path()) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let body = payload::of(payload::MOST).slice(from..from + length);
    let rest =
        (manner == Manner::BreaksOff).then(|| rest_from(&request)).flatten().filter(|&from| from < length);
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        headers.insert(name, value.parse().expect("what we write is a field value"));
    };
    set(CONTENT_LENGTH, &(length - rest.unwrap_or_default()).to_string());
    set(CONTENT_TYPE, if request.uri().path().ends_with(".m3u8") { PLAYLIST } else { SEGMENT });
    // It gives none itself; nginx cuts none from its cache where the origin has not said so.
    set(ACCEPT_RANGES, "bytes");
    set(CACHE_CONTROL, "max-age=31536000, immutable");
    if manner != Manner::BreaksOffForGood {
        set(ETAG, &format!("\"{from:x}-{length:x}\""));
        set(LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT");
    }
    if let Some(from) = rest {
        set(CONTENT_RANGE, &format!("bytes {from}-{}/{length}", length - 1));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        *response.body_mut() = Paced::new(body.slice(from..), Manner::AtOnce);
    } else {
        *response.body_mut() = Paced::new(body, manner);
    }
    Ok(response)
}

/// Where the rest of a body begins that is asked for by Range.
fn rest_from(request: &Request<Incoming>) -> Option<usize> {
    request.headers().get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

const PLAYLIST: &str = "application/vnd.apple.mpegurl";
const SEGMENT: &str = "video/iso.segment";

/// Where the bytes begin that a path of [`path`] or [`path_from`] asks for, and how many they are.
fn bytes_in(path: &str) -> Option<(usize, usize)> {
    let bytes = path.strip_prefix('/')?.split('/').next()?;
    let (from, length) = bytes.split_once('+').unwrap_or(("0", bytes));
    let (from, length): (usize, usize) = (from.parse().ok()?, length.parse().ok()?);
    let fits = length > 0 && from.checked_add(length).is_some_and(|end| end <= payload::MOST);
    fits.then_some((from, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_how_long() {
        assert_eq!(bytes_in(&path(8_000, "a.m3u8")), Some((0, 8_000)));
        assert_eq!(bytes_in(&path_from(16, 8_000, "a.m3u8")), Some((16, 8_000)));
        for path in
            ["/", "/0/a", "/x/a", "/99999999999/a", "/3999999+2/a", "/+/a", "/18446744073709551615+1/a"]
        {
            assert_eq!(bytes_in(path), None, "{path}");
        }
    }
}
