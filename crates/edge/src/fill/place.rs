//! Where a response stands once it has come: under its URL's key, or a variant's, in memory and on the disk.

use super::flight::{Guard, Variant, Watch};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::policy;
use crate::request::Asked;
use crate::store::{Body, Entry, Object, Variants, Whose};
use http::HeaderMap;
use httpcache::vary::{self, VaryNames};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long it is remembered that a body is longer than the cache takes and does not say so, or does not come in parts: to find
/// out breaks it off for those who read it, and who asks again must get it.
pub(super) const TOO_LARGE_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Until then whoever asks need not wait for a head that will not be shared. Nothing may be stored meanwhile.
pub(super) fn pass_until(edge: &Edge, key: &CacheKey, until: Instant) {
    edge.remove(key);
    edge.memory.insert(key.clone(), Entry::Pass(until, Whose::Everybody));
}

/// The request fields that a response differs by. What upstreams are not told, clients cannot make variants with.
pub(super) fn varies_by(headers: &HeaderMap) -> Option<VaryNames> {
    vary::names(headers).map(|names| names.without(policy::is_unkeyed)).filter(|names| !names.is_empty())
}

/// Sets up the sign-post where the response varies, and lists the fill as the variant's: who comes for the same variant
/// joins, who comes for another begins a fill of his own.
pub(super) fn variant(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    headers: &HeaderMap,
    guard: &mut Guard,
) -> Option<Arc<Variant>> {
    let names = varies_by(headers)?;
    let by = |variants: Arc<Variants>| Variant { key: variants.key(primary, &asked.headers), variants };
    let mut listed = None;
    guard.list_as(|| listed.insert(by(edge.memory.sign_post(primary, names.clone()))).key.clone());
    // Changed meanwhile: it serves those who wait for it, and nobody finds it afterwards.
    Some(Arc::new(listed.unwrap_or_else(|| by(Arc::new(Variants::new(names))))))
}

/// Under the URL's key, or where the response varies, under the variant's and that of its language.
pub(super) fn store(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    whole: Arc<Object>,
    variant: Option<&Variant>,
) {
    let Some(variant) = variant else {
        if let Some(disk) = &edge.disk {
            disk.put(primary, &whole);
        }
        edge.memory.insert(primary.clone(), Entry::Object(whole));
        return;
    };
    let Some((variants, key)) = place(edge, asked, primary, &whole, variant) else { return };
    if let Some(disk) = &edge.disk {
        disk.put_sign_post(primary, &variants, &whole);
        disk.put(&key, &whole);
    }
    let by_language = variants.written_language_key(primary, &asked.headers, &whole.headers);
    for key in std::iter::once(key).chain(by_language) {
        if let Some(oldest) = variants.note(&key) {
            edge.remove(&oldest);
        }
        edge.memory.insert(key, Entry::Object(Arc::clone(&whole)));
    }
    // An evicted sign-post would leave the variant where nobody looks.
    edge.memory.put_back(primary, &variants);
}

/// The sign-post that a variant is found by, and its key there. As a rule it is where it was to stand; memory that is full may have let
/// go of that, and another have been set up. `None`: what is there has come later.
fn place(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    whole: &Object,
    Variant { variants, key }: &Variant,
) -> Option<(Arc<Variants>, CacheKey)> {
    let standing = edge.memory.standing_post(primary, variants)?;
    if Arc::ptr_eq(&standing, variants) {
        return Some((standing, key.clone()));
    }
    let key = standing.key(primary, &asked.headers);
    // Blocks stand where their head was to.
    let may_move = !matches!(whole.body, Body::Sparse(_));
    (may_move && !edge.memory.has_younger(&key, whole, Instant::now())).then_some((standing, key))
}

/// Stores what was fetched under one URL under another, too, unless `watch` knows better. Gives the key that it stands under.
pub(crate) fn store_as(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    object: &Arc<Object>,
    watch: &Watch,
) -> Option<CacheKey> {
    // In one: who finds the sign-post finds what stands behind it.
    watch.store(|| {
        let variant = varies_by(&object.headers).map(|names| {
            let variants = edge.memory.sign_post(primary, names);
            Variant { key: variants.key(primary, &asked.headers), variants }
        });
        store(edge, asked, primary, Arc::clone(object), variant.as_ref());
        variant.map_or_else(|| primary.clone(), |variant| variant.key)
    })
}
