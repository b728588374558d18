//! Where papers are written: each goes to the spool and onto the manifest's list.

use super::AssembleError;
use crate::spool::{Spool, Written};
use bytes::Bytes;
use package::manifest::Object;
use package::{ObjectPath, layout};

/// The spool, and the list of what lies there.
pub(super) struct Desk<'a> {
    spool: &'a Spool<'a>,
    objects: Vec<Object>,
}

impl<'a> Desk<'a> {
    /// With what lies in the spool already.
    pub(super) fn new(spool: &'a Spool<'a>, objects: Vec<Object>) -> Self {
        Self { spool, objects }
    }

    /// Writes one paper; gives its length.
    pub(super) fn write(&mut self, path: ObjectPath, bytes: impl Into<Bytes>) -> Result<u64, AssembleError> {
        let written = self.spool.write(&path, bytes)?;
        self.objects.extend(entry(path, written));
        Ok(written.bytes)
    }

    /// Reads what was written before, by us or by others.
    pub(super) fn read(&self, path: &ObjectPath) -> Result<Bytes, AssembleError> {
        self.spool.read_back(path)?.ok_or_else(|| AssembleError::Unreadable(path.clone()))
    }

    /// Whether something lies at `path`.
    pub(super) fn holds(&self, path: &ObjectPath) -> bool {
        self.objects.iter().any(|object| object.path == *path)
    }

    /// Slides, each with the time from which it is shown, in order.
    pub(super) fn slides(&self) -> Vec<(u64, ObjectPath)> {
        let slide = |object: &Object| Some((layout::slide_time(&object.path)?, object.path.clone()));
        let mut slides: Vec<_> = self.objects.iter().filter_map(slide).collect();
        slides.sort();
        slides
    }

    /// The list so far.
    pub(super) fn listed(&self) -> &[Object] {
        &self.objects
    }

    /// The list.
    pub(super) fn objects(self) -> Vec<Object> {
        self.objects
    }
}

/// As the manifest lists it; `None` for a name no package holds, which our own paths are not.
pub(super) fn entry(path: ObjectPath, written: Written) -> Option<Object> {
    let media_type = path.media_type()?;
    Some(Object { path, bytes: written.bytes, sha256: written.sha256, media_type })
}
