//! The clients of a herd: sockets that are asked nothing of while the edge works.

use super::watch::{FirstBytes, WATCHED, Watch};
use crate::clock;
use crate::load::Head;
use crate::payload;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// A client that does not read yet takes this much, about what a server's kernel sends on a new connection before it
/// waits for the far end (ten packets).
const SMALL_WINDOW: usize = 16 * 1_024;
/// Once the first bytes have been looked at.
const LARGE_WINDOW: usize = 256 * 1_024;
/// For the next bytes of any of the bodies.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Threads that read the bodies.
const READERS: usize = 2;

/// Connected clients.
pub(super) struct Crowd(Vec<Option<TcpStream>>);

/// What a client got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// When the kernel had its first byte, since 1970, if it was watched.
    pub(super) first_byte: Option<Duration>,
    /// Whether it says so in Cache-Status.
    pub(super) collapsed: bool,
    pub(super) end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Every byte came.
    Whole,
    /// The connection was closed before, so that the client knows that it has only a part.
    BrokenOff,
    /// The client did not read so far.
    NotRead,
}

impl Crowd {
    pub(super) fn open(address: SocketAddr, count: usize) -> Result<Self> {
        let open = |_| client(address).map(Some).with_context(|| format!("{address} takes no connection"));
        (0..count).map(open).collect::<Result<_>>().map(Self)
    }

    /// Lets these clients ask, one right after the other.
    pub(super) fn ask(&mut self, which: Range<usize>, path: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for client in self.0[which].iter_mut().flatten() {
            client.write_all(request.as_bytes())?;
        }
        Ok(())
    }

    /// A client closes its connection.
    pub(super) fn leave(&mut self, which: usize) {
        self.0[which] = None;
    }

    /// Watches the first and as many of the others as [`WATCHED`], evenly spread.
    pub(super) fn watch(&self) -> Result<Watch> {
        let step = self.0.len().div_ceil(WATCHED);
        let watched = self.0.iter().enumerate().step_by(step);
        let watched = watched.filter_map(|(which, client)| Some((which, client.as_ref()?.try_clone())));
        Watch::begin(watched.map(|(which, client)| Ok((which, client?))).collect::<Result<_>>()?)
    }

    /// Reads all that the clients have and compares it, for those in `first` without the byte the watch took. The one
    /// that `crawls` takes a byte a second as long as the others read. Answers may end early only if the origin `breaks_off`.
    /// `None` for those who left.
    pub(super) fn take(
        mut self,
        first: &FirstBytes,
        length: usize,
        crawls: Option<usize>,
        breaks_off: bool,
    ) -> Result<Vec<Option<Arrival>>> {
        let crawler = crawls.and_then(|which| Some((which, self.0[which].take()?)));
        let mut took: Vec<Option<Arrival>> = vec![None; self.0.len()];
        let share = self.0.len().div_ceil(READERS);
        let reading = clock::now();
        std::thread::scope(|scope| {
            let shares = self.0.chunks_mut(share).zip(took.chunks_mut(share)).enumerate();
            let readers: Vec<_> = shares
                .map(|(index, (clients, took))| {
                    scope.spawn(move || read_share(clients, index * share, first, took, (length, breaks_off)))
                })
                .collect();
            readers
                .into_iter()
                .try_for_each(|reader| reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?)
        })?;
        if let Some((which, client)) = crawler {
            crawl(client, reading.elapsed())?;
            let first_byte = first.get(&which).copied();
            took[which] = Some(Arrival { first_byte, collapsed: false, end: End::NotRead });
        }
        Ok(took)
    }
}

fn client(address: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(SMALL_WINDOW)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_nodelay(true)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    socket.connect(&address.into())?;
    socket.set_read_timeout(Some(READ_WITHIN))?;
    Ok(socket.into())
}

