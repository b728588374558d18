//! One order: what is to go, when it was given and until when it counts.

use crate::place::Place;
use crate::surrogate::SurrogateKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The longest name of a group of nodes.
const MAX_GROUP_BYTES: usize = 64;

/// An order to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    kind: Kind,
    /// No two orders share one.
    pub id: OrderId,
    /// By the clock of who gives it.
    pub made_at: Timestamp,
    /// From this moment on nobody obeys it any more.
    pub expires_at: Timestamp,
    /// For the nodes of this group alone; left out: for those that are in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// What is to go.
    pub what: What,
    /// How far.
    pub mode: Mode,
}

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// One URL, with its query, in all its variants.
    Url(Place),
    /// All URLs that begin so; the host is whole, the path need not end at a slash.
    Prefix(Place),
    /// All responses that their origin has labelled so (Surrogate-Key, Cache-Tag).
    SurrogateKey {
        /// The label, compared as it is written.
        key: SurrogateKey,
        /// Of this site alone; left out: of all sites of the node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
}

/// How far a response goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is gone: nobody gets it again, whatever becomes of the origin.
    Hard,
    /// It is stale from now on: asked about before it is used, and still there while that is done (RFC 5861 §3) and when
    /// the origin fails (§4), as far as it allows that.
    Soft,
}

/// An order's name: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderId(u128);

/// A group of nodes, as a token of at most 64 letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Group(String);

/// What kind of paper this is; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "airclass-purge/1")]
    Purge1,
}

impl Order {
    /// An order given at `made_at` that counts for `life`.
    ///
    /// # Errors
    /// When there is no such time, or the system gives no randomness for its name.
    pub fn new(
        what: What,
        mode: Mode,
        group: Option<Group>,
        made_at: Timestamp,
        life: Duration,
    ) -> Result<Self, &'static str> {
        let expires_at = made_at.checked_add(life).map_err(|_| "an order cannot live that long")?;
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| "the system gives no randomness for an order's id")?;
        let id = OrderId(u128::from_be_bytes(id));
        Ok(Self { kind: Kind::Purge1, id, made_at, expires_at, group, what, mode })
    }

    /// Reads the text that was signed; `None` when it is no order.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text that is signed.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("our types have string keys and no failing serializer")
    }
}

impl What {
    /// Whether a URL, by its host without a default port and by its path and query, is one that this is about. For a
    /// surrogate key that depends on the response as well.
    pub fn is_about(&self, host: &str, target: &str) -> bool {
        match self {
            Self::Url(place) => place.host() == host && place.is(target),
            Self::Prefix(place) => place.host() == host && place.begins(target),
            Self::SurrogateKey { host: only, .. } => only.as_deref().is_none_or(|only| only == host),
        }
    }

    /// The host that it is about; `None`: every one.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Url(place) | Self::Prefix(place) => Some(place.host()),
            Self::SurrogateKey { host, .. } => host.as_deref(),
        }
    }

    /// Which label a response must carry; `None`: its URL is enough.
    pub fn key(&self) -> Option<&SurrogateKey> {
        match self {
            Self::SurrogateKey { key, .. } => Some(key),
            Self::Url(_) | Self::Prefix(_) => None,
        }
    }

    /// Bytes of its text in JSON, in which quotation marks and backslashes take two.
    pub fn json_bytes(&self) -> usize {
        let bytes = |text: &str| {
            text.bytes().map(|byte| 1 + usize::from(matches!(byte, b'"' | b'\\'))).sum::<usize>()
        };
        match self {
            Self::Url(place) | Self::Prefix(place) => {
                "http://".len() + bytes(place.host()) + bytes(place.target())
            }
            Self::SurrogateKey { key, host } => bytes(key.as_str()) + host.as_deref().map_or(0, bytes),
        }
    }

    /// For logs: which of the three.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Prefix(_) => "prefix",
            Self::SurrogateKey { .. } => "surrogate_key",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(place) | Self::Prefix(place) => place.fmt(f),
            Self::SurrogateKey { key, host: Some(host) } => write!(f, "{key} of {host}"),
            Self::SurrogateKey { key, host: None } => key.fmt(f),
        }
    }
}

impl Mode {
    /// As JSON names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
        }
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for OrderId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        // One spelling only: `from_str_radix` takes a sign and capitals as well.
        let spelt = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(&text, 16).ok().filter(|_| spelt);
        number.map(Self).ok_or("an order's id is 32 digits of 0-9 a-f")
    }
}

