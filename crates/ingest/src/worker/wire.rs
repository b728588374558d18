//! What stands on the wire between parent and worker. Pure: bytes in, messages out.
//!
//! ```text
//! parent → worker    orders (40 bytes), then the task: length (4), bytes
//! worker → parent    messages: kind (1), length of header (4), length of body (4), header, body
//!                    kinds   C confined    header: which protections hold
//!                            F frame       as the work made it
//!                            E end         the work is done, nothing follows
//!                            R refused     header: code, blame, text
//! ```
//!
//! All numbers are big-endian. The worker may be in somebody else's hands: nothing it says is believed before it is
//! measured, and no length makes the parent allocate more than has arrived.

use super::limits::Limits;
use crate::ffmpeg::Verbosity;
use std::time::Duration;
use units::ByteCount;

/// The longest task: a plan with its rungs is some 10 kB.
pub const MAX_TASK_BYTES: usize = 4 << 20;
/// The longest header of a frame.
pub const MAX_HEADER_BYTES: usize = 256 << 10;
/// The longest body of a frame: a segment of the largest rung at ten times its rate.
pub const MAX_BODY_BYTES: usize = 64 << 20;
/// What each message counts for beside its bytes, so that a flood of empty ones ends soon too.
const MESSAGE_COST: u64 = 1 << 10;
/// Kind and two lengths.
const PREFIX: usize = 9;

/// A result of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// JSON, at most [`MAX_HEADER_BYTES`].
    pub header: Vec<u8>,
    /// Raw bytes, at most [`MAX_BODY_BYTES`].
    pub body: Vec<u8>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Confined,
    Frame,
    End,
    Refused,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Confined => b'C',
            Self::Frame => b'F',
            Self::End => b'E',
            Self::Refused => b'R',
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::Confined, Self::Frame, Self::End, Self::Refused].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// What does not fit the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// A kind of message there is none of.
    #[error("a message of no known kind")]
    Kind,
    /// A header beyond its bound.
    #[error("a header of {0} bytes")]
    Header(usize),
    /// A body beyond its bound.
    #[error("a body of {0} bytes")]
    Body(usize),
    /// A message where none may be: before the worker said that it is confined, or after its end.
    #[error("a message out of turn")]
    OutOfTurn,
    /// A header that cannot be read.
    #[error("a header that makes no sense")]
    Senseless,
}

/// The bytes before header and body.
///
/// # Errors
/// When one of them is too long to be taken.
pub(super) fn prefix(kind: Kind, frame: &Frame) -> Result<[u8; PREFIX], WireFault> {
    let header =
        bounded(frame.header.len(), MAX_HEADER_BYTES).ok_or(WireFault::Header(frame.header.len()))?;
    let body = bounded(frame.body.len(), MAX_BODY_BYTES).ok_or(WireFault::Body(frame.body.len()))?;
    let mut bytes = [kind.byte(); PREFIX];
    bytes[1..5].copy_from_slice(&header.to_be_bytes());
    bytes[5..].copy_from_slice(&body.to_be_bytes());
    Ok(bytes)
}

fn bounded(length: usize, most: usize) -> Option<u32> {
    u32::try_from(length).ok().filter(|_| length <= most)
}

/// Puts messages together from what arrives.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pending: Vec<u8>,
    /// Bytes at the front that were already given out.
    taken: usize,
    cost: u64,
}

impl Inbox {
    /// Adds what arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.pending.drain(..self.taken);
            self.taken = 0;
        }
        self.pending.extend_from_slice(bytes);
        self.cost = self.cost.saturating_add(bytes.len() as u64);
    }

    /// Everything that arrived, small messages counted in full.
    pub(super) fn cost(&self) -> u64 {
        self.cost
    }

    /// The next whole message.
    ///
    /// # Errors
    /// As soon as its first bytes show that it does not fit.
    pub(super) fn next(&mut self) -> Result<Option<(Kind, Frame)>, WireFault> {
        let rest = &self.pending[self.taken..];
        let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let [kind, h0, h1, h2, h3, b0, b1, b2, b3] = *prefix;
        let kind = Kind::of(kind).ok_or(WireFault::Kind)?;
        let header = u32::from_be_bytes([h0, h1, h2, h3]) as usize;
        let body = u32::from_be_bytes([b0, b1, b2, b3]) as usize;
        if header > MAX_HEADER_BYTES {
            return Err(WireFault::Header(header));
        }
        if body > MAX_BODY_BYTES {
            return Err(WireFault::Body(body));
        }
        let Some(rest) = rest.get(..header + body) else { return Ok(None) };
        let (header, body) = rest.split_at(header);
        let frame = Frame { header: header.to_vec(), body: body.to_vec() };
        self.taken += PREFIX + rest.len();
        self.cost = self.cost.saturating_add(MESSAGE_COST);
        Ok(Some((kind, frame)))
    }
}

