//! The sample lesson and its package with the shipped ladder: made once a run, shared by the parts that look at them.

use crate::cleanup::Workplace;
use crate::process::{self, Cost};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A lesson of so many seconds in this run's directory.
pub(crate) struct Lesson<'a> {
    program: &'a Path,
    root: &'a Path,
    seconds: u32,
}

impl<'a> Lesson<'a> {
    /// Made by `program`, `airclass-ingest`.
    pub(crate) fn new(program: &'a Path, workplace: &'a Workplace, seconds: u32) -> Self {
        Self { program, root: workplace.path(), seconds }
    }

    /// The file, made if it is not there yet.
    pub(crate) fn file(&self, limit: Duration) -> Result<PathBuf> {
        let file = self.root.join(format!("lesson-{}.mp4", self.seconds));
        if !file.exists() {
            eprintln!("bench: making a lesson of {} s", self.seconds);
            let mut sample = Command::new(self.program);
            sample.arg("sample").args(["--seconds", &self.seconds.to_string()]).arg("--out").arg(&file);
            process::run(&sample, self.root, limit).context("the sample lesson")?;
        }
        Ok(file)
    }

    /// The store with its package, made if it is not there yet; then also what that cost.
    pub(crate) fn store(&self, limit: Duration) -> Result<(PathBuf, Option<Cost>)> {
        let store = self.root.join(format!("store-{}", self.seconds));
        if store.exists() {
            return Ok((store, None));
        }
        let mut run = Command::new(self.program);
        run.arg("run").arg(self.file(limit)?).arg("--store").arg(&store).args(["--lesson", "bench"]);
        let (cost, _) = process::run(&run, self.root, limit).context("airclass-ingest run")?;
        Ok((store, Some(cost)))
    }
}
