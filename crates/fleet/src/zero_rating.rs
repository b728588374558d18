//! What carriers count as free: hosts and addresses from which lessons come, by province and carrier, signed, with what has changed.
//!
//! ```json
//! {"manifest":"{\"kind\":\"airclass-zero-rating/1\",\"edition\":3,…}","signatures":[{"key_id":"…","signature":"…"}]}
//! ```
//! A carrier reads the last editions out of `changes` instead of comparing lists; one that has missed more than are kept there
//! takes `entries` whole. What is taken out stays free until `keep_until` at least, so that nobody pays for a list that is a day old.

use crate::place::Word;
use crate::province::Province;
use crate::registry::Standing;
use crate::wire::{Node, Nodes};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use signing::{Signatures, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Changes that a manifest still tells: those of a school term.
pub const KEPT_CHANGES: usize = 512;
/// How long carriers may take to follow.
const GRACE: SignedDuration = SignedDuration::from_hours(72);

/// One edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    kind: Kind,
    /// Grows with every change.
    pub edition: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// What is free now, by province and carrier.
    pub entries: Vec<Entry>,
    /// The last [`KEPT_CHANGES`] changes, the newest last.
    pub changes: Vec<Change>,
}

/// What is free in one carrier's network of one province.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which province.
    pub province: Province,
    /// Whose network.
    pub carrier: Word,
    /// Hosts, as TLS names them (SNI).
    pub hosts: BTreeSet<String>,
    /// Networks, as `192.0.2.1/32`.
    pub prefixes: BTreeSet<String>,
}

/// What one edition has changed in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Since which edition.
    pub edition: u64,
    /// When.
    pub at: Timestamp,
    /// Which province.
    pub province: Province,
    /// Whose network.
    pub carrier: Word,
    /// Hosts and prefixes that are free from now on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub added: BTreeSet<String>,
    /// Those that are not used any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<String>,
    /// Until then what was removed is to stay free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
}

/// An edition in its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    /// Its text, exactly as it was signed.
    pub manifest: String,
    /// Who has signed it.
    pub signatures: Signatures,
}

/// What paper this is; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "airclass-zero-rating/1")]
    ZeroRating1,
}

type Places = BTreeMap<(Province, Word), (BTreeSet<String>, BTreeSet<String>)>;

impl Manifest {
    /// What `nodes` come to; `hosts` are everybody's, as that of the lessons' page. `previous` is the edition before. `None`:
    /// nothing has changed. A node that is not ready now is still one: its list must not change with every drain.
    pub fn next(previous: Option<&Self>, nodes: &Nodes, hosts: &[String], now: Timestamp) -> Option<Self> {
        let mut places = places(nodes, hosts);
        let before: Places = previous
            .map(|manifest| manifest.entries.iter())
            .into_iter()
            .flatten()
            .map(|entry| {
                ((entry.province, entry.carrier.clone()), (entry.hosts.clone(), entry.prefixes.clone()))
            })
            .collect();
        // What a node said that has not been heard since the control was started, nobody knows: nothing is taken out there.
        for node in nodes.nodes.iter().filter(|node| is_enrolled(node) && node.report.is_none()) {
            let key = (node.node.place.province, node.node.place.carrier.clone());
            if let Some((hosts, prefixes)) = before.get(&key) {
                let place = places.entry(key).or_default();
                place.0.extend(hosts.iter().cloned());
                place.1.extend(prefixes.iter().cloned());
            }
        }
        if previous.is_some() && places == before {
            return None;
        }
        let edition = previous.map_or(1, |manifest| manifest.edition + 1);
        let mut changes = previous.map(|manifest| manifest.changes.clone()).unwrap_or_default();
        let all: BTreeSet<_> = before.keys().chain(places.keys()).collect();
        for (province, carrier) in all {
            let key = (*province, carrier.clone());
            let of = |places: &Places| -> BTreeSet<String> {
                let found = places.get(&key).cloned().unwrap_or_default();
                found.0.into_iter().chain(found.1).collect()
            };
            let (old, new) = (of(&before), of(&places));
            let (added, removed): (BTreeSet<_>, BTreeSet<_>) =
                (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect());
            if added.is_empty() && removed.is_empty() {
                continue;
            }
            let keep_until = (!removed.is_empty()).then(|| now.checked_add(GRACE).unwrap_or(Timestamp::MAX));
            let (province, carrier) = key;
            changes.push(Change { edition, at: now, province, carrier, added, removed, keep_until });
        }
        let surplus = changes.len().saturating_sub(KEPT_CHANGES);
        changes.drain(..surplus);
        let entry = |((province, carrier), (hosts, prefixes))| Entry { province, carrier, hosts, prefixes };
        let entries = places.into_iter().map(entry).collect();
        Some(Self { kind: Kind::ZeroRating1, edition, made_at: now, entries, changes })
    }
}

