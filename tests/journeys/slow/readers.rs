//! Attack 63 in full: fifteen thousand readers of one byte a second, plain and encrypted, from a process of their own.

use journeys::client::Certificate;
use journeys::raw::{answers, exchange_only, statuses};
use journeys::{Airclass, process, raw::Loose};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Fewer where a process may not have as many descriptors.
const READERS: usize = 15_000;
/// With fewer than these nothing is shown.
const LEAST_READERS: usize = 5_000;
/// Descriptors of a process that are no reader's.
const OTHERS: usize = 1_024;
/// A segment of the second highest rung.
const SEGMENT: usize = 1_100_000;
const SEGMENTS: usize = 16;
/// Seconds for which the readers read once memory has settled; from then on it may not grow any more.
const SECONDS: usize = 8;
/// Settled is what has grown by less in a second.
const SETTLED: f64 = 1.002;
/// Seconds until it has, on the slowest machine.
const SETTLES: usize = 120;
/// What a plain reader may cost the edge beside what is shared, and what an encrypted one: its records wait encrypted, 64 KiB
/// of them at most.
const PLAIN_COST: f64 = 40_000.0;
const TLS_COST: f64 = 120_000.0;
/// What the edge is told to keep to.
const CAP: f64 = 1_024.0 * 1_048_576.0;
/// Of the kernel's memory for each: `send_buffer`, its last piece, and what the kernel writes beside it.
const KERNEL_COST: f64 = 150_000.0;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Where the child finds what to do.
const WHERE: &str = "AIRCLASS_SLOW_READERS";

