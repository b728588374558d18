//! Something in the store, as the representation a client asked for.

use crate::body::ReadError;
use crate::encode::{Form, MAX_TEXT, Texts};
use crate::front;
use crate::list::Listing;
use crate::metrics::Metrics;
use crate::response::{Content, Forms, Representation};
use crate::routes::Addressed;
use crate::stand_in;
use bytes::Bytes;
use feedback::Support;
use futures_util::TryStreamExt;
use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, Method};
use httpcache::accept_encoding::{Coding, choose};
use httpcache::etag::Etag;
use jiff::Timestamp;
use package::{CacheClass, Hasher, MediaType, StorePath};
use std::time::{Duration, UNIX_EPOCH};
use storage::{Meta, Reading, Store, StoreError};

/// What is served from, shared by all cores.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) store: Store,
    pub(crate) texts: Texts,
    /// For every single wait for the store.
    pub(crate) limit: Duration,
    /// Whom people may ask for help.
    pub(crate) support: Support,
}

/// Why an object that may be there cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store says nothing.
    #[error("the store gave nothing for {0:?}")]
    Timeout(Duration),
    /// A paper says something else than it must.
    #[error("{0}")]
    Damaged(String),
}

impl From<ReadError> for ObjectError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Timeout(limit) => Self::Timeout(limit),
        }
    }
}

impl ObjectError {
    /// A store that is gone altogether is logged once, by who watches it, and not by each of a thousand requests.
    pub(crate) fn is_of_one_object(&self) -> bool {
        match self {
            Self::Store(error) => !matches!(error, StoreError::NotThere { .. }),
            Self::Timeout(_) => false,
            Self::Damaged(_) => true,
        }
    }
}

impl Objects {
    /// The representation of an object for this request; `None` when there is no such object.
    pub(crate) async fn find(
        &self,
        object: &Addressed,
        method: &Method,
        request: &HeaderMap,
        metrics: &Metrics,
    ) -> Result<Option<Representation>, ObjectError> {
        let found = match takes_all(object, method, request) {
            true => self.within(self.store.read(&object.path)).await?,
            false => self.within(self.store.look(&object.path)).await?,
        };
        let Some(reading) = found else {
            // "There is none" is only true if the store is there: an unmounted disk must not empty the edges.
            self.within(self.store.check_absence()).await?;
            return Ok(match stand_in::of(&object.path, &self.support) {
                Some(bytes) => {
                    Some(self.made(object.cache, object.media_type.as_str(), bytes, request).await)
                }
                None => None,
            });
        };
        let meta = reading.meta();
        let (coding, etag, content) = if object.media_type.is_text() && meta.bytes <= MAX_TEXT {
            let plain = self.within(all(reading)).await?;
            self.encoded(plain, request).await
        } else {
            let content = Content::Store { reading, limit: self.limit, errors: metrics.store_errors() };
            (Forms::Only, stamp(object, meta), content)
        };
        Ok(Some(Representation {
            media_type: object.media_type.as_str(),
            cache: object.cache,
            etag,
            last_modified: Some(meta.modified),
            coding,
            content,
        }))
    }

    /// A page of the list; `None` when the catalogue has no such page.
    pub(crate) async fn list(
        &self,
        listing: &Listing,
        request: &HeaderMap,
    ) -> Result<Option<Representation>, ObjectError> {
        let Some(page) = listing.page(self).await? else { return Ok(None) };
        Ok(Some(self.made(CacheClass::Pointer, "text/html; charset=utf-8", page.into(), request).await))
    }

    /// The addresses of all that comes before a lesson.
    pub(crate) async fn front_page(
        &self,
        kept: &front::Kept,
        now: Timestamp,
        request: &HeaderMap,
    ) -> Result<Representation, ObjectError> {
        let list = self.front(kept, now).await?;
        Ok(self.made(CacheClass::Pointer, MediaType::Json.as_str(), list, request).await)
    }

    /// A small paper, whole; `None` when there is none.
    pub(crate) async fn paper(&self, path: &StorePath, most: usize) -> Result<Option<Bytes>, ObjectError> {
        let found = self.within(self.store.get(path, most)).await?;
        if found.is_none() {
            self.within(self.store.check_absence()).await?;
        }
        Ok(found.map(|found| found.bytes))
    }

