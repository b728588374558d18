//! Tracing to standard error, as text for people or JSON for machines.

use clap::ValueEnum;
use prometheus::IntCounter;
use serde::{Deserialize, Serialize};
use std::io::{self, IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};
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

/// What a word without a target may be.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Starts logging for the process. A second call changes nothing, so that tests may call it freely.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn init(options: &LogOptions) -> Result<(), String> {
    let filter = filter(options)?;
    let terminal = io::stderr().is_terminal();
    // What the subscriber would say of a failed write goes to where writing has just failed, and panics there.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Lines).log_internal_errors(false);
    // An already installed subscriber stays: the first caller decides.
    match options.log_format.unwrap_or_default() {
        LogFormat::Text => {
            let builder = builder.with_ansi(terminal).with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_ok() {
                let _ = REFILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
            }
        }
        LogFormat::Json => {
            let builder = builder.json().with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_ok() {
                let _ = REFILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
            }
        }
    }
    Ok(())
}

/// Lines that could not be written, of this process: there is one standard error.
pub(crate) static LOST: LazyLock<IntCounter> = LazyLock::new(|| {
    IntCounter::new("airclass_log_lines_lost_total", "Log lines that standard error did not take")
        .expect("a constant name is valid")
});

/// Standard error that never fails: a service goes on when its disk is full or whoever read its log has gone.
struct Lines;

impl Write for Lines {
    /// The subscriber writes a line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if io::stderr().lock().write_all(line).is_err() {
            LOST.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How the installed subscriber takes another filter.
static REFILTER: OnceLock<Box<dyn Fn(EnvFilter) -> bool + Send + Sync>> = OnceLock::new();

/// Logs from here on what `options` say; their format stays.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn refilter(options: &LogOptions) -> Result<(), String> {
    let filter = filter(options)?;
    match REFILTER.get() {
        Some(refilter) if refilter(filter) => Ok(()),
        _ => Err("this process's logs were not set up here".to_owned()),
    }
}

/// Whether [`refilter`] can read `options`.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn check(options: &LogOptions) -> Result<(), String> {
    filter(options).map(drop)
}

fn filter(options: &LogOptions) -> Result<EnvFilter, String> {
    let text = options.log.as_deref().unwrap_or("info");
    let example = |problem: String| format!("{problem}; write for example \"info,edge=debug\"");
    // The filter itself takes any other word for a target, of which nothing is heard, and silences the rest.
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let plain = |word: &&str| !word.is_empty() && !word.contains(['=', '[', ']', '{', '}']);
    if let Some(word) = text.split(',').filter(plain).find(|word| !is_level(word)) {
        return Err(example(format!("`{word}` is no level ({})", LEVELS.join(", "))));
    }
    EnvFilter::try_new(text).map_err(|error| example(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_and_silences_nothing() {
        let said = |log: &str| check(&LogOptions { log: Some(log.to_owned()), ..LogOptions::default() });
        for log in ["warn", "off", "info,edge=debug", "INFO,edge::fill=trace", "info,[request{path=a}]=debug"]
        {
            assert_eq!(said(log), Ok(()), "{log}");
        }
        for log in ["inof", "warnn", "info,edge", "edge=inof"] {
            let problem = said(log).expect_err(log);
            assert!(problem.ends_with("write for example \"info,edge=debug\""), "{problem}");
        }
    }
}