impl SignedManifest {
    /// `manifest`, signed by `key`.
    pub fn by(manifest: &Manifest, key: &SigningKey) -> Self {
        let manifest =
            serde_json::to_string(manifest).expect("our types have string keys and no failing serializer");
        let mut signatures = Signatures::default();
        signatures.add(key.sign(manifest.as_bytes()));
        Self { manifest, signatures }
    }

    /// Reads an envelope and what is in it; `None` when it is none. Signatures are the reader's to judge.
    pub fn parse(bytes: &[u8]) -> Option<(Self, Manifest)> {
        let signed: Self = serde_json::from_slice(bytes).ok()?;
        let manifest = serde_json::from_str(&signed.manifest).ok()?;
        Some((signed, manifest))
    }
}

fn places(nodes: &Nodes, everybodys: &[String]) -> Places {
    let mut places = Places::new();
    for node in nodes.nodes.iter().filter(|node| is_enrolled(node)) {
        let Some(report) = &node.report else { continue };
        let key = (node.node.place.province, node.node.place.carrier.clone());
        let (hosts, prefixes) = places.entry(key).or_default();
        hosts.extend(everybodys.iter().cloned());
        hosts.extend(report.address.as_deref().and_then(host));
        prefixes.extend(report.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => format!("{address}/32"),
            IpAddr::V6(address) => format!("{address}/128"),
        }));
    }
    places
}

fn is_enrolled(node: &Node) -> bool {
    node.standing == Standing::Enrolled
}

/// The name in an address; one without a name is in the prefixes.
fn host(address: &str) -> Option<String> {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = authority.split(['/', ':']).next()?;
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nodes(list: &[(&str, &str, &str, &str)]) -> Nodes {
        let at = "2026-09-01T00:00:00Z";
        let node = |(name, address, ip, standing): &(&str, &str, &str, &str)| {
            json!({ "node": name, "since": at, "until": at, "standing": standing, "heard_at": at,
                "report": {"at": at, "heard": 0, "ready": false, "address": address, "addresses": [ip]} })
        };
        serde_json::from_value(json!({ "nodes": list.iter().map(node).collect::<Vec<_>>() })).unwrap()
    }

    #[test]
    fn editions_follow_the_fleet_and_say_what_has_changed() {
        let now: Timestamp = "2026-09-01T00:00:00Z".parse().unwrap();
        let one = ("hubei/dianxin/a/x/1", "https://A.example:8443", "192.0.2.1", "enrolled");
        let two = ("hunan/yidong/a/x/1", "http://192.0.2.9:8080", "2001:db8::1", "enrolled");
        let hosts = ["lessons.example".to_owned()];
        let first = Manifest::next(None, &nodes(&[one, two]), &hosts, now).unwrap();
        assert_eq!((first.edition, first.entries.len(), first.changes.len()), (1, 2, 2));
        let hubei = &first.entries[0];
        assert_eq!(hubei.hosts.iter().collect::<Vec<_>>(), ["a.example", "lessons.example"]);
        assert_eq!(hubei.prefixes.iter().collect::<Vec<_>>(), ["192.0.2.1/32"]);
        assert_eq!(first.entries[1].prefixes.iter().collect::<Vec<_>>(), ["2001:db8::1/128"]);
        assert_eq!(Manifest::next(Some(&first), &nodes(&[one, two]), &hosts, now), None);

        // The control was started anew, and a node is away: it is free still, and so is what others there say.
        let mut silent = nodes(&[one, two]);
        silent.nodes[1].report = None;
        assert_eq!(Manifest::next(Some(&first), &silent, &hosts, now), None);
        let other = ("hunan/yidong/a/x/2", "http://192.0.2.9:8080", "2001:db8::2", "enrolled");
        let mut silent = nodes(&[one, two, other]);
        silent.nodes[1].report = None;
        let more = Manifest::next(Some(&first), &silent, &hosts, now).unwrap();
        assert_eq!(
            more.entries[1].prefixes.iter().collect::<Vec<_>>(),
            ["2001:db8::1/128", "2001:db8::2/128"]
        );
        assert!(more.changes.last().unwrap().removed.is_empty());

        let gone = (two.0, two.1, two.2, "revoked");
        let second = Manifest::next(Some(&first), &nodes(&[one, gone]), &hosts, now).unwrap();
        assert_eq!((second.edition, second.entries.len()), (2, 1));
        let change = second.changes.last().unwrap();
        assert_eq!((change.edition, change.carrier.as_str(), change.removed.len()), (2, "yidong", 2));
        assert_eq!(change.keep_until, Some("2026-09-04T00:00:00Z".parse().unwrap()));

        let key = SigningKey::generate().unwrap();
        let sent = serde_json::to_vec(&SignedManifest::by(&second, &key)).unwrap();
        let (signed, read) = SignedManifest::parse(&sent).unwrap();
        assert_eq!(read, second);
        let signature = signed.signatures.iter().next().unwrap();
        assert!(key.public().verifies(signed.manifest.as_bytes(), signature));
        assert!(SignedManifest::parse(b"{}").is_none());
    }
}
