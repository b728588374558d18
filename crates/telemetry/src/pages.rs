//! What a service shows on its admin listener beside metrics and readiness: JSON texts, and files that never change.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

type Text = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

#[derive(Clone)]
enum Page {
    Json(Text),
    File { media_type: &'static str, bytes: &'static [u8] },
}

/// What is shown, by path. Texts are made when they are asked for, on the admin listener's thread.
#[derive(Default)]
pub struct Pages(RwLock<BTreeMap<&'static str, Page>>);

impl Pages {
    /// From now on `page` makes the JSON text at `path`.
    pub fn route(&self, path: &'static str, page: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
        self.insert(path, Page::Json(Arc::new(page)));
    }

    /// From now on `bytes` stand at `path`.
    pub fn file(&self, path: &'static str, media_type: &'static str, bytes: &'static [u8]) {
        self.insert(path, Page::File { media_type, bytes });
    }

    fn insert(&self, path: &'static str, page: Page) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path, page);
    }

    /// What is at `path`, and its media type.
    pub(crate) fn at(&self, path: &str) -> Option<(&'static str, Bytes)> {
        let page = self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        page.map(|page| match page {
            Page::Json(text) => ("application/json", text().into()),
            Page::File { media_type, bytes } => (media_type, Bytes::from_static(bytes)),
        })
    }
}
