//! What makes two requests the same.

use package::Digest;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// `scheme://site/path?query` as a client asked, plus, where the response varies, the values it varies by.
///
/// The site is the client's host, in lower case, where the upstream is told it: one edge serves several sites (attack 36).
/// Where it is not, no answer depends on it, and the site is the group of servers that answers: who asks by a thousand
/// made-up hosts has one entry, and one question upstream. The path is taken as it is
/// written: dot segments, `//`, `;`, `\` and escapes are never resolved, because what the origin makes of them is the
/// origin's business, and two paths that it may tell apart must not share an answer (attacks 40 and 41).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CacheKey(Arc<str>);

/// Stands in no URL, so a primary key never equals a secondary one.
const VARIANT: char = '\n';
/// What tells a variant apart is kept as it is up to so many bytes. What is longer stands for itself by its digest: clients write
/// it, and a key is held by all that know of the variant.
const LONGEST_SECONDARY: usize = 128;

/// The site of all hosts for which the group `name` answers without being told which. No host is written so.
pub(crate) fn site_of_group(name: &str) -> String {
    format!("<{name}>")
}

impl CacheKey {
    /// The key of a target.
    pub(crate) fn primary(scheme: &str, site: &str, path_and_query: &str) -> Self {
        // One is made for each request, so the room to put it together in is kept.
        thread_local! {
            static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
        }
        TEXT.with_borrow_mut(|text| {
            text.clear();
            text.push_str(scheme);
            text.push_str("://");
            text.push_str(site);
            text.push_str(path_and_query);
            Self(text.as_str().into())
        })
    }

    /// The key of one variant of it. `generation` is that of the list of variants: what has been invalidated is under
    /// keys that nobody makes again.
    pub(crate) fn variant(&self, generation: u64, secondary: &str) -> Self {
        if secondary.len() > LONGEST_SECONDARY {
            // No secondary key has a line break in it, so none is taken for a digest.
            let digest = Digest::of(secondary.as_bytes());
            return Self(format!("{}{VARIANT}{generation:x}{VARIANT}{VARIANT}{digest}", self.0).into());
        }
        Self(format!("{}{VARIANT}{generation:x}{VARIANT}{secondary}", self.0).into())
    }

    /// The key of one block of what stands here. A generation has blocks or variants, never both.
    pub(crate) fn block(&self, generation: u64, index: u64) -> Self {
        Self(format!("{}{VARIANT}{generation:x}{VARIANT}#{index:x}", self.0).into())
    }

    /// What tells it from its primary key; nothing where it is one.
    pub(crate) fn rest(&self) -> &str {
        self.0.find(VARIANT).map_or("", |at| &self.0[at..])
    }

    /// The same with another [`Self::rest`].
    pub(crate) fn with_rest(&self, rest: &str) -> Self {
        let primary = &self.0[..self.0.len() - self.rest().len()];
        Self([primary, rest].concat().into())
    }

    /// Whether it is `primary` or one of its variants.
    pub(crate) fn is_of(&self, primary: &Self) -> bool {
        self.0.strip_prefix(&*primary.0).is_some_and(|rest| rest.is_empty() || rest.starts_with(VARIANT))
    }

    /// As the disk tier knows it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key of which these are the bytes.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(|text| Self(text.into()))
    }

    /// The site, and what follows it; without scheme and variant.
    pub(crate) fn site_and_target(&self) -> (&str, &str) {
        let url = self.0.split(VARIANT).next().unwrap_or_default();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    }

    /// Bytes it holds in memory.
    pub(crate) fn weight(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split(VARIANT).next().unwrap_or_default())
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_36_host_scheme_port_path_and_query_all_count() {
        // A key without host or scheme serves one site's page as another's.
        let key = CacheKey::primary("http", "a:80", "/x?y");
        for other in [
            CacheKey::primary("https", "a:80", "/x?y"),
            CacheKey::primary("http", "b:80", "/x?y"),
            CacheKey::primary("http", "a:81", "/x?y"),
            CacheKey::primary("http", "a:80", "/X?y"),
            CacheKey::primary("http", "a:80", "/x?z"),
            key.variant(0, ""),
        ] {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn attacks_40_and_41_paths_are_taken_as_they_are_written() {
        let paths = [
            "/api/me",
            "/api/me/",
            "/api/me/x.ts",
            "/api/me;x.ts",
            "/api/me%2fx.ts",
            "/api/me%2Fx.ts",
            "/api//me",
            "/api/./me",
            "/api/../api/me",
            "/api/..%2fapi/me",
            "/api/me%00",
            "/api/me%2500",
            "/api\\me",
            "/API/me",
        ];
        let keys: std::collections::HashSet<_> =
            paths.iter().map(|path| CacheKey::primary("http", "a", path)).collect();
        assert_eq!(keys.len(), paths.len());
    }

    #[test]
    fn variants_belong_to_their_url_alone() {
        let key = CacheKey::primary("http", "a", "/x");
        assert!(key.is_of(&key) && key.variant(1, "s").is_of(&key));
        assert!(!CacheKey::primary("http", "a", "/xy").is_of(&key));
        assert_ne!(key.variant(1, "s"), key.variant(2, "s"));
        assert_eq!((key.rest(), key.with_rest(key.variant(1, "s").rest())), ("", key.variant(1, "s")));
        assert_eq!(key.variant(1, "s").with_rest(""), key);
    }

    #[test]
    fn attack_45_a_variant_s_key_is_short_whatever_clients_send() {
        let key = CacheKey::primary("http", "a", "/x");
        let (one, other) = ("1".repeat(24_000), "1".repeat(24_001));
        let keys = [&one, &other].map(|secondary| key.variant(1, secondary));
        assert_ne!(keys[0], keys[1]);
        assert!(keys.iter().all(|variant| variant.rest().len() < 200 && variant.is_of(&key)), "{keys:?}");
        // Nobody who sends the digest gets what stands for it.
        let sent = keys[0].rest().rsplit(VARIANT).next().unwrap();
        assert_ne!(key.variant(1, sent), keys[0]);
    }

    #[test]
    fn a_key_tells_its_site_and_target() {
        for target in ["/x?y=http://b/z", "/"] {
            let key = CacheKey::primary("http", "a:80", target);
            assert_eq!(key.site_and_target(), ("a:80", target));
            assert_eq!(key.variant(1, "/s").site_and_target(), ("a:80", target));
            let of_group = CacheKey::primary("http", &site_of_group("lessons"), target);
            assert_eq!(of_group.site_and_target(), ("<lessons>", target));
        }
        // No client's host is taken for a group.
        assert!(site_of_group("lessons").parse::<http::uri::Authority>().is_err());
    }
}
