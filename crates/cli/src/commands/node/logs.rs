//! `log-key` and `unseal`: security logs are sealed on the node and read elsewhere.

use accesslog::seal::{self, OpenError};
use clap::Args;
use faults::{AnyFault, Blame, Fault};
use std::io::{self, BufReader};
use std::path::PathBuf;

/// What is opened with what.
#[derive(Args)]
pub(crate) struct UnsealOptions {
    /// A file with the private key, as `log-key` printed it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Sealed logs; their lines go to standard output
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
}

/// Why a log stays sealed.
#[derive(Debug, thiserror::Error)]
enum LogFault {
    #[error("no keys: {0}")]
    Keys(&'static str),
    #[error("cannot read {}: {source}; give a file that is there", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {source}; give the key that it was sealed to, and the file as it was", path.display())]
    Sealed { path: PathBuf, source: OpenError },
}

impl Fault for LogFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Keys(_) => "LOG_KEYS",
            Self::Unreadable { .. } => "LOG_UNREADABLE",
            Self::Sealed { .. } => "LOG_SEALED",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Keys(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// `airclass node log-key`
pub(super) fn log_key() -> Result<(), AnyFault> {
    let (public, private) = seal::generate().map_err(LogFault::Keys)?;
    let text = format!(
        "# On nodes, in [access_log]:\nseal_to = \"{public}\"\n\
         # Where logs are read, in a file of its own, and on no node:\n# {private}\n"
    );
    faults::say::text(&text);
    Ok(())
}

/// `airclass node unseal`
pub(super) fn unseal(options: &UnsealOptions) -> Result<(), AnyFault> {
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        |source| LogFault::Unreadable { path, source }
    };
    let key =
        settings::small_text(&options.key, settings::MAX_TEXT_BYTES).map_err(unreadable(&options.key))?;
    // As it was printed, too: the line that is the key alone.
    let key = key
        .lines()
        .map(|line| line.trim_start_matches(['#', ' ']).trim())
        .find(|line| line.len() == 64)
        .unwrap_or_default();
    for path in &options.logs {
        let file = std::fs::File::open(path).map_err(unreadable(path))?;
        let sealed = |source| LogFault::Sealed { path: path.clone(), source };
        seal::open(BufReader::new(file), key, faults::say::out()).map_err(sealed)?;
    }
    Ok(())
}
