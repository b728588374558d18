//! Reading a package back, byte for byte, against its manifest.

use crate::error::StoreError;
use crate::inventory::NotWhole;
use crate::publish::PublishError;
use crate::store::{Place, Store};
use futures_util::{StreamExt, TryStreamExt, stream};
use package::layout::{MANIFEST, SIGNATURES};
use package::manifest::Object;
use package::{Digest, Hasher, Manifest, ObjectPath, PackageId, Sealed, StorePath};
use signing::Signatures;
use std::collections::{BTreeSet, HashMap};
use std::pin::pin;

/// Objects read at the same time.
const READS_IN_FLIGHT: usize = 4;

/// What reading a package back came to.
#[derive(Debug)]
pub struct Verified {
    /// Its manifest, when it has one.
    pub manifest: Option<Sealed>,
    /// Who has signed it.
    pub signatures: Signatures,
    /// Objects that are what the manifest says.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no manifest that counts.
    #[error(transparent)]
    NotWhole(NotWhole),
    /// An object is not there.
    #[error("{0} is missing")]
    Missing(ObjectPath),
    /// An object has another length.
    #[error("{path} has {there} bytes instead of {said}")]
    Length {
        /// Which.
        path: ObjectPath,
        /// Its length.
        there: u64,
        /// By the manifest.
        said: u64,
    },
    /// An object is something else.
    #[error("{0} is not what the manifest says")]
    Altered(ObjectPath),
    /// An object cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: ObjectPath,
        /// What the store said.
        source: StoreError,
    },
    /// An object is there that the manifest does not list.
    #[error("{0} is not in the manifest")]
    Stray(String),
}

/// Reads every object of `package`. `on` is told the bytes of each that has been looked at.
///
/// # Errors
/// When the store itself is out of reach; what is wrong with the package is in the result.
pub async fn verify(
    store: &Store,
    package: PackageId,
    mut on: impl FnMut(u64),
) -> Result<Verified, PublishError> {
    let found = store.package(package).await?;
    let mut verified =
        Verified { manifest: None, signatures: found.signatures, objects: 0, bytes: 0, problems: Vec::new() };
    let sealed = match found.manifest {
        Ok(sealed) => sealed,
        Err(not_whole) => {
            verified.problems.push(Problem::NotWhole(not_whole));
            return Ok(verified);
        }
    };
    let looks = sealed.manifest().objects.iter().cloned().map(|object| async move {
        let bytes = object.bytes;
        look(store, package, object).await.map(|problem| (bytes, problem))
    });
    let looks: Vec<_> = looks.collect();
    let mut looks = pin!(stream::iter(looks).buffered(READS_IN_FLIGHT));
    while let Some((bytes, problem)) = looks.try_next().await? {
        on(bytes);
        match problem {
            Some(problem) => verified.problems.push(problem),
            None => {
                verified.objects += 1;
                verified.bytes += bytes;
            }
        }
    }
    verified.problems.extend(strays(store, package, &sealed).await?);
    verified.manifest = Some(sealed);
    Ok(verified)
}

/// Whether all objects of `package` are there. In a directory they are read, since a disk may give other bytes than were
/// written; a bucket keeps sums of its own, so that lengths tell.
///
/// # Errors
/// When the store is out of reach.
pub async fn is_whole(store: &Store, package: &Sealed) -> Result<bool, StoreError> {
    if let Place::Bucket(_) = store.place {
        return are_there(store, package.id(), package.manifest()).await;
    }
    let objects = package.manifest().objects.iter().cloned();
    let looks: Vec<_> = objects.map(|object| look(store, package.id(), object)).collect();
    let mut looks = pin!(stream::iter(looks).buffered(READS_IN_FLIGHT));
    while let Some(problem) = looks.try_next().await? {
        if problem.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether every object that `manifest` lists is there, by its length.
pub(crate) async fn are_there(
    store: &Store,
    package: PackageId,
    manifest: &Manifest,
) -> Result<bool, StoreError> {
    let folder = package.folder();
    let there: HashMap<StorePath, u64> =
        pin!(store.list(Some(&folder))).map_ok(|(path, meta)| (path, meta.bytes)).try_collect().await?;
    Ok(manifest.objects.iter().all(|object| there.get(&package.object(&object.path)) == Some(&object.bytes)))
}

/// Whether an object of the right length need not be written again.
pub(crate) async fn is_kept(store: &Store, package: PackageId, object: &Object) -> Result<bool, StoreError> {
    match store.place {
        Place::Bucket(_) => Ok(true),
        Place::Directory(_) => Ok(look(store, package, object.clone()).await?.is_none()),
    }
}

async fn look(store: &Store, package: PackageId, object: Object) -> Result<Option<Problem>, StoreError> {
    let Object { path, bytes: said, sha256, .. } = object;
    let reading = match store.read(&package.object(&path)).await {
        Ok(Some(reading)) => reading,
        Ok(None) => return Ok(Some(Problem::Missing(path))),
        Err(lost @ StoreError::NotThere { .. }) => return Err(lost),
        Err(source) => return Ok(Some(Problem::Unreadable { path, source })),
    };
    let there = reading.meta().bytes;
    if there != said {
        return Ok(Some(Problem::Length { path, there, said }));
    }
    let mut hasher = Hasher::new();
    let mut blocks = reading.stream(0..there);
    loop {
        match blocks.next().await {
            Some(Ok(block)) => hasher.update(&block),
            Some(Err(source)) => return Ok(Some(Problem::Unreadable { path, source })),
            None => break,
        }
    }
    let digest: Digest = hasher.finish();
    Ok((digest != sha256).then_some(Problem::Altered(path)))
}

async fn strays(store: &Store, package: PackageId, sealed: &Sealed) -> Result<Vec<Problem>, StoreError> {
    let folder = package.folder();
    let mut known: BTreeSet<String> =
        sealed.manifest().objects.iter().map(|object| package.object(&object.path).to_string()).collect();
    known.extend([MANIFEST, SIGNATURES].map(|name| format!("{folder}/{name}")));
    let mut strays: Vec<String> =
        store.list(Some(&folder)).map_ok(|(path, _)| path.to_string()).try_collect().await?;
    strays.retain(|path| !known.contains(path));
    strays.sort();
    Ok(strays.into_iter().map(Problem::Stray).collect())
}
