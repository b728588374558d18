//! The admin listener: `/metrics`, `/healthz`, `/readyz` and what the service shows to read; `/reload`, `/drain`, `/out-of-service`,
//! `/in-service` and what the service takes to POST.
//! Loopback by default: it carries no secret, but no student has business here. Operators open it in browsers, where pages of
//! others are open too: what is read here runs in nobody's frame, no page's order is taken, and who calls this machine by a name that
//! is not its own is told nothing (`hosts`).

mod hosts;

pub use hosts::Hosts;

use crate::{Order, Telemetry, posts};
use bytes::Bytes;
use faults::{Blame, Fault};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{Encoder, TextEncoder};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, Semaphore};
use tokio_io_timeout::TimeoutStream;

/// Connections served at once; a scraper needs one.
const MAX_CONNECTIONS: usize = 64;
/// A scraper that sends nothing for this long is dropped.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that takes nothing of an answer for this long is closed.
const STALL: Duration = Duration::from_secs(30);

/// RFC 9110 §15.5.20. Without the name that was asked for: it is nobody's here.
const NOT_THE_NAME: &str = "这个管理端口不叫这个名字；请用地址访问，或把名字写进 admin_hosts。\n\
    this admin listener has another name: ask by its address, or name it in `admin_hosts`\n";

/// On every answer: a page here runs its own script, style and documents, nothing from anywhere else, in nobody's frame; what is read
/// is kept by nobody and is no other site's.
const GUARDS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Why the admin listener did not start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address cannot be bound.
    #[error("admin address {address}: {source}; choose a free one with --admin")]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The thread or its runtime could not be made.
    #[error("admin listener: {0}; the machine is out of threads or descriptors")]
    Thread(std::io::Error),
}

impl Fault for AdminError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bind { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => "LISTEN_TAKEN",
            Self::Bind { .. } => "LISTEN_FAILED",
            Self::Thread(_) => "ADMIN_FAILED",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Bind { .. } => Blame::Input,
            Self::Thread(_) => Blame::Ours,
        }
    }
}

/// A running admin listener. It lives as long as the process, or until another process has taken it over.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    /// Another handle, until it is stopped.
    socket: Mutex<Option<std::net::TcpListener>>,
    stop: Arc<Notify>,
}

impl Admin {
    /// Binds `address` and answers from a thread of its own. Port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken, or the machine gives no thread.
    pub fn start(address: SocketAddr, hosts: Hosts, telemetry: Telemetry) -> Result<Self, AdminError> {
        Self::on(Self::bind(address)?, hosts, telemetry)
    }

    /// Binds `address` for [`Admin::on`].
    ///
    /// # Errors
    /// The address is taken.
    pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, AdminError> {
        std::net::TcpListener::bind(address).map_err(|source| AdminError::Bind { address, source })
    }

    /// For [`Admin::on`]: `socket`, which another process has listened on, where it is at `address`, or a new one there. Where the
    /// two differ only in being all addresses of the machine or one of them, the other process is in the way of a new one:
    /// `socket` is kept.
    ///
    /// # Errors
    /// The address is taken.
    pub fn adopt(
        socket: Option<std::os::fd::OwnedFd>,
        address: SocketAddr,
    ) -> Result<std::net::TcpListener, AdminError> {
        let socket = socket.map(std::net::TcpListener::from);
        let Some((socket, bound)) = socket.and_then(|socket| socket.local_addr().ok().map(|at| (socket, at)))
        else {
            return Self::bind(address);
        };
        if bound.ip() == address.ip() && [0, bound.port()].contains(&address.port()) {
            return Ok(socket);
        }
        let overlaps = bound.port() == address.port()
            && [bound, address].iter().any(|address| address.ip().is_unspecified());
        match Self::bind(address) {
            Err(AdminError::Bind { source, .. })
                if overlaps && source.kind() == std::io::ErrorKind::AddrInUse =>
            {
                tracing::warn!(admin = %address, stays = %bound, "a changed admin address; stop this process and start it again");
                Ok(socket)
            }
            bound => bound,
        }
    }

    /// The same on a socket that is there already.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn on(
        listener: std::net::TcpListener,
        hosts: Hosts,
        telemetry: Telemetry,
    ) -> Result<Self, AdminError> {
        listener.set_nonblocking(true).map_err(AdminError::Thread)?;
        let address = listener.local_addr().map_err(AdminError::Thread)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AdminError::Thread)?;
        let socket = listener.try_clone().map_err(AdminError::Thread)?;
        let stop = Arc::<Notify>::default();
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("admin".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! { () = accept(listener, hosts, telemetry) => {}, () = stopped.notified() => {} }
                });
            })
            .map_err(AdminError::Thread)?;
        tracing::info!(%address, "admin listening");
        Ok(Self { address, socket: Mutex::new(Some(socket)), stop })
    }

    /// Another handle on its socket, for the process that takes over.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn socket(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let again = socket.as_ref().ok_or(std::io::ErrorKind::NotConnected)?.try_clone()?;
        Ok(again.into())
    }

    /// Answers nobody any more, and listens no more: another process does.
    pub fn stop(&self) {
        drop(self.socket.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.stop.notify_one();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: std::net::TcpListener, hosts: Hosts, telemetry: Telemetry) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the admin listener cannot be polled"),
    };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "admin accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (hosts, telemetry) = (hosts.clone(), telemetry.clone());
        tokio::spawn(async move {
            connection(stream, &hosts, &telemetry).await;
            drop(place);
        });
    }
}

