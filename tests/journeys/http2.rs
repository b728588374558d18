//! Attacks 33 and 34: HTTP/2 by hand before a whole edge, plain and inside TLS. What `h2spec` would ask, row by row with its
//! section of RFC 9113, is `testkit::http2::conformance`.

use journeys::Airclass;
use journeys::client::{self, Certificate};
use journeys::raw::Loose;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConnection, StreamOwned};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use testkit::http2::{Stream, Wire, conformance, connect};

/// Fewer would mean that the table was lost.
const LEAST_ROWS: usize = 80;

struct Scene {
    _folder: tempfile::TempDir,
    _origin: Loose,
    /// What the origin was asked for, answered or not.
    asked: Arc<Mutex<BTreeSet<String>>>,
    edge: Airclass,
    certificate: Certificate,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let certificate = Certificate::make(folder.path());
    let asked = Arc::<Mutex<BTreeSet<String>>>::default();
    let heard = Arc::clone(&asked);
    let origin = Loose::start(move |request| {
        heard.lock().expect("nobody panics with it").insert(request.target.clone());
        if request.target != "/" {
            loop {
                std::thread::park();
            }
        }
        let (greeting, length) = (conformance::GREETING, conformance::GREETING.len());
        let head =
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), greeting].concat()
    });
    let file = |path: &std::path::Path| path.to_str().expect("scratch folders have plain names").to_owned();
    let (cert, key) = (file(&certificate.cert), file(&certificate.key));
    let edge = Airclass::edge(
        origin.address,
        &["--tls-listen", "127.0.0.1:0", "--cert", &cert, "--key", &key, "--response-timeout", "10min"],
    );
    Scene { _folder: folder, _origin: origin, asked, edge, certificate }
}

impl Scene {
    /// With prior knowledge (RFC 9113 §3.3).
    fn plain(&self) -> Wire {
        Wire::silent(self.edge.addresses[0])
    }

    /// By ALPN (§3.2).
    fn encrypted(&self) -> Wire {
        let config = Arc::new(client::config([&self.certificate], &TLS13, &[b"h2"]));
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(config, name).expect("a name that can be sent");
        let mut stream = StreamOwned::new(connection, connect(self.edge.addresses[1]));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).expect("a handshake");
        }
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
        Wire::over(Encrypted(stream))
    }

    fn check(&self, connect: &dyn Fn() -> Wire) {
        let (failed, rows) = conformance::failures(connect);
        assert!(failed.is_empty(), "{} of {rows}: {failed:#?}", failed.len());
        assert!(rows >= LEAST_ROWS, "{rows} rows");
        conformance::lawful_requests_are_answered(connect);
        conformance::windows_are_kept_to_the_byte(connect);
        // What a frame was made to smuggle has come through as nothing.
        let asked = self.asked.lock().expect("nobody panics with it");
        assert!(asked.iter().all(|target| target == "/" || target == "/never"), "{asked:?}");
    }
}

struct Encrypted(StreamOwned<ClientConnection, TcpStream>);

impl Read for Encrypted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Encrypted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Encrypted {
    fn finish(&mut self) {
        self.0.conn.send_close_notify();
        // What cannot be sent any more need not be.
        let _ = self.0.flush();
        let _ = self.0.sock.shutdown(Shutdown::Write);
    }
}

#[test]
fn attack_34_every_row_with_prior_knowledge() {
    let scene = scene();
    scene.check(&|| scene.plain());
}

#[test]
fn attack_34_every_row_inside_tls() {
    let scene = scene();
    scene.check(&|| scene.encrypted());
}
