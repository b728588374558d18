//! One set of options from four places: flags over environment over file over defaults.
//!
//! A service has one struct of `Option` fields that clap fills from flags and environment and serde from the TOML
//! file. [`layered`] lays the first over the second; the service then turns the result into its checked
//! configuration, where the defaults live. Unknown keys are refused with file and line.

mod file;
mod papers;
mod usage;
mod version;

pub use file::{MAX_TEXT_BYTES, followed_file, followed_text, read, small_file, small_text};
pub use usage::{UsageError, arguments};
pub use version::version;

use faults::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why options could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read at all.
    #[error("{}: {source}{}", path.display(), way_out(source))]
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

/// What to do about a file that gave `source`. What is there and is no text says so itself.
fn way_out(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::InvalidData => "",
        _ => "; give the path of a file that this user may read",
    }
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
    laid(flags, file, read)
}

/// As [`layered`], by a process that has read the file before: of what is no file nothing comes a second time, and a pipe would
/// be waited for, for ever.
///
/// # Errors
/// As [`layered`], and when the file is none.
pub fn layered_again<Options>(flags: &Options, file: Option<&Path>) -> Result<Options, SettingsError>
where
    Options: Serialize + DeserializeOwned,
{
    laid(flags, file, file::read_again)
}

fn laid<Options>(
    flags: &Options,
    file: Option<&Path>,
    read: fn(&Path) -> Result<String, SettingsError>,
) -> Result<Options, SettingsError>
where
    Options: Serialize + DeserializeOwned,
{
    let Some(path) = file else { return over(flags, toml::Table::new(), Path::new("flags")) };
    let text = read(path)?;
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

/// How words of the libraries that read values end, and what to write instead.
const ADVICE: [(&str, &str); 11] = [
    ("expected a sequence", "write a list in brackets: [\"…\"]"),
    ("expected a string", "write it in quotation marks, with its unit if it has one"),
    (
        "values must be quoted, expected literal string",
        "write it in quotation marks, with its unit if it has one",
    ),
    ("expected path string", "write it in quotation marks"),
    ("expected socket address", "write it in quotation marks: \"127.0.0.1:8080\""),
    // Of a choice among words.
    ("wanted string or table", "write it in quotation marks"),
    ("expected a boolean", "write true or false, without quotation marks"),
    ("expected u16", "write a whole number, without quotation marks"),
    ("expected u32", "write a whole number, without quotation marks"),
    ("expected u64", "write a whole number, without quotation marks"),
    ("expected usize", "write a whole number, without quotation marks"),
];

/// Signs of TOML, and what a keyboard for Chinese writes in their place.
const FULL_WIDTH: [(&str, char); 7] = [
    ("“”＂‘’", '"'),
    ("，、", ','),
    ("＝：", '='),
    ("［【", '['),
    ("］】", ']'),
    ("＃", '#'),
    ("\u{3000}", ' '),
];

/// Such a sign, and the one that is meant.
fn full_width(letter: char) -> Option<(char, char)> {
    FULL_WIDTH.iter().find(|(wide, _)| wide.contains(letter)).map(|&(_, sign)| (letter, sign))
}

/// What to write instead, where `problem` has nothing but a library's word that something is none.
fn advice(problem: &str) -> Option<&'static str> {
    if let Some((_, advice)) = ADVICE.iter().find(|(end, _)| problem.ends_with(end)) {
        return Some(advice);
    }
    let is = |error: Option<String>| error.is_some_and(|error| problem.contains(&error));
    if is("".parse::<SocketAddr>().err().map(|error| error.to_string())) {
        Some(if problem.contains("unix:") {
            "a unix socket has a table of its own: [[serve.listener]] with address = \"unix:/run/…\""
        } else {
            "write an address and a port: \"127.0.0.1:8080\", \"[::]:8080\""
        })
    } else if is("x".parse::<usize>().err().map(|error| error.to_string())) {
        Some("write a whole number")
    } else {
        None
    }
}