struct Readers {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Readers {
    /// Starts a process with `count` readers, half of them over TLS.
    fn start(edge: &Airclass, certificate: &Path, count: usize) -> Self {
        let told = format!("{} {} {count} {}", edge.addresses[0], edge.addresses[1], certificate.display());
        let mut child = Command::new(std::env::current_exe().expect("a running test has a path"))
            .args(["--exact", "readers::reads_slowly_until_it_is_told_to_end", "--nocapture"])
            .env(WHERE, told)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a test starts itself");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// Waits until it says so.
    fn wait_for(&mut self, word: &str) {
        let said = self.lines.by_ref().map_while(Result::ok).any(|line| line == word);
        assert!(said, "the readers ended before {word}");
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of all TCP buffers of this machine.
fn kernel_memory() -> f64 {
    let text = std::fs::read_to_string("/proc/net/sockstat").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:")).expect("a line for TCP");
    let pages = line.rsplit_once("mem ").and_then(|(_, pages)| pages.trim().parse::<f64>().ok());
    pages.expect("pages of memory") * 4_096.0
}

fn segment_is_served(edge: SocketAddr, number: usize) {
    let ask = format!("GET /{number}.m4s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answered = answers(&exchange_only(edge, ask.as_bytes()));
    assert_eq!((statuses(&answered), answered[0].body.len()), (vec![200], SEGMENT));
}

#[test]
fn attack_63_fifteen_thousand_readers_of_a_byte_a_second() {
    let readers = READERS.min(process::most_descriptors().saturating_sub(OTHERS));
    assert!(readers >= LEAST_READERS, "a process may have descriptors for {readers} readers");
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let certificate = Certificate::make(scratch.path());
    let path = |file: &Path| file.to_str().expect("a plain name").to_owned();
    let (cert, key) = (path(&certificate.cert), path(&certificate.key));
    let origin = Loose::start(|_| {
        let head =
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {SEGMENT}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; SEGMENT]].concat()
    });
    let edge = Airclass::edge(
        origin.address,
        &[
            &[
                "--ram",
                "64MiB",
                "--memory-cap",
                "1GiB",
                "--tls-listen",
                "127.0.0.1:0",
                "--cert",
                &cert,
                "--key",
                &key,
            ][..],
            // How long it takes fifteen thousand to come is not what is asked here.
            &["--handshake-timeout", "10min", "--header-timeout", "10min", "--idle-timeout", "10min"],
        ]
        .concat(),
    );
    for number in 0..SEGMENTS {
        segment_is_served(edge.address(), number);
    }
    let resident = || process::metric(edge.admin, "process_resident_memory_bytes");
    let (before, kernel_before) = (resident(), kernel_memory());

    let mut child = Readers::start(&edge, &certificate.cert, readers);
    child.wait_for("asked");
    let most = before + readers as f64 / 2.0 * (PLAIN_COST + TLS_COST);
    let kernel_most = kernel_before + readers as f64 * KERNEL_COST;
    let mut look = || {
        child.wait_for("read");
        let (now, kernel_now) = (resident(), kernel_memory());
        assert!(now < most && now < CAP, "{now} bytes, of which {before} without readers");
        assert!(
            kernel_now < kernel_most,
            "{kernel_now} bytes in the kernel, {kernel_before} without readers"
        );
        now
    };
    // What each was sent and has not read is a while coming together.
    let (mut first, mut settled) = (look(), false);
    for _ in 0..SETTLES {
        let now = look();
        settled = now < first * SETTLED;
        first = now;
        if settled {
            break;
        }
    }
    assert!(settled, "{first} bytes, and ever more");
    for second in 0..SECONDS {
        // It does not creep.
        let now = look();
        assert!(now < first * 1.05, "{now} bytes after {second} s, {first} in the beginning");
        segment_is_served(edge.address(), second % SEGMENTS);
    }
    drop(child);
    // Without anybody's help; and the kernel holds nothing for those who were let go.
    while process::metric(edge.admin, "serve_connections") > 0.5 {
        segment_is_served(edge.address(), 0);
    }
    segment_is_served(edge.address(), 1);
    while kernel_memory() > kernel_before + readers as f64 * 1_000.0 {
        // The kernel takes it back in its own time.
        std::thread::park_timeout(LOOK);
    }
    assert_eq!(origin.targets().len(), SEGMENTS);
}

/// The process of the readers; nobody's child has nothing to do.
#[test]
fn reads_slowly_until_it_is_told_to_end() {
    let Ok(told) = std::env::var(WHERE) else { return };
    let words: Vec<_> = told.split(' ').collect();
    let [plain, tls, count, certificate] = words[..] else { panic!("told {told}") };
    let (plain, tls) = (plain.parse().expect("an address"), tls.parse().expect("an address"));
    let count: usize = count.parse().expect("a number");
    let certificate = Certificate::read(PathBuf::from(certificate), PathBuf::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, read_slowly(plain, tls, count, Rc::new(certificate)));
}

/// Handshakes at the same time: fewer than a listening socket's queue holds.
const AT_ONCE: usize = 250;

async fn read_slowly(plain: SocketAddr, tls: SocketAddr, count: usize, certificate: Rc<Certificate>) {
    let mut streams = Vec::with_capacity(count);
    let mut opening = JoinSet::new();
    for number in 0..count {
        if opening.len() >= AT_ONCE {
            streams.extend(opening.join_next().await.map(|stream| stream.expect("a reader")));
        }
        let certificate = Rc::clone(&certificate);
        opening.spawn_local(async move {
            let ask = format!("GET /{}.m4s HTTP/1.1\r\nHost: a\r\n\r\n", number % SEGMENTS);
            let stream = connect(if number % 2 == 0 { plain } else { tls }).await;
            let mut stream = if number % 2 == 0 {
                stream
            } else {
                let mut stream = certificate.encrypt(stream).await.expect("a handshake");
                stream.write_all(ask.as_bytes()).await.expect("a request");
                // From here on it is bytes.
                return stream.into_inner().0;
            };
            stream.write_all(ask.as_bytes()).await.expect("a request");
            stream
        });
    }
    while let Some(stream) = opening.join_next().await {
        streams.push(stream.expect("a reader"));
    }
    // Everybody has the beginning of an answer.
    for stream in &mut streams {
        stream.read_u8().await.expect("an answer begins");
    }
    say("asked");
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        for stream in &streams {
            // Who was let go has nothing to read.
            let _ = stream.try_read(&mut [0]);
        }
        say("read");
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    // What the readers' side of the kernel holds is not what is measured.
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    socket.connect(address).await.expect("the edge listens")
}

/// On a line of its own, which the test's own output does not share.
fn say(word: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(format!("\n{word}\n").as_bytes()).and_then(|()| stdout.flush());
}
