//! An HTTP/2 client that may write anything, and what it finds out about a server ([`conformance`]).

pub mod conformance;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// What a client begins with (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest wait for a server's word. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(180);

/// Type of a frame with a body's bytes (RFC 9113 §6.1).
pub const DATA: u8 = 0;
/// Type (§6.2).
pub const HEADERS: u8 = 1;
/// Type (§6.3).
pub const PRIORITY: u8 = 2;
/// Type (§6.4).
pub const RST_STREAM: u8 = 3;
/// Type (§6.5).
pub const SETTINGS: u8 = 4;
/// Type (§6.6).
pub const PUSH_PROMISE: u8 = 5;
/// Type (§6.7).
pub const PING: u8 = 6;
/// Type (§6.8).
pub const GOAWAY: u8 = 7;
/// Type (§6.9).
pub const WINDOW_UPDATE: u8 = 8;
/// Type (§6.10).
pub const CONTINUATION: u8 = 9;

/// Flag of DATA and HEADERS.
pub const END_STREAM: u8 = 1;
/// Flag of SETTINGS and PING.
pub const ACK: u8 = 1;
/// Flag of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 4;
/// Flag of DATA and HEADERS.
pub const PADDED: u8 = 8;
/// Flag of HEADERS.
pub const WITH_PRIORITY: u8 = 32;

/// One frame as it stands on the wire.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame's length").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A field that is neither compressed nor remembered (RFC 7541 §6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.extend(integer(text.len()));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A length with a prefix of seven bits (RFC 7541 §5.1).
fn integer(value: usize) -> Vec<u8> {
    if value < 127 {
        return vec![u8::try_from(value).expect("a byte")];
    }
    let (mut rest, mut bytes) = (value - 127, vec![127]);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("a byte") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("a byte"));
    bytes
}

/// A header section: these fields, in this order.
pub fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// The pseudo-fields of a GET.
pub fn get(path: &str) -> Vec<u8> {
    section(&[(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
}

/// A whole GET on `stream`.
pub fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &get(path))
}

/// A frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// What is in it.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error code of RST_STREAM or GOAWAY.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("four bytes"))
    }
}

/// What frames are written to.
pub trait Stream: Read + Write {
    /// Writes nothing more.
    fn finish(&mut self);
}

impl Stream for TcpStream {
    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// A plain connection for a [`Wire`], or for a TLS session below one.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out above zero");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time-out above zero");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// A connection.
pub struct Wire(Box<dyn Stream>);

impl Wire {
    /// Over a stream on which not a byte was sent.
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self(Box::new(stream))
    }

    /// Connected, and not a byte sent.
    pub fn silent(address: SocketAddr) -> Self {
        Self::over(connect(address))
    }

    /// Exchanges preface and settings, with these settings of ours.
    pub fn begin(mut self, settings: &[(u16, u32)]) -> Self {
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| id.to_be_bytes().into_iter().chain(value.to_be_bytes()))
            .collect();
        assert!(self.send(PREFACE) && self.send(&frame(SETTINGS, 0, 0, &payload)));
        let acknowledged = self.until(|frame| frame.kind == SETTINGS && frame.flags == ACK);
        assert!(acknowledged.is_some(), "settings are acknowledged");
        self.send(&frame(SETTINGS, ACK, 0, &[]));
        self
    }

    /// Preface and settings exchanged.
    pub fn open(address: SocketAddr) -> Self {
        Self::silent(address).begin(&[])
    }

    /// Writes; false when the server has closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).is_ok()
    }

    /// Writes nothing more.
    pub fn finish(&mut self) {
        self.0.finish();
    }

    /// The next frame; `None` when the connection has ended.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.fill(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        let stream = u32::from_be_bytes(head[5..9].try_into().expect("four bytes"));
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the server neither answers nor closes")
            }
            Err(_) => None,
        }
    }

    /// The first frame of which `wanted` holds; `None` when the connection ends before.
    pub fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next_frame()?;
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }

    /// Whether the connection still works: a PING is answered.
    pub fn lives(&mut self) -> bool {
        const OPAQUE: &[u8] = b"alive?!?";
        self.send(&frame(PING, 0, 0, OPAQUE))
            && self
                .until(|frame| frame.kind == PING && frame.flags == ACK && frame.payload == OPAQUE)
                .is_some()
    }

    /// Reads up to the end of the connection.
    pub fn drain(&mut self) {
        while self.next_frame().is_some() {}
    }
}
