//! Where the bytes of a package come from while it is published.

use crate::directory::blocking;
use bytes::Bytes;
use package::ObjectPath;
use std::io;
use std::path::PathBuf;

/// A package that has been made and lies ready, but is not in the store yet.
pub trait Staged: Sync {
    /// The bytes of one object, whole. Publishing checks them against the manifest.
    fn read(&self, object: &ObjectPath) -> impl Future<Output = io::Result<Bytes>> + Send;
}

/// A folder laid out like the package: `s2/00017.m4s` lies at `<folder>/s2/00017.m4s`.
#[derive(Debug, Clone)]
pub struct StagedDirectory(pub PathBuf);

impl Staged for StagedDirectory {
    async fn read(&self, object: &ObjectPath) -> io::Result<Bytes> {
        let path = self.0.join(object.as_str());
        blocking(move || std::fs::read(path).map(Bytes::from)).await
    }
}
