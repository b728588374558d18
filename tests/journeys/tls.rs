//! Attack 65 against the built edge, by OpenSSL, which does what rustls refuses to, and by bytes that were said before.

use journeys::client::{self, Certificate};
use journeys::raw::{Loose, read_to_end};
use journeys::{Airclass, Finished};
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConnection, HandshakeKind, Stream};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const ASK: &str = "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// The longest that OpenSSL may take, in seconds. A bound, not a pace.
const PATIENCE: &str = "60";

struct Scene {
    scratch: tempfile::TempDir,
    certificate: Certificate,
    origin: Loose,
    edge: Airclass,
}

impl Scene {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let certificate = Certificate::make(scratch.path());
        // An echo, whose every answer is asked for: requests are counted there.
        let origin = Loose::echo();
        let (cert, key) = (text(&certificate.cert), text(&certificate.key));
        let tls = ["--tls-listen", "127.0.0.1:0", "--cert", cert, "--key", key];
        // Who says nothing that is a request is let go after a while, which nobody here waits for.
        let edge = Airclass::edge(origin.address, &[&tls[..], &["--header-timeout", "10min"]].concat());
        Self { scratch, certificate, origin, edge }
    }

    /// Runs `openssl s_client`, which is told `says`, until the edge ends the connection.
    fn openssl(&self, says: &str, options: &[&str]) -> Finished {
        let edge = self.edge.addresses[1].to_string();
        let mut child = Command::new("timeout")
            .args([PATIENCE, "openssl", "s_client", "-connect", &edge, "-servername", "localhost"])
            .args(["-CAfile", text(&self.certificate.cert)])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("timeout and openssl are there");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(says.as_bytes()).expect("openssl listens");
        // It may say no more, and has not gone.
        let output = child.wait_with_output().expect("a child can be waited for");
        drop(stdin);
        let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Finished { status: output.status, stdout: lossy(output.stdout), stderr: lossy(output.stderr) }
    }

    fn is_served(&self) {
        let asked = self.origin.targets().len();
        let answered = self.openssl(ASK, &["-ign_eof"]);
        assert!(answered.stdout.contains("GET /x "), "{answered:?}");
        assert_eq!(self.origin.targets().len(), asked + 1);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("scratch folders have plain names")
}

#[test]
fn attack_65_who_wants_to_negotiate_again_is_let_go() {
    let scene = Scene::new();
    scene.is_served();
    // A line that is R alone means that to OpenSSL.
    let ended = scene.openssl("R\n", &["-tls1_2", "-msg"]);
    assert!(ended.stderr.contains("RENEGOTIATING") && ended.code() != Some(124), "{ended:?}");
    let said = |what: &str| {
        let lines = ended.stdout.lines().filter(|line| line.contains(", Handshake ["));
        lines.filter(|line| line.ends_with(what)).count()
    };
    assert_eq!((said(", ClientHello"), said(", ServerHello")), (2, 1), "{ended:?}");
    // It is told so, and goes.
    assert!(ended.stdout.contains("warning no_renegotiation"), "{ended:?}");
    scene.is_served();
}

/// An old device stayed out, and all that told of it was a number.
#[test]
fn why_a_client_stayed_out_is_in_the_log_of_who_asks_for_it_and_not_who() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let certificate = Certificate::make(scratch.path());
    let origin = Loose::echo();
    let (cert, key) = (text(&certificate.cert), text(&certificate.key));
    let tls = ["--tls-listen", "127.0.0.1:0", "--cert", cert, "--key", key];
    let edge = Airclass::edge(origin.address, &[&tls[..], &["--log", "info,serve=debug"]].concat());
    for (listener, asked, told) in [
        (1, ASK, &["a client's TLS handshake"][..]),
        // As links are written by hand. No access log has it, for no URL was asked for.
        (
            0,
            "GET /课 HTTP/1.1\r\nhost: a\r\n\r\n",
            &["a client's request that is none", "\"why\":\"target\""],
        ),
        (0, &format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(40_000)), &["too large"]),
    ] {
        let mut client = TcpStream::connect(edge.addresses[listener]).expect("it listens");
        let port = client.local_addr().expect("it has one").port();
        client.write_all(asked.as_bytes()).expect("it takes that");
        read_to_end(&mut client);
        while !told.iter().all(|words| edge.log().contains(words)) {
            std::thread::yield_now();
        }
        assert!(!edge.log().contains(&format!(":{port}")), "{}", edge.log());
    }
}

/// A ticket is not for one use only: so there must be nothing that a second use could say twice.
#[test]
fn attack_65_a_ticket_that_is_shown_again_carries_no_request() {
    let scene = Scene::new();
    let (ticket, request) = (scene.scratch.path().join("ticket"), scene.scratch.path().join("request"));
    std::fs::write(&request, ASK).expect("a scratch folder takes files");
    let first = scene.openssl(ASK, &["-tls1_3", "-ign_eof", "-sess_out", text(&ticket)]);
    assert!(first.stdout.contains("GET /x ") && ticket.is_file(), "{first:?}");
    scene.origin.take();
    for times in 1..=2 {
        let again = scene.openssl(ASK, &["-tls1_3", "-ign_eof", "-sess_in", text(&ticket)]);
        assert!(again.stdout.contains("Reused, TLSv1.3"), "{again:?}");
        assert!(again.stdout.contains("Early data was not sent"), "{again:?}");
        assert!(again.stdout.contains("GET /x "), "{again:?}");
        assert_eq!(scene.origin.targets().len(), times);
    }
    // Who insists has nowhere to put it.
    let early = scene.openssl("Q\n", &["-tls1_3", "-sess_in", text(&ticket), "-early_data", text(&request)]);
    assert!(!early.stdout.contains("Early data was accepted"), "{early:?}");
    assert_eq!(scene.origin.targets().len(), 2);
}

/// Keeps what is said.
struct Overheard {
    stream: TcpStream,
    said: Vec<u8>,
}

impl Read for Overheard {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Overheard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.stream.write(bytes)?;
        self.said.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn attack_65_a_connection_that_is_said_again_asks_for_nothing() {
    let scene = Scene::new();
    let mut config = client::config([&scene.certificate], &TLS13, &[b"http/1.1"]);
    config.enable_early_data = true;
    let config = Arc::new(config);
    let address = scene.edge.addresses[1];
    let ask = || {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection =
            ClientConnection::new(Arc::clone(&config), name).expect("a name that can be sent");
        assert!(connection.early_data().is_none(), "a ticket allows it");
        let stream = TcpStream::connect(address).expect("the edge listens");
        let mut overheard = Overheard { stream, said: Vec::new() };
        let mut stream = Stream::new(&mut connection, &mut overheard);
        stream.write_all(ASK.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer to its end");
        assert!(answer.ends_with("GET /x "), "{answer}");
        (connection.handshake_kind(), overheard.said)
    };
    let first = ask();
    let second = ask();
    assert_eq!((first.0, second.0), (Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)));
    assert_eq!(scene.origin.take().len(), 2);
    for said in [first.1, second.1] {
        let mut stream = TcpStream::connect(address).expect("the edge listens");
        stream.write_all(&said).expect("all of it");
        read_to_end(&mut stream);
    }
    scene.is_served();
    assert_eq!(scene.origin.targets().len(), 1);
}
