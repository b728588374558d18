//! What is written down, where, and for how long it is kept.

use crate::seal::SealKey;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::PathBuf;
use std::time::Duration;
use units::{ByteCount, Span};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// As Alibaba's offline logs, with our own words behind it.
    Alibaba,
}

/// As typed: flags, environment or the table `[access_log]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "access_log")]
#[command(next_help_heading = "Access log [access_log]")]
pub struct Options {
    /// A folder for the access log. It must be there [default: no access log]
    #[arg(id = "access_log_dir", long = "access-log", env = "AIRCLASS_ACCESS_LOG", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How a line looks [default: json]
    #[arg(
        id = "access_log_format",
        long = "access-log-format",
        env = "AIRCLASS_ACCESS_LOG_FORMAT",
        value_enum
    )]
    pub format: Option<Format>,
    /// Whom the security log with whole addresses is sealed to: 64 hexadecimal digits, as `airclass node log-key` prints them
    /// [default: no security log]
    #[arg(
        id = "access_log_seal_to",
        long = "access-log-seal-to",
        env = "AIRCLASS_ACCESS_LOG_SEAL_TO",
        value_name = "KEY"
    )]
    pub seal_to: Option<String>,
    /// Turn a file over at this size [default: 256MiB]
    #[arg(
        id = "access_log_size",
        long = "access-log-size",
        env = "AIRCLASS_ACCESS_LOG_SIZE",
        value_name = "SIZE"
    )]
    pub size: Option<ByteCount>,
    /// Turn a file over at this age [default: 1h]
    #[arg(
        id = "access_log_age",
        long = "access-log-age",
        env = "AIRCLASS_ACCESS_LOG_AGE",
        value_name = "TIME"
    )]
    pub age: Option<Span>,
    /// How long files are kept; the law asks for six months [default: 180d]
    #[arg(
        id = "access_log_keep",
        long = "access-log-keep",
        env = "AIRCLASS_ACCESS_LOG_KEEP",
        value_name = "TIME"
    )]
    pub keep: Option<Span>,
    /// Allow --access-log-keep below 180d, for networks under another law [default: false]
    #[arg(
        id = "access_log_keep_less_than_the_law",
        long = "access-log-keep-less-than-the-law",
        env = "AIRCLASS_ACCESS_LOG_KEEP_LESS_THAN_THE_LAW",
        value_name = "BOOL"
    )]
    pub keep_less_than_the_law: Option<bool>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// How a line looks.
    pub format: Format,
    /// Whom the security log is sealed to; `None`: there is none.
    pub seal_to: Option<SealKey>,
    /// Bytes at which a file is turned over.
    pub size: u64,
    /// Age at which a file is turned over.
    pub age: Duration,
    /// How long files are kept.
    pub keep: Duration,
}

/// An hour of 200 requests a second.
const SIZE: ByteCount = ByteCount::mib(256);
const LEAST_SIZE: ByteCount = ByteCount::mib(1);
const AGE: Duration = Duration::from_secs(3_600);
const LEAST_AGE: Duration = Duration::from_secs(1);
/// Cybersecurity Law, article 21 (3): network logs for six months at least.
const LAW: Duration = Duration::from_secs(180 * 24 * 3_600);

impl Config {
    /// `options` checked; `None` where no log is kept.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Option<Self>, SettingsError> {
        let Some(dir) = &options.dir else {
            return match (options.seal_to.is_some(), options.keep.is_some()) {
                (false, false) => Ok(None),
                (true, _) => Err(SettingsError::value("access_log.seal_to", WITHOUT)),
                (false, true) => Err(SettingsError::value("access_log.keep", WITHOUT)),
            };
        };
        if !dir.is_dir() {
            let problem = format!("names {}, which is no folder; create it", dir.display());
            return Err(SettingsError::value("access_log.dir", problem));
        }
        let dir = std::path::absolute(dir)
            .map_err(|error| SettingsError::value("access_log.dir", error.to_string()))?;
        let seal_to = options.seal_to.as_deref().map(str::parse).transpose();
        let seal_to = seal_to.map_err(|problem| SettingsError::value("access_log.seal_to", problem))?;
        let size = options.size.unwrap_or(SIZE);
        if size < LEAST_SIZE {
            return Err(SettingsError::value(
                "access_log.size",
                format!("is {size}; give at least {LEAST_SIZE}"),
            ));
        }
        let age = options.age.map_or(AGE, |age| age.0);
        if age < LEAST_AGE {
            return Err(SettingsError::value("access_log.age", "is too short; give at least 1s"));
        }
        let keep = options.keep.map_or(LAW, |keep| keep.0);
        if keep < LAW && options.keep_less_than_the_law != Some(true) {
            let problem = "is below 180d, and the law asks for six months (Cybersecurity Law, article 21); \
                           where it does not hold, say so with `access_log.keep_less_than_the_law = true`";
            return Err(SettingsError::value("access_log.keep", problem));
        }
        Ok(Some(Self { dir, format: options.format.unwrap_or_default(), seal_to, size: size.0, age, keep }))
    }
}

const WITHOUT: &str = "does nothing without `access_log.dir`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_is_kept_unless_somebody_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let there = || Options { dir: Some(folder.path().to_owned()), ..Options::default() };
        let days = |days: u64| Some(Span::secs(days * 24 * 3_600));
        assert!(Config::resolve(&Options::default()).unwrap().is_none());
        assert_eq!(Config::resolve(&there()).unwrap().unwrap().keep, LAW);
        let short = Options { keep: days(60), keep_less_than_the_law: Some(true), ..there() };
        assert_eq!(Config::resolve(&short).unwrap().unwrap().keep, Duration::from_secs(60 * 24 * 3_600));
        for (options, key) in [
            (Options { keep: days(179), ..there() }, "access_log.keep"),
            (Options { keep: days(200), ..Options::default() }, "access_log.keep"),
            (Options { seal_to: Some("00".into()), ..there() }, "access_log.seal_to"),
            (Options { size: Some(ByteCount(1)), ..there() }, "access_log.size"),
            (Options { age: Some(Span::millis(1)), ..there() }, "access_log.age"),
            (Options { dir: Some("/nowhere/at/all".into()), ..Options::default() }, "access_log.dir"),
        ] {
            let error = Config::resolve(&options).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}`")), "{error}");
        }
    }
}
