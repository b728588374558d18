//! The page and its files, which are part of this program.

use crate::response::{Content, Forms, Representation};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use httpcache::accept_encoding::{Coding, choose};
use httpcache::etag::Etag;
use package::CacheClass;
use player::Asset;
use std::borrow::Cow;

/// The page.
pub(crate) fn page(request: &HeaderMap) -> Option<Representation> {
    representation(player::index(), request)
}

/// A file of the page; `None` where the current page has no such file.
pub(crate) fn asset(path: &str, request: &HeaderMap) -> Option<Representation> {
    representation(player::asset(path)?, request)
}

fn representation(asset: Asset, request: &HeaderMap) -> Option<Representation> {
    let (coding, bytes, etag) = match &asset.gzip {
        None => (Forms::Only, asset.bytes.clone(), asset.etag.clone()),
        Some(gzip) if choose(request) == Coding::Gzip => (Forms::Gzip, gzip.clone(), asset.gzip_etag()),
        Some(_) => (Forms::Plain, asset.bytes.clone(), asset.etag.clone()),
    };
    Some(Representation {
        media_type: asset.media_type,
        cache: if asset.immutable { CacheClass::Immutable } else { CacheClass::Page },
        etag: Etag::parse(&HeaderValue::try_from(etag).ok()?)?,
        last_modified: None,
        coding,
        content: Content::Memory(shared(bytes)),
    })
}

fn shared(bytes: Cow<'static, [u8]>) -> Bytes {
    match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}
