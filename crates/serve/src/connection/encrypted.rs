//! A TLS connection, and how much of an answer it encrypts at once.
//!
//! A batch of records is one system call, a few packets and a wake-up of who receives, so batches should be large. But
//! what has been encrypted and not been taken is memory that nobody shares, so for a slow reader they should be small.
//! Hence a batch grows once the socket has taken several in a row, and is small again after the first that it does not take.
//! Who reads nothing at all still takes what fits into the kernel's buffers on both sides, and is not quick for that.
//!
//! What a socket does not take cannot be made plain again. So who is not known to be quick has nothing encrypted behind a full batch
//! before the kernel says that it would take some: a stalled reader then holds its session, and not a batch of its own beside the
//! kernel's.

use super::socket::{PACKET, Socket};
use super::stream::Transport;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

/// Bytes encrypted at once to begin with, and for who does not take them at once: four records, which with all that is around
/// their words are one packet.
const LEAST: usize = PACKET - 4 * AROUND;
/// The same for who takes all, four packets. More saves nothing: here it still fits a core's second-level cache, with its records and
/// the kernel's copy.
const MOST: usize = 4 * LEAST;
/// The same over HTTP/2, where answers take turns frame by frame: 0.95 of what four packets cost.
const MOST_HTTP2: usize = 2 * LEAST;
/// What a record has around its words: its head, what kind it is, and the tag (RFC 8446 §5.2).
const AROUND: usize = 5 + 1 + 16;

/// So many full batches in a row a socket must have taken before they grow: half a megabyte, more than the kernel keeps for a
/// reader that does not read.
const PROVEN: u32 = 8;

/// From how many bytes on a piece of a body gets records of its own, so that it is encrypted from where it lies. A record more costs
/// what a copy of a kilobyte or two does; a full frame of HTTP/2 is two in any case, being longer by its head than one can be.
const OWN_RECORD: usize = 8 * 1_024;

/// Records over a client's socket.
pub(crate) struct Encrypted {
    stream: TlsStream<Socket>,
    batch: Batch,
    /// Bytes that a batch may grow to.
    most: usize,
    /// Whether what was gathered last found the room full.
    full: bool,
    room: Room,
}

/// What is known of whether the socket takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Enough is.
    Likely,
    /// The kernel is to be asked.
    Unknown,
    /// It has none, and will say when it has.
    None,
}

/// How much is encrypted at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Batch {
    /// Bytes of the next one.
    room: usize,
    /// Full ones in a row that the socket has taken.
    taken: u32,
}

impl Batch {
    const FIRST: Self = Self { room: LEAST, taken: 0 };

    /// Whether the socket takes more, after one before this was written.
    const fn room_behind(self, full: bool, left: bool) -> Room {
        match (left, full) {
            (true, _) => Room::None,
            (false, true) if self.taken < PROVEN => Room::Unknown,
            (false, _) => Room::Likely,
        }
    }

    /// After one was written. `full`: there was more than it had room for; `left`: the socket did not take all. `most`: bytes that it
    /// may grow to.
    fn next(self, full: bool, left: bool, most: usize) -> Self {
        match (left, full) {
            (true, _) => Self::FIRST,
            (false, false) => self,
            (false, true) if self.taken < PROVEN => Self { taken: self.taken + 1, ..self },
            (false, true) => Self { room: (self.room * 2).min(most), ..self },
        }
    }
}

impl Encrypted {
    /// On the heap: it is large, and handed on.
    pub(crate) fn new(stream: TlsStream<Socket>) -> Box<Self> {
        let mut encrypted =
            Box::new(Self { stream, batch: Batch::FIRST, most: MOST, full: false, room: Room::Likely });
        if encrypted.speaks_http2() {
            encrypted.most = MOST_HTTP2;
        }
        encrypted.session().set_buffer_limit(Some(LEAST));
        encrypted
    }

