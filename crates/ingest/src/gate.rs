//! The gate before publishing: the package, read back and judged by code that shares nothing with what wrote it.

use crate::progress::Follow;
use crate::spool::Spool;
use conformance::{Finding, Severity, check_package};
use faults::{Blame, Fault};
use package::ObjectPath;
use std::io;
use std::sync::mpsc::sync_channel;

/// How far checking is, on its way to whoever shows it. Dropped when nobody looks.
const REPORTS: usize = 1;

/// Broken rules that are told one by one; the others are counted.
const TOLD: usize = 3;

/// Why a package may not be published.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// Rules that must hold are broken.
    #[error(
        "{count} rules of the package do not hold: {first}; nothing was published, please report it with the file"
    )]
    Broken {
        /// Findings that forbid publishing.
        count: usize,
        /// The first few, in words.
        first: String,
    },
    /// It could not be judged at all.
    #[error("the package cannot be read back: {0}; run the ingest again")]
    Unreadable(String),
}

impl Fault for GateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "PACKAGE_NONCONFORMANT",
            Self::Unreadable(_) => "PACKAGE_UNREADABLE",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// Reads back what lies in `spool` and judges it by the rules of `airclass check`.
///
/// # Errors
/// When a rule that must hold does not.
pub fn pass(spool: &Spool<'_>, follow: &mut Follow<'_>) -> Result<(), GateError> {
    let object = |path: &str| {
        let path = ObjectPath::parse(path).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        spool.get(&path).map(Vec::from)
    };
    let (progress, told) = sync_channel(REPORTS);
    let checked = std::thread::scope(|scope| {
        let check = scope.spawn(move || {
            check_package(object, &|done, total| {
                let _ = progress.try_send((done, total));
            })
        });
        for (done, total) in told {
            follow.at(done as u64, total as u64, None);
        }
        check.join()
    });
    let report = match checked {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => return Err(GateError::Unreadable(error.to_string())),
        Err(_) => return Err(GateError::Unreadable("the check ended unexpectedly".to_owned())),
    };
    // Nothing that the one who gave the file could change: `airclass check` tells it to those who ask.
    report.warnings().for_each(|warning| tracing::info!("{}", sentence(warning)));
    let broken: Vec<String> = report.of(Severity::Must).map(sentence).collect();
    if broken.is_empty() {
        return Ok(());
    }
    let first = broken.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("; ");
    Err(GateError::Broken { count: broken.len(), first })
}

fn sentence(finding: &Finding) -> String {
    let Finding { rule, url, inside, found, wanted, .. } = finding;
    let place = format!("{} {inside}", url.trim_start_matches("package:///"));
    format!("{rule}, {}: {found} instead of {wanted}", place.trim())
}
