//! What waits to be taken by the client.

use super::head::{self, ROOM};
use crate::connection::Here;
use crate::connection::activity::Activity;
use crate::connection::http1::MAX_SEND_BUFFER;
use crate::connection::lend::{LEAST, Lender};
use crate::connection::stream::Transport;
use crate::ready::ReadyFields;
use bytes::{Buf, Bytes};
use http::Response;
use http_body::Body;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// Pieces that are sent at once; nearly all of them are whole blocks, of which there are five.
const MAX_PIECES: usize = 16;

/// Bytes left of an answer from which on more of it is taken: what a socket holds unsent as a rule (`send_buffer`).
const SHORT: usize = 64 * 1_024;

/// An answer on its way: what of its head is not sent, and pieces of its body, in order.
pub(super) struct Outgoing {
    /// Heads of interim responses, which come before it.
    interim: Bytes,
    room: Box<[u8; ROOM]>,
    head: Range<usize>,
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// Set where blocks may be sent without a copy.
    lender: Option<Lender>,
    /// Whether the client takes much at once. Where it does not, pages would be got ready again and again, and not sent.
    is_quick: bool,
}

impl Outgoing {
    pub(super) fn new(lender: Option<Lender>) -> Self {
        Self {
            interim: Bytes::new(),
            room: Box::new([0; ROOM]),
            head: 0..0,
            pieces: VecDeque::new(),
            bytes: 0,
            lender,
            is_quick: true,
        }
    }

    /// Begins an answer, where nothing of another is left: gives the length of the body. `None`: it is one for hyper.
    pub(super) fn begin<B: Body>(
        &mut self,
        answer: &Response<B>,
        ready: Option<&ReadyFields>,
        here: &Here,
    ) -> Option<u64> {
        let written = head::write(answer, ready, here, &mut self.room)?;
        self.head = 0..written.head;
        Some(written.body)
    }

    /// Before the answer: heads of interim responses, where none are left.
    pub(super) fn push_interim(&mut self, heads: Bytes) {
        self.interim = heads;
    }

    /// Whether all of it is sent.
    pub(super) fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// Whether one more piece may be sent with the others.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < MAX_SEND_BUFFER && self.pieces.len() < MAX_PIECES
    }

    /// Whether so little is left that more should be taken. While a client does not take what there is, nothing is read for it: blocks
    /// from a disk are its alone, and would leave a core's cache before they are sent.
    pub(super) fn runs_short(&self) -> bool {
        self.bytes <= SHORT
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.bytes += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Hands it to the kernel: all of it, or with `more` to come at once what fills packets.
    pub(super) fn poll_send<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut T,
        activity: &Activity,
        more: bool,
    ) -> Poll<io::Result<()>> {
        let kept = if more { beyond_packets(self.length(), stream.packet()) } else { 0 };
        while self.length() > kept {
            let mut slices = [IoSlice::new(&[]); 2 + MAX_PIECES];
            let mut count = 0;
            let mut room = self.length() - kept;
            let heads = [&self.interim[..], &self.room[self.head.clone()]];
            let pieces = heads.into_iter().chain(self.pieces.iter().map(|piece| &piece[..]));
            for (slice, piece) in slices.iter_mut().zip(pieces.filter(|piece| !piece.is_empty())) {
                let length = piece.len().min(room);
                if length == 0 {
                    break;
                }
                *slice = IoSlice::new(&piece[..length]);
                room -= length;
                count += 1;
            }
            let (slices, bytes) = (&slices[..count], self.length() - kept - room);
            let lender = self.lender.as_ref().filter(|_| bytes >= LEAST);
            let lent =
                lender.filter(|_| self.is_quick).and_then(|lender| stream.poll_lend(cx, slices, lender));
            let copies = lender.filter(|_| lent.is_none());
            let written = lent.unwrap_or_else(|| Pin::new(&mut *stream).poll_write_vectored(cx, slices));
            let length = ready!(noted(written, activity, |length| *length))?;
            if let Some(lender) = copies {
                lender.copied(length);
            }
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if bytes >= LEAST {
                self.is_quick = length >= LEAST;
            }
            self.sent(length);
        }
        // TLS may hold encrypted bytes that the socket did not take yet.
        noted(Pin::new(stream).poll_flush(cx), activity, |()| 0)
    }

    fn length(&self) -> usize {
        self.interim.len() + self.head.len() + self.bytes
    }

    fn sent(&mut self, mut length: usize) {
        let of_interim = length.min(self.interim.len());
        self.interim.advance(of_interim);
        length -= of_interim;
        let of_head = length.min(self.head.len());
        self.head.start += of_head;
        length -= of_head;
        self.bytes -= length;
        while let Some(piece) = self.pieces.front_mut() {
            if piece.len() > length {
                piece.advance(length);
                return;
            }
            length -= piece.len();
            self.pieces.pop_front();
        }
    }
}

