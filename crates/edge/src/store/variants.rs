//! The variants of one URL: what tells them apart, and which there are.

use crate::key::CacheKey;
use http::HeaderMap;
use httpcache::vary::VaryNames;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Variants kept of one URL; beyond it the oldest goes. Codings and languages make a dozen; a Vary on a field that
/// clients fill as they like would otherwise push out everything else (attack 45).
pub(crate) const MAX_VARIANTS: usize = 32;

/// The sign-post that stands at a URL whose response varies.
#[derive(Debug)]
pub(crate) struct Variants {
    names: VaryNames,
    generation: u64,
    /// What tells their keys from the primary one, which would be held once more with each.
    known: Mutex<VecDeque<Box<str>>>,
    /// It has come back from a disk: memory may hold some from before it was evicted.
    is_restored: bool,
}

impl Variants {
    /// A list without members.
    pub(crate) fn new(names: VaryNames) -> Self {
        let generation = super::next_generation();
        Self { names, generation, known: Mutex::default(), is_restored: false }
    }

    /// The list that the disk knows by `generation`.
    pub(crate) fn restored(names: VaryNames, generation: u64) -> Self {
        Self { names, generation, known: Mutex::default(), is_restored: true }
    }

    /// Under which its variants stand.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The request fields that tell them apart.
    pub(crate) fn names(&self) -> &VaryNames {
        &self.names
    }

    /// Where the variant for `request` stands, if it is there.
    pub(crate) fn key(&self, primary: &CacheKey, request: &HeaderMap) -> CacheKey {
        primary.variant(self.generation, &self.names.secondary_key(request))
    }

    /// Where a variant in the client's own language may stand beside.
    pub(crate) fn own_language_key(&self, primary: &CacheKey, request: &HeaderMap) -> Option<CacheKey> {
        Some(primary.variant(self.generation, &self.names.own_language_key(request)?))
    }

    /// Where `response` is found by its own language.
    pub(crate) fn written_language_key(
        &self,
        primary: &CacheKey,
        request: &HeaderMap,
        response: &HeaderMap,
    ) -> Option<CacheKey> {
        Some(primary.variant(self.generation, &self.names.written_language_key(request, response)?))
    }

    /// Under which keys something stands at `primary`, or has stood not long ago.
    pub(crate) fn known(&self, primary: &CacheKey) -> Vec<CacheKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|rest| primary.with_rest(rest)).collect()
    }

    /// Whether there may be others in memory than those that it knows.
    pub(crate) fn is_restored(&self) -> bool {
        self.is_restored
    }

    /// Bytes that it holds in memory for those that it knows.
    pub(crate) fn weight(&self) -> u32 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: usize = known.iter().map(|rest| rest.len() + size_of::<Box<str>>()).sum();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// Notes that something stands under `key`; gives the key of what has to go for it.
    pub(crate) fn note(&self, key: &CacheKey) -> Option<CacheKey> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|rest| **rest == *key.rest()) {
            return None;
        }
        known.push_back(key.rest().into());
        let gone = if known.len() > MAX_VARIANTS { known.pop_front() } else { None };
        gone.map(|rest| key.with_rest(&rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn attack_45_there_are_never_more_than_so_many() {
        let mut vary = HeaderMap::new();
        vary.insert("vary", HeaderValue::from_static("user-agent"));
        let variants = Variants::new(httpcache::vary::names(&vary).unwrap());
        let primary = CacheKey::primary("http", "a", "/x");
        let mut standing = Vec::new();
        for n in 0..1_000 {
            let mut request = HeaderMap::new();
            request.insert("user-agent", HeaderValue::from(n));
            let key = variants.key(&primary, &request);
            standing.push(key.clone());
            if let Some(gone) = variants.note(&key) {
                standing.retain(|known| *known != gone);
            }
            assert!(variants.note(&key).is_none());
            assert!(standing.len() <= MAX_VARIANTS);
            assert_eq!(variants.known(&primary), standing);
        }
    }
}
