//! What a service shows on its admin listener beside metrics and readiness: a JSON text a path.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

type Page = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// Texts by path, made when they are asked for, on the admin listener's thread.
#[derive(Default)]
pub struct Pages(RwLock<BTreeMap<&'static str, Page>>);

impl Pages {
    /// From now on `page` makes the JSON text at `path`.
    pub fn route(&self, path: &'static str, page: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path, Arc::new(page));
    }

    /// The text at `path`.
    pub(crate) fn at(&self, path: &str) -> Option<Vec<u8>> {
        let page = self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        page.map(|page| page())
    }
}
