//! Entity tags: opaque names of one representation's bytes (RFC 9110 §8.8.3).

use http::HeaderValue;

/// An entity tag. `W/"…"` is weak: it names what a representation means, not its bytes.
///
/// There is no `==`: two tags are compared strongly or weakly, and the caller has to say which.
#[derive(Debug, Clone)]
pub struct Etag(HeaderValue);

impl Etag {
    /// The tag in an `ETag` field, or `None` when it is none: such a field is as good as absent.
    pub fn parse(value: &HeaderValue) -> Option<Self> {
        is_etag(value.as_bytes()).then(|| Self(value.clone()))
    }

    /// A strong tag of `opaque`, or `None` when that holds a quote, a space or anything not printable.
    pub fn strong(opaque: &str) -> Option<Self> {
        let value = HeaderValue::from_str(&format!("\"{opaque}\"")).ok()?;
        Self::parse(&value)
    }

    /// For the field `ETag`.
    pub fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// Whether it says nothing about single bytes.
    pub fn is_weak(&self) -> bool {
        self.0.as_bytes().starts_with(b"W/")
    }

    /// Byte for byte the same representation: both strong, same opaque part (§8.8.3.2).
    pub fn is_strongly(&self, other: &[u8]) -> bool {
        !self.is_weak() && self.0.as_bytes() == other
    }

    /// As good as the same: same opaque part, weak or not (§8.8.3.2).
    pub fn is_weakly(&self, other: &[u8]) -> bool {
        opaque(self.0.as_bytes()) == opaque(other)
    }
}

/// `[ W/ ] DQUOTE *etagc DQUOTE`.
pub(crate) fn is_etag(text: &[u8]) -> bool {
    match opaque(text) {
        [b'"', inner @ .., b'"'] => inner.iter().all(|&byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)),
        _ => false,
    }
}

fn opaque(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"W/").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etag(text: &'static str) -> Option<Etag> {
        Etag::parse(&HeaderValue::from_static(text))
    }

    #[test]
    fn only_quoted_texts_are_tags() {
        for text in ["\"\"", "\"abc\"", "W/\"abc\"", "\"a,b\"", "\"!#~\""] {
            assert!(etag(text).is_some(), "{text}");
        }
        for text in ["", "abc", "\"", "\"abc", "abc\"", "w/\"abc\"", "W/abc", "\"a b\"", "\"a\"b\"", "*"] {
            assert!(etag(text).is_none(), "{text}");
        }
        assert!(
            Etag::strong("abc").is_some() && Etag::strong("a b").is_none() && Etag::strong("a\"").is_none()
        );
    }

    #[test]
    fn the_table_of_rfc_9110_8_8_3_2() {
        for (one, other, strong, weak) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ] {
            let tag = etag(one).unwrap();
            assert_eq!(tag.is_strongly(other.as_bytes()), strong, "{one} {other}");
            assert_eq!(tag.is_weakly(other.as_bytes()), weak, "{one} {other}");
        }
    }
}
