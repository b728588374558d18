//! One connection of a player to its node, kept from question to question.

#[cfg(test)]
mod tests;

use crate::fetch::{Answer, Ask, Failure, Fetch};
use crate::node::Node;
use crate::outcome::{CacheResult, ErrorKind};
use crate::retry::{self, Class};
use crate::tally::Meter;
use bytes::{Bytes, BytesMut};
use hls::MAX_PLAYLIST_BYTES;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

/// What is read from a socket at once, and all the memory that a quiet connection keeps. Larger saves system calls, for a
/// segment of 400 kB some two dozen; smaller saves memory, which thousands of players have twice.
const READ: usize = 16 * 1_024;
/// The longest wait for a connection, TLS included. Shorter than that for an answer, so that it is called by its own name.
const CONNECT: Duration = Duration::from_secs(8);

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const AGENT: HeaderValue = HeaderValue::from_static("airclass-drill");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

type Sender = SendRequest<Empty<Bytes>>;

/// How connections come about.
#[derive(Clone)]
pub(crate) enum Dial {
    Node(Arc<Node>),
    /// In memory, to a script.
    #[cfg(test)]
    Script(Rc<tests::Script>),
}

/// A connection that is made when it is first needed, and again when it has ended.
pub(crate) struct Line {
    dial: Dial,
    host: HeaderValue,
    meter: Rc<Meter>,
    kept: Option<Sender>,
}

impl Line {
    pub(crate) fn new(node: &Arc<Node>, meter: &Rc<Meter>) -> Self {
        Self {
            dial: Dial::Node(Arc::clone(node)),
            host: node.host.clone(),
            meter: Rc::clone(meter),
            kept: None,
        }
    }

    /// Asks, over the kept connection if there is one. Where that ends before an answer begins, the question is asked over a
    /// new one, as browsers do: the server has closed it while it was quiet.
    async fn head(&mut self, ask: Ask<'_>) -> Result<Response<Incoming>, ErrorKind> {
        if let Some(mut kept) = self.kept.take()
            && kept.ready().await.is_ok()
        {
            match kept.send_request(self.request(ask)).await {
                Ok(response) => {
                    self.kept = Some(kept);
                    return Ok(response);
                }
                Err(error) if is_senseless(&error) => return Err(ErrorKind::Protocol),
                Err(_) => {}
            }
        }
        let mut fresh = timeout(CONNECT, self.connect()).await.map_err(|_| ErrorKind::ConnectTimeout)??;
        let answered = fresh.send_request(self.request(ask)).await;
        match answered {
            Ok(response) => {
                self.kept = Some(fresh);
                Ok(response)
            }
            Err(error) if is_senseless(&error) => Err(ErrorKind::Protocol),
            Err(_) => Err(ErrorKind::Closed),
        }
    }

    fn request(&self, ask: Ask<'_>) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = ask.path.clone().into();
        let fields = request.headers_mut();
        fields.reserve(4);
        fields.insert(header::HOST, self.host.clone());
        fields.insert(header::USER_AGENT, AGENT);
        if ask.class.is_text() {
            fields.insert(header::ACCEPT_ENCODING, GZIP);
        }
        if let Some(range) = ask.range {
            let range = format!("bytes={}-{}", range.offset, range.end().saturating_sub(1));
            fields.insert(header::RANGE, HeaderValue::try_from(range).expect("digits are a field value"));
        }
        request
    }

    async fn connect(&self) -> Result<Sender, ErrorKind> {
        self.meter.connected();
        match &self.dial {
            Dial::Node(node) => {
                let stream = TcpStream::connect(node.address).await.map_err(|error| refusal(&error))?;
                // A request is written whole.
                let _ = stream.set_nodelay(true);
                match &node.tls {
                    None => speak(stream).await,
                    Some((config, name)) => {
                        let connector = TlsConnector::from(Arc::clone(config));
                        let stream = connector.connect(name.clone(), stream).await;
                        speak(stream.map_err(|_| ErrorKind::Tls)?).await
                    }
                }
            }
            #[cfg(test)]
            Dial::Script(script) => speak(script.dial().map_err(|error| refusal(&error))?).await,
        }
    }
}

impl Fetch for Line {
    async fn get(&mut self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let asked = Instant::now();
        let response = match timeout(Class::HEAD, self.head(ask)).await {
            Ok(answered) => answered.map_err(Failure::early)?,
            Err(_) => return Err(Failure::early(ErrorKind::HeadTimeout)),
        };
        let (head, body) = response.into_parts();
        let fields = &head.headers;
        let mut answer = Answer {
            status: head.status,
            retry_after: text(fields, &header::RETRY_AFTER).and_then(retry::retry_after),
            cache: last(fields, &CACHE_STATUS).map_or(CacheResult::Untold, CacheResult::parse),
            gzip: text(fields, &header::CONTENT_ENCODING) == Some("gzip"),
            ..Answer::default()
        };
        let kept = ask.class.is_text().then(BytesMut::new);
        let mut reading = Reading { body, meter: &self.meter, bytes: 0, text: kept };
        let limit = ask.class.whole().saturating_sub(asked.elapsed());
        let ended = match timeout(limit, reading.read()).await {
            Ok(ended) => ended,
            Err(_) => Err(ErrorKind::BodyTimeout),
        };
        answer.bytes = reading.bytes;
        answer.text = reading.text.take().unwrap_or_default().freeze();
        answer.took = asked.elapsed();
        match ended {
            Ok(()) => Ok(answer),
            Err(kind) => {
                // What is left of it stands before the next answer.
                self.kept = None;
                Err(Failure { kind, bytes: answer.bytes })
            }
        }
    }
}

/// A body on its way.
struct Reading<'a> {
    body: Incoming,
    meter: &'a Meter,
    bytes: u64,
    /// What of it is kept: all or nothing.
    text: Option<BytesMut>,
}

impl Reading<'_> {
    async fn read(&mut self) -> Result<(), ErrorKind> {
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(|_| ErrorKind::Truncated)?.into_data() else { continue };
            self.bytes += data.len() as u64;
            self.meter.received(data.len() as u64);
            if let Some(text) = &mut self.text {
                if text.len() + data.len() > MAX_PLAYLIST_BYTES {
                    return Err(ErrorKind::Playlist);
                }
                text.extend_from_slice(&data);
            }
        }
        Ok(())
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Sender, ErrorKind> {
    let (sender, connection) = http1::Builder::new()
        .read_buf_exact_size(Some(READ))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| ErrorKind::Protocol)?;
    // Its end is seen by the next question.
    drop(tokio::task::spawn_local(connection));
    Ok(sender)
}

fn is_senseless(error: &hyper::Error) -> bool {
    error.is_parse() || error.is_parse_status() || error.is_parse_too_large()
}

fn refusal(error: &io::Error) -> ErrorKind {
    /// EMFILE, ENFILE: no descriptor left here.
    const NO_DESCRIPTOR: [i32; 2] = [nix::errno::Errno::EMFILE as i32, nix::errno::Errno::ENFILE as i32];
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::AddrNotAvailable, _) => ErrorKind::Ports,
        (_, Some(code)) if NO_DESCRIPTOR.contains(&code) => ErrorKind::Ports,
        (io::ErrorKind::TimedOut, _) => ErrorKind::ConnectTimeout,
        _ => ErrorKind::Connect,
    }
}

fn text<'a>(fields: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    fields.get(name)?.to_str().ok()
}

/// The last of several lines of a field.
fn last<'a>(fields: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    fields.get_all(name).iter().next_back()?.to_str().ok()
}
