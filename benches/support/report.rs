//! The result as a program reads it, and as the page of results is made from it.

use crate::clock;
use crate::line::Line;
use crate::machine::Machine;
use crate::options::{Options, Part};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The format that is written and read.
const FORMAT: u32 = 2;

/// One run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    format: u32,
    pub(crate) made_at_unix_s: u64,
    /// What was run, without the path before it.
    pub(crate) command: String,
    pub(crate) quick: bool,
    pub(crate) machine: Machine,
    pub(crate) parts: Vec<Measured>,
}

/// What a part has measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) part: Part,
    pub(crate) lines: Vec<Line>,
}

/// Where results lie.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

impl Report {
    pub(crate) fn new(options: &Options, machine: Machine, parts: Vec<Measured>) -> Self {
        let command: Vec<String> = std::iter::once("bench".to_owned())
            .chain(std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()))
            .collect();
        Self {
            format: FORMAT,
            made_at_unix_s: clock::unix_seconds(),
            command: command.join(" "),
            quick: options.quick,
            machine,
            parts,
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.parts.iter().flat_map(|measured| &measured.lines)
    }

    /// Writes it as JSON and says where.
    pub(crate) fn write(&self, options: &Options) -> Result<PathBuf> {
        let file = match &options.json {
            Some(file) => file.clone(),
            None => directory().join(format!("{}.json", self.made_at_unix_s)),
        };
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let partial = file.with_extension("tmp");
        std::fs::write(&partial, text)
            .and_then(|()| std::fs::rename(&partial, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// All results that lie in `directory`, oldest first.
pub(crate) fn read_all(directory: &Path) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for entry in
        std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let read = || {
                let report: Report = serde_json::from_slice(&std::fs::read(&file)?)?;
                ensure!(report.format == FORMAT, "is of format {}, not {FORMAT}", report.format);
                Ok(report)
            };
            reports.push(read().with_context(|| format!("{} is no result", file.display()))?);
        }
    }
    reports.sort_by_key(|report| report.made_at_unix_s);
    Ok(reports)
}
