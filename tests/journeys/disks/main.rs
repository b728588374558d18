//! Attacks 69, 71 and 72 against the built edge: whatever happens to a disk or to the process over it, what is answered is right, byte by
//! byte, and there is an answer.

mod flips;
mod kills;
mod room;

use journeys::raw::Loose;
use journeys::{Airclass, process};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// The longest wait for an answer. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what takes its time.
const LOOK: Duration = Duration::from_millis(5);

/// The body of `/<length>/<name>`: no two begin alike, and each says everywhere whose it is.
fn body(target: &str) -> Vec<u8> {
    let length = target.split('/').nth(1).and_then(|length| length.parse().ok()).expect("a length");
    let mut body = Vec::with_capacity(length + target.len() + 10);
    for number in 0.. {
        if body.len() >= length {
            break;
        }
        writeln!(body, "{target} {number}").expect("a vector takes bytes");
    }
    body.truncate(length);
    body
}

/// Has everything.
fn origin() -> Loose {
    Loose::start(|request| {
        let body = body(&request.target);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"1\"\r\nContent-Length: {length}\r\n\r\n"
        );
        [head.into_bytes(), body].concat()
    })
}

/// What starts an edge with little memory and a small disk, on one core, and nobody is put off.
fn arguments<'a>(upstream: &'a str, disk: &'a str) -> Vec<&'a str> {
    let disk = ["--disk", disk, "--disk-size", "64MiB", "--ram", "16MiB"];
    let alone = ["--cores", "1", "--shed", "false", "--connect-timeout", "2s"];
    [&["edge", "--upstream", upstream, "--listen", "127.0.0.1:0"][..], &disk, &alone].concat()
}

fn edge(upstream: SocketAddr, disk: &Path) -> Airclass {
    Airclass::start(&arguments(&format!("http://{upstream}"), text(disk)))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("scratch folders have plain names")
}

/// The status of an answer, and its body.
fn ask(edge: SocketAddr, target: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(edge)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = bytes.split_off(end + 4);
    let status = bytes.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body))
}

/// Asks, and is answered with what the origin has.
fn is_right(edge: SocketAddr, target: &str) {
    let (status, answered) = ask(edge, target).expect("an answer");
    assert!(status == 200 && answered == body(target), "{target}: {status}, {} bytes", answered.len());
}

/// The value of a disk's metric; its other label as it is written.
fn metric(edge: &Airclass, disk: &Path, name: &str, label: &str) -> f64 {
    process::metric(edge.admin, &format!("{name}{{disk=\"{}\",{label}}}", disk.display()))
}

fn is_in(edge: &Airclass, disk: &Path, state: &str) -> bool {
    metric(edge, disk, "edge_disk_state", &format!("state=\"{state}\"")) > 0.5
}

/// Waits until what was put is written.
fn is_written(edge: &Airclass, disk: &Path, records: usize) {
    while metric(edge, disk, "edge_disk_operations_total", "op=\"write\"") < records as f64 - 0.5 {
        std::thread::park_timeout(LOOK);
    }
}

fn is_online(edge: &Airclass, disk: &Path) {
    while !is_in(edge, disk, "online") {
        std::thread::park_timeout(LOOK);
    }
}
