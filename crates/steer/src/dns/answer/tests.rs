//! Questions as resolvers send them, and what they are answered.

use super::*;
use crate::desk::tests::{desk, nodes};
use hickory_proto::op::Query;
use hickory_proto::rr::DNSClass;
use hickory_proto::rr::rdata::opt::EdnsCode;
use proptest::prelude::*;
use std::time::Duration;

const LESSONS: &str = "lessons.example.";

fn zone() -> Zone {
    let name = |text: &str| super::super::name(text).unwrap();
    Zone {
        names: vec![name("lessons.example")],
        servers: vec![name("ns1.example")],
        ttl: Duration::from_secs(30),
    }
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.id = 7;
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_subnet(name: &str, kind: RecordType, subnet: &str, length: u8) -> Message {
    let mut message = question(name, kind);
    let mut edns = Edns::new();
    edns.set_max_payload(4_096);
    edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(subnet.parse().unwrap(), length, 0)));
    message.set_edns(edns);
    message
}

struct Asking {
    desk: Desk,
    zone: Zone,
}

impl Asking {
    fn new() -> Self {
        let desk = desk();
        desk.know(&nodes());
        Self { desk, zone: zone() }
    }

    fn ask_from(&self, peer: &str, message: &Message) -> (DnsOutcome, Option<Message>) {
        self.send(peer, &message.to_vec().unwrap(), Transport::Udp, true)
    }

    fn send(
        &self,
        peer: &str,
        message: &[u8],
        transport: Transport,
        admitted: bool,
    ) -> (DnsOutcome, Option<Message>) {
        let peer = peer.parse().unwrap();
        let Answered { outcome, bytes } = answer(&self.desk, &self.zone, message, peer, transport, admitted);
        (outcome, bytes.map(|bytes| Message::from_vec(&bytes).unwrap()))
    }
}

fn texts(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}

#[test]
fn the_resolvers_or_the_students_network_decides() {
    let asking = Asking::new();
    for (peer, subnet, wanted) in [
        ("10.0.0.1", None, "192.0.2.1"),
        ("10.9.0.1", None, "192.0.2.2"),
        // A resolver of another province tells where the student is.
        ("10.9.0.1", Some(("10.0.5.0", 24)), "192.0.2.1"),
        ("10.0.0.1", Some(("10.9.5.0", 24)), "192.0.2.2"),
        // Who does not wish to be told of is where the resolver is.
        ("10.0.0.1", Some(("0.0.0.0", 0)), "192.0.2.1"),
    ] {
        let asked = match subnet {
            None => question(LESSONS, RecordType::A),
            Some((network, length)) => with_subnet(LESSONS, RecordType::A, network, length),
        };
        let (outcome, told) = asking.ask_from(peer, &asked);
        let told = told.unwrap();
        assert_eq!(
            (outcome, texts(&told)),
            (DnsOutcome::Answered, vec![wanted.to_owned()]),
            "{peer} {subnet:?}"
        );
        assert!(told.metadata.authoritative && !told.metadata.recursion_available && told.metadata.id == 7);
        assert_eq!(told.answers[0].ttl, 30);
        let scope = told.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Subnet) {
            Some(EdnsOption::Subnet(subnet)) => Some((subnet.source_prefix(), subnet.scope_prefix())),
            _ => None,
        });
        // RFC 7871 §7.2.1; and no EDNS where there was none (RFC 6891 §7).
        assert_eq!(scope, subnet.map(|(_, length)| (length, length)), "{peer} {subnet:?}");
    }
}

#[test]
fn each_kind_of_record_has_its_answer() {
    let asking = Asking::new();
    let ask = |name: &str, kind| asking.ask_from("10.0.0.1", &question(name, kind));
    let (_, told) = ask(LESSONS, RecordType::AAAA);
    assert_eq!(texts(&told.unwrap()), ["2001:db8::1"]);
    let (_, told) = ask("LESSONS.Example.", RecordType::HTTPS);
    let told = told.unwrap();
    let services = texts(&told);
    assert_eq!(services.len(), 2, "{services:?}");
    assert!(
        services[0].starts_with("1 one.example. alpn=") && services[0].contains("ipv6hint=2001:db8::1"),
        "{services:?}"
    );
    assert!(services[1].starts_with("2 two.example. ") && services[1].contains("port=8443"), "{services:?}");
    // As it was asked, to the letter: resolvers compare (0x20).
    assert_eq!(told.answers[0].name.to_ascii(), "LESSONS.Example.");

    let (outcome, told) = ask(LESSONS, RecordType::TXT);
    let told = told.unwrap();
    assert_eq!((outcome, told.metadata.response_code), (DnsOutcome::NoData, ResponseCode::NoError));
    assert_eq!(told.authorities[0].record_type(), RecordType::SOA);
    assert_eq!(texts(&ask(LESSONS, RecordType::NS).1.unwrap()), ["ns1.example."]);
    assert_eq!(ask(LESSONS, RecordType::SOA).1.unwrap().answers.len(), 1);
    for stranger in ["example.", "a.lessons.example."] {
        let (outcome, told) = ask(stranger, RecordType::A);
        assert_eq!(
            (outcome, told.unwrap().metadata.response_code),
            (DnsOutcome::Refused, ResponseCode::Refused)
        );
    }
}