    /// What is made here and lies in no store.
    async fn made(
        &self,
        cache: CacheClass,
        media_type: &'static str,
        plain: Bytes,
        request: &HeaderMap,
    ) -> Representation {
        let (coding, etag, content) = self.encoded(plain, request).await;
        Representation { media_type, cache, etag, last_modified: None, coding, content }
    }

    async fn encoded(&self, plain: Bytes, request: &HeaderMap) -> (Forms, Etag, Content) {
        let text = self.texts.text(plain).await;
        match &text.gzip {
            None => memory(Forms::Only, &text.plain),
            Some(gzip) if choose(request) == Coding::Gzip => memory(Forms::Gzip, gzip),
            Some(_) => memory(Forms::Plain, &text.plain),
        }
    }

    /// `work` of the store, but not for ever.
    async fn within<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, ObjectError> {
        match tokio::time::timeout(self.limit, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(ObjectError::Timeout(self.limit)),
        }
    }
}

fn memory(coding: Forms, form: &Form) -> (Forms, Etag, Content) {
    (coding, form.etag.clone(), Content::Memory(form.bytes.clone()))
}

/// Whether the answer is likely all of it. Of a text it always takes all to know its tag.
fn takes_all(object: &Addressed, method: &Method, request: &HeaderMap) -> bool {
    let less = [RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];
    object.media_type.is_text()
        || method != Method::HEAD && !less.iter().any(|field| request.contains_key(field))
}

/// The whole of a text, which is bounded by the caller.
async fn all(reading: Reading) -> Result<Bytes, StoreError> {
    let length = reading.meta().bytes;
    let blocks: Vec<Bytes> = reading.stream(0..length).try_collect().await?;
    Ok(match <[Bytes; 1]>::try_from(blocks) {
        Ok([one]) => one,
        Err(many) => many.concat().into(),
    })
}

/// The tag of what is not read: its path and length. For what is immutable the path says which bytes they are (it holds
/// the hash of a manifest that holds theirs), on every origin alike; the length keeps a damaged copy from being joined to a
/// whole one. What may change adds when it changed.
fn stamp(object: &Addressed, meta: Meta) -> Etag {
    let mut hasher = Hasher::new();
    hasher.update(object.path.as_str().as_bytes());
    hasher.update(&meta.bytes.to_be_bytes());
    if object.cache != CacheClass::Immutable {
        let modified = meta.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        hasher.update(&modified.as_nanos().to_be_bytes());
    }
    Etag::strong(&hasher.finish().to_string()[..32]).expect("hexadecimal digits may stand in a tag")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::{Route, route};

    /// What never changes, and what may.
    fn segment_and_pointer() -> [Addressed; 2] {
        ["/p/a/s0/00000.m4s", "/lessons/a/main.m3u8"].map(|path| match route(path).unwrap() {
            Route::Object(object) => object,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn less_than_all_is_looked_at_before_it_is_read() {
        let [segment, pointer] = segment_and_pointer();
        for (method, field, all) in [
            (Method::GET, None, true),
            (Method::GET, Some("accept-encoding"), true),
            (Method::HEAD, None, false),
            (Method::GET, Some("range"), false),
            (Method::GET, Some("if-none-match"), false),
            (Method::GET, Some("if-modified-since"), false),
            (Method::GET, Some("if-match"), false),
            (Method::GET, Some("if-unmodified-since"), false),
        ] {
            let mut request = HeaderMap::new();
            if let Some(field) = field {
                request.insert(field, "x".parse().unwrap());
            }
            assert_eq!(takes_all(&segment, &method, &request), all, "{method} {field:?}");
            assert!(takes_all(&pointer, &method, &request), "a text's tag is that of its bytes");
        }
    }

    #[test]
    fn a_stamp_follows_what_may_change() {
        let [segment, pointer] = segment_and_pointer();
        let meta = |bytes, seconds| Meta { bytes, modified: UNIX_EPOCH + Duration::from_secs(seconds) };
        let same =
            |object: &Addressed, a, b| stamp(object, a).is_strongly(stamp(object, b).value().as_bytes());
        assert!(same(&segment, meta(1, 1), meta(1, 2)), "a copy on another origin has the same tag");
        assert!(!same(&segment, meta(1, 1), meta(2, 1)));
        assert!(!same(&pointer, meta(1, 1), meta(1, 2)));
    }
}
