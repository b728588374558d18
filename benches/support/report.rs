//! The result as a program reads it.

use crate::clock;
use crate::line::Line;
use crate::machine::Machine;
use crate::options::Options;
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    made_at_unix_s: u64,
    quick: bool,
    machine: &'a Machine,
    lines: Vec<Judged<'a>>,
}

#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    line: &'a Line,
    ratio: Option<f64>,
    met: Option<bool>,
}

/// Writes the lines as JSON and says where.
pub(crate) fn write(options: &Options, machine: &Machine, lines: &[Line]) -> Result<PathBuf> {
    let made_at_unix_s = clock::unix_seconds();
    let file = match &options.json {
        Some(file) => file.clone(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("results/{made_at_unix_s}.json")),
    };
    let judged = lines.iter().map(|line| Judged { line, ratio: line.ratio(), met: line.met() }).collect();
    let report = Report { format: 1, made_at_unix_s, quick: options.quick, machine, lines: judged };
    let mut text = serde_json::to_vec_pretty(&report)?;
    text.push(b'\n');
    let partial = file.with_extension("tmp");
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, &file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
