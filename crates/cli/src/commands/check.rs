//! `airclass check URL|DIR`: the conformance gate on any address.

use clap::Args;
use conformance::{Fetch, Folder, Http, HttpOptions, Options, Report, Severity, Url};
use faults::{AnyFault, Blame, Fault};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `airclass check` is told.
#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// A playlist or MPD by http, https or file name, or a folder with a main.m3u8
    address: String,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Watch a live window for so many seconds
    #[arg(long, value_name = "SECONDS")]
    live: Option<u32>,
    /// Open every which segment only; of the others see that they are there
    #[arg(long, value_name = "N", default_value = "1")]
    sample: NonZeroUsize,
    /// Trust these certificates too (PEM)
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
}

/// Why a check ends badly.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("{musts} findings against MUST rules; the report says where")]
    NotConformant { musts: usize },
    #[error("`{0}` is neither an address nor a file; give http://…, https://… or a path")]
    Address(String),
    #[error("{0}; give a PEM file that can be read")]
    Client(#[source] conformance::FetchError),
    #[error("the report cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl Fault for CheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotConformant { .. } => "CHECK_NOT_CONFORMANT",
            Self::Address(_) => "CHECK_ADDRESS",
            Self::Client(_) => "CHECK_CLIENT",
            Self::Write(_) => "CHECK_NOT_WRITTEN",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Write(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// `airclass check`
pub(crate) fn check(options: &CheckOptions) -> Result<(), AnyFault> {
    let address = address(&options.address)?;
    let how = Options {
        sample: options.sample.get(),
        live: options.live.map(|seconds| Duration::from_secs(seconds.into())),
    };
    let report = if address.scheme() == "file" {
        run(&Folder, &address, how)?
    } else {
        let http = HttpOptions { cacert: options.cacert.clone(), ..HttpOptions::default() };
        run(&Http::new(&http).map_err(CheckError::Client)?, &address, how)?
    };
    tell(&report, options.json).map_err(CheckError::Write)?;
    match report.of(Severity::Must).count() {
        0 => Ok(()),
        musts => Err(CheckError::NotConformant { musts }.into()),
    }
}

fn run(fetch: &dyn Fetch, address: &Url, options: Options) -> Result<Report, AnyFault> {
    // Drawn on a terminal only, ten times a second at most.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} segments, {elapsed}") {
        bar.set_style(style);
    }
    let report = conformance::check(fetch, address, options, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(report?)
}

fn tell(report: &Report, json: bool) -> io::Result<()> {
    let mut out = faults::say::out();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)
    } else {
        writeln!(out, "{report}")
    }
}

/// An address with a scheme, or a path: a folder means its `main.m3u8`.
fn address(text: &str) -> Result<Url, CheckError> {
    let wrong = || CheckError::Address(text.to_owned());
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => return Ok(url),
        _ => {}
    }
    let path = Path::new(text).canonicalize().map_err(|_| wrong())?;
    let file = if path.is_dir() { path.join("main.m3u8") } else { path };
    Url::from_file_path(file).map_err(|()| wrong())
}
