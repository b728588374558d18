//! Reading list-valued fields: every line of a field, split at commas that stand outside quotes.

use http::{HeaderMap, HeaderName};
use sfv::{List, Parser};

/// Digests of the bytes that are sent, which are others where a part is (RFC 9530 §2; RFC 2616 §14.15).
pub const OF_CONTENT: [HeaderName; 2] =
    [HeaderName::from_static("content-digest"), HeaderName::from_static("content-md5")];

/// The members of a comma-separated field over all of its lines (RFC 9110 §5.3, §5.6.1), white space trimmed,
/// empty members left out. Bytes beyond ASCII are opaque (§5.5): a member that is no text is passed over, and no other for it.
pub fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    octets(headers, name).filter_map(|member| std::str::from_utf8(member).ok())
}

/// The same, whatever bytes a member is made of.
pub fn octets<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|line| parted(line.as_bytes(), true))
}

/// Whether all lines of a field are one List (RFC 9651 §4.2): where one of them is none, nobody can read the others.
pub fn is_list(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().ok());
    let text = lines.collect::<Option<Vec<_>>>().map(|lines| lines.join(","));
    text.is_some_and(|text| Parser::new(&text).parse::<List>().is_ok())
}

/// The members of a field of entity tags, in which `\` is a character like any other (RFC 9110 §8.8.3).
pub(crate) fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|line| parted(line.as_bytes(), false))
}

fn parted(line: &[u8], escapes: bool) -> impl Iterator<Item = &[u8]> {
    Members { rest: Some(line), escapes }.map(trimmed).filter(|member| !member.is_empty())
}

/// What stands between the commas of one line, empty or not, white space trimmed.
pub(crate) fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    Members { rest: Some(line), escapes: true }.map(trimmed)
}

/// Without optional white space around it (RFC 9110 §5.6.3).
pub(crate) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// One more than there are commas.
struct Members<'a> {
    rest: Option<&'a [u8]>,
    /// Whether `\` in quotes takes the meaning of the byte behind it (§5.6.4).
    escapes: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let mut quoted = false;
        let mut escaped = false;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = self.escapes,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    self.rest = Some(&rest[at + 1..]);
                    return Some(&rest[..at]);
                }
                _ => {}
            }
        }
        Some(rest)
    }
}

/// Fields as a table of cases writes them.
#[cfg(test)]
pub(crate) fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |&(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value));
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &'static str) -> Vec<&'static str> {
        parted(line.as_bytes(), true).map(|member| std::str::from_utf8(member).unwrap()).collect()
    }

    #[test]
    fn commas_inside_quotes_do_not_split() {
        assert_eq!(split(r#" a , b="1, 2" ,, c="\"," "#), ["a", r#"b="1, 2""#, r#"c="\",""#]);
    }

    #[test]
    fn an_open_quote_swallows_the_rest() {
        assert_eq!(split(r#"a, b="1, c"#), ["a", r#"b="1, c"#]);
    }

    #[test]
    fn bytes_beyond_ascii_hide_no_other_member() {
        // RFC 9110 §5.5
        for line in [&b"private, community=\"\xe5\xa4\xa7\""[..], b"\xff, private", b"private,\xe9"] {
            let mut headers = HeaderMap::new();
            headers.insert("a", http::HeaderValue::from_bytes(line).unwrap());
            let name = HeaderName::from_static("a");
            assert!(members(&headers, &name).any(|member| member == "private"), "{line:?}");
            assert_eq!(octets(&headers, &name).count(), 2);
        }
    }

    #[test]
    fn a_line_that_is_no_list_spoils_those_beside_it() {
        let name = HeaderName::from_static("cache-status");
        for (lines, is) in [
            (&["origin; hit", "parent; fwd=miss; fwd-status=304"][..], true),
            (&["\"a cache\"; hit; ttl=-1, b; detail=\"x\""], true),
            (&["HIT"], true),
            (&["HIT from cache.example (squid/6)"], false),
            (&["parent; hit", "???"], false),
            (&["parent; hit,"], false),
            (&["parent; hit", ""], false),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| ("cache-status", *line)).collect();
            assert_eq!(is_list(&headers(&fields), &name), is, "{lines:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(&name, http::HeaderValue::from_bytes(b"\xe5; hit").unwrap());
        assert!(!is_list(&headers, &name));
    }

    #[test]
    fn a_backslash_in_an_entity_tag_is_none_before_a_quote() {
        let headers = headers(&[("a", r#""a\", "b""#)]);
        let all: Vec<_> = tags(&headers, &HeaderName::from_static("a")).collect();
        assert_eq!(all, [&br#""a\""#[..], br#""b""#]);
    }
}
