//! Bytes as they are: a client that sends anything, and an origin that puts up with anything and says how it read it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The longest wait for bytes. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(180);
/// Sent behind every payload: whatever was understood before it, the connection ends here.
pub const LAST: &str = "GET /last HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n\r\n";

/// A request as the origin read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its first line's words.
    pub method: String,
    /// As it stands there.
    pub target: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    /// Chunks taken together.
    pub body: Vec<u8>,
    /// Lines behind the last chunk.
    pub trailers: Vec<String>,
    /// The header section as it came.
    pub raw: Vec<u8>,
}

impl Heard {
    /// The values of every field called `name`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The header section as text.
    pub fn raw_text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// What an echo says of it.
    pub fn echo(&self) -> String {
        format!("{} {} {}", self.method, self.target, String::from_utf8_lossy(&self.body))
    }
}

/// An origin that reads requests as loosely as any server ever did: bare LF ends a line, white space is trimmed
/// everywhere, Content-Length wins over Transfer-Encoding, the first of two fields counts. Where an edge lets something
/// through that has two meanings, this one finds the other.
pub struct Loose {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Heard>>>,
    sent: Arc<AtomicU64>,
}

/// Bytes of an answer that are written, and counted, at once.
const PIECE: usize = 4 * 1_024;

impl Loose {
    /// Answers each request with the bytes that `answer` gives for it.
    pub fn start(answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), answer)
    }

    /// The same to whoever comes to `listener`.
    pub fn on(listener: TcpListener, answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
        let seen = Arc::<Mutex<Vec<Heard>>>::default();
        let sent = Arc::<AtomicU64>::default();
        let (answer, all, count) = (Arc::new(answer), Arc::clone(&seen), Arc::clone(&sent));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, all, count) = (Arc::clone(&answer), Arc::clone(&all), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, &*answer, &all, &count));
            }
        });
        Self { address, seen, sent }
    }

    /// Says of every request what it was, in an answer that nobody may keep.
    pub fn echo() -> Self {
        Self::start(|request| {
            let text = request.echo();
            let length = text.len();
            format!("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: {length}\r\n\r\n{text}")
                .into()
        })
    }

    /// Answers every request with its target, which may be kept for ten minutes.
    pub fn targets_for_keeps() -> Self {
        Self::start(|request| {
            let (text, length) = (&request.target, request.target.len());
            format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {length}\r\n\r\n{text}")
                .into()
        })
    }

    /// Everything asked so far.
    pub fn seen(&self) -> Vec<Heard> {
        self.seen.lock().expect("nobody panics with the list").clone()
    }

    /// The targets asked for so far.
    pub fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|request| request.target).collect()
    }

    /// Bytes of answers that have been written so far, those included that lie in the kernel's buffers.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Forgets what was asked, and gives it.
    pub fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.seen.lock().expect("nobody panics with the list"))
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Heard) -> Vec<u8> + Sync),
    seen: &Mutex<Vec<Heard>>,
    sent: &AtomicU64,
) {
    let mut bytes = Bytes { stream: stream.try_clone().expect("a descriptor"), buffer: Vec::new() };
    while let Some(request) = read_loosely(&mut bytes) {
        let answered = answer(&request);
        seen.lock().expect("nobody panics with the list").push(request);
        for piece in answered.chunks(PIECE) {
            if stream.write_all(piece).is_err() {
                return;
            }
            sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
        if answered.is_empty() {
            return;
        }
    }
}

struct Bytes {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Bytes {
    /// The next `count` bytes.
    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            let mut more = [0; 16 * 1_024];
            match self.stream.read(&mut more) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.buffer.extend_from_slice(&more[..length]),
            }
        }
        Some(self.buffer.drain(..count).collect())
    }

    /// The next line, its end included.
    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            line.extend(self.take(1)?);
        }
        Some(line)
    }
}

fn read_loosely(bytes: &mut Bytes) -> Option<Heard> {
    let text = |line: &[u8]| String::from_utf8_lossy(line).trim().to_owned();
    let mut raw = bytes.line()?;
    let first = text(&raw);
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next().unwrap_or_default().to_owned());
    let mut fields = Vec::new();
    loop {
        let line = bytes.line()?;
        raw.extend_from_slice(&line);
        let line = text(&line);
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Heard { method, target, fields, body: Vec::new(), trailers: Vec::new(), raw };
    let length = request.values("content-length").first().and_then(|value| value.parse().ok());
    if let Some(length) = length {
        request.body = bytes.take(length)?;
    } else if request.values("transfer-encoding").iter().any(|value| value.contains("chunked")) {
        loop {
            let line = text(&bytes.line()?);
            let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                break;
            }
            request.body.extend(bytes.take(size)?);
            bytes.line()?;
        }
        loop {
            let line = text(&bytes.line()?);
            if line.is_empty() {
                break;
            }
            request.trailers.push(line.to_ascii_lowercase());
        }
    }
    Some(request)
}

/// An answer as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its header section.
    pub head: String,
    /// Its body.
    pub body: String,
}

/// Sends `payload` and [`LAST`] in one piece, and reads all answers until the edge closes the connection.
pub fn exchange(edge: SocketAddr, payload: impl AsRef<[u8]>) -> Vec<Answered> {
    let mut bytes = payload.as_ref().to_vec();
    bytes.extend_from_slice(LAST.as_bytes());
    answers(&exchange_only(edge, &bytes))
}

/// Sends `payload`, and gives all that comes until the edge closes the connection.
pub fn exchange_only(edge: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(edge).expect("the edge listens");
    // What is refused early may be refused before all of it was sent.
    let _ = stream.write_all(payload);
    read_to_end(&mut stream)
}

/// All that comes until the edge closes the connection.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out above zero");
    let mut all = Vec::new();
    let mut more = [0; 16 * 1_024];
    loop {
        match stream.read(&mut more) {
            Ok(0) => return all,
            Ok(length) => all.extend_from_slice(&more[..length]),
            // Closed with bytes of ours unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("{error}: the edge does not end the connection: {all:?}"),
        }
    }
}

/// Answers one after the other, each with a Content-Length. Interim ones are left out.
pub fn answers(bytes: &[u8]) -> Vec<Answered> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 4..];
        let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        if status < 200 {
            continue;
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
            .map_or(0, |length| length.trim().parse().expect("a length"));
        let body = String::from_utf8_lossy(&rest[..length.min(rest.len())]).into_owned();
        rest = &rest[length.min(rest.len())..];
        all.push(Answered { status, head, body });
    }
    assert!(rest.is_empty(), "what is this: {:?}", String::from_utf8_lossy(rest));
    all
}

/// The statuses of answers.
pub fn statuses(answers: &[Answered]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

/// One POST over a connection of its own; the whole answer. `fields` are lines, each with its end.
pub fn post(address: SocketAddr, path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    );
    String::from_utf8_lossy(&exchange_only(address, request.as_bytes())).into_owned()
}
