//! What is answered, as bytes.

use super::question::{Asked, MOST_LENGTH, Read, read};
use super::{Transport, Zone};
use crate::desk::Desk;
use crate::metrics::DnsOutcome;
use crate::words::SOON;
use hickory_proto::op::{Edns, Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsOption};
use hickory_proto::rr::rdata::svcb::{Alpn, IpHint, SvcParamKey, SvcParamValue};
use hickory_proto::rr::rdata::{A, AAAA, HTTPS, NS, SOA, SVCB};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use http::Uri;
use std::net::IpAddr;
use steering::{Candidate, Choice};

/// HTTPS is at this port unless something else is said.
const HTTPS_PORT: u16 = 443;
/// Secondary servers do not exist, so these are form (RFC 1912 §2.2).
const REFRESH: i32 = 3_600;
const RETRY: i32 = 600;
const EXPIRE: i32 = 86_400;

/// What came of a message.
pub(super) struct Answered {
    pub(super) outcome: DnsOutcome,
    /// What is sent; `None`: nothing.
    pub(super) bytes: Option<Vec<u8>>,
}

impl Answered {
    fn of(outcome: DnsOutcome, message: &Message) -> Self {
        Self { outcome, bytes: message.to_vec().ok() }
    }
}

/// Answers `message`. Who is not `admitted` is told to come by TCP, half of the time, where nobody can forge an address; the other half
/// is dropped, so that answers are never more than a flood.
pub(super) fn answer(
    desk: &Desk,
    zone: &Zone,
    message: &[u8],
    peer: IpAddr,
    transport: Transport,
    admitted: bool,
) -> Answered {
    let asked = match read(message) {
        Read::Nothing => return Answered { outcome: DnsOutcome::Ignored, bytes: None },
        _ if !admitted && (transport == Transport::Tcp || message[1] & 1 == 0) => {
            return Answered { outcome: DnsOutcome::Limited, bytes: None };
        }
        Read::Wrong(error) => return Answered::of(DnsOutcome::Malformed, &error),
        Read::Asked(asked) => asked,
    };
    let mut response = begin(&asked);
    if !admitted {
        return Answered::of(DnsOutcome::Limited, &response.truncate());
    }
    if !zone.names.contains(asked.name()) {
        response.metadata.response_code = ResponseCode::Refused;
        return Answered::of(DnsOutcome::Refused, &response);
    }
    response.metadata.authoritative = true;
    let outcome = fill(&mut response, desk, zone, &asked, peer);
    let Ok(bytes) = response.to_vec() else {
        return Answered { outcome: DnsOutcome::Malformed, bytes: None };
    };
    if transport == Transport::Udp && bytes.len() > usize::from(asked.length) {
        return Answered::of(outcome, &response.truncate());
    }
    Answered { outcome, bytes: Some(bytes) }
}

/// An answer without records. The network that was told is told back, with itself as scope: another may be answered otherwise
/// (RFC 7871 §7.2.1).
fn begin(asked: &Asked) -> Message {
    let mut response = Message::response(asked.id, OpCode::Query);
    response.metadata.recursion_desired = asked.recursion_desired;
    response.add_query(asked.query.clone());
    if asked.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(MOST_LENGTH);
        if let Some(subnet) = asked.subnet {
            let length = subnet.source_prefix();
            edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(subnet.addr(), length, length)));
        }
        response.set_edns(edns);
    }
    response
}

fn fill(response: &mut Message, desk: &Desk, zone: &Zone, asked: &Asked, peer: IpAddr) -> DnsOutcome {
    let ttl = u32::try_from(zone.ttl.as_secs()).unwrap_or(u32::MAX);
    let own = |data: RData| Record::from_rdata(asked.name().clone(), ttl, data);
    match asked.kind() {
        RecordType::NS => {
            response.add_answers(zone.servers.iter().map(|server| own(RData::NS(NS(server.clone())))));
        }
        RecordType::SOA => {
            response.add_answer(own(start(zone, asked.name())));
        }
        RecordType::A | RecordType::AAAA | RecordType::HTTPS => {
            let address = asked.address(peer);
            let told = desk.decide_for_network(address, asked.is_whole(), |chosen| match asked.kind() {
                _ if chosen.is_empty() => None,
                RecordType::HTTPS => Some(services(chosen)),
                kind => Some(addresses(&chosen[0].candidate.addresses, kind)),
            });
            let Some(told) = told else {
                // Not "no such name": resolvers go on with what they have (RFC 8767), and ask again soon.
                response.metadata.response_code = ResponseCode::ServFail;
                return DnsOutcome::Nobody;
            };
            response.add_answers(told.into_iter().map(own));
        }
        _ => {}
    }
    if !response.answers.is_empty() {
        return DnsOutcome::Answered;
    }
    let soon = u32::try_from(SOON.as_secs()).unwrap_or(u32::MAX);
    response.add_authority(Record::from_rdata(asked.name().clone(), soon, start(zone, asked.name())));
    DnsOutcome::NoData
}

fn addresses(of: &[IpAddr], kind: RecordType) -> Vec<RData> {
    let data = of.iter().map(|address| match address.to_canonical() {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    });
    data.filter(|data| data.record_type() == kind).collect()
}

/// Nodes by order of preference (RFC 9460 §2.4.1). The certificate that a browser wants there is the asked name's.
fn services(chosen: &[Choice<'_>]) -> Vec<RData> {
    let records = chosen.iter().zip(1_u16..).filter_map(|(choice, priority)| {
        let (target, port) = place(choice.candidate)?;
        let mut parameters = vec![(
            SvcParamKey::Alpn,
            SvcParamValue::Alpn(Alpn(vec!["h2".to_owned(), "http/1.1".to_owned()])),
        )];
        if port != HTTPS_PORT {
            parameters.push((SvcParamKey::Port, SvcParamValue::Port(port)));
        }
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for address in &choice.candidate.addresses {
            match address.to_canonical() {
                IpAddr::V4(address) => v4.push(A(address)),
                IpAddr::V6(address) => v6.push(AAAA(address)),
            }
        }
        // In the order of their numbers, as they are sent (§2.2).
        if !v4.is_empty() {
            parameters.push((SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(v4))));
        }
        if !v6.is_empty() {
            parameters.push((SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(v6))));
        }
        Some(RData::HTTPS(HTTPS(SVCB::new(priority, target, parameters))))
    });
    records.collect()
}

/// Host and port of a node that speaks HTTPS and has a name.
fn place(candidate: &Candidate) -> Option<(Name, u16)> {
    let address: Uri = candidate.address.parse().ok()?;
    let host = address.host()?;
    if address.scheme_str() != Some("https") || host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    Some((super::name(host)?, address.port_u16().unwrap_or(HTTPS_PORT)))
}

fn start(zone: &Zone, name: &Name) -> RData {
    let server = zone.servers.first().unwrap_or(name).clone();
    let soon = u32::try_from(SOON.as_secs()).unwrap_or(u32::MAX);
    let person = name.prepend_label("hostmaster").unwrap_or_else(|_| name.clone());
    RData::SOA(SOA::new(server, person, 1, REFRESH, RETRY, EXPIRE, soon))
}

#[cfg(test)]
mod tests;
