//! Whose node it is, and in whose network: province × carrier × owner × site.

use std::fmt;
use std::str::FromStr;
use timetable::Region;

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// Whose network it stands in. Written in pinyin, as carriers' own papers have it; what is not known is taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Carrier(String);

impl Carrier {
    /// Those that most networks belong to. `qita` is all others.
    pub const KNOWN: [&str; 11] = [
        "dianxin",
        "liantong",
        "yidong",
        "guangdian",
        "tietong",
        "jiaoyuwang",
        "pengboshi",
        "changkuan",
        "huashu",
        "kuanpin",
        "qita",
    ];

    /// As files and metrics write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Carrier {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let is_pinyin = (2..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_pinyin { Ok(Self(text.to_owned())) } else { Err(InvalidIdentity::Carrier(text.to_owned())) }
    }
}

/// Whose node, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Who owns the machine and is owed for its line.
    pub owner: String,
    /// The province.
    pub province: Region,
    /// The network.
    pub carrier: Carrier,
    /// The room, as the owner calls it.
    pub site: String,
}

/// A name that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// An owner's or a site's.
    #[error("is {0:?}; write 1 to 64 letters (Chinese, too), digits, \"-\", \"_\" and \".\"")]
    Name(String),
    /// A province's.
    #[error("is {0:?}; write it in pinyin (hubei, neimenggu, shaanxi, xpcc) or in Chinese")]
    Province(String),
    /// A carrier's.
    #[error(
        "is {0:?}; write it in pinyin: dianxin, liantong, yidong, guangdian, jiaoyuwang, …, or qita for any other"
    )]
    Carrier(String),
}

impl Identity {
    /// An owner or a site, if it is one.
    ///
    /// # Errors
    /// When it is empty, too long, or would not stand as a word of its own.
    pub fn name(text: &str) -> Result<String, InvalidIdentity> {
        let fits = (1..=MAX_NAME).contains(&text.chars().count());
        let is_word = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if fits && is_word { Ok(text.to_owned()) } else { Err(InvalidIdentity::Name(text.to_owned())) }
    }

    /// A province by its pinyin or its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn province(text: &str) -> Result<Region, InvalidIdentity> {
        let known = Region::ALL.into_iter().find(|region| region.as_str() == text || region.name() == text);
        known.ok_or_else(|| InvalidIdentity::Province(text.to_owned()))
    }
}

impl fmt::Display for Identity {
    /// `owner/province/carrier/site`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.owner, self.province.as_str(), self.carrier.as_str(), self.site)
    }
}