/// What stands between the braces of a TOML inline table, as `T`: tables in flags and variables.
///
/// # Errors
/// When the text is no such thing or not of the shape of `T`; one line.
pub fn inline<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct Held<T> {
        table: T,
    }
    let held: Result<Held<T>, _> = toml::from_str(&format!("table = {{ {text} }}"));
    held.map(|held| held.table).map_err(|error| error.message().replace('\n', " "))
}

/// The absolute paths that options name, each with its key as the file spells it: what a process may want to open. Keys
/// that end in `prefix` or `path` name parts of addresses and are left out.
///
/// # Errors
/// As [`changes`].
pub fn paths<Options: Serialize>(options: &Options) -> Result<Vec<(String, PathBuf)>, SettingsError> {
    let table =
        toml::Table::try_from(options).map_err(|error| SettingsError::value("config", error.to_string()))?;
    let mut paths = Vec::new();
    collect_paths("", &toml::Value::Table(table), &mut paths);
    Ok(paths)
}

fn collect_paths(key: &str, value: &toml::Value, paths: &mut Vec<(String, PathBuf)>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                collect_paths(&key, value, paths);
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| collect_paths(key, value, paths)),
        toml::Value::String(text)
            if text.starts_with('/') && !["prefix", "path", "paths"].iter().any(|end| key.ends_with(end)) =>
        {
            paths.push((key.to_owned(), text.into()));
        }
        _ => {}
    }
}

/// The keys whose values differ, as the file spells them: `serve.limits.idle_timeout`.
///
/// # Errors
/// When options cannot be written as TOML, which only a mistake in their type can cause.
pub fn changes<Options: Serialize>(before: &Options, after: &Options) -> Result<Vec<String>, SettingsError> {
    let table = |options| {
        toml::Table::try_from(options)
            .map_err(|error: toml::ser::Error| SettingsError::value("config", error.to_string()))
    };
    let mut keys = Vec::new();
    differ("", &table(before)?, &table(after)?, &mut keys);
    Ok(keys)
}

