//! Digests of a representation (RFC 9530): what is asked for, said and read, in SHA-256 alone.

use http::{HeaderMap, HeaderName, HeaderValue};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

/// Of the whole representation, whichever part of it is sent (§3).
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
/// Which digests a client would like (§4).
pub const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");

const SHA_256: &str = "sha-256";

/// Whether the client would like to know the SHA-256: it gives it a weight above zero (§4).
pub fn is_wanted(request: &HeaderMap) -> bool {
    match read(request, &WANT_REPR_DIGEST) {
        Some(BareItem::Integer(weight)) => i64::from(weight) > 0,
        _ => false,
    }
}

/// The SHA-256 that a response says its representation has; `None` where it says none that can be read.
pub fn stated(response: &HeaderMap) -> Option<[u8; 32]> {
    match read(response, &REPR_DIGEST)? {
        BareItem::ByteSequence(bytes) => bytes.try_into().ok(),
        _ => None,
    }
}

/// `Repr-Digest` with this SHA-256.
pub fn field(sha256: &[u8; 32]) -> Option<HeaderValue> {
    let mut dictionary = Dictionary::new();
    let key = sfv::KeyRef::from_str(SHA_256).ok()?.to_owned();
    dictionary.insert(key, Item::new(BareItem::ByteSequence(sha256.to_vec())).into());
    HeaderValue::try_from(sfv::FieldType::serialize(&dictionary)?).ok()
}

/// What the lines of a Dictionary say of SHA-256.
fn read(headers: &HeaderMap, name: &HeaderName) -> Option<BareItem> {
    let lines = headers.get_all(name).iter();
    let text = lines.map(|line| line.to_str().ok()).collect::<Option<Vec<_>>>()?.join(",");
    let mut dictionary: Dictionary = Parser::new(&text).parse().ok()?;
    match dictionary.swap_remove(SHA_256)? {
        ListEntry::Item(item) => Some(item.bare_item),
        ListEntry::InnerList(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::headers;

    #[test]
    fn what_is_wanted_has_a_weight() {
        for (value, wanted) in [
            ("sha-256=10", true),
            ("sha-512=3, sha-256=1", true),
            ("sha-256=0", false),
            ("sha-512=10", false),
            ("sha-256", false),
            ("sha-256=", false),
        ] {
            assert_eq!(is_wanted(&headers(&[("want-repr-digest", value)])), wanted, "{value}");
        }
        assert!(!is_wanted(&headers(&[])));
    }

    #[test]
    fn what_is_said_is_read_again() {
        // RFC 9530, Appendix B.1: {"hello": "world"} and a line feed.
        let said = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
        let digest = stated(&headers(&[("repr-digest", said)])).unwrap();
        assert_eq!(digest[..4], [0x44, 0xaf, 0xf4, 0xab]);
        assert_eq!(field(&digest).unwrap(), said);
        for nonsense in ["sha-256=:AAAA:", "sha-256=1", "sha-512=:RK/0:", "sha-256=:*:", ""] {
            assert_eq!(stated(&headers(&[("repr-digest", nonsense)])), None, "{nonsense}");
        }
    }
}
