//! The listener: TLS, at most so many connections, and a caller to each.

use crate::authority::Authority;
use crate::caller::Caller;
use crate::clock;
use crate::desk::Desk;
use crate::door;
use crate::error::ControlError;
use crate::metrics::Metrics;
use crate::options::Config;
use crate::store::Store;
use faults::AnyFault;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Admin, Check, Order, Telemetry};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

/// Connections at once: two of each node of a nation's fleet, and some to spare.
const MAX_CONNECTIONS: usize = 16_384;
/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A connection on which nothing is asked for this long is closed.
const IDLE: Duration = Duration::from_secs(90);
/// Connections at once of those who show no certificate: carriers, and machines that enrol. Others of them are closed, so that no number
/// of strangers takes a node's place.
const MAX_STRANGERS: usize = 1_024;
/// A connection that takes nothing of an answer for this long is closed.
const STALL: Duration = Duration::from_secs(30);
/// After a failed accept, as when descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Threads: one answers while the other waits for a certificate's signature.
const THREADS: usize = 2;

/// Runs the control until it is told to stop.
///
/// # Errors
/// Why it cannot start.
pub fn run(config: Config) -> Result<(), AnyFault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(ControlError::System)?;
    let telemetry = Telemetry::new("control");
    let admin = Admin::start(config.admin, config.admin_hosts.clone(), telemetry.clone())?;
    let served = runtime.block_on(serve(config, &telemetry));
    admin.stop();
    Ok(served?)
}

async fn serve(config: Config, telemetry: &Telemetry) -> Result<(), ControlError> {
    let authority = Authority::load(&config.state)?;
    let tls = tls(&authority, &config.names)?;
    let store = Store::open(config.store.as_deref(), &config.state).await?;
    let place = store.place();
    let metrics = Metrics::register(telemetry);
    metrics.store(true);
    let desk = Arc::new(Desk::open(authority, store, (config.upstream, config.certificates), metrics).await?);
    let listen = |source| ControlError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let follow = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { tokio::join!(desk.follow(), desk.census(), desk.keep_lasting()) }
    });
    telemetry.readiness.pass(Check::Listening);
    tracing::info!(listen = %address, store = place, "listening");
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = drained(telemetry) => {}
        }
    };
    tokio::select! { () = stop => {}, () = accept(listener, tls, desk, MAX_STRANGERS) => {} }
    follow.abort();
    Ok(())
}

/// Hears `/drain`; there is nothing to reload.
async fn drained(telemetry: &Telemetry) {
    loop {
        let told = telemetry.orders.next().await;
        match told.order {
            Order::Drain => return told.answer.give(Ok("stopping".to_owned())),
            Order::Reload => told.answer.give(Err("the control reads its options at the start".to_owned())),
        }
    }
}

fn tls(authority: &Authority, names: &[String]) -> Result<TlsAcceptor, ControlError> {
    let wrong = |error: &dyn std::fmt::Display| ControlError::Certificate(error.to_string());
    let (chain, key) = authority.serve(names, clock::now())?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).map_err(|error| wrong(&error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    // A machine with a token has no certificate yet; what it may ask without one is the door's business.
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| wrong(&error))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| wrong(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, desk: Arc<Desk>, strangers: usize) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let strangers = Arc::new(Semaphore::new(strangers));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "accept");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, desk, strangers) = (tls.clone(), Arc::clone(&desk), Arc::clone(&strangers));
        tokio::spawn(async move {
            connection(stream, &tls, &desk, &strangers).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, tls: &TlsAcceptor, desk: &Arc<Desk>, strangers: &Semaphore) {
    let stream = match timeout(HANDSHAKE, tls.accept(impatient(stream))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::info!(%error, "no handshake"),
        Err(_) => return,
    };
    let caller = stream.get_ref().1.peer_certificates().map(Caller::of);
    // Signed by us, and for nobody: the control's own certificate, say.
    let caller = match caller {
        Some(None) => return tracing::info!("a certificate that names nobody"),
        Some(caller) => caller.map(Arc::new),
        None => None,
    };
    let _place = match caller {
        Some(_) => None,
        None => match strangers.try_acquire() {
            Ok(place) => Some(place),
            Err(_) => return tracing::debug!("too many who show no certificate"),
        },
    };
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let (desk, caller) = (Arc::clone(desk), caller.clone());
        async move { Ok::<_, Infallible>(door::answer(&desk, caller.as_deref(), request).await) }
    });
    // Who goes away in mid-answer asks again.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A stream that ends where nothing of what is written is taken for [`STALL`]: below TLS, where every byte that is taken counts.
fn impatient<S: AsyncRead + AsyncWrite>(stream: S) -> Pin<Box<TimeoutStream<S>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALL));
    Box::pin(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::Person;
    use rustls::ClientConfig;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_and_who_takes_little_is_not() {
        for (each, taken) in [(STALL / 2, true), (STALL * 2, false)] {
            let (ours, mut theirs) = tokio::io::duplex(1);
            let mut ours = impatient(ours);
            drop(tokio::spawn(async move {
                loop {
                    sleep(each).await;
                    let _ = theirs.read_u8().await;
                }
            }));
            let began = Instant::now();
            let written = timeout(STALL * 10, ours.write_all(&[7; 8])).await.unwrap();
            assert_eq!(written.is_ok(), taken, "{each:?}");
            assert!(taken || began.elapsed() <= STALL * 2);
        }
    }

    /// A connection of `person`, or of somebody without a certificate.
    async fn connect(
        authority: &Authority,
        address: SocketAddr,
        person: Option<&Person>,
    ) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match person {
            None => config.with_no_client_auth(),
            Some(person) => {
                let (issued, key) = authority.admit(person, clock::now(), IDLE).unwrap();
                let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// What the control answers to who asks for its nodes; nothing where it closes the connection.
    async fn status(connection: &mut TlsStream<TcpStream>) -> String {
        let _ = connection.write_all(b"GET /v1/nodes HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let mut answer = [0; 12];
        match connection.read_exact(&mut answer).await {
            Ok(_) => String::from_utf8_lossy(&answer[9..]).into_owned(),
            Err(_) => String::new(),
        }
    }

    /// Any number of them held all places for as long as they liked, and no node was heard.
    #[tokio::test]
    async fn who_shows_no_certificate_takes_no_nodes_place() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::make(folder.path(), clock::now()).unwrap();
        let tls = tls(&authority, &["localhost".to_owned()]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let store = Store::open(None, folder.path()).await.unwrap();
        let metrics = Metrics::register(&Telemetry::new("control"));
        let ours = Authority::load(folder.path()).unwrap();
        let desk = Desk::open(ours, store, (Vec::new(), IDLE), metrics).await.unwrap();
        let serving = tokio::spawn(accept(listener, tls, Arc::new(desk), 1));
        let mut first = connect(&authority, address, None).await;
        assert_eq!(status(&mut first).await, "401");
        let mut second = connect(&authority, address, None).await;
        assert_eq!(status(&mut second).await, "");
        let person = "telecom/zhang".parse().unwrap();
        let mut person = connect(&authority, address, Some(&person)).await;
        assert_eq!(status(&mut person).await, "200");
        // A place that is given back is another's.
        drop(first);
        while status(&mut connect(&authority, address, None).await).await != "401" {}
        serving.abort();
    }
}