fn differ(path: &str, before: &toml::Table, after: &toml::Table, keys: &mut Vec<String>) {
    let nothing = toml::Value::Table(toml::Table::new());
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let values = (before.get(name), after.get(name));
        match (values.0.unwrap_or(&nothing), values.1.unwrap_or(&nothing)) {
            (toml::Value::Table(before), toml::Value::Table(after)) => differ(&path, before, after, keys),
            _ if values.0 == values.1 => {}
            _ => keys.push(path),
        }
    }
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
    let mut problem = error.message().replace('\n', " ");
    if problem == "duplicate key" {
        let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
        problem = format!("duplicate key `{key}`; take one away");
    }
    // Of a key without a value the sign is anywhere before a comment.
    let broken = if problem.ends_with("expected `=`") {
        text.lines().nth(line - 1).and_then(|line| line.split('#').next()).unwrap_or_default()
    } else {
        text.get(offset..).and_then(|rest| rest.split_inclusive(|_| true).next()).unwrap_or_default()
    };
    if let Some((wide, sign)) = broken.chars().find_map(full_width) {
        problem = format!("`{wide}` is no sign of TOML; write `{sign}`, without the Chinese keyboard");
    } else if let Some(advice) = advice(&problem) {
        problem = format!("{problem}; {advice}");
    }
    SettingsError::Invalid { path: path.to_owned(), line, problem }
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

    /// A reload of what was started with `--config <(…)` hung, and every later one with it.
    #[test]
    fn a_pipe_is_read_at_a_start_and_refused_at_a_reload() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, "listen = \"a\"\n")
        });
        let options = layered(&Options::default(), Some(&pipe)).unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(options.listen.as_deref(), Some("a"));
        let again = layered_again(&Options::default(), Some(&pipe)).unwrap_err().to_string();
        assert!(
            again.ends_with("pipe: is no regular file; give the path of a file that this user may read"),
            "{again}"
        );
        let file = file("listen = \"b\"\n");
        let again = layered_again(&Options::default(), Some(file.path())).unwrap();
        assert_eq!(again.listen.as_deref(), Some("b"));
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
    fn changes_are_told_by_their_keys() {
        let parse = |text| parse::<Options>(text, Path::new("edge.toml")).unwrap();
        let before = parse("listen = \"a\"\nram = \"1GiB\"\n[timeouts]\nidle = \"5s\"\n");
        assert!(changes(&before, &before).unwrap().is_empty());
        let after = parse("ram = \"2GiB\"\n[timeouts]\nidle = \"5s\"\nheader = \"1s\"\n");
        assert_eq!(changes(&before, &after).unwrap(), ["listen", "ram", "timeouts.header"]);
        assert_eq!(
            changes(&Options::default(), &after).unwrap(),
            ["ram", "timeouts.header", "timeouts.idle"]
        );
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let options: toml::Table = parse(
            "cert = [\"/a\", \"b\"]\nram = \"1GiB\"\n[[routes]]\nprefix = \"/p/\"\nca = \"/c\"\n",
            Path::new("edge.toml"),
        )
        .unwrap();
        let found = paths(&options).unwrap();
        assert_eq!(found, [("cert".to_owned(), "/a".into()), ("routes.ca".to_owned(), "/c".into())]);
    }

    #[test]
    fn a_table_fits_into_a_flag() {
        let options: Options = inline("listen = \"a\", timeouts = { idle = \"5s\" }").unwrap();
        assert_eq!(options.timeouts.unwrap().idle.as_deref(), Some("5s"));
        assert!(inline::<Options>("lissten = 1").unwrap_err().contains("lissten"));
        assert!(inline::<Options>("} = {").is_err());
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
    fn a_value_of_another_kind_is_told_with_what_to_write() {
        #[derive(Debug, Deserialize)]
        struct Kinds {
            #[serde(rename = "listen")]
            _listen: Option<Vec<String>>,
            #[serde(rename = "ram")]
            _ram: Option<String>,
            #[serde(rename = "uploads")]
            _uploads: Option<u32>,
            #[serde(rename = "shed")]
            _shed: Option<bool>,
            #[serde(rename = "dir")]
            _dir: Option<PathBuf>,
            #[serde(rename = "admin")]
            _admin: Option<SocketAddr>,
            #[serde(rename = "reload")]
            _reload: Option<Reload>,
        }
        #[derive(Debug, Deserialize)]
        enum Reload {
            #[serde(rename = "honour")]
            Honour,
        }
        for (text, told) in [
            ("listen = \"a\"", "expected a sequence; write a list in brackets: [\"…\"]"),
            ("ram = 1024", "expected a string; write it in quotation marks, with its unit if it has one"),
            ("uploads = \"5\"", "expected u32; write a whole number, without quotation marks"),
            ("uploads = -5", "expected u32; write a whole number, without quotation marks"),
            ("shed = \"true\"", "expected a boolean; write true or false, without quotation marks"),
            ("dir = 1", "expected path string; write it in quotation marks"),
            ("admin = 9101", "expected socket address; write it in quotation marks: \"127.0.0.1:8080\""),
            ("reload = true", "wanted string or table; write it in quotation marks"),
            ("ram = “1GiB”", "`“` is no sign of TOML; write `\"`, without the Chinese keyboard"),
            ("ram＝\"1GiB\"", "`＝` is no sign of TOML; write `=`, without the Chinese keyboard"),
            ("listen = [\"a\"，\"b\"]", "`，` is no sign of TOML; write `,`, without the Chinese keyboard"),
            ("ram = 1GiB", "; write it in quotation marks, with its unit if it has one"),
            ("ram = \"1GiB\"\nram = \"2GiB\"", "duplicate key `ram`; take one away"),
        ] {
            let error = parse::<Kinds>(text, Path::new("edge.toml")).unwrap_err().to_string();
            assert!(error.ends_with(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = layered(&Options::default(), Some(Path::new("/nowhere/edge.toml"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/edge.toml"));
    }
}