impl From<OrderId> for String {
    fn from(id: OrderId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Group {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let sound = (1..=MAX_GROUP_BYTES).contains(&text.len()) && text.bytes().all(plain);
        sound.then(|| Self(text.to_owned())).ok_or("a group is letters, digits, `-`, `_` and `.`, at most 64")
    }
}

impl TryFrom<String> for Group {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl From<Group> for String {
    fn from(group: Group) -> Self {
        group.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(more: &str) -> String {
        let id = "0".repeat(32);
        format!(
            r#"{{"kind":"airclass-purge/1","id":"{id}","made_at":"2026-09-01T08:00:00Z",
            "expires_at":"2026-09-01T08:01:00Z",{more}}}"#
        )
    }

    #[test]
    fn what_is_an_order_and_what_is_none() {
        for (more, sound) in [
            (r#""what":{"url":"http://a/x?y"},"mode":"hard""#, true),
            (r#""what":{"prefix":"https://a/"},"mode":"soft""#, true),
            (r#""what":{"surrogate_key":{"key":"lesson-7"}},"mode":"soft""#, true),
            (r#""what":{"surrogate_key":{"key":"lesson-7","host":"a"}},"mode":"soft","group":"west""#, true),
            (r#""what":{"url":"http://a/x"}"#, false),
            (r#""what":{"url":"http://a/x"},"mode":"gentle""#, false),
            (r#""what":{"url":"/x"},"mode":"hard""#, false),
            (r#""what":{},"mode":"hard""#, false),
            (r#""what":{"url":"http://a/x","prefix":"http://a/"},"mode":"hard""#, false),
            (r#""what":{"surrogate_key":{"key":"two words"}},"mode":"hard""#, false),
            (r#""what":{"surrogate_key":{"key":"k","path":"/"}},"mode":"hard""#, false),
            (r#""what":{"url":"http://a/x"},"mode":"hard","force":true"#, false),
            (r#""what":{"url":"http://a/x"},"mode":"hard","mode":"soft""#, false),
            (r#""what":{"url":"http://a/x"},"mode":"hard","group":"a b""#, false),
        ] {
            assert_eq!(Order::parse(&text(more)).is_some(), sound, "{more}");
        }
        let good = text(r#""what":{"url":"http://a/x"},"mode":"hard""#);
        for (from, to) in [
            ("purge/1", "manifest/1"),
            ("\"00000", "\"+0000"),
            ("08:00:00Z", "08:00:00"),
            ("{\"kind", "[{\"kind"),
        ] {
            assert!(Order::parse(&good.replacen(from, to, 1)).is_none(), "{to}");
        }
    }

    #[test]
    fn what_an_order_takes_in_json() {
        for (what, written) in [
            (What::Url("https://a/\\\"x".parse().unwrap()), r#"{"url":""}"#),
            (What::Prefix("http://a:81/x".parse().unwrap()), r#"{"prefix":""}"#),
            (
                What::SurrogateKey { key: "k\\\"".parse().unwrap(), host: Some("a".to_owned()) },
                r#"{"surrogate_key":{"key":"","host":""}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&what).unwrap().len(), written.len() + what.json_bytes());
        }
    }

    #[test]
    fn what_an_order_is_about() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        let key = |host: Option<&str>| What::SurrogateKey {
            key: "k".parse().unwrap(),
            host: host.map(str::to_owned),
        };
        for (what, host, target, about) in [
            (What::Url(place("https://a/x?y")), "a", "/x?y", true),
            (What::Url(place("https://a/x?y")), "a", "/x?yz", false),
            (What::Url(place("https://a/x")), "b", "/x", false),
            (What::Prefix(place("http://a/x/")), "a", "/x/y?z", true),
            (What::Prefix(place("http://a/x/")), "a", "/x", false),
            (What::Prefix(place("http://a/x")), "a", "/xy", true),
            // The host is whole: a prefix does not reach into another site.
            (What::Prefix(place("http://a")), "a.evil", "/", false),
            (What::Prefix(place("http://a")), "a", "/anything", true),
            (key(None), "b", "/", true),
            (key(Some("a")), "b", "/", false),
        ] {
            assert_eq!(what.is_about(host, target), about, "{what} {host}{target}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            host in "[a-z][a-z0-9.]{0,10}", path in "/[a-zA-Z0-9/%._-]{0,30}", kind in 0..3u8, soft: bool,
            group in prop::option::of("[a-z0-9.-]{1,20}"), life in 1..600u64,
        ) {
            let place: Place = format!("https://{host}{path}").parse().unwrap();
            let what = match kind {
                0 => What::Url(place),
                1 => What::Prefix(place),
                _ => What::SurrogateKey { key: "a/b".parse().unwrap(), host: Some(host) },
            };
            let mode = if soft { Mode::Soft } else { Mode::Hard };
            let group = group.map(|group| group.parse().unwrap());
            let made_at = Timestamp::from_second(1_788_249_600).unwrap();
            let order = Order::new(what, mode, group, made_at, Duration::from_secs(life)).unwrap();
            prop_assert_eq!(Order::parse(&order.to_text()), Some(order));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = Order::parse(&text);
        }
    }
}
