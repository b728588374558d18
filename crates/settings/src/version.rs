//! Which build a program is: the same text for `--version`, `airclass_build_info` and what a node reports.

use std::sync::OnceLock;

/// As the program has said at its start.
static RUNNING: OnceLock<&'static str> = OnceLock::new();

/// The version that a program's crate is built as: that of the package, which `make` gives as `AIRCLASS_VERSION`, or the crate's own.
/// A macro, so that another version compiles the programs anew and nothing below them.
#[macro_export]
macro_rules! version {
    () => {
        match option_env!("AIRCLASS_VERSION") {
            Some(version) if !version.is_empty() => version,
            _ => env!("CARGO_PKG_VERSION"),
        }
    };
}

/// Says which build runs; the first one counts.
pub(crate) fn runs(version: &'static str) {
    // Where a test has two programs' starts in one process it is that of both.
    let _ = RUNNING.set(version);
}

/// Which build runs.
pub fn version() -> &'static str {
    RUNNING.get().copied().unwrap_or(env!("CARGO_PKG_VERSION"))
}
