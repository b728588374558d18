//! What a connection's streams have to do with each other: what the client may still do too much of, and what they are doing.

use super::frames::Wrong;
use crate::connection::http2::{Abuse, Allowances};
use crate::connection::streams::Streams;
use h3::error::Code;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// One connection, as its streams see it.
pub(super) struct Watch {
    connection: quinn::Connection,
    allowances: RefCell<Allowances>,
    found: Cell<Option<Abuse>>,
    /// What they are doing.
    pub(super) streams: Rc<Streams>,
}

impl Watch {
    pub(super) fn begin(connection: quinn::Connection, now: Instant) -> Rc<Self> {
        Rc::new(Self {
            connection,
            allowances: RefCell::new(Allowances::begin(now)),
            found: Cell::new(None),
            streams: Rc::new(Streams::begin(now)),
        })
    }

    /// Takes one of `abuse` from what the client may do. False when it was too much, and the connection is over.
    pub(super) fn spend(&self, abuse: Abuse) -> bool {
        let within = self.allowances.borrow_mut().spend(abuse, Instant::now).is_ok();
        if !within {
            self.found.set(Some(abuse));
            self.close(Code::H3_EXCESSIVE_LOAD);
        }
        within
    }

    /// A request has come.
    pub(super) fn asked(&self) {
        self.allowances.borrow_mut().asked();
    }

    /// What the client has done too much of.
    pub(super) fn found(&self) -> Option<Abuse> {
        self.found.get()
    }

    /// Ends the connection at once.
    pub(super) fn close(&self, code: Code) {
        self.connection.close(error_code(code), b"");
    }
}

/// As QUIC writes it. All of HTTP/3's are small.
pub(super) fn error_code(code: Code) -> quinn::VarInt {
    quinn::VarInt::from_u64(code.value()).unwrap_or(quinn::VarInt::MAX)
}

/// How long after GOAWAY a client may still come with a request that it had sent before it heard: some round trips.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

impl Wrong {
    /// What the stream's end says.
    pub(super) fn code(self) -> Code {
        match self {
            Self::Malformed => Code::H3_MESSAGE_ERROR,
            Self::TooLarge | Self::Costly(_) => Code::H3_EXCESSIVE_LOAD,
            Self::Protocol(code) => code,
        }
    }
}
