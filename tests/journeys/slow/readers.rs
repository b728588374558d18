//! Attack 63 in full: fifteen thousand readers of one byte a second, plain and encrypted, from a process of their own.

use journeys::client::Certificate;
use journeys::raw::{answers, exchange_only, statuses};
use journeys::slow::{Plan, Readers};
use journeys::{Airclass, process, raw::Loose};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

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
/// What a plain reader may cost the edge beside what is shared, and what an encrypted one: its session, and of what is encrypted
/// no more than the kernel was about to take.
const PLAIN_COST: f64 = 12_000.0;
const TLS_COST: f64 = 32_000.0;
/// What the edge is told to keep to.
const CAP: f64 = 512.0 * 1_048_576.0;
/// Of the kernel's memory for each: `send_buffer`, its last piece, and what the kernel writes beside it.
const KERNEL_COST: f64 = 150_000.0;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Where the child finds what to do.
const WHERE: &str = "AIRCLASS_SLOW_READERS";

/// This test's program, to be the readers.
fn start(edge: &Airclass, certificate: &Path, count: usize) -> Readers {
    let told = format!("{} {} {count} {}", edge.addresses[0], edge.addresses[1], certificate.display());
    let mut command = Command::new(std::env::current_exe().expect("a running test has a path"));
    command
        .args(["--exact", "readers::reads_slowly_until_it_is_told_to_end", "--nocapture"])
        .env(WHERE, told);
    Readers::start(command)
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
                "512MiB",
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

    let mut child = start(&edge, &certificate.cert, readers);
    child.wait_for(&format!("asked {readers}"));
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
    Plan { plain, tls, count, certificate, path: |number| format!("/{}.m4s", number % SEGMENTS) }.follow();
}
