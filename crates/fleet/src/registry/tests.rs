use super::*;
use crate::order::{Kind, Target};
use crate::place::Person;
use crate::record::Sender;
use crate::report::{Acknowledged, Effect, Report};
use crate::token::Secret;
use signing::SigningKey;

const HOUR: Duration = Duration::from_secs(3_600);

/// A control without a world.
struct Desk {
    registry: Registry,
    key: SigningKey,
    lines: Vec<Vec<u8>>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_788_249_600 + second).unwrap()
}

fn place(site: &str) -> Place {
    let node: NodeName = format!("hubei/dianxin/acme/{site}/1").parse().unwrap();
    node.place
}

impl Desk {
    fn new() -> Self {
        Self { registry: Registry::default(), key: SigningKey::generate().unwrap(), lines: Vec::new() }
    }

    fn record(&mut self, event: Event) {
        let (last, hash) = self.registry.end();
        let person: Person = "telecom/zhang".parse().unwrap();
        let record = Record::new(last, hash, at(last as i64), Sender::Person(person), event, &self.key);
        self.lines.push(record.to_bytes());
        self.registry.apply(&record, &self.key.public()).unwrap();
    }

    fn token(&mut self, site: &str) -> TokenId {
        let token = Secret::new(Digest([0; 32])).unwrap().id();
        let made = self.registry.make_token(token, place(site), HOUR, at(0)).unwrap();
        self.record(made);
        token
    }

    fn enrol(&mut self, site: &str) -> NodeName {
        let token = self.token(site);
        let node = new(self.registry.welcome(&token, &key(1), at(1)));
        self.record(Event::Enrolled { token, node: node.clone(), key: key(1), until: at(1_000) });
        node
    }

    fn order(&mut self, kind: Kind, to: Target) -> u64 {
        let event = self.registry.order(Order { kind, to }).unwrap();
        self.record(event);
        self.registry.end().0
    }
}

fn new(welcome: Result<Welcome, Refusal>) -> NodeName {
    match welcome {
        Ok(Welcome::New(node)) => node,
        other => panic!("{other:?}"),
    }
}

fn key(byte: u8) -> Digest {
    Digest([byte; 32])
}

#[test]
fn a_token_brings_one_node_in_and_no_second() {
    let mut desk = Desk::new();
    let token = desk.token("wuhan-1");
    let stranger = Secret::new(Digest([0; 32])).unwrap().id();
    assert_eq!(desk.registry.welcome(&stranger, &key(1), at(1)), Err(Refusal::UnknownToken));
    assert_eq!(desk.registry.welcome(&token, &key(1), at(3_600)), Err(Refusal::TokenExpired));
    let node = new(desk.registry.welcome(&token, &key(1), at(3_599)));
    assert_eq!(node.to_string(), "hubei/dianxin/acme/wuhan-1/1");
    desk.record(Event::Enrolled { token, node: node.clone(), key: key(1), until: at(1_000) });
    assert_eq!(desk.registry.welcome(&token, &key(2), at(2)), Err(Refusal::TokenUsed));
    // Who has its key has not heard the answer.
    assert_eq!(desk.registry.welcome(&token, &key(1), at(999)), Ok(Welcome::Again(node)));
    assert_eq!(desk.registry.welcome(&token, &key(1), at(1_000)), Err(Refusal::TokenUsed));
    // The next at the same place is another.
    assert_eq!(desk.enrol("wuhan-1").number, 2);
    assert_eq!(desk.enrol("wuhan-2").number, 1);
    for valid in [Duration::ZERO, MAX_VALID + Duration::from_secs(1)] {
        let made = desk.registry.make_token(token, place("a"), valid, at(0));
        assert_eq!(made, Err(Refusal::TokenTooLong));
    }
}

#[test]
fn who_is_revoked_or_shows_an_old_key_is_nobody() {
    let mut desk = Desk::new();
    let node = desk.enrol("wuhan-1");
    assert!(desk.registry.admit(&node, &key(1), None).is_ok());
    assert_eq!(desk.registry.admit(&node, &key(2), None), Err(Refusal::OldCertificate));
    let renewed = |byte| Event::Renewed { node: node.clone(), key: key(byte), until: at(2_000) };
    desk.record(renewed(2));
    // The answer may have been lost, more than once: the old one counts until the new one is used.
    desk.record(renewed(2));
    desk.registry.heard(&node, &key(1));
    assert!(
        desk.registry.admit(&node, &key(1), None).is_ok()
            && desk.registry.admit(&node, &key(2), None).is_ok()
    );
    desk.registry.heard(&node, &key(2));
    assert_eq!(desk.registry.admit(&node, &key(1), None), Err(Refusal::OldCertificate));
    desk.record(renewed(3));
    assert!(
        desk.registry.admit(&node, &key(2), None).is_ok()
            && desk.registry.admit(&node, &key(3), None).is_ok()
    );
    let revoked = desk.registry.revoke(&node).unwrap();
    desk.record(revoked);
    assert_eq!(desk.registry.admit(&node, &key(3), None), Err(Refusal::Revoked));
    assert_eq!(desk.registry.revoke(&node), Err(Refusal::Revoked));
    let other: NodeName = "hubei/dianxin/acme/nowhere/1".parse().unwrap();
    assert_eq!(desk.registry.admit(&other, &key(1), None), Err(Refusal::UnknownNode));
    // Its number is not given again.
    assert_eq!(desk.enrol("wuhan-1").number, 2);
}

