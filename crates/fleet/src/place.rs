//! Who a node is: province × carrier × owner × site, a number there, and how a certificate says so.
//!
//! `airclass://node/hubei/dianxin/acme/wuhan-1/3` and `airclass://person/telecom/zhang` stand as URIs in the subject's
//! alternative names (RFC 5280 §4.2.1.6). A name is written in one way only, so that texts can be compared.

use crate::person::Role;
use crate::province::Province;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest word of a name.
const MAX_WORD_BYTES: usize = 32;
/// What every name in a certificate begins with.
const SCHEME: &str = "airclass://";

/// A word of a name: small letters, digits and `-`, beginning with a letter or digit, at most 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Word(String);

/// Where a node stands and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Which province.
    pub province: Province,
    /// Whose network: `dianxin`, `yidong`, `liantong`, `tietong`, `jiaoyuwang`, `pengboshi`, `guangdian`, …: the list is open.
    pub carrier: Word,
    /// Who owns the machine and sets its limits.
    pub owner: Word,
    /// Which room.
    pub site: Word,
}

/// A node's name, whole: its place and its number there. No two nodes ever share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName {
    /// Where it stands.
    pub place: Place,
    /// From 1; a number is never given again.
    pub number: u32,
}

/// Someone who gives orders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Person {
    /// For whom he or she works.
    pub role: Role,
    /// Which.
    pub name: Word,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A node.
    Node(NodeName),
    /// A person.
    Person(Person),
}

impl Word {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let sound = (1..=MAX_WORD_BYTES).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        sound
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| format!("{text:?} is no word; give small letters, digits and `-`, at most 32"))
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no node; give province/carrier/owner/site/number, as hubei/dianxin/acme/wuhan-1/1"
            )
        };
        let words: Vec<&str> = text.split('/').collect();
        let [province, carrier, owner, site, number] = words[..] else { return Err(wrong()) };
        let place = Place {
            province: spelt(province)?,
            carrier: carrier.parse()?,
            owner: owner.parse()?,
            site: site.parse()?,
        };
        // One spelling only: no sign, no zeros in front.
        let counted: u32 = number.parse().map_err(|_| wrong())?;
        if counted == 0 || counted.to_string() != number {
            return Err(wrong());
        }
        Ok(Self { place, number: counted })
    }
}

/// In pinyin alone: a name has one spelling.
fn spelt(province: &str) -> Result<Province, String> {
    let known: Province = province.parse().map_err(|error: timetable::InvalidRegion| error.to_string())?;
    if known.as_str() == province { Ok(known) } else { Err(format!("{province:?} is written {known} here")) }
}

impl NodeName {
    /// As one word, for file names and metrics.
    pub fn as_label(&self) -> String {
        self.to_string().replace('/', ".")
    }
}

impl FromStr for Person {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, name) = text
            .split_once('/')
            .ok_or_else(|| format!("{text:?} is no person; give role/name, as edu/li"))?;
        Ok(Self { role: role.parse()?, name: name.parse()? })
    }
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix(SCHEME).ok_or("no name of ours")?;
        match name.split_once('/') {
            Some(("node", name)) => name.parse().map(Self::Node),
            Some(("person", name)) => name.parse().map(Self::Person),
            _ => Err("no name of ours".to_owned()),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.province, self.carrier, self.owner, self.site)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.number)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.role.as_str(), self.name)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "{SCHEME}node/{node}"),
            Self::Person(person) => write!(f, "{SCHEME}person/{person}"),
        }
    }
}

/// Texts as serde wants them, of what is parsed and displayed.
macro_rules! as_text {
    ($($what:ty),*) => {$(
        impl TryFrom<String> for $what {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$what> for String {
            fn from(what: $what) -> Self {
                what.to_string()
            }
        }
    )*};
}

as_text!(Word, NodeName, Person);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_have_one_spelling() {
        for (text, sound) in [
            ("airclass://node/hubei/dianxin/acme/wuhan-1/3", true),
            ("airclass://person/telecom/zhang", true),
            ("airclass://person/edu/li-4", true),
            ("airclass://node/hubei/dianxin/acme/wuhan-1", false),
            ("airclass://node/hubei/dianxin/acme/wuhan-1/0", false),
            ("airclass://node/hubei/dianxin/acme/wuhan-1/01", false),
            ("airclass://node/hubei/dianxin/acme/wuhan-1/+1", false),
            ("airclass://node/hubei/dianxin/acme/wuhan-1/1/", false),
            ("airclass://node/hubei/dianxin/acme//1", false),
            ("airclass://node/xpcc/dianxin/acme/shihezi-1/1", true),
            ("airclass://node/Hubei/dianxin/acme/a/1", false),
            ("airclass://node/湖北/dianxin/acme/a/1", false),
            ("airclass://node/hubei/dianxin/../a/1", false),
            ("airclass://person/root/zhang", false),
            ("AIRCLASS://person/edu/li", false),
            ("https://person/edu/li", false),
            ("", false),
        ] {
            let read = text.parse::<Identity>();
            assert_eq!(read.is_ok(), sound, "{text}");
            if let Ok(read) = read {
                assert_eq!(read.to_string(), text);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(airclass://)?\\PC{0,60}") {
            if let Ok(read) = text.parse::<Identity>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
