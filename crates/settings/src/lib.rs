//! One set of options from four places: flags over environment over file over defaults.
//!
//! A service has one struct of `Option` fields that clap fills from flags and environment and serde from the TOML
//! file. [`layered`] lays the first over the second; the service then turns the result into its checked
//! configuration, where the defaults live. Unknown keys are refused with file and line.

use faults::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why options could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read at all.
    #[error("{}: {source}; give the path of a readable TOML file", path.display())]
    Unreadable {
        /// The file as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file says something that is not understood; nothing of it is used.
    #[error("{}:{line}: {problem}", path.display())]
    Invalid {
        /// The file as given.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there, and what would be right.
        problem: String,
    },
    /// A value that is well formed and still cannot be: the key is named.
    #[error("`{key}` {problem}")]
    Value {
        /// The option, as the file spells it.
        key: &'static str,
        /// What is wrong with it and what to do.
        problem: String,
    },
}

impl SettingsError {
    /// A bad value of `key`.
    pub fn value(key: &'static str, problem: impl Into<String>) -> Self {
        Self::Value { key, problem: problem.into() }
    }
}

impl Fault for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CONFIG_UNREADABLE",
            Self::Invalid { .. } => "CONFIG_INVALID",
            Self::Value { .. } => "CONFIG_VALUE",
        }
    }
}

/// `flags` (already over the environment, clap does that) laid over `file`.
///
/// # Errors
/// When the file cannot be read, is no TOML, or holds a key that `Options` does not know.
pub fn layered<Options>(flags: &Options, file: Option<&Path>) -> Result<Options, SettingsError>
where
    Options: Serialize + DeserializeOwned,
{
    let Some(path) = file else { return over(flags, toml::Table::new(), Path::new("flags")) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    // Read as `Options` first: only so does an error know its line.
    parse::<Options>(&text, path)?;
    over(flags, parse::<toml::Table>(&text, path)?, path)
}

/// One TOML document as `T`, errors with file and line.
///
/// # Errors
/// When the text is no TOML or not of the shape of `T`.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| invalid(&error, text, path))
}

fn over<Options>(flags: &Options, mut base: toml::Table, path: &Path) -> Result<Options, SettingsError>
where
    Options: Serialize + DeserializeOwned,
{
    let whole = |problem: String| SettingsError::Invalid { path: path.to_owned(), line: 1, problem };
    let flags = toml::Table::try_from(flags).map_err(|error| whole(error.to_string()))?;
    lay(&mut base, flags);
    base.try_into().map_err(|error: toml::de::Error| whole(error.message().to_owned()))
}

/// Tables merge key by key; everything else is replaced whole.
fn lay(base: &mut toml::Table, top: toml::Table) {
    for (key, value) in top {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn invalid(error: &toml::de::Error, text: &str, path: &Path) -> SettingsError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
    SettingsError::Invalid { path: path.to_owned(), line, problem: error.message().replace('\n', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Options {
        listen: Option<String>,
        ram: Option<String>,
        timeouts: Option<Timeouts>,
    }

    #[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Timeouts {
        idle: Option<String>,
        header: Option<String>,
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_flag_wins_over_the_file_and_leaves_the_rest() {
        let file = file("listen = \"a\"\nram = \"1GiB\"\n[timeouts]\nidle = \"5s\"\nheader = \"1s\"\n");
        let flags = Options {
            ram: Some("2GiB".into()),
            timeouts: Some(Timeouts { idle: Some("9s".into()), header: None }),
            ..Options::default()
        };
        let options = layered(&flags, Some(file.path())).unwrap();
        assert_eq!(options.listen.as_deref(), Some("a"));
        assert_eq!(options.ram.as_deref(), Some("2GiB"));
        assert_eq!(options.timeouts, Some(Timeouts { idle: Some("9s".into()), header: Some("1s".into()) }));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let file = file("listen = \"a\"\n\nlissten = \"b\"\n");
        let error = layered(&Options::default(), Some(file.path())).unwrap_err();
        let SettingsError::Invalid { line, problem, .. } = &error else { panic!("{error}") };
        assert_eq!(*line, 3);
        assert!(problem.contains("lissten"), "{problem}");
        assert_eq!(error.code(), "CONFIG_INVALID");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = layered(&Options::default(), Some(Path::new("/nowhere/edge.toml"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/edge.toml"));
    }
}
