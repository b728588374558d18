//! How far publishing is, told to the caller, who may stop it at each step.

use super::PublishError;
use package::Sealed;
use std::ops::ControlFlow;

/// Steps, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Objects of the package.
    Objects,
    /// The manifest: the package is whole.
    Manifest,
    /// The record that lets ingesting again do no work.
    Record,
    /// `lesson.json`.
    Description,
    /// The pointer: the lesson is this package.
    Pointer,
    /// The catalogue: the lesson is in the list.
    Catalogue,
}

/// How far publishing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step that is going on or just done.
    pub step: Step,
    /// Objects done.
    pub objects: usize,
    /// Objects of the package.
    pub objects_total: usize,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes of the package.
    pub bytes_total: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Self { step: Step::Objects, objects: 0, objects_total: 0, bytes: 0, bytes_total: 0 }
    }
}

/// Tells the caller how far we are and whether to stop.
pub(super) struct Track<'a> {
    pub(super) on: &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + Send),
    pub(super) at: Progress,
}

impl<'a> Track<'a> {
    pub(super) fn new(package: &Sealed, on: &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + Send)) -> Self {
        let manifest = package.manifest();
        let (objects_total, bytes_total) = (manifest.objects.len(), manifest.total_bytes());
        Self { on, at: Progress { objects_total, bytes_total, ..Progress::default() } }
    }

    pub(super) fn object(&mut self, bytes: u64) -> Result<(), PublishError> {
        self.at.objects += 1;
        self.at.bytes += bytes;
        self.tell()
    }

    pub(super) fn done(&mut self, step: Step) -> Result<(), PublishError> {
        self.at.step = step;
        self.tell()
    }

    pub(super) fn tell(&mut self) -> Result<(), PublishError> {
        match (self.on)(self.at) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(PublishError::Stopped),
        }
    }
}
