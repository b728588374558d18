//! Requests that two servers could read differently, stopped before hyper reads them (attacks 1 to 19).

use framing::{Bounds, Fault, Messages};
use std::cell::Cell;
use std::rc::Rc;

/// Judges the bytes of one connection on their way to hyper.
///
/// What is wrong is spoiled. In a header section the byte at which it was found becomes a NUL, which is wrong everywhere
/// there: hyper answers 400 and closes, as it does for what it finds itself. A body ends before it, too early: whoever
/// reads it is told that it broke off. Nothing after it is read.
///
/// `HTTP/1.2` is refused, though a server should take it for 1.1 (RFC 9110 §2.5). Hyper does not know it and reads the digit as soon as
/// it comes, before the line is judged here: to let it pass, this would have to change what a client has said within a line that may
/// still turn out to be none, and what spoils is all that it changes. Nobody speaks it, and what is refused nobody reads differently.
pub(crate) struct Strict {
    messages: Messages,
    fault: Rc<Cell<Option<Fault>>>,
    /// What hyper still gets to see after a fault.
    end: &'static [u8],
}

/// Ends the header section that hyper waits for the end of, so that it comes to judge the spoiled byte.
const END: &[u8] = b"\r\n\r\n";

impl Strict {
    /// Also gives where a fault will be noted. A header section beyond `max_header_bytes` is hyper's to refuse, with 431;
    /// the bound here is one that it never reaches.
    pub(crate) fn begin(max_header_bytes: usize) -> (Self, Rc<Cell<Option<Fault>>>) {
        let fault = Rc::default();
        let messages = Messages::requests(Bounds { head: max_header_bytes.saturating_mul(2) });
        (Self { messages, fault: Rc::clone(&fault), end: &[] }, fault)
    }

    /// Judges the next bytes, and gives what hyper may read of them.
    pub(crate) fn pass<'a>(&mut self, bytes: &'a mut [u8]) -> &'a [u8] {
        let Err(violation) = self.messages.follow(bytes) else { return bytes };
        self.fault.set(Some(violation.fault));
        if violation.within_body {
            return &bytes[..violation.at];
        }
        self.end = END;
        bytes[violation.at] = 0;
        &bytes[..=violation.at]
    }

    /// Whether a request's body has begun and not ended.
    pub(crate) fn is_within_body(&self) -> bool {
        self.messages.is_within_body()
    }

    /// Whether the last request has ended and nothing of another has begun.
    pub(crate) fn is_between_requests(&self) -> bool {
        self.messages.is_between()
    }

    /// What hyper reads instead of the connection once something was wrong; in the end nothing, as if it were closed.
    pub(crate) fn end(&mut self) -> Option<&'static [u8]> {
        self.fault.get().map(|_| std::mem::take(&mut self.end))
    }
}