async fn connection<S: AsyncRead + AsyncWrite>(stream: S, hosts: &Hosts, telemetry: &Telemetry) {
    let service = hyper::service::service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(decide(request, hosts, telemetry).await)
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALL));
    // A scraper that goes away in mid-answer is its own affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .await;
}

/// Who asks by a wrong name is told nothing, who is a page gives no orders; all else is answered.
async fn decide(request: Request<Incoming>, hosts: &Hosts, telemetry: &Telemetry) -> Response<Full<Bytes>> {
    if !hosts.know(&request) {
        return text(StatusCode::MISDIRECTED_REQUEST, NOT_THE_NAME.to_owned());
    }
    let is_order = request.method() == Method::POST;
    if is_order && comes_from_a_page(request.headers()) {
        return text(StatusCode::FORBIDDEN, "orders come from programs, not from pages\n".to_owned());
    }
    match telemetry.posts.at(request.uri().path()) {
        Some(taker) if is_order => posts::answer(&*taker, request.into_body()).await,
        _ => {
            let path = request.uri().path();
            let told = if is_order { tell(path, telemetry).await } else { None };
            told.unwrap_or_else(|| answer(request.method(), path, telemetry))
        }
    }
}

/// Whether a browser says that a page has made it send this (Fetch §3.1, Fetch Metadata): one that an operator has open beside may
/// reach this address, and need not see the answer. Programs send neither field.
fn comes_from_a_page(headers: &http::HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// POST of an order; `None` when the path is none.
async fn tell(path: &str, telemetry: &Telemetry) -> Option<Response<Full<Bytes>>> {
    match path {
        "/out-of-service" => return Some(switch(telemetry, true, "out of service\n")),
        "/in-service" => return Some(switch(telemetry, false, "in service\n")),
        _ => {}
    }
    let order = match path {
        "/reload" => Order::Reload,
        "/drain" => Order::Drain,
        _ => return None,
    };
    Some(match telemetry.orders.give(order).await {
        Ok(done) => text(StatusCode::OK, format!("{done}\n")),
        Err(why) => text(StatusCode::CONFLICT, format!("{why}\n")),
    })
}

/// Takes the process out of service, or back. Where another one has just taken over, whoever asks again is heard by that one.
fn switch(telemetry: &Telemetry, stand_aside: bool, done: &str) -> Response<Full<Bytes>> {
    if telemetry.readiness.obey(stand_aside) {
        return text(StatusCode::OK, done.to_owned());
    }
    let mut response =
        text(StatusCode::SERVICE_UNAVAILABLE, "another process has taken over: ask again\n".to_owned());
    // The process behind this connection hears nothing more.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn answer(method: &Method, path: &str, telemetry: &Telemetry) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return only("GET, HEAD", "only orders are posted: /reload, /drain, /out-of-service, /in-service\n");
    }
    match path {
        "/metrics" => metrics(telemetry),
        "/healthz" => text(StatusCode::OK, "alive\n".to_owned()),
        "/readyz" if telemetry.readiness.is_ready() => text(StatusCode::OK, telemetry.readiness.report()),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, telemetry.readiness.report()),
        "/reload" | "/drain" | "/out-of-service" | "/in-service" => only("POST", "is an order: POST it\n"),
        _ if let Some((media_type, bytes)) = telemetry.pages.at(path) => {
            typed(StatusCode::OK, media_type, bytes)
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "here are /metrics, /healthz and /readyz, and to POST /reload, /drain, /out-of-service and /in-service\n".to_owned(),
        ),
    }
}

fn metrics(telemetry: &Telemetry) -> Response<Full<Bytes>> {
    telemetry.ready.set(i64::from(telemetry.readiness.is_ready()));
    for (check, why_not) in telemetry.readiness.checks() {
        telemetry.checks.with_label_values(&[check.as_str()]).set(i64::from(why_not.is_none()));
    }
    let encoder = TextEncoder::new();
    let mut body = Vec::new();
    if let Err(error) = encoder.encode(&telemetry.registry.gather(), &mut body) {
        tracing::error!(%error, "metrics cannot be written");
        return text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "metrics cannot be written; see the log\n".to_owned(),
        );
    }
    typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body.into())
}

/// Another method is wanted (RFC 9110 §15.5.6).
fn only(methods: &'static str, words: &str) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, words.to_owned());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body.into())
}

fn typed(status: StatusCode, media_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
