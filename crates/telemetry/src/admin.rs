//! The admin listener: `/metrics`, `/healthz`, `/readyz` to read; `/reload`, `/drain`, `/out-of-service`, `/in-service` and what
//! the service takes to POST.
//! Loopback by default: it carries no secret, but no student has business here.

use crate::{Check, Order, Telemetry, posts};
use bytes::Bytes;
use faults::{Blame, Fault};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{Encoder, TextEncoder};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Connections served at once; a scraper needs one.
const MAX_CONNECTIONS: usize = 64;
/// A scraper that sends nothing for this long is dropped.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

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
    socket: std::net::TcpListener,
    stop: Arc<Notify>,
}

impl Admin {
    /// Binds `address` and answers from a thread of its own. Port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken, or the machine gives no thread.
    pub fn start(address: SocketAddr, telemetry: Telemetry) -> Result<Self, AdminError> {
        Self::on(Self::bind(address)?, telemetry)
    }

    /// Binds `address` for [`Admin::on`].
    ///
    /// # Errors
    /// The address is taken.
    pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, AdminError> {
        std::net::TcpListener::bind(address).map_err(|source| AdminError::Bind { address, source })
    }

    /// The same on a socket that is there already.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn on(listener: std::net::TcpListener, telemetry: Telemetry) -> Result<Self, AdminError> {
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
                    tokio::select! { () = accept(listener, telemetry) => {}, () = stopped.notified() => {} }
                });
            })
            .map_err(AdminError::Thread)?;
        tracing::info!(%address, "admin listening");
        Ok(Self { address, socket, stop })
    }

    /// Another handle on its socket, for the process that takes over.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn socket(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        Ok(self.socket.try_clone()?.into())
    }

    /// Answers nobody any more: another process does.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: std::net::TcpListener, telemetry: Telemetry) {
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
        let telemetry = telemetry.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request: Request<Incoming>| {
                let telemetry = telemetry.clone();
                async move {
                    let taker = telemetry.posts.at(request.uri().path());
                    if let (&Method::POST, Some(taker)) = (request.method(), taker) {
                        return Ok::<_, Infallible>(posts::answer(&*taker, request.into_body()).await);
                    }
                    let path = request.uri().path();
                    let told = match *request.method() {
                        Method::POST => tell(path, &telemetry).await,
                        _ => None,
                    };
                    Ok(told.unwrap_or_else(|| answer(request.method(), path, &telemetry)))
                }
            });
            // A scraper that goes away in mid-answer is its own affair.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(place);
        });
    }
}

/// POST of an order; `None` when the path is none.
async fn tell(path: &str, telemetry: &Telemetry) -> Option<Response<Full<Bytes>>> {
    match path {
        // Those who send traffic look at `/readyz`; who is here already is served on.
        "/out-of-service" => {
            telemetry.readiness.fail(Check::InService, "taken out of service; POST /in-service ends it");
            return Some(text(StatusCode::OK, "out of service\n".to_owned()));
        }
        "/in-service" => {
            telemetry.readiness.pass(Check::InService);
            return Some(text(StatusCode::OK, "in service\n".to_owned()));
        }
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

fn answer(method: &Method, path: &str, telemetry: &Telemetry) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return text(
            StatusCode::METHOD_NOT_ALLOWED,
            "only orders are posted: /reload, /drain, /out-of-service, /in-service\n".to_owned(),
        );
    }
    match path {
        "/metrics" => metrics(telemetry),
        "/healthz" => text(StatusCode::OK, "alive\n".to_owned()),
        "/readyz" if telemetry.readiness.is_ready() => text(StatusCode::OK, telemetry.readiness.report()),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, telemetry.readiness.report()),
        "/reload" | "/drain" | "/out-of-service" | "/in-service" => text(StatusCode::METHOD_NOT_ALLOWED, "is an order: POST it\n".to_owned()),
        _ if let Some(page) = telemetry.pages.at(path) => {
            typed(StatusCode::OK, "application/json", page.into())
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "here are /metrics, /healthz and /readyz, and to POST /reload, /drain, /out-of-service and /in-service\n".to_owned(),
        ),
    }
}

fn metrics(telemetry: &Telemetry) -> Response<Full<Bytes>> {
    telemetry.ready.set(i64::from(telemetry.readiness.is_ready()));
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

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body.into())
}

fn typed(status: StatusCode, media_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn ask(path: &str, telemetry: &Telemetry) -> (StatusCode, String) {
        let response = answer(&Method::GET, path, telemetry);
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_says_why_not() {
        let telemetry = Telemetry::new("test");
        assert_eq!(ask("/readyz", &telemetry).await.0, StatusCode::SERVICE_UNAVAILABLE);
        telemetry.readiness.fail(Check::Upstream, "refused");
        let (status, body) = ask("/readyz", &telemetry).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body, "upstream: not ok: refused\n");
        assert_eq!(ask("/healthz", &telemetry).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_node_stands_aside_and_comes_back() {
        let telemetry = Telemetry::new("test");
        telemetry.readiness.pass(Check::Listening);
        assert_eq!(tell("/out-of-service", &telemetry).await.unwrap().status(), StatusCode::OK);
        let (status, body) = ask("/readyz", &telemetry).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("in_service: not ok"), "{body}");
        tell("/in-service", &telemetry).await.unwrap();
        assert_eq!(ask("/readyz", &telemetry).await.0, StatusCode::OK);
        assert_eq!(ask("/in-service", &telemetry).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn an_order_is_answered_by_whoever_takes_it() {
        let telemetry = Telemetry::new("test");
        let told = tell("/reload", &telemetry).await.unwrap();
        assert_eq!(told.status(), StatusCode::CONFLICT, "nobody listens yet");
        let (told, _) = tokio::join!(
            async {
                // After the main loop has begun to listen.
                tokio::task::yield_now().await;
                tell("/reload", &telemetry).await.unwrap()
            },
            async {
                let told = telemetry.orders.next().await;
                assert_eq!(told.order, Order::Reload);
                told.answer.give(Err("CONFIG_VALUE: no".to_owned()));
            }
        );
        assert_eq!(told.status(), StatusCode::CONFLICT);
        assert!(tell("/metrics", &telemetry).await.is_none());
    }

    #[tokio::test]
    async fn metrics_name_the_build() {
        let telemetry = Telemetry::new("test");
        let (status, body) = ask("/metrics", &telemetry).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("airclass_build_info{service=\"test\""), "{body}");
        assert!(body.contains("process_resident_memory_bytes"), "{body}");
    }
}