/// Every node that had renewed since the copy was made was nobody, and had to be enrolled anew by hand.
#[test]
fn a_certificate_that_was_issued_behind_an_older_copy_counts() {
    let mut desk = Desk::new();
    let node = desk.enrol("wuhan-1");
    let issued = at(desk.registry.end().0 as i64 - 1);
    let second = Duration::from_secs(1);
    for (since, counts) in [(issued - second, false), (issued, false), (issued + second, true)] {
        let admitted = desk.registry.admit(&node, &key(9), Some(since)).map(drop);
        assert_eq!(admitted, if counts { Ok(()) } else { Err(Refusal::OldCertificate) }, "{since}");
    }
    assert_eq!(desk.registry.regain(&node, &key(1), at(2_000)), None);
    let regained = desk.registry.regain(&node, &key(9), at(2_000)).unwrap();
    desk.record(regained);
    assert!(desk.registry.admit(&node, &key(9), None).is_ok());
    let revoked = desk.registry.revoke(&node).unwrap();
    desk.record(revoked);
    assert_eq!(desk.registry.admit(&node, &key(9), Some(at(9_000))), Err(Refusal::Revoked));
}

#[test]
fn orders_reach_whom_they_mean_and_are_acknowledged() {
    let mut desk = Desk::new();
    let (one, two) = (desk.enrol("wuhan-1"), desk.enrol("wuhan-2"));
    let all = desk.order(Kind::Purge(key(9)), Target::default());
    let only = Target { node: Some(two.clone()), ..Target::default() };
    let second = desk.order(Kind::Drain, only.clone());
    let elsewhere = desk.order(Kind::Drain, Target { province: "hunan".parse().ok(), ..Target::default() });
    let unknown = Target { node: "hubei/dianxin/acme/wuhan-1/7".parse().ok(), ..Target::default() };
    assert_eq!(desk.registry.order(Order { kind: Kind::Drain, to: unknown }), Err(Refusal::NobodyMeant));
    let given = |registry: &Registry, node: &NodeName, after, most| {
        let (orders, up_to) = registry.orders_for(node, after, most);
        (orders.into_iter().map(|(number, _)| number).collect::<Vec<_>>(), up_to)
    };
    assert_eq!(given(&desk.registry, &one, 0, 10), (vec![all], elsewhere));
    assert_eq!(given(&desk.registry, &two, 0, 10), (vec![all, second], elsewhere));
    assert_eq!(given(&desk.registry, &two, 0, 1), (vec![all], second - 1));
    assert_eq!(given(&desk.registry, &two, second, 10), (vec![], elsewhere));
    // One that came later.
    let late: NodeName = "hubei/dianxin/acme/late/1".parse().unwrap();
    desk.registry
        .nodes
        .insert(late.clone(), Member { joined: elsewhere + 1, ..desk.registry.nodes[&one].clone() });
    assert_eq!(given(&desk.registry, &late, 0, 10), (vec![], elsewhere));
    desk.registry.nodes.remove(&late);
    // A node that knows more than the control, which was set back, waits for it.
    assert_eq!(given(&desk.registry, &two, 1_000, 10), (vec![], 1_000));

    let mut report = Report {
        at: at(0),
        heard: 0,
        hash: None,
        effects: BTreeMap::new(),
        ready: true,
        readiness: Vec::new(),
        address: None,
        addresses: Vec::new(),
        capacity: serde_json::Value::Null,
        sends_bps: None,
        certificate_until: None,
        version: String::new(),
    };
    report.effects.insert(all, Effect::Done);
    let told = |number, report: &Report| {
        let (_, nodes) = desk.registry.meant(number).unwrap();
        Acknowledged::of(number, nodes, |node| (*node == two).then_some(report))
    };
    let acknowledged = told(all, &report);
    assert_eq!((acknowledged.done, acknowledged.waiting), (vec![two.clone()], vec![one]));
    assert!(!told(second, &report).is_whole());
    report.effects.insert(second, Effect::Refused("no".to_owned()));
    assert_eq!(told(second, &report).refused[&two], "no");
    // Nobody is there to obey.
    assert!(told(elsewhere, &report).is_whole());
    // What fell off the report was answered for.
    report.effects.clear();
    report.heard = second;
    assert!(told(second, &report).is_whole());
}

