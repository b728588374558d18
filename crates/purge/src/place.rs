//! A URL as an order names it: a host, and a path with its query.

use http::Uri;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest URL in an order.
const MAX_URL_BYTES: usize = 8 << 10;

/// A URL without its scheme, which a shared cache does not tell apart. Path and query are taken as they are written: nothing
/// is decoded, as in the cache's own keys.
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

    /// Another path and query on the same host.
    #[must_use]
    pub fn with_target(self, target: String) -> Self {
        Self { target, ..self }
    }
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
        let uri: Uri = text.parse().map_err(|_| WHOLE)?;
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
            &long,
        ] {
            assert!(text.parse::<Place>().is_err(), "{text:.40}");
        }
    }
}
