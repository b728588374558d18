//! Surrogate keys: labels by which an origin groups its responses, so that one word takes all of them out.
//!
//! `Surrogate-Key: lesson-7 grade-3` with spaces, `Cache-Tag: lesson-7,grade-3` with commas; both are read, and each may stand
//! several times.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
/// The fields in which they stand.
pub const FIELDS: [HeaderName; 2] = [SURROGATE_KEY, CACHE_TAG];

/// The longest key that an order can name; a response's longer ones are never met.
pub const MAX_KEY_BYTES: usize = 1_024;
/// Keys of one response that are looked at. One with more is taken to carry every key: to fetch it again costs little, to
/// keep what should be gone is what orders are there to prevent.
pub const MAX_KEYS: usize = 256;

/// One key: visible ASCII without a comma, at most [`MAX_KEY_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SurrogateKey(String);

/// Whether a response with these fields carries `key`.
pub fn carries(headers: &HeaderMap, key: &SurrogateKey) -> bool {
    let keys = |name, separator: fn(u8) -> bool| {
        headers
            .get_all(name)
            .into_iter()
            .flat_map(move |value: &HeaderValue| value.as_bytes().split(move |&byte| separator(byte)))
    };
    let keys = keys(SURROGATE_KEY, |byte| matches!(byte, b' ' | b'\t'))
        .chain(keys(CACHE_TAG, |byte| matches!(byte, b',' | b' ' | b'\t')))
        .filter(|label| !label.is_empty());
    for (at, label) in keys.enumerate() {
        if at == MAX_KEYS || label == key.0.as_bytes() {
            return true;
        }
    }
    false
}

impl SurrogateKey {
    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SurrogateKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let sound = (1..=MAX_KEY_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        sound
            .then(|| Self(text.to_owned()))
            .ok_or("must be letters, digits and signs without spaces and commas, at most 1024")
    }
}

impl TryFrom<String> for SurrogateKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl From<SurrogateKey> for String {
    fn from(key: SurrogateKey) -> Self {
        key.0
    }
}

impl fmt::Display for SurrogateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_response() {
        let many = (0..MAX_KEYS).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let too_many = format!("{many} one-more");
        let key: SurrogateKey = "k".parse().unwrap();
        for (fields, carried) in [
            (&[("surrogate-key", "k")][..], true),
            (&[("surrogate-key", "a  k\tb")], true),
            (&[("surrogate-key", "a"), ("surrogate-key", "k")], true),
            (&[("cache-tag", "a, k,b")], true),
            (&[("surrogate-key", "a"), ("cache-tag", "k")], true),
            (&[("surrogate-key", "a,k")], false),
            (&[("surrogate-key", "K kk k-")], false),
            (&[("cache-tag", "")], false),
            (&[("x-key", "k")], false),
            (&[("surrogate-key", &many)], false),
            (&[("surrogate-key", &too_many)], true),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(carries(&headers, &key), carried, "{fields:.80?}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for text in ["", "a b", "a,b", "课", "a\n", &"k".repeat(MAX_KEY_BYTES + 1)] {
            assert!(text.parse::<SurrogateKey>().is_err(), "{text:.20}");
        }
    }
}
