//! `airclass NAME …` runs `airclass-NAME …`, as git does: beside this program first, then along PATH.

use faults::{AnyFault, Blame, Fault};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The other program could not be run.
#[derive(Debug, thiserror::Error)]
enum ExternalError {
    #[error("`airclass {0}` is not a command; `airclass --help` lists them")]
    Unknown(String),
    #[error("`{program}` cannot be run: {source}; install it beside `airclass` or in PATH")]
    NotRun { program: String, source: std::io::Error },
}

impl Fault for ExternalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "COMMAND_UNKNOWN",
            Self::NotRun { .. } => "COMMAND_NOT_RUN",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Becomes the other program; returns only when that fails.
pub(crate) fn other(words: &[OsString]) -> Result<(), AnyFault> {
    let (name, arguments) = words.split_first().ok_or_else(|| ExternalError::Unknown(String::new()))?;
    let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
        return Err(ExternalError::Unknown(name.to_string_lossy().into_owned()).into());
    };
    let program = format!("airclass-{name}");
    let path = beside_us(&program).unwrap_or_else(|| PathBuf::from(&program));
    let source = Command::new(path).args(arguments.iter().map(OsStr::new)).exec();
    if source.kind() == std::io::ErrorKind::NotFound && !matches!(name, "ingest" | "feed") {
        return Err(ExternalError::Unknown(name.to_owned()).into());
    }
    Err(ExternalError::NotRun { program, source }.into())
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn beside_us(program: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.parent()?.join(program);
    path.is_file().then_some(path)
}