#[test]
fn a_chain_that_was_touched_is_found_out() {
    let mut desk = Desk::new();
    desk.enrol("wuhan-1");
    desk.order(Kind::Drain, Target::default());
    let read = |lines: &[Vec<u8>], key: &SigningKey| -> Result<(), (usize, ChainError)> {
        let mut registry = Registry::default();
        lines.iter().enumerate().try_for_each(|(at, line)| {
            let record = Record::parse(line).map_err(|error| (at, error))?;
            registry.apply(&record, &key.public()).map_err(|error| (at, error))
        })
    };
    assert_eq!(read(&desk.lines, &desk.key), Ok(()));
    let mut missing = desk.lines.clone();
    missing.remove(1);
    assert_eq!(read(&missing, &desk.key), Err((1, ChainError::Gap)));
    let changed = |at: usize, from: &str, to: &str| {
        let mut lines = desk.lines.clone();
        let text = String::from_utf8(lines[at].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        lines[at] = text.replacen(from, to, 1).into_bytes();
        lines
    };
    assert_eq!(read(&changed(1, "zhang", "wang"), &desk.key), Err((1, ChainError::Forged)));
    assert_eq!(read(&changed(2, "drain", "undrain"), &desk.key), Err((2, ChainError::Forged)));
    assert_eq!(read(&changed(1, "{", "["), &desk.key), Err((1, ChainError::Unreadable)));
    // Written anew by somebody else, and by the right key but without what went before.
    assert_eq!(read(&desk.lines, &SigningKey::generate().unwrap()), Err((0, ChainError::Forged)));
    let mut spliced = desk.lines.clone();
    let mut third = Record::parse(&spliced[2]).unwrap();
    third = Record::new(2, Record::before_all(), third.at, third.by, third.event, &desk.key);
    spliced[2] = third.to_bytes();
    assert_eq!(read(&spliced, &desk.key), Err((2, ChainError::Broken)));
}

#[test]
fn editions_of_what_is_free_only_grow() {
    let mut desk = Desk::new();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    assert_eq!(desk.registry.zero_rating(), None);
    let event = desk.registry.publish_zero_rating(3, one).unwrap().unwrap();
    desk.record(event);
    assert_eq!(desk.registry.zero_rating(), Some((3, one)));
    assert_eq!(
        desk.registry.publish_zero_rating(3, one),
        Ok(None),
        "an answer was lost: said again, it is the same"
    );
    for edition in [2, 3] {
        assert_eq!(desk.registry.publish_zero_rating(edition, two), Err(Refusal::OldEdition));
    }
    assert!(matches!(desk.registry.publish_zero_rating(4, two), Ok(Some(_))));
}

#[test]
fn bodies_last_as_long_as_somebody_may_ask_for_them() {
    let mut desk = Desk::new();
    let digest = |name: &str| Digest::of(name.as_bytes());
    let plan = |date: &str, name: &str| Kind::Plan { date: date.parse().unwrap(), body: digest(name) };
    let hubei = Target { province: Some(place("a").province), ..Target::default() };
    desk.order(Kind::Purge(digest("purge")), Target::default());
    desk.order(plan("2026-09-01", "first"), Target::default());
    desk.order(plan("2026-09-01", "second"), Target::default());
    desk.order(plan("2026-09-01", "hubei"), hubei);
    desk.order(plan("2027-01-04", "term"), Target::default());
    for edition in 1..=2 {
        let body = digest(&format!("free {edition}"));
        let event = desk.registry.publish_zero_rating(edition, body).unwrap().unwrap();
        desk.record(event);
    }
    for (today, names) in [
        ("2026-07-01", &["second", "hubei", "term", "free 2"][..]),
        ("2026-09-03", &["second", "hubei", "term", "free 2"]),
        ("2026-09-04", &["term", "free 2"]),
        ("2028-01-01", &["free 2"]),
    ] {
        let bodies: BTreeSet<_> = names.iter().map(|name| digest(name)).collect();
        assert_eq!(desk.registry.lasting_bodies(today.parse().unwrap()), bodies, "{today}");
    }
}
