//! A connection to the control: mutual TLS 1.3, HTTP/1.1, one question at a time, kept as long as it holds.

use crate::pin::Pinned;
use bytes::Bytes;
use fleet::wire::{MAX_ANSWER_BYTES, PATIENCE, Refused};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use package::Digest;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest wait for a connection, its handshake included.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for an answer: that of a question which waits for orders, and a bad line.
const ANSWER: Duration = Duration::from_secs(PATIENCE.as_secs() + 20);

/// What came of asking the control, when it was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It says no.
    Refused {
        /// Why, by name.
        refused: String,
        /// In words.
        problem: String,
    },
    /// Who answers is not the control, or the control does not take us for who we are.
    Untrusted(String),
    /// Nobody answers.
    Unreachable(String),
    /// What is answered cannot be read.
    Strange(String),
}

/// Where the control is, and how to speak to it.
#[derive(Clone)]
pub struct Control {
    /// As it was given.
    pub url: String,
    authority: String,
    address: String,
    name: ServerName<'static>,
    tls: TlsConnector,
}

/// One connection.
pub struct Line {
    control: Control,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Control {
    /// With a certificate, from one's own files: the authority's, one's own chain and key, PEM.
    ///
    /// # Errors
    /// What is wrong with the address or a text, by option.
    pub fn known(url: &str, authority: &str, chain: &str, key: &str) -> Result<Self, (&'static str, String)> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority).map_err(|problem| ("authority", problem))? {
            roots.add(certificate).map_err(|error| ("authority", error.to_string()))?;
        }
        let chain = certificates(chain).map_err(|problem| ("cert", problem))?;
        let key =
            PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| ("key", error.to_string()))?;
        let config = builder().map_err(|problem| ("cert", problem))?.with_root_certificates(roots);
        let config = config.with_client_auth_cert(chain, key).map_err(|error| ("cert", error.to_string()))?;
        Self::at(url, config)
    }

    /// As a person, by the file that `airclass control person` has made: one's own certificate, the authority's, and the key.
    ///
    /// # Errors
    /// What is wrong with the address or the file.
    pub fn of_person(url: &str, text: &str) -> Result<Self, (&'static str, String)> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let second = text.match_indices(BEGIN).nth(1).map(|(at, _)| at).ok_or_else(|| {
            ("person", "has not the two certificates and the key of a person; give the file that `airclass control person` has made".to_owned())
        })?;
        Self::known(url, &text[second..], &text[..second], text)
    }

    /// Without one, to the control whose authority has this hash.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn pinned(url: &str, authority: Digest) -> Result<Self, (&'static str, String)> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = builder()
            .map_err(|problem| ("control", problem))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned::new(authority, provider)))
            .with_no_client_auth();
        Self::at(url, config)
    }

    fn at(url: &str, mut config: ClientConfig) -> Result<Self, (&'static str, String)> {
        let wrong = || ("control", format!("is {url:?}; give https://HOST:PORT"));
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        if uri.scheme_str() != Some("https") || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong());
        }
        let host = authority.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| wrong())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            url: url.to_owned(),
            authority: authority.to_string(),
            address: format!("{host}:{}", authority.port_u16().unwrap_or(443)),
            name,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// A connection that is made when something is asked.
    pub fn line(&self) -> Line {
        Line { control: self.clone(), sender: None }
    }
}

