//! `publish`: nodes' numbers in, what teachers may know out.

use super::CoverageFault;
use super::page::page;
use clap::Args;
use coverage::{NoiseKey, Tally, csv};
use faults::{AnyFault, say};
use jiff::civil::Date;
use std::fs;
use std::path::{Path, PathBuf};

/// The largest file of numbers read; as much as an edge reads back of its own.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// From where, by what, to where.
#[derive(Args)]
pub(crate) struct PublishOptions {
    /// Folders that edges write (--coverage), or files from them; those of all nodes, or what is told is too little
    #[arg(required = true, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// The day
    #[arg(long, value_name = "DATE")]
    day: Date,
    /// A file with the secret by which numbers are rounded (openssl rand -hex 32): always the same one, known to nobody who reads
    /// the results
    #[arg(long, env = "AIRCLASS_COVERAGE_NOISE", value_name = "FILE")]
    noise: PathBuf,
    /// Where <class>.html, <class>.csv and <class>.json go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn publish(options: &PublishOptions) -> Result<(), AnyFault> {
    let unread = |source| CoverageFault::NoNoise { path: options.noise.clone(), source };
    let noise = settings::small_file(&options.noise, MAX_FILE_BYTES).map_err(unread)?;
    let noise = NoiseKey::parse(&String::from_utf8_lossy(&noise))
        .map_err(|source| CoverageFault::Noise { path: options.noise.clone(), source })?;
    let mut all = Tally::new(options.day);
    for path in &options.from {
        let file = if path.is_dir() { path.join(format!("{}.json", options.day)) } else { path.clone() };
        // A folder that this user may not look into has not nothing.
        let is_there =
            || file.try_exists().map_err(|source| CoverageFault::Unreadable { path: file.clone(), source });
        if path.is_dir() && !is_there()? {
            return Err(CoverageFault::Nothing { path: path.clone(), day: options.day }.into());
        }
        let told = |source| CoverageFault::Tally { path: file.clone(), source };
        let tally = Tally::parse(&read(&file)?).map_err(told)?;
        all.merge(&tally).map_err(told)?;
    }
    let published = coverage::publish(&all, &noise);
    write(&options.out, "", &[])?;
    for class in &published {
        let json = serde_json::to_vec(class).expect("plain structs with string keys");
        let name = class.class;
        write(&options.out, &format!("{name}.json"), &json)?;
        write(&options.out, &format!("{name}.csv"), csv(class).as_bytes())?;
        write(&options.out, &format!("{name}.html"), page(class).as_bytes())?;
    }
    let left_out = all.classes.len() - published.len();
    say!(
        "{} classes of {} in {}; {left_out} left out: fewer than {} have begun any lesson",
        published.len(),
        options.day,
        options.out.display(),
        coverage::MIN_CLASS
    );
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, CoverageFault> {
    settings::small_file(path, MAX_FILE_BYTES)
        .map_err(|source| CoverageFault::Unreadable { path: path.to_owned(), source })
}

/// Makes the folder and, where it has a name, a file in it.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), CoverageFault> {
    let path = folder.join(name);
    let written = if name.is_empty() { fs::create_dir_all(folder) } else { fs::write(&path, bytes) };
    written.map_err(|source| CoverageFault::Unwritable { path, source })
}
