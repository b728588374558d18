//! One kept connection of the load, plain or encrypted.

use super::{Head, Question, Target};
use crate::tls;
use anyhow::{Context, Result, ensure};
use socket2::SockRef;
use std::io;
use std::mem::MaybeUninit;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What is read at once. Large: one system call for many records, however small the pieces the TLS library asks for.
pub(super) const LARGE: usize = 128 * 1_024;
/// The same for connections that are many and idle.
pub(crate) const SMALL: usize = 4 * 1_024;

/// A connection that is asked one thing after the other.
pub(crate) struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
}

/// What came of a question whose answer may be anything.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The status and every byte.
    Right(Head),
    /// The status, and not the bytes; where.
    Wrong(String),
    /// Another status.
    Refused(Head),
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<BufReader<TcpStream>>>),
}

impl Connection {
    /// Connects, and shakes hands where `target` is encrypted. `buffer` is [`LARGE`] or [`SMALL`].
    pub(crate) async fn open(target: &Target, buffer: usize) -> Result<Self> {
        let stream = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("{} takes no connection", target.address))?;
        stream.set_nodelay(true)?;
        // Closing leaves no port in TIME_WAIT: tens of thousands of connections follow one another.
        SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))?;
        let stream = match &target.tls {
            None => Stream::Plain(stream),
            Some(config) => {
                let connector = TlsConnector::from(config.clone());
                let stream = BufReader::with_capacity(buffer, stream);
                let stream = connector.connect(tls::server_name(), stream).await.context("TLS handshake")?;
                Stream::Tls(Box::new(stream))
            }
        };
        Ok(Self { stream, buffer: vec![0; buffer] })
    }

    /// Asks, and compares every byte with what it must be.
    pub(crate) async fn ask_and_compare(&mut self, question: &Question) -> Result<Head> {
        let expected = question.expected();
        let (head, mut known) = self.ask(question).await?;
        let mut seen = known - head.length;
        ensure!(self.buffer[head.length..known] == expected[..seen], "{} differs", question.path);
        while seen < expected.len() {
            known = self.read().await?;
            let right = expected.get(seen..seen + known).is_some_and(|right| right == &self.buffer[..known]);
            ensure!(right, "{} differs after {seen} bytes", question.path);
            seen += known;
        }
        Ok(head)
    }

    /// Asks, and says what came. The connection is of no use after anything but what was right.
    pub(crate) async fn judge(&mut self, question: &Question) -> Result<Verdict> {
        let expected = question.expected();
        let (head, mut known) = self.send(question).await?;
        if head.status != question.status() {
            return Ok(Verdict::Refused(head));
        }
        let (mut from, mut seen) = (head.length, 0);
        loop {
            let piece = &self.buffer[from..known];
            if expected.get(seen..seen + piece.len()) != Some(piece) {
                return Ok(Verdict::Wrong(format!("{} differs after {seen} bytes", question.path)));
            }
            seen += piece.len();
            if seen >= head.content_length {
                break;
            }
            (from, known) = (0, self.read().await?);
        }
        if seen == expected.len() {
            return Ok(Verdict::Right(head));
        }
        Ok(Verdict::Wrong(format!("{}: {seen} bytes instead of {}", question.path, expected.len())))
    }

    /// Asks, and throws the body away. How long it was.
    pub(crate) async fn ask_and_discard(&mut self, question: &Question) -> Result<u64> {
        let (head, known) = self.ask(question).await?;
        let mut left = head.content_length - (known - head.length);
        while left > 0 {
            let taken = match &self.stream {
                Stream::Plain(stream) => discard(stream, left).await?,
                Stream::Tls(_) => self.read().await?,
            };
            ensure!(taken <= left, "more than the stated {} bytes came", head.content_length);
            left -= taken;
        }
        Ok(head.content_length as u64)
    }

    /// Asks, and sees that the head is the one that there must be. Gives it, and how much of the buffer is filled.
    async fn ask(&mut self, question: &Question) -> Result<(Head, usize)> {
        let (head, known) = self.send(question).await?;
        ensure!(head.status == question.status(), "{} answered {}", question.path, head.status);
        let (length, wanted) = (head.content_length, question.length());
        ensure!(length == wanted, "{}: {length} bytes instead of {wanted}", question.path);
        Ok((head, known))
    }

    /// Sends the request and reads the head. Gives it, and how much of the buffer is filled.
    async fn send(&mut self, question: &Question) -> Result<(Head, usize)> {
        let range = question.range_field().map(|range| format!("Range: {range}\r\n")).unwrap_or_default();
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n{range}\r\n", question.path, tls::HOST);
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(request.as_bytes()).await?,
            Stream::Tls(stream) => {
                stream.write_all(request.as_bytes()).await?;
                stream.flush().await?;
            }
        }
        let mut known = 0;
        let head = loop {
            let read = self.read_at(known).await?;
            known += read;
            if let Some(head) = Head::parse(&self.buffer[..known])? {
                break head;
            }
        };
        Ok((head, known))
    }

    async fn read(&mut self) -> Result<usize> {
        self.read_at(0).await
    }

    async fn read_at(&mut self, at: usize) -> Result<usize> {
        let room = &mut self.buffer[at..];
        let read = match &mut self.stream {
            Stream::Plain(stream) => read_some(stream, room).await,
            Stream::Tls(stream) => read_some(stream.as_mut(), room).await,
        };
        Ok(read?)
    }
}

async fn read_some(stream: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> io::Result<usize> {
    match stream.read(room).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => Ok(read),
    }
}

/// Lets the kernel drop up to `most` bytes that have come, without copying them (tcp(7), MSG_TRUNC).
async fn discard(stream: &TcpStream, most: usize) -> io::Result<usize> {
    /// The kernel wants to see a buffer as long as what it may drop, and does not touch it.
    const AT_ONCE: usize = 64 * 1_024;
    const MSG_TRUNC: i32 = nix::libc::MSG_TRUNC;
    let mut untouched = [MaybeUninit::uninit(); AT_ONCE];
    let room = &mut untouched[..most.min(AT_ONCE)];
    let taken = stream
        .async_io(Interest::READABLE, || SockRef::from(stream).recv_with_flags(room, MSG_TRUNC))
        .await?;
    if taken == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(taken) }
}