    /// Whether both ends have agreed on HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.stream.get_ref().1.alpn_protocol() == Some(b"h2")
    }

    fn session(&mut self) -> &mut rustls::ServerConnection {
        self.stream.get_mut().1
    }

    /// Until the socket takes more, as far as it has to be waited for.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.room == Room::Unknown {
            self.room = if self.stream.get_ref().0.has_room() { Room::Likely } else { Room::None };
        }
        if self.room == Room::None {
            ready!(self.stream.get_ref().0.poll_write_ready(cx))?;
            self.room = Room::Likely;
        }
        Poll::Ready(Ok(()))
    }

    /// After a batch was written as far as the socket takes it. `full`: there was more than it had room for.
    fn size_next(&mut self, full: bool) {
        let left = self.session().wants_write();
        self.room = self.batch.room_behind(full, left);
        let next = self.batch.next(full, left, self.most);
        if next.room != self.batch.room {
            self.session().set_buffer_limit(Some(next.room));
        }
        self.batch = next;
    }
}

fn length(slices: &[IoSlice<'_>]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

impl Transport for Box<Encrypted> {
    fn socket(&self) -> &Socket {
        self.stream.get_ref().0
    }

    fn packet(&self) -> usize {
        LEAST
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_more(cx)
    }

    fn gather(&mut self, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        let mut writer = self.session().writer();
        let taken = match slices {
            // A frame's head and, as h2 has it, the first bytes behind it.
            [head, body] if body.len() >= OWN_RECORD => writer.write(head).and_then(|taken| {
                let behind = if taken == head.len() { writer.write(body)? } else { 0 };
                Ok(taken + behind)
            }),
            slices => writer.write_vectored(slices),
        };
        self.full = taken.as_ref().is_ok_and(|taken| *taken < length(slices));
        Some(taken)
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let had_words = self.session().wants_write();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        // What the session itself answers, as it does to who wants to negotiate again (RFC 5246 §7.2.2): nothing else may be written
        // for long. What the socket does not take now goes with what is.
        if !had_words && self.session().wants_write() {
            let _ = Pin::new(&mut self.stream).poll_flush(cx);
        }
        read
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_more(cx))?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        let full = length(slices) > self.batch.room;
        self.size_next(full);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing waits, and nothing is learned: who has no room still has none.
        if !self.full && !self.session().wants_write() {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        let full = std::mem::take(&mut self.full);
        self.size_next(full);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_batches_fill_packets_with_what_is_around_their_records() {
        let records = |room: usize| room.div_ceil(16 * 1_024);
        assert_eq!(LEAST + records(LEAST) * AROUND, PACKET);
        assert_eq!(MOST + records(MOST) * AROUND, 4 * PACKET);
        assert_eq!(MOST_HTTP2 + records(MOST_HTTP2) * AROUND, 2 * PACKET);
    }

    #[test]
    fn attack_63_batches_grow_for_who_takes_them_and_are_small_for_who_does_not() {
        let proven = (0..PROVEN).fold(Batch::FIRST, |batch, _| batch.next(true, false, MOST));
        assert_eq!(proven.room, LEAST, "who reads nothing has taken so much, too");
        let mut batch = proven;
        let rooms: Vec<_> = [(true, false), (true, false), (true, false), (false, false), (true, true)]
            .into_iter()
            .map(|(full, left)| {
                batch = batch.next(full, left, MOST);
                batch.room / LEAST
            })
            .collect();
        assert_eq!(rooms, [2, 4, 4, 4, 1]);
        assert_eq!(batch, Batch::FIRST, "and has to prove it anew");
        let over_http2 = (0..3).fold(proven, |batch, _| batch.next(true, false, MOST_HTTP2));
        assert_eq!(over_http2.room / LEAST, 2);
    }

    #[test]
    fn attack_63_behind_a_full_batch_the_kernel_is_asked_before_more_is_encrypted() {
        let proven = Batch { room: LEAST, taken: PROVEN };
        for (batch, full, left, room) in [
            (Batch::FIRST, true, false, Room::Unknown),
            // A small answer asks nobody.
            (Batch::FIRST, false, false, Room::Likely),
            // Nor does who is quick.
            (proven, true, false, Room::Likely),
            (proven, true, true, Room::None),
            (Batch::FIRST, false, true, Room::None),
        ] {
            assert_eq!(batch.room_behind(full, left), room, "{batch:?} {full} {left}");
        }
    }
}