/// What a worker has to know before it shuts the door behind itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Orders {
    /// Its parent's process id: when the parent dies early, the worker finds another one in its place.
    pub(super) parent: u32,
    /// Its bounds, as far as it sets them itself.
    pub(super) limits: Limits,
}

impl Orders {
    /// Bytes of them.
    pub(super) const BYTES: usize = 40;

    pub(super) fn to_bytes(&self) -> [u8; Self::BYTES] {
        let Limits { memory, cpu, threads, verbosity, .. } = &self.limits;
        let numbers = [
            u64::from(self.parent),
            memory.0,
            cpu.as_secs().max(1),
            u64::from(*threads),
            u64::from(*verbosity == Verbosity::Chatty),
        ];
        let mut bytes = [0; Self::BYTES];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    pub(super) fn parse(bytes: &[u8; Self::BYTES]) -> Self {
        let number = |index: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
            u64::from_be_bytes(eight)
        };
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let verbosity = if number(4) == 1 { Verbosity::Chatty } else { Verbosity::Silent };
        let limits = Limits {
            memory: ByteCount(number(1)),
            cpu: Duration::from_secs(number(2)),
            threads: narrow(number(3)),
            verbosity,
            ..Limits::default()
        };
        Self { parent: narrow(number(0)), limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind, header: &[u8], body: &[u8]) -> Vec<u8> {
        let frame = Frame { header: header.to_vec(), body: body.to_vec() };
        [prefix(kind, &frame).unwrap().as_slice(), header, body].concat()
    }

    #[test]
    fn messages_come_whole_however_they_were_torn() {
        let sent = [
            message(Kind::Confined, b"{}", b""),
            message(Kind::Frame, b"{\"a\":1}", &[7; 1_000]),
            message(Kind::Frame, b"", b""),
            message(Kind::End, b"", b""),
        ]
        .concat();
        for portion in [1, 2, 9, 10, 300, sent.len()] {
            let mut inbox = Inbox::default();
            let mut got = Vec::new();
            for part in sent.chunks(portion) {
                inbox.push(part);
                while let Some((kind, frame)) = inbox.next().unwrap() {
                    got.push((kind, frame.header.len(), frame.body.len()));
                }
            }
            let expected =
                [(Kind::Confined, 2, 0), (Kind::Frame, 7, 1_000), (Kind::Frame, 0, 0), (Kind::End, 0, 0)];
            assert_eq!(got, expected, "in portions of {portion}");
            assert_eq!(inbox.cost(), sent.len() as u64 + 4 * MESSAGE_COST);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_first_bytes() {
        let with = |kind: u8, header: u32, body: u32| {
            let mut inbox = Inbox::default();
            inbox.push(&[&[kind][..], &header.to_be_bytes(), &body.to_be_bytes()].concat());
            inbox.next()
        };
        assert_eq!(with(b'?', 0, 0), Err(WireFault::Kind));
        assert_eq!(with(b'F', u32::MAX, 0), Err(WireFault::Header(u32::MAX as usize)));
        assert_eq!(with(b'F', 1, u32::MAX), Err(WireFault::Body(u32::MAX as usize)));
        assert_eq!(with(b'F', 1, 1), Ok(None), "not all here yet");
        let long = Frame { header: vec![0; MAX_HEADER_BYTES + 1], body: Vec::new() };
        assert_eq!(prefix(Kind::Frame, &long), Err(WireFault::Header(MAX_HEADER_BYTES + 1)));
    }

    #[test]
    fn orders_arrive_as_they_were_given() {
        let limits = Limits {
            memory: ByteCount(123_456_789),
            cpu: Duration::from_secs(77),
            threads: 12,
            verbosity: Verbosity::Chatty,
            ..Limits::default()
        };
        let orders = Orders { parent: 4_711, limits };
        assert_eq!(Orders::parse(&orders.to_bytes()), orders);
    }
}
