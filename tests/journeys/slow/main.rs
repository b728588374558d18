//! Attacks 61 to 64: those who take their time. Each holds a connection for as long as the edge has patience and no
//! longer, and who asks properly meanwhile is answered.

mod readers;
mod trickles;

use journeys::client::{self, Certificate};
use journeys::raw::{Loose, answers, read_to_end, statuses};
use journeys::{Airclass, process};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// At once in each attack. The bounds under test are a connection's, so more would show no more.
const ATTACKERS: usize = 200;
/// The edge's patience with what does not come, where nobody else is concerned. A bound, not a pace: nothing is asserted about when.
const SOON: &str = "300ms";
/// The same where those who ask properly are served meanwhile: for so long they may stand still on a busy machine.
const PATIENCE: &str = "5s";
/// Between an attacker's bytes.
const TRICKLE: Duration = Duration::from_millis(20);

fn connect(address: SocketAddr, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the edge listens");
    stream.write_all(first).expect("the first bytes are taken");
    stream
}

/// Whether the edge has ended the connection, after waiting for it a little.
fn is_over(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(TRICKLE)).expect("a time-out above zero");
    match stream.read(&mut [0; 1_024]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn is_served(edge: SocketAddr) {
    let mut stream = connect(edge, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(statuses(&answers(&read_to_end(&mut stream))), [200]);
}

/// The value of a metric's line, given with its labels.
fn metric(edge: &Airclass, line: &str) -> f64 {
    process::metric(edge.admin, line)
}

/// Waits until the edge has counted so many; it closes a connection before it counts it.
fn wait_for(edge: &Airclass, line: &str, count: usize) {
    while metric(edge, line) < count as f64 - 0.5 {
        std::thread::yield_now();
    }
}

#[test]
fn attack_61_header_sections_that_trickle() {
    let origin = Loose::echo();
    let edge = Airclass::edge(origin.address, &["--header-timeout", PATIENCE]);
    let begin = b"GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: ";
    let mut attackers: Vec<_> = (0..ATTACKERS).map(|_| connect(edge.address(), begin)).collect();
    is_served(edge.address());
    // A byte now and then wins no time; on a connection that was used before, neither.
    let mut used = connect(edge.address(), b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut first = [0; 15];
    used.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    used.write_all(begin).expect("the connection is kept");
    attackers.push(used);
    while !attackers.is_empty() {
        attackers.retain_mut(|stream| stream.write_all(b"a").is_ok() && !is_over_now(stream));
        if let Some(stream) = attackers.first_mut() {
            is_over(stream);
        }
    }
    wait_for(&edge, "serve_connections_ended_total{reason=\"header_timeout\"}", ATTACKERS + 1);
    assert!(origin.targets().iter().all(|target| target == "/x"));
    is_served(edge.address());
}

/// The same without waiting.
fn is_over_now(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket");
    let over = match stream.read(&mut [0; 4_096]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    stream.set_nonblocking(false).expect("a socket");
    over
}

#[test]
fn attack_62_bodies_that_do_not_come() {
    let origin = Loose::echo();
    let edge = Airclass::edge(origin.address, &["--stall-timeout", SOON]);
    let begin = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome";
    let mut attackers: Vec<_> = (0..ATTACKERS / 2).map(|_| connect(edge.address(), begin)).collect();
    let chunked = b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n";
    attackers.extend((0..ATTACKERS / 2).map(|_| connect(edge.address(), chunked)));
    for stream in &mut attackers {
        read_to_end(stream);
    }
    is_served(edge.address());
    // None of them was taken for whole.
    assert_eq!(origin.targets(), ["/x"]);
    while metric(&edge, "serve_connections") > 0.5 {
        std::thread::yield_now();
    }
}

#[test]
fn attack_63_readers_that_do_not_read() {
    // More than the kernel takes off the edge's hands for one connection (4 MB of net.ipv4.tcp_wmem), and few readers, for
    // what it takes is its memory.
    let (length, count) = (12_000_000, 48);
    let origin = Loose::start(move |_| {
        let head =
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {length}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; length]].concat()
    });
    let edge = Airclass::edge(origin.address, &["--stall-timeout", PATIENCE, "--ram", "128MiB"]);
    is_served(edge.address());
    let before = metric(&edge, "process_resident_memory_bytes");
    let ask = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let readers: Vec<_> = (0..count).map(|_| connect(edge.address(), ask)).collect();
    // Everybody has the beginning, nobody takes the rest.
    for mut stream in &readers {
        let mut first = [0; 15];
        stream.read_exact(&mut first).expect("an answer begins");
    }
    let each = (metric(&edge, "process_resident_memory_bytes") - before) / readers.len() as f64;
    assert!(each < 100_000.0, "{each} bytes for each reader that does not read");
    is_served(edge.address());
    // One after the other they are given up.
    wait_for(&edge, "serve_connections_ended_total{reason=\"stalled\"}", readers.len());
    assert_eq!(origin.targets().len(), 1);
}

/// An edge that speaks TLS as well, with a certificate in `scratch`, and waits so long for a handshake.
fn edge_with_tls(origin: &Loose, scratch: &Path, handshake: &str) -> (Airclass, Certificate) {
    let certificate = Certificate::make(scratch);
    let path = |file: &Path| file.to_str().expect("a plain name").to_owned();
    let (cert, key) = (path(&certificate.cert), path(&certificate.key));
    let edge = Airclass::edge(
        origin.address,
        &["--tls-listen", "127.0.0.1:0", "--cert", &cert, "--key", &key, "--handshake-timeout", handshake],
    );
    (edge, certificate)
}

#[test]
fn attack_64_handshakes_that_do_not_come() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let origin = Loose::echo();
    let (edge, certificate) = edge_with_tls(&origin, scratch.path(), PATIENCE);
    let tls = edge.addresses[1];
    // Nothing at all, and the beginning of a ClientHello that never ends.
    let mut attackers: Vec<_> = (0..ATTACKERS / 2).map(|_| connect(tls, b"")).collect();
    attackers.extend((0..ATTACKERS / 2).map(|_| connect(tls, &[0x16, 3, 1, 0x02, 0, 1, 0, 0x01, 0xfc])));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = certificate.connect(tls, &rustls::version::TLS13, &[b"http/1.1"]).await;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
                .await
                .expect("HTTP/1.1");
        tokio::spawn(connection);
        assert_eq!(client::ask(&mut sender, "GET", "/x", &[]).await.status, 200);
    });
    for stream in &mut attackers {
        read_to_end(stream);
    }
    wait_for(&edge, "serve_connections_ended_total{reason=\"handshake\"}", ATTACKERS);
}
