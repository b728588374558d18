//! Many hosts behind one edge: what one of them answered, nobody gets who asked another.

use super::edge::Home;
use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::tls;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use journeys::raw::Loose;
use std::collections::HashSet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HOSTS: (usize, usize) = (200, 50);
/// How each is written: equal ones are one site, and another port is another.
const WAYS_TO_WRITE: usize = 3;
/// Each is asked so often in each way: to bring the answer, and to get it.
const TIMES: usize = 2;

/// The same path of all of them.
const PATH: &str = "/index.m3u8";

type Sender1 = http1::SendRequest<Empty<Bytes>>;
type Sender2 = http2::SendRequest<Empty<Bytes>>;

/// A connection on which every host is asked.
enum Asker {
    Http1(Sender1),
    Http2(Sender2),
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let home = Home::new(options, workplace)?;
    // Says who was asked.
    let origin = Loose::start(|heard| {
        let host = heard.values("host").concat();
        let length = host.len();
        format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {length}\r\n\r\n{host}")
            .into()
    });
    let config = home.path("edge.toml");
    let upstream = origin.address;
    std::fs::write(
        &config,
        format!("[[group]]\nname = \"all\"\nhosts = [\"*.example\"]\ntiers = [[\"http://{upstream}\"]]\n"),
    )?;
    let mut command = home.command();
    command.arg("--config").arg(&config);
    let _edge = home.start(command)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let hosts = options.pick(HOSTS.0, HOSTS.1);
    let (asked, crossed) = runtime.block_on(ask_all(&home, hosts))?;
    let seen = origin.seen();
    let sites: HashSet<_> = seen.iter().map(|heard| heard.values("host").concat()).collect();
    Ok(vec![
        Line::once("answers of another host", "answers", crossed as f64, Some(Bar::Exactly(0.0))).note(format!(
            "{asked} questions for one path of {hosts} hosts, plain, with a port and in capitals, over HTTP/1.1, TLS and HTTP/2; \
             the origin heard {} for {} sites",
            seen.len(),
            sites.len()
        )),
    ])
}

/// Asks every host in every way. How many questions, and how many answers were another's.
async fn ask_all(home: &Home, hosts: usize) -> Result<(usize, usize)> {
    let mut askers = [plain(home).await?, encrypted(home).await?, two(home).await?];
    let (mut asked, mut crossed) = (0, 0);
    for _ in 0..TIMES {
        for number in 0..hosts * WAYS_TO_WRITE {
            let host = written(number);
            for asker in &mut askers {
                let said = asker.ask(&host).await.with_context(|| host.clone())?;
                asked += 1;
                if said != host.to_ascii_lowercase() {
                    eprintln!("bench: {host} was answered with {said}");
                    crossed += 1;
                }
            }
        }
    }
    Ok((asked, crossed))
}

fn written(number: usize) -> String {
    let host = number / WAYS_TO_WRITE;
    match number % WAYS_TO_WRITE {
        0 => format!("h{host}.example"),
        1 => format!("h{host}.example:81"),
        _ => format!("H{host}.EXAMPLE"),
    }
}

async fn plain(home: &Home) -> Result<Asker> {
    http1_over(TcpStream::connect(home.ports.plain).await?).await
}

async fn encrypted(home: &Home) -> Result<Asker> {
    let connector = TlsConnector::from(home.certificate.client(false)?);
    let stream = TcpStream::connect(home.ports.tls).await?;
    http1_over(connector.connect(tls::server_name(), stream).await?).await
}

async fn http1_over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Asker> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    drop(tokio::spawn(connection));
    Ok(Asker::Http1(sender))
}

async fn two(home: &Home) -> Result<Asker> {
    let connector = TlsConnector::from(home.certificate.client(true)?);
    let stream = connector.connect(tls::server_name(), TcpStream::connect(home.ports.tls).await?).await?;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    drop(tokio::spawn(connection));
    Ok(Asker::Http2(sender))
}

impl Asker {
    /// What is said to this host.
    async fn ask(&mut self, host: &str) -> Result<String> {
        let answer = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(Request::get(PATH).header("host", host).body(Empty::new())?).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                let request = Request::get(format!("https://{host}{PATH}")).version(Version::HTTP_2);
                sender.send_request(request.body(Empty::new())?).await?
            }
        };
        ensure!(answer.status() == 200, "{host} answered {}", answer.status());
        let body = answer.into_body().collect().await?.to_bytes();
        match String::from_utf8(body.to_vec()) {
            Ok(said) => Ok(said),
            Err(_) => bail!("{host} answered with no text"),
        }
    }
}