/// Reads from all clients of a share by turns, so that none of them looks to the edge like one that has stalled.
fn read_share(
    clients: &mut [Option<TcpStream>],
    begins_at: usize,
    first: &FirstBytes,
    took: &mut [Option<Arrival>],
    (length, breaks_off): (usize, bool),
) -> Result<()> {
    let expected = payload::of(length);
    let mut buffer = vec![0; LARGE_WINDOW];
    let mut reading = Vec::new();
    for (index, (client, took)) in clients.iter_mut().zip(took).enumerate() {
        if let Some(client) = client.take() {
            widen(&client)?;
            client.set_nonblocking(true)?;
            let first_byte = first.get(&(begins_at + index)).copied();
            // The byte that the watch took: every status line begins with it.
            let head = first_byte.map(|_| b'H').into_iter().collect();
            reading.push((Reading { client, head, collapsed: None, seen: 0 }, first_byte, took));
        }
    }
    let mut progress_at = clock::now();
    while !reading.is_empty() {
        let mut open = Vec::with_capacity(reading.len());
        for (mut client, first_byte, took) in reading {
            let came = client.read(&expected, &mut buffer)?;
            if came != Came::Nothing {
                progress_at = clock::now();
            }
            let whole = client.seen == length;
            ensure!(
                came != Came::End || whole || breaks_off,
                "closed after {} bytes of the body",
                client.seen
            );
            let end = if whole { End::Whole } else { End::BrokenOff };
            match client.collapsed {
                Some(collapsed) if whole || came == Came::End => {
                    *took = Some(Arrival { first_byte, collapsed, end });
                }
                None if came == Came::End => bail!("closed without an answer"),
                _ => open.push((client, first_byte, took)),
            }
        }
        reading = open;
        ensure!(progress_at.elapsed() < READ_WITHIN, "{} clients get no more bytes", reading.len());
    }
    Ok(())
}

/// An answer on its way.
struct Reading {
    client: TcpStream,
    /// While it is not whole.
    head: Vec<u8>,
    /// What the head said, once it is whole.
    collapsed: Option<bool>,
    /// Bytes of the body, all of them right.
    seen: usize,
}

/// What a look at a client's connection finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Nothing,
    Bytes,
    End,
}

impl Reading {
    /// Takes what has come.
    fn read(&mut self, expected: &[u8], buffer: &mut [u8]) -> Result<Came> {
        let read = match self.client.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Came::Nothing),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            read => read.context("the body did not come")?,
        };
        if read == 0 {
            return Ok(Came::End);
        }
        if self.collapsed.is_some() {
            self.compare(expected, &buffer[..read])?;
        } else {
            self.head.extend_from_slice(&buffer[..read]);
            if let Some(head) = Head::parse(&self.head)? {
                ensure!(head.status == 200, "answered {}", head.status);
                self.collapsed =
                    Some(head.field("cache-status").is_some_and(|status| status.contains("collapsed")));
                let bytes = std::mem::take(&mut self.head);
                self.compare(expected, &bytes[head.length..])?;
            }
        }
        Ok(Came::Bytes)
    }

    fn compare(&mut self, expected: &[u8], bytes: &[u8]) -> Result<()> {
        let right = expected.get(self.seen..self.seen + bytes.len()) == Some(bytes);
        ensure!(right, "the body differs after {} bytes", self.seen);
        self.seen += bytes.len();
        Ok(())
    }
}

/// Has taken a byte for every second that went by.
fn crawl(mut client: TcpStream, span: Duration) -> Result<()> {
    client.set_nonblocking(false)?;
    let mut byte = [0];
    for _ in 0..span.as_secs() {
        client.read_exact(&mut byte).context("the slow client was cut off")?;
    }
    Ok(())
}

/// Opens the window that [`SMALL_WINDOW`] had closed.
#[expect(unsafe_code, reason = "no library knows TCP_WINDOW_CLAMP")]
fn widen(client: &TcpStream) -> Result<()> {
    SockRef::from(client).set_recv_buffer_size(LARGE_WINDOW)?;
    // The widest without scaling, which a connection that began with a small window has not.
    let widest: nix::libc::c_int = 65_535;
    // SAFETY: the descriptor is open for as long as `client` is borrowed; the value is a c_int of the size stated.
    let done = unsafe {
        nix::libc::setsockopt(
            client.as_raw_fd(),
            nix::libc::IPPROTO_TCP,
            nix::libc::TCP_WINDOW_CLAMP,
            (&raw const widest).cast(),
            size_of_val(&widest) as nix::libc::socklen_t,
        )
    };
    nix::errno::Errno::result(done).context("the window cannot be widened")?;
    Ok(())
}
