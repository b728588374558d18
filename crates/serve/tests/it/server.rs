//! A server with a small service: `/` is a greeting, `/large` a megabyte, `/echo` what it is sent, `/never` never answers, `/cut` breaks
//! off behind its greeting, `/kept/…` is a greeting as a cache has it, by the status that stands there, with fields that are ready where
//! they may be.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use serve::{
    Config, LastingFields, LimitOptions, Options, Peer, ReadyFields, Reply, RequestBody, Running, Service,
};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use telemetry::Telemetry;

/// What `/` answers.
pub(crate) const GREETING: &[u8] = b"hello";
/// How long `/large` is.
pub(crate) const LARGE: usize = 1 << 20;

/// A running server.
pub(crate) struct Server {
    running: Option<Running>,
    config: Config,
    telemetry: Telemetry,
}

impl Server {
    /// On one core, on a port of the system's choice.
    pub(crate) fn start(limits: LimitOptions) -> Self {
        Self::with(Options { limits: Some(limits), ..Options::default() })
    }

    /// The same with other options.
    pub(crate) fn with(options: Options) -> Self {
        let options = Options { cores: options.cores.or(Some(1)), ..options };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config::resolve(&options, any, any).unwrap();
        let telemetry = Telemetry::new("test");
        let server = serve::Server::bind(config.clone(), &telemetry).unwrap();
        let running = server.start(|_core, _drain| Greeter).unwrap();
        Self { running: Some(running), config, telemetry }
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.running.as_ref().unwrap().addresses().to_vec()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().addresses()[0]
    }

    /// Reads certificates and ticket keys again.
    pub(crate) fn reload(&self) -> Result<(), serve::TlsError> {
        self.running.as_ref().unwrap().reconfigure(&self.config).map(drop)
    }

    /// Reads a configuration with another idle limit.
    pub(crate) fn reload_with_idle(&self, idle: Duration) {
        let mut config = self.config.clone();
        config.limits.idle = idle;
        self.running.as_ref().unwrap().reconfigure(&config).unwrap();
    }

    /// Begins to stop it.
    pub(crate) fn begin_to_stop(&self) {
        self.running.as_ref().unwrap().drain();
    }

    /// The same; to be joined where nobody is held up.
    pub(crate) fn stop(mut self) -> Running {
        let running = self.running.take().unwrap();
        running.drain();
        running
    }

    /// The value of a counter or gauge, by its name and, if it has one, its label's value.
    pub(crate) fn metric(&self, name: &str, label: Option<&str>) -> f64 {
        let families = self.telemetry.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let has = |metric: &&prometheus::proto::Metric| match label {
            Some(label) => metric.get_label().iter().any(|pair| pair.value() == label),
            None => true,
        };
        let metric = family.get_metric().iter().find(has).unwrap();
        // A metric has one of the two; the other reads as zero.
        metric.get_counter().get_value() + metric.get_gauge().get_value()
    }

    /// Waits until no connection is left.
    pub(crate) fn wait_until_quiet(&self) {
        while self.metric("serve_connections", None) > 0.0 {
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.drain();
            running.join();
        }
    }
}

struct Greeter;

impl Service for Greeter {
    type Body = Either<Ready, Cut>;

    fn call(
        &self,
        request: Request<RequestBody>,
        peer: Peer,
    ) -> Reply<Self::Body, impl Future<Output = Response<Self::Body>> + use<> + 'static> {
        let path = request.uri().path().to_owned();
        let waits = ["/echo", "/never", "/kept"].iter().any(|prefix| path.starts_with(prefix));
        let answer = async move {
            let body = match path.as_str() {
                "/echo" => match request.into_body().collect().await {
                    Ok(body) => body.to_bytes(),
                    Err(_) => {
                        let mut refusal = Response::new(Full::default());
                        *refusal.status_mut() = http::StatusCode::BAD_REQUEST;
                        return refusal.map(Ready::without).map(Either::Left);
                    }
                },
                "/large" | "/kept/large" => Bytes::from(vec![b'x'; LARGE]),
                "/cut" => return Response::new(Either::Right(Cut::Begins)),
                "/kept/cut" => {
                    let mut whole = Response::new(Full::new(Bytes::from(vec![b'x'; LARGE])));
                    keep(&mut whole, StatusCode::OK);
                    return whole.map(|_| Either::Right(Cut::Begins));
                }
                "/never" => std::future::pending().await,
                "/who" => Bytes::from(format!("{} {}", peer.address, peer.scheme.as_str())),
                _ => Bytes::from_static(GREETING),
            };
            let mut response = Response::new(Full::new(body));
            let Some(status) = path.strip_prefix("/kept/") else {
                return response.map(Ready::without).map(Either::Left);
            };
            keep(&mut response, status.parse().unwrap_or(StatusCode::OK));
            if peer.takes_ready { Ready::instead(response) } else { response.map(Ready::without) }
                .map(Either::Left)
        };
        if waits {
            return Reply::Later(answer);
        }
        match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Reply::Now(answer),
            Poll::Pending => unreachable!("it has nothing to wait for"),
        }
    }

    fn ready(body: &Self::Body) -> Option<&ReadyFields> {
        match body {
            Either::Left(body) => body.fields.as_ref(),
            Either::Right(_) => None,
        }
    }
}

/// What is here, with fields that are ready to be sent.
pub(crate) struct Ready {
    body: Full<Bytes>,
    fields: Option<ReadyFields>,
}

impl Ready {
    fn without(body: Full<Bytes>) -> Self {
        Self { body, fields: None }
    }

    /// All that `answer` says but its length, ready; Age is what it says of itself alone.
    fn instead(answer: Response<Full<Bytes>>) -> Response<Self> {
        let (mut head, body) = answer.into_parts();
        let mut fields = std::mem::take(&mut head.headers);
        fields.remove(header::AGE);
        let mut ready = ReadyFields::new(Arc::new(LastingFields::of(&fields).unwrap()));
        ready.say(&header::AGE, |text| text.push('7'));
        Response::from_parts(head, Self { body, fields: Some(ready) })
    }
}

impl Body for Ready {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A greeting of which nobody hears how long it would have been.
enum Cut {
    Begins,
    Ends,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match *self {
            Self::Begins => {
                *self = Self::Ends;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(GREETING)))))
            }
            Self::Ends => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
        }
    }
}

/// Says of itself what a stored answer says.
fn keep(response: &mut Response<Full<Bytes>>, status: StatusCode) {
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::DATE, HeaderValue::from_static("Thu, 26 Nov 2026 08:00:00 GMT"));
    fields.append("x-said", HeaderValue::from_static("once"));
    fields.append("x-said", HeaderValue::from_static("and again"));
    fields.insert(header::AGE, HeaderValue::from_static("7"));
    if status == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Full::default();
    } else {
        let length = response.body().size_hint().exact().unwrap_or_default();
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}
