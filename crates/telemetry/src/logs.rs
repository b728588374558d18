//! Tracing to standard error, as text for people or JSON for machines.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a terminal.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What to log and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "logs")]
pub struct LogOptions {
    /// Log line format [default: text]
    #[arg(long, env = "AIRCLASS_LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// What to log: a level, or `target=level` pairs with commas [default: info]
    #[arg(long, env = "AIRCLASS_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,
}

/// Starts logging for the process. A second call changes nothing, so that tests may call it freely.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn init(options: &LogOptions) -> Result<(), String> {
    let filter = options.log.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("{error}; write for example \"info,edge=debug\""))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An already installed subscriber stays: the first caller decides.
    let _ = match options.log_format.unwrap_or_default() {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}