impl Line {
    /// Asks with nothing to send.
    ///
    /// # Errors
    /// What came of it.
    pub async fn get(&mut self, path: &str) -> Result<Bytes, Trouble> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// The same, read as JSON.
    ///
    /// # Errors
    /// What came of it.
    pub async fn look<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Trouble> {
        read(&self.get(path).await?)
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// What came of it.
    pub async fn tell<T: DeserializeOwned>(
        &mut self,
        path: &str,
        sent: &impl Serialize,
    ) -> Result<T, Trouble> {
        let sent = serde_json::to_vec(sent).map_err(|error| Trouble::Strange(error.to_string()))?;
        self.send(path, sent.into()).await
    }

    /// Sends bytes and reads JSON.
    ///
    /// # Errors
    /// What came of it.
    pub async fn send<T: DeserializeOwned>(&mut self, path: &str, sent: Bytes) -> Result<T, Trouble> {
        read(&self.ask(Method::POST, path, sent).await?)
    }

    async fn ask(&mut self, method: Method, path: &str, sent: Bytes) -> Result<Bytes, Trouble> {
        // A connection that was kept may be gone by now: that is found out by asking, and mended once.
        let kept = self.sender.is_some();
        match self.ask_once(method.clone(), path, sent.clone()).await {
            Err(Trouble::Unreachable(_)) if kept => self.ask_once(method, path, sent).await,
            end => end,
        }
    }

    async fn ask_once(&mut self, method: Method, path: &str, sent: Bytes) -> Result<Bytes, Trouble> {
        let mut sender = match self.sender.take() {
            Some(sender) => sender,
            None => timeout(CONNECT, self.control.connect())
                .await
                .map_err(|_| Trouble::Unreachable("no connection in time".to_owned()))??,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.control.authority)
            .body(Full::new(sent))
            .map_err(|error| Trouble::Strange(error.to_string()))?;
        let exchange = async {
            sender.ready().await.map_err(|error| broken(&error))?;
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            Ok((status, body.map_err(|error| Trouble::Unreachable(error.to_string()))?.to_bytes()))
        };
        let (status, body) = timeout(ANSWER, exchange)
            .await
            .map_err(|_| Trouble::Unreachable("no answer in time".to_owned()))??;
        self.sender = Some(sender);
        if status == StatusCode::OK {
            return Ok(body);
        }
        match serde_json::from_slice::<Refused>(&body) {
            Ok(Refused { refused, problem }) => Err(Trouble::Refused { refused, problem }),
            Err(_) => Err(Trouble::Strange(format!("{status}, and not as a control does"))),
        }
    }
}

impl Control {
    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Trouble> {
        let unreachable = |error: std::io::Error| Trouble::Unreachable(error.to_string());
        let stream = TcpStream::connect(&self.address).await.map_err(unreachable)?;
        let _ = stream.set_nodelay(true);
        let stream = self.tls.connect(self.name.clone(), stream).await.map_err(|error| {
            // rustls's errors come in an io::Error; all else is the network's.
            match error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                true => Trouble::Untrusted(error.to_string()),
                false => Trouble::Unreachable(error.to_string()),
            }
        })?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A connection that ended. In TLS 1.3 a certificate that is not taken is told of after the handshake, by an alert.
fn broken(error: &hyper::Error) -> Trouble {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        if let Some(alert) = io.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Trouble::Untrusted(alert.to_string());
        }
        source = inner.source();
    }
    Trouble::Unreachable(error.to_string())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let chain = chain.map_err(|error| error.to_string())?;
    if chain.is_empty() { Err("has no certificate in it".to_owned()) } else { Ok(chain) }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| Trouble::Strange(error.to_string()))
}

impl Trouble {
    /// Whether the control has said that who asks is no node of it, or not any more.
    pub(crate) fn disowns(&self) -> bool {
        const DISOWNING: [fleet::Refusal; 3] =
            [fleet::Refusal::Revoked, fleet::Refusal::UnknownNode, fleet::Refusal::OldCertificate];
        matches!(self, Self::Refused { refused, .. } if DISOWNING.iter().any(|refusal| refusal.as_str() == refused))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { refused, problem } => write!(f, "{refused}: {problem}"),
            Self::Untrusted(problem) => {
                write!(
                    f,
                    "who answers is not the control that the token or certificate is of, or does not take this \
                           certificate: {problem}"
                )
            }
            Self::Unreachable(problem) => {
                write!(f, "no answer: {problem}; check the address and the network")
            }
            Self::Strange(problem) => write!(f, "no control answers there: {problem}; check the address"),
        }
    }
}
