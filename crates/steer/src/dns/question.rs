//! A message as it came: what it asks, for whom, and how long an answer may be.

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use std::net::IpAddr;

/// Length of a header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
/// The highest bit of the third byte: an answer, and no question.
const IS_ANSWER: u8 = 0x80;
/// Without EDNS (RFC 1035 §4.2.1), and the most that passes everywhere without fragments.
const PLAIN_LENGTH: u16 = 512;
pub(super) const MOST_LENGTH: u16 = 1_232;

/// What came.
#[derive(Debug)]
pub(super) enum Read {
    /// Nothing that may be answered: too short, or an answer itself, which two servers would send each other for ever.
    Nothing,
    /// Something to be answered with a code alone.
    Wrong(Message),
    /// A question.
    Asked(Box<Asked>),
}

/// A question.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: u16,
    pub(super) recursion_desired: bool,
    pub(super) query: Query,
    /// Whether it came with EDNS, so that the answer has to as well.
    pub(super) edns: bool,
    /// The student's network, as far as the resolver tells (RFC 7871).
    pub(super) subnet: Option<ClientSubnet>,
    /// What fits into a datagram for who asks.
    pub(super) length: u16,
}

impl Asked {
    /// Whose network decides: the student's, when it is told, else that of who asks.
    pub(super) fn address(&self, peer: IpAddr) -> IpAddr {
        match &self.subnet {
            // A prefix of no length: the student does not wish to be told of (§7.1.2).
            Some(subnet) if subnet.source_prefix() > 0 => subnet.addr(),
            _ => peer.to_canonical(),
        }
    }

    /// Whether that is the student's.
    pub(super) fn is_whole(&self) -> bool {
        self.subnet.is_some_and(|subnet| subnet.source_prefix() > 0)
    }

    pub(super) fn name(&self) -> &Name {
        &self.query.name
    }

    pub(super) fn kind(&self) -> RecordType {
        self.query.query_type
    }
}

/// Reads `message`.
pub(super) fn read(message: &[u8]) -> Read {
    if message.len() < HEADER || message[2] & IS_ANSWER != 0 {
        return Read::Nothing;
    }
    let id = u16::from_be_bytes([message[0], message[1]]);
    let wrong = |code| Read::Wrong(Message::error_msg(id, OpCode::Query, code));
    let Ok(message) = Message::from_vec(message) else { return wrong(ResponseCode::FormErr) };
    if message.metadata.message_type != MessageType::Query || message.metadata.op_code != OpCode::Query {
        return wrong(ResponseCode::NotImp);
    }
    let [query] = &message.queries[..] else { return wrong(ResponseCode::FormErr) };
    if query.query_class != DNSClass::IN {
        return wrong(ResponseCode::Refused);
    }
    if message.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return wrong(ResponseCode::BADVERS);
    }
    let subnet = message.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Subnet) {
        Some(EdnsOption::Subnet(subnet)) => Some(*subnet),
        _ => None,
    });
    let most = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
    if subnet.is_some_and(|subnet| subnet.source_prefix() > most(subnet.addr()) || subnet.scope_prefix() != 0)
    {
        // §7.1.2: a question has no scope.
        return wrong(ResponseCode::FormErr);
    }
    let length = message.edns.as_ref().map_or(PLAIN_LENGTH, |edns| edns.max_payload());
    Read::Asked(Box::new(Asked {
        id,
        recursion_desired: message.metadata.recursion_desired,
        query: query.clone(),
        edns: message.edns.is_some(),
        subnet,
        length: length.clamp(PLAIN_LENGTH, MOST_LENGTH),
    }))
}
