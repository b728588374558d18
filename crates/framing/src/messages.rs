//! Following the bytes of one direction of a connection, message by message.

use crate::chunked;
use crate::head::{Follows, Head};
use crate::{Fault, Violation};

/// How long lines and sections may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of a header section. Larger than the parser's own bound, which has the better status code.
    pub head: usize,
}

/// Bytes of the line that begins a chunk: a size and an extension that somebody may have a use for.
const MAX_CHUNK_LINE: usize = 256;
/// Bytes of a trailer section: checksums and timings.
const MAX_TRAILERS: usize = 8 * 1_024;
/// Empty lines ignored before a message; RFC 9112 §2.2 asks for one.
const MAX_EMPTY_LINES: u8 = 1;
/// Interim responses before one final response: a few 103s and a 100 are honest.
const MAX_INTERIM: u8 = 8;

/// Follows the requests or the responses of one connection.
///
/// Give it every byte, in order, in pieces of any size. After a [`Violation`] it follows nothing any more: the connection
/// has to be closed.
#[derive(Debug)]
pub struct Messages {
    side: Side,
    state: State,
    head: Head,
    bounds: Bounds,
    /// The beginning of a line whose end has not come. Empty as a rule: header sections come in one piece.
    partial: Vec<u8>,
    /// Bytes of the section so far.
    section: usize,
    empty_lines: u8,
    interim: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Requests,
    Responses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a message's first line.
    Start,
    Fields,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// Before a chunk's size.
    Size,
    /// So many bytes of a chunk are still to come.
    Data(u64),
    /// Between a chunk's data and its line end.
    DataEnd,
    Trailers,
    /// A response's body: hyper's to judge, it makes a mistake ours alone.
    Answered,
    Violated,
}

impl Messages {
    /// For what a client sends.
    pub fn requests(bounds: Bounds) -> Self {
        Self::new(Side::Requests, bounds)
    }

    /// For what an upstream sends. Each response has to be announced by [`expect`](Self::expect), the first one, too.
    pub fn responses(bounds: Bounds) -> Self {
        Self { state: State::Answered, ..Self::new(Side::Responses, bounds) }
    }

    fn new(side: Side, bounds: Bounds) -> Self {
        Self {
            side,
            state: State::Start,
            head: Head::default(),
            bounds,
            partial: Vec::new(),
            section: 0,
            empty_lines: 0,
            interim: 0,
        }
    }

    /// A request is being sent: the next bytes are a response's header section.
    pub fn expect(&mut self) {
        if self.state == State::Answered {
            *self = Self::new(Side::Responses, self.bounds);
        }
    }

    /// Whether a body has begun and not ended.
    pub fn is_within_body(&self) -> bool {
        matches!(self.state, State::Body(_) | State::Size | State::Data(_) | State::DataEnd | State::Trailers)
    }

    /// Whether the last message has ended and nothing of another has begun.
    pub fn is_between(&self) -> bool {
        self.state == State::Start && self.section == 0 && self.empty_lines == 0
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// The first fault, and where it was found.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.state {
                State::Body(left) | State::Data(left) => {
                    let here = (bytes.len() - at).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    at += here;
                    *left -= here as u64;
                    match self.state {
                        State::Body(0) => self.begin(),
                        State::Data(0) => self.state = State::DataEnd,
                        _ => {}
                    }
                }
                State::Answered | State::Violated => return Ok(()),
                _ => at = self.follow_line(bytes, at)?,
            }
        }
        Ok(())
    }

    /// The line that begins at `at`, or as much as there is of it. Where the next one begins.
    fn follow_line(&mut self, bytes: &[u8], at: usize) -> Result<usize, Violation> {
        let end = memchr::memchr(b'\n', &bytes[at..]).map(|length| at + length + 1);
        let next = end.unwrap_or(bytes.len());
        self.section = self.section.saturating_add(next - at);
        let judged = if self.section > self.bound() {
            Err(if self.state == State::DataEnd { Fault::Chunk } else { Fault::TooLong })
        } else if end.is_none() {
            self.partial.extend_from_slice(&bytes[at..]);
            Ok(())
        } else if self.partial.is_empty() {
            self.line(&bytes[at..next])
        } else {
            let mut line = std::mem::take(&mut self.partial);
            line.extend_from_slice(&bytes[at..next]);
            self.line(&line)
        };
        judged.map(|()| next).map_err(|fault| {
            let within_body = self.is_within_body();
            self.state = State::Violated;
            Violation { fault, at: next - 1, within_body }
        })
    }

    fn bound(&self) -> usize {
        match self.state {
            State::Size => MAX_CHUNK_LINE,
            State::DataEnd => 2,
            State::Trailers => MAX_TRAILERS,
            _ => self.bounds.head,
        }
    }

    /// A whole line, its end included.
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\r\n").ok_or(Fault::BareLf)?;
        match self.state {
            State::Start if line.is_empty() => {
                self.empty_lines += 1;
                if self.empty_lines > MAX_EMPTY_LINES { Err(Fault::EmptyLines) } else { Ok(()) }
            }
            State::Start => {
                self.state = State::Fields;
                match self.side {
                    Side::Requests => self.head.request_line(line),
                    Side::Responses => self.head.status_line(line),
                }
            }
            State::Fields if line.is_empty() => self.end_of_head(),
            State::Fields => self.head.field(line),
            State::Size => {
                let size = chunked::size(line)?;
                self.enter(if size == 0 { State::Trailers } else { State::Data(size) });
                Ok(())
            }
            State::DataEnd if line.is_empty() => {
                self.enter(State::Size);
                Ok(())
            }
            State::Trailers if line.is_empty() => {
                self.begin();
                Ok(())
            }
            State::Trailers => chunked::trailer(line),
            _ => Err(Fault::Chunk),
        }
    }

    fn end_of_head(&mut self) -> Result<(), Fault> {
        let follows = self.head.end()?;
        match (self.side, follows) {
            (Side::Responses, _) => return self.end_of_response_head(),
            (Side::Requests, Follows::Nothing) => self.begin(),
            (Side::Requests, Follows::Bytes(length)) => self.enter(State::Body(length)),
            (Side::Requests, Follows::Chunks) => self.enter(State::Size),
        }
        Ok(())
    }

    fn end_of_response_head(&mut self) -> Result<(), Fault> {
        match self.head.status {
            101 => return Err(Fault::Switch),
            100..=199 if self.interim >= MAX_INTERIM => return Err(Fault::Interim),
            100..=199 => {
                let interim = self.interim + 1;
                self.begin();
                self.interim = interim;
            }
            _ => self.enter(State::Answered),
        }
        Ok(())
    }

    /// Before the next message.
    fn begin(&mut self) {
        self.head = Head::default();
        self.empty_lines = 0;
        self.enter(State::Start);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.section = 0;
    }
}

#[cfg(test)]
mod tests;
