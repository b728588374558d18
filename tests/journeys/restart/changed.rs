//! What is changed or purged while one process takes over from another: neither may go on serving it.

use super::{configure, start};
use journeys::client::Certificate;
use journeys::raw::{self, Loose};
use journeys::{Airclass, airclass};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tempfile::TempDir;

/// An edge before an origin that answers with how often it was changed, may be kept for that, and holds each change until it is
/// let go.
struct Changing {
    folder: TempDir,
    _origin: Loose,
    edge: Airclass,
    /// Hears when a change is there.
    there: Receiver<()>,
    go: SyncSender<()>,
}

impl Changing {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Certificate::make(folder.path());
        let key = folder.path().join("key");
        let made = airclass(&["package", "keygen", "--out", key.to_str().unwrap()]);
        let keys = folder.path().join("keys.toml");
        std::fs::write(&keys, &made.stdout).unwrap();
        let (comes, there) = sync_channel(1);
        let (go, held) = sync_channel(1);
        let (held, changes) = (Mutex::new(held), AtomicU32::new(0));
        let origin = Loose::start(move |request| {
            if request.method == "PUT" {
                comes.send(()).unwrap();
                // The test may be over.
                let _ = held.lock().unwrap().recv();
                changes.fetch_add(1, Ordering::SeqCst);
            }
            let changes = changes.load(Ordering::SeqCst);
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\n{changes}")
                .into()
        });
        configure(folder.path(), origin.address, &format!("[purge]\nkeys = {keys:?}\n"));
        let edge = start(folder.path());
        Self { folder, _origin: origin, edge, there, go }
    }

    /// Begins a change, which the origin holds.
    fn begin(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.edge.address()).unwrap();
        stream.write_all(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").unwrap();
        self.there.recv().unwrap();
        stream
    }

    /// The next process; gives the one before.
    fn taken_over(&mut self) -> Airclass {
        let old = std::mem::replace(&mut self.edge, start(self.folder.path()));
        while !old.log().contains("another process has taken over") {
            std::thread::yield_now();
        }
        old
    }

    fn get(&self) -> String {
        let head = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        raw::answers(&raw::exchange_only(self.edge.address(), head)).remove(0).body
    }
}

/// RFC 9111 §4.4 says nothing of how many processes a cache is.
#[test]
fn what_is_changed_over_a_handover_the_next_process_forgets() {
    let mut scene = Changing::start();
    let mut changing = scene.begin();
    // Open, so that the old process still answers.
    let mut open = TcpStream::connect(scene.edge.address()).unwrap();
    let ask = |open: &mut TcpStream, last: bool| {
        let close = if last { "Connection: close\r\n" } else { "" };
        open.write_all(format!("GET /y HTTP/1.1\r\nHost: a\r\n{close}\r\n").as_bytes()).unwrap();
    };
    ask(&mut open, false);
    let mut answer = [0; 1_024];
    while !answer.contains(&b'\n') || !answer.windows(5).any(|five| five == b"\r\n\r\n0") {
        let length = open.read(&mut answer).unwrap();
        assert_ne!(length, 0);
    }
    let mut old = scene.taken_over();
    assert_eq!((scene.get(), scene.get()), ("0".to_owned(), "0".to_owned()));
    scene.go.send(()).unwrap();
    changing.read_exact(&mut [0; 15]).unwrap();
    assert_eq!(scene.get(), "1", "who hears of it asks the next process");
    // And the other way round, for whom the old process answers once more.
    let admin = format!("http://{}", scene.edge.admin);
    let key = scene.folder.path().join("key");
    let purged =
        airclass(&["purge", "--edge", &admin, "--key", key.to_str().unwrap(), "--url", "http://a/y"]);
    assert!(purged.status.success(), "{purged:?}");
    ask(&mut open, true);
    assert_eq!(raw::answers(&raw::read_to_end(&mut open)).remove(0).body, "1");
    drop(changing);
    assert!(old.wait().success(), "{}", old.log());
}

#[test]
fn a_change_whose_client_has_gone_is_heard_over_two_handovers() {
    let mut scene = Changing::start();
    drop(scene.begin());
    let mut first = scene.taken_over();
    // Nobody is connected to either.
    let mut second = scene.taken_over();
    assert_eq!(scene.get(), "0");
    scene.go.send(()).unwrap();
    assert!(first.wait().success() && second.wait().success());
    assert_eq!(scene.get(), "1");
}
