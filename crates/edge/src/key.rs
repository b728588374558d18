//! What makes two requests the same.

use std::fmt;
use std::sync::Arc;

/// `scheme://authority/path?query` as it is asked of the upstream, plus, where the response varies, the values it
/// varies by.
///
/// The authority is the one that goes upstream, never one that a client makes up and the upstream does not see: what is
/// not in the key is not sent, and what is sent is in the key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CacheKey(Arc<str>);

/// Stands in no URL, so a primary key never equals a secondary one.
const VARIANT: char = '\n';

impl CacheKey {
    /// The key of a target.
    pub(crate) fn primary(scheme: &str, authority: &str, path_and_query: &str) -> Self {
        let mut key = String::with_capacity(scheme.len() + 3 + authority.len() + path_and_query.len());
        key.push_str(scheme);
        key.push_str("://");
        key.push_str(authority);
        key.push_str(path_and_query);
        Self(key.into())
    }

    /// The key of one variant of it.
    pub(crate) fn variant(&self, secondary: &str) -> Self {
        let mut key = String::with_capacity(self.0.len() + 1 + secondary.len());
        key.push_str(&self.0);
        key.push(VARIANT);
        key.push_str(secondary);
        Self(key.into())
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
    fn host_scheme_port_path_and_query_all_count() {
        // Attack 36: a key without host or scheme serves one site's page as another's.
        let key = CacheKey::primary("http", "a:80", "/x?y");
        for other in [
            CacheKey::primary("https", "a:80", "/x?y"),
            CacheKey::primary("http", "b:80", "/x?y"),
            CacheKey::primary("http", "a:81", "/x?y"),
            CacheKey::primary("http", "a:80", "/X?y"),
            CacheKey::primary("http", "a:80", "/x?z"),
            key.variant(""),
        ] {
            assert_ne!(key, other);
        }
    }
}