#[test]
fn when_nobody_has_room_resolvers_keep_what_they_have() {
    let asking = Asking { desk: desk(), zone: zone() };
    let (outcome, told) = asking.ask_from("10.0.0.1", &question(LESSONS, RecordType::A));
    assert_eq!((outcome, told.unwrap().metadata.response_code), (DnsOutcome::Nobody, ResponseCode::ServFail));
}

#[test]
fn answers_grant_nothing_and_stay_for_a_network() {
    let asking = Asking::new();
    // The node has room for one student of 1.8 Mbit/s.
    for _ in 0..50 {
        let (_, told) = asking.ask_from("10.9.0.1", &with_subnet(LESSONS, RecordType::A, "10.0.5.0", 24));
        assert_eq!(texts(&told.unwrap()), ["192.0.2.1"]);
    }
}

#[test]
fn what_is_no_question_is_answered_by_a_code_or_not_at_all() {
    let asking = Asking::new();
    let send = |message: &[u8]| asking.send("10.0.0.1", message, Transport::Udp, true);
    for short in [&b""[..], b"\0\x07", &[0; 11]] {
        assert_eq!(send(short).0, DnsOutcome::Ignored);
    }
    // Two servers that answered answers would do so for ever.
    let mut answer = question(LESSONS, RecordType::A).to_vec().unwrap();
    answer[2] |= 0x80;
    assert!(send(&answer).1.is_none());
    let code = |message: &[u8]| send(message).1.unwrap().metadata.response_code;
    let mut cut = question(LESSONS, RecordType::A).to_vec().unwrap();
    cut.truncate(20);
    assert_eq!(code(&cut), ResponseCode::FormErr);
    let mut two = question(LESSONS, RecordType::A);
    two.add_query(two.queries[0].clone());
    assert_eq!(code(&two.to_vec().unwrap()), ResponseCode::FormErr);
    let mut chaos = question(LESSONS, RecordType::TXT);
    chaos.queries[0].query_class = DNSClass::CH;
    assert_eq!(code(&chaos.to_vec().unwrap()), ResponseCode::Refused);
    let mut update = question(LESSONS, RecordType::A);
    update.metadata.op_code = OpCode::Notify;
    assert_eq!(code(&update.to_vec().unwrap()), ResponseCode::NotImp);
}

#[test]
fn who_asks_too_often_comes_by_tcp_or_is_dropped() {
    let asking = Asking::new();
    let mut asked = question(LESSONS, RecordType::HTTPS);
    for (id, transport, wanted) in
        [(1, Transport::Udp, Some(true)), (2, Transport::Udp, None), (1, Transport::Tcp, None)]
    {
        asked.metadata.id = id;
        let (outcome, told) = asking.send("10.0.0.1", &asked.to_vec().unwrap(), transport, false);
        let cut = told.map(|told| told.metadata.truncation && told.answers.is_empty());
        assert_eq!((outcome, cut), (DnsOutcome::Limited, wanted), "{id}");
    }
}

#[test]
fn answers_that_do_not_fit_a_datagram_are_cut() {
    let asking = Asking::new();
    let crowded = {
        let mut nodes = nodes();
        for node in &mut nodes.nodes {
            let report = node.report.as_mut().unwrap();
            report.addresses = (1..=40).map(|last| format!("192.0.2.{last}").parse().unwrap()).collect();
        }
        nodes
    };
    asking.desk.know(&crowded);
    let asked = question(LESSONS, RecordType::A);
    let (_, told) = asking.ask_from("10.0.0.1", &asked);
    assert!(told.unwrap().metadata.truncation, "512 bytes without EDNS");
    let (_, told) = asking.ask_from("10.0.0.1", &with_subnet(LESSONS, RecordType::A, "10.0.0.0", 24));
    assert_eq!(told.unwrap().answers.len(), 40);
    let (_, told) = asking.send("10.0.0.1", &asked.to_vec().unwrap(), Transport::Tcp, true);
    assert_eq!(told.unwrap().answers.len(), 40);
}

proptest! {
    #[test]
    fn no_message_is_too_strange(mut message in proptest::collection::vec(any::<u8>(), 0..300), plain in any::<bool>()) {
        let asking = Asking::new();
        if plain && message.len() > 12 {
            // One that looks like a question, with anything behind it.
            message[2..12].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        }
        let peer = "10.0.0.1".parse().unwrap();
        let told = answer(&asking.desk, &asking.zone, &message, peer, Transport::Udp, true);
        prop_assert!(told.bytes.is_none_or(|bytes| bytes.len() <= usize::from(MOST_LENGTH)));
    }
}
