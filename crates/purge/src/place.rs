//! A URL as an order names it: a host, and a path with its query.

use http::Uri;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The longest URL in an order.
const MAX_URL_BYTES: usize = 8 << 10;

/// A URL without its scheme, which a shared cache does not tell apart. Path and query are taken as they are written: nothing
/// is decoded, as in the cache's own keys. What is not ASCII is written as clients send it, who have no other way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place {
    host: String,
    target: String,
}

impl Place {
    /// In lower case, without a default port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path and query; begins with a slash.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Its target in the ways clients may write it: browsers have `%E8` for what curl sends as `%e8` (RFC 3986 §6.2.2.1).
    pub fn spellings(&self) -> BTreeSet<String> {
        let (upper, lower) = (char::to_ascii_uppercase, char::to_ascii_lowercase);
        [self.target.clone(), escapes(&self.target, upper).into(), escapes(&self.target, lower).into()].into()
    }

    /// Whether it is `target`, however the two write their escapes.
    pub(crate) fn is(&self, target: &str) -> bool {
        self.target == target || plain(&self.target) == plain(target)
    }

    /// Whether `target` begins with it, however the two write their escapes.
    pub(crate) fn begins(&self, target: &str) -> bool {
        target.starts_with(&self.target) || plain(target).starts_with(&*plain(&self.target))
    }

    /// Another path and query on the same host.
    #[must_use]
    pub fn with_target(self, target: String) -> Self {
        Self { target, ..self }
    }
}

/// `target` with its escapes in one spelling.
fn plain(target: &str) -> Cow<'_, str> {
    escapes(target, char::to_ascii_uppercase)
}

/// `target` with the digits of its escapes as `digit` writes them.
fn escapes(target: &str, digit: fn(&char) -> char) -> Cow<'_, str> {
    let mut parts = target.split('%');
    let mut written = parts.next().unwrap_or_default().to_owned();
    if written.len() == target.len() {
        return Cow::Borrowed(target);
    }
    for part in parts {
        written.push('%');
        let is_escape = |(digits, _): &(&str, &str)| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (digits, rest) = part.split_at_checked(2).filter(is_escape).unwrap_or(("", part));
        written.extend(digits.chars().map(|given| digit(&given)));
        written.push_str(rest);
    }
    Cow::Owned(written)
}

/// What follows the host of `url`, as clients send it: without anything that is not ASCII.
fn as_sent(url: &str) -> Cow<'_, str> {
    let host_from = url.find("://").map_or(0, |at| at + 3);
    let target_from = url[host_from..].find('/').map_or(url.len(), |at| host_from + at);
    if url[target_from..].is_ascii() {
        return Cow::Borrowed(url);
    }
    let mut sent = url[..target_from].to_owned();
    for byte in url[target_from..].bytes() {
        if byte.is_ascii() {
            sent.push(char::from(byte));
        } else {
            sent.push_str(&format!("%{byte:02X}"));
        }
    }
    Cow::Owned(sent)
}

/// A host as clients write it, without the port that both schemes have by themselves and the root's dot: `a:80`, `a:443`, `a.` and `a`
/// are one site.
pub fn bare_host(host: &str) -> &str {
    let host = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host);
    // Of two dots neither is the root's: that is no name, and one as it stands.
    host.strip_suffix('.').filter(|name| !name.is_empty() && !name.ends_with('.')).unwrap_or(host)
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WHOLE: &str = "must be a whole URL, http://HOST/PATH or https://HOST/PATH";
        // A fragment would be cut off without a word.
        if text.len() > MAX_URL_BYTES || text.contains('#') {
            return Err("must be at most 8 KiB long and without a fragment");
        }
        let uri: Uri = as_sent(text).parse().map_err(|_| WHOLE)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(WHOLE);
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(WHOLE)?;
        let host = bare_host(&authority.as_str().to_ascii_lowercase()).to_owned();
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        if host.is_empty() || !target.starts_with('/') {
            return Err(WHOLE);
        }
        Ok(Self { host, target })
    }
}

impl TryFrom<String> for Place {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.host, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_what_is_none() {
        for (text, host, target) in [
            ("http://a/x?y=z", "a", "/x?y=z"),
            ("HTTPS://Lessons.Example:443/A%2fb", "lessons.example", "/A%2fb"),
            ("http://a:80", "a", "/"),
            ("http://A.:80/x", "a", "/x"),
            ("http://a./x", "a", "/x"),
            ("http://a../x", "a..", "/x"),
            ("http://a:8080/../x//y;z", "a:8080", "/../x//y;z"),
            ("http://[::80]:80/", "[::80]", "/"),
            ("http://a/课.pdf?册=上", "a", "/%E8%AF%BE.pdf?%E5%86%8C=%E4%B8%8A"),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!((place.host(), place.target()), (host, target), "{text}");
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        let long = format!("http://a/{}", "x".repeat(MAX_URL_BYTES));
        for text in [
            "",
            "/x",
            "a/x",
            "ftp://a/x",
            "http://",
            "http://u@a/",
            "http://a/#x",
            "http://a/\nb",
            "http://a?x",
            "http://课/x",
            "http://a/课 文",
            &long,
        ] {
            assert!(text.parse::<Place>().is_err(), "{text:.40}");
        }
    }

    /// Who asked for a URL with the name of a book in it to be forgotten was told that nothing was held, and it was served on.
    #[test]
    fn a_url_is_the_same_however_its_escapes_are_written() {
        for (text, spellings) in [
            ("http://a/x", &["/x"][..]),
            ("http://a/课", &["/%E8%AF%BE", "/%e8%af%be"]),
            ("http://a/%e8%AF%zzA%a", &["/%E8%AF%zzA%a", "/%e8%AF%zzA%a", "/%e8%af%zzA%a"]),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.spellings().iter().collect::<Vec<_>>(), spellings, "{text}");
            assert!(spellings.iter().all(|spelling| place.is(spelling) && place.begins(spelling)), "{text}");
        }
        let place: Place = "http://a/%e8".parse().unwrap();
        assert!(place.begins("/%E8%AF") && place.begins("/%e8%AF") && !place.begins("/%AF"));
        assert!(!place.is("/%E8%AF") && !place.is("/\u{e8}"));
        // What is cut within an escape is taken as it is written.
        assert!("http://a/%e".parse::<Place>().unwrap().begins("/%e8"));
    }
}