/// What of `length` bytes is more than whole packets. Less than one is sent as it is.
fn beyond_packets(length: usize, packet: usize) -> usize {
    if length < packet { 0 } else { length % packet }
}

/// Notes whether the client takes what there is.
fn noted<V>(
    result: Poll<io::Result<V>>,
    activity: &Activity,
    length: impl FnOnce(&V) -> usize,
) -> Poll<io::Result<V>> {
    match &result {
        Poll::Ready(Ok(value)) => activity.bytes_written(length(value)),
        Poll::Pending => activity.write_blocked(Instant::now),
        Poll::Ready(Err(_)) => {}
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Lending, PACKET, Socket};
    use prometheus::IntCounter;
    use std::rc::Rc;
    use std::task::Waker;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    const BLOCK: usize = 256 * 1_024;

    /// Takes so much at a time, and notes how much.
    struct Line {
        takes: usize,
        writes: Vec<usize>,
        /// Of them, what was lent.
        lent: Vec<usize>,
    }

    impl Line {
        fn taking(takes: usize) -> Self {
            Self { takes, writes: vec![], lent: vec![] }
        }
    }

    impl Transport for Line {
        fn socket(&self) -> &Socket {
            unreachable!("nobody waits for it here")
        }

        fn poll_lend(
            &mut self,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
            _: &Lender,
        ) -> Option<Poll<io::Result<usize>>> {
            let written = Pin::new(&mut *self).poll_write_vectored(cx, slices);
            self.lent.extend(self.writes.last());
            Some(written)
        }
    }

    impl AsyncRead for Line {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Line {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            unreachable!("pieces are written together")
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let length = slices.iter().map(|slice| slice.len()).sum::<usize>().min(self.takes);
            self.writes.push(length);
            Poll::Ready(Ok(length))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn whole_packets_leave_while_more_is_to_come() {
        let body = 2 * BLOCK;
        for (pieces, more, takes, writes) in [
            (2, true, usize::MAX, vec![8 * PACKET]),
            (2, false, usize::MAX, vec![body]),
            // What a socket did not take is no reason to send a little more.
            (2, true, 5 * PACKET + 1, vec![5 * PACKET + 1, 3 * PACKET - 1]),
            (0, true, usize::MAX, vec![]),
        ] {
            let mut outgoing = Outgoing::new(None);
            (0..pieces).for_each(|_| outgoing.push(Bytes::from(vec![7; BLOCK])));
            let (mut line, activity) = (Line::taking(takes), Activity::begin(Instant::now()));
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(outgoing.poll_send(cx, &mut line, &activity, more).is_ready());
            assert_eq!(line.writes, writes);
            assert!(outgoing.runs_short());
        }
    }

    #[test]
    fn who_does_not_take_two_blocks_at_once_is_sent_copies_until_he_does() {
        let lending = Rc::new(Lending::new(IntCounter::new("lent", "bytes").unwrap()));
        let mut outgoing = Outgoing::new(Lender::new(&lending, None));
        let (mut line, activity) = (Line::taking(3 * BLOCK), Activity::begin(Instant::now()));
        for (takes, lent) in [
            (3 * BLOCK, vec![3 * BLOCK]),
            (BLOCK, vec![BLOCK]),
            (3 * BLOCK, vec![]),
            (3 * BLOCK, vec![3 * BLOCK]),
        ] {
            (0..3).for_each(|_| outgoing.push(Bytes::from(vec![7; BLOCK])));
            line = Line::taking(takes);
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(outgoing.poll_send(cx, &mut line, &activity, false).is_ready());
            assert_eq!(line.lent, lent, "{takes}");
        }
        outgoing.push(Bytes::from(vec![7; BLOCK]));
        line.lent.clear();
        assert!(
            outgoing
                .poll_send(&mut Context::from_waker(Waker::noop()), &mut line, &activity, false)
                .is_ready()
        );
        assert!(line.lent.is_empty(), "one is no more than a copy");
    }

    #[test]
    fn less_than_a_packet_is_not_kept() {
        for (length, kept) in
            [(0, 0), (PACKET - 1, 0), (PACKET, 0), (PACKET + 1, 1), (3 * PACKET - 1, PACKET - 1)]
        {
            assert_eq!(beyond_packets(length, PACKET), kept, "{length}");
        }
    }

    #[test]
    fn more_is_taken_when_nearly_all_is_sent() {
        let mut outgoing = Outgoing::new(None);
        assert!(outgoing.runs_short());
        for _ in 0..2 {
            outgoing.push(Bytes::from(vec![7; BLOCK]));
        }
        assert!(outgoing.has_room() && !outgoing.runs_short());
        outgoing.sent(448 * 1_024 - 1);
        assert!(!outgoing.runs_short());
        outgoing.sent(1);
        assert!(outgoing.runs_short());
    }
}
