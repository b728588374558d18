//! A relay in front of a server: it notes what is asked, and counts what comes back.

use super::S3Server;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes passed on at a time.
const PIECE: usize = 64 << 10;

/// What went through since it was looked at last.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Method and path of each request, and the part that it asks for: `GET /bucket/p/a/0.m4s bytes=0-9`.
    pub requests: Vec<String>,
    /// Bytes of answers, their heads included.
    pub bytes: u64,
}

/// A relay at work, until the test ends.
#[derive(Debug)]
pub struct Tap {
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    passed: Arc<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    requests: Mutex<Vec<String>>,
    bytes: AtomicU64,
}

impl Tap {
    /// In front of `server`.
    ///
    /// # Panics
    /// When the system gives no port.
    pub fn of(server: &S3Server) -> Self {
        let to: SocketAddr = server.endpoint["http://".len()..].parse().expect("an address of ours");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let passed = Arc::new(Noted::default());
        let noted = Arc::clone(&passed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone is one that hangs up.
                let Ok(server) = TcpStream::connect(to) else { continue };
                relay(client, server, &noted);
            }
        });
        Self { endpoint, passed }
    }

    /// What has gone through since this was asked last.
    pub fn take(&self) -> Passed {
        let requests =
            std::mem::take(&mut *self.passed.requests.lock().unwrap_or_else(PoisonError::into_inner));
        Passed { requests, bytes: self.passed.bytes.swap(0, Ordering::Relaxed) }
    }
}

fn relay(client: TcpStream, server: TcpStream, noted: &Arc<Noted>) {
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
    let (asked, told) = (Arc::clone(noted), Arc::clone(noted));
    thread::spawn(move || {
        let mut requests = Requests::default();
        pass(from, to, |piece| {
            let heads = requests.take(piece);
            asked.requests.lock().unwrap_or_else(PoisonError::into_inner).extend(heads);
        });
    });
    thread::spawn(move || {
        pass(server, client, |piece| {
            told.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
    });
}

/// Noted first: who has been answered finds what was asked.
fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(&[u8])) {
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        note(&piece[..read]);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
}

/// Finds the heads among what a client sends.
#[derive(Default)]
struct Requests {
    kept: Vec<u8>,
    body: usize,
}

impl Requests {
    fn take(&mut self, piece: &[u8]) -> Vec<String> {
        self.kept.extend_from_slice(piece);
        let mut heads = Vec::new();
        loop {
            let of_body = self.body.min(self.kept.len());
            self.kept.drain(..of_body);
            self.body -= of_body;
            let Some(end) = self.kept.windows(4).position(|four| four == b"\r\n\r\n") else { return heads };
            let head: Vec<u8> = self.kept.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head);
            let field = |name: &str| {
                let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            self.body = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let asked = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
            heads.push(match field("range") {
                Some(range) => format!("{asked} {range}"),
                None => asked.to_owned(),
            });
        }
    }
}
