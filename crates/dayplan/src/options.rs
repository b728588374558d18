//! Which plans a node follows, and what it is when nothing is set.

use crate::tokens::TokenFile;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use signing::TrustFile;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use units::Span;

/// As typed: flags, environment or the table `[plan]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "plan")]
#[command(next_help_heading = "Day plan [plan]")]
pub struct PlanOptions {
    /// Whose day plans are followed: a TOML file with a [[key]] each, as `airclass package keygen` prints them; read again
    /// when it has changed [default: no plan is followed]
    #[arg(id = "plan_keys", long = "plan-keys", env = "AIRCLASS_PLAN_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Where day plans come from: a file, a folder with DATE.json, or http://HOST of a node that has them [default: what the
    /// node has by itself: an edge its upstream, an origin its store]
    #[arg(id = "plan_source", long = "plan", env = "AIRCLASS_PLAN", value_name = "FILE|DIR|URL")]
    pub source: Option<String>,
    /// The words by which nodes know each other, one a line; the first is shown, all are believed
    #[arg(id = "plan_tokens", long = "plan-tokens", env = "AIRCLASS_PLAN_TOKENS", value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// A folder for the last good plans, so that a start without their source follows them
    #[arg(id = "plan_state", long = "plan-state", env = "AIRCLASS_PLAN_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Hosts under which students ask for the plan's lessons, as their browsers write them
    #[arg(
        id = "plan_hosts",
        long = "plan-host",
        env = "AIRCLASS_PLAN_HOSTS",
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub hosts: Option<Vec<String>>,
    /// How often the source is asked [default: 2s, a folder 500ms]
    #[arg(id = "plan_poll", long = "plan-poll", env = "AIRCLASS_PLAN_POLL", value_name = "TIME")]
    pub poll: Option<Span>,
    /// How far this node lives from the wall clock, for drills: 2h30m, -15m
    #[arg(long, env = "AIRCLASS_CLOCK_OFFSET", value_name = "SPAN", hide = true, allow_hyphen_values = true)]
    pub clock_offset: Option<ClockOffset>,
}

/// A length of time with a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockOffset(pub SignedDuration);

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct PlanConfig {
    /// Whose plans are followed.
    pub keys: TrustFile,
    /// Where they come from.
    pub place: Place,
    /// By which nodes know each other.
    pub tokens: Option<TokenFile>,
    /// Where the last good ones are kept.
    pub state: Option<PathBuf>,
    /// Under which the lessons are asked for, lower case.
    pub hosts: Vec<String>,
    /// How often the source is asked.
    pub poll: Duration,
    /// How far the node lives from the wall clock.
    pub clock_offset: SignedDuration,
}

/// Where plans come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// From what the node has by itself: an edge its upstream, an origin its store.
    Own,
    /// From a node at this URL.
    Url(String),
    /// From a file or folder.
    Path(PathBuf),
}

/// A tier learns of a changed plan within 2.5 s of the one above, two tiers within five. A question is a few hundred bytes and its
/// usual answer 304: three hundred edges take a parent 200 a second, less than a hundredth of a core.
const POLL: Duration = Duration::from_secs(2);
/// A look into a folder of the machine's own costs next to nothing: an order of the control service is followed within two seconds.
const LOOK: Duration = Duration::from_millis(500);
const LEAST_POLL: Duration = Duration::from_millis(100);

impl PlanConfig {
    /// `options` checked, files of keys and tokens read; `None` where no plan is followed.
    ///
    /// # Errors
    /// The first option that cannot be, by name; what is wrong in a file, by line.
    pub fn resolve(options: &PlanOptions) -> Result<Option<Self>, SettingsError> {
        let Some(keys) = &options.keys else {
            let others = [
                ("plan.source", options.source.is_some()),
                ("plan.tokens", options.tokens.is_some()),
                ("plan.state", options.state.is_some()),
                ("plan.hosts", options.hosts.is_some()),
            ];
            return match others.into_iter().find(|(_, given)| *given) {
                Some((key, _)) => {
                    Err(SettingsError::value(key, "does nothing without `plan.keys`: no plan is believed"))
                }
                None => Ok(None),
            };
        };
        let place = place(options.source.as_deref());
        let usual = if matches!(place, Place::Path(_)) { LOOK } else { POLL };
        let poll = options.poll.map_or(usual, |span| span.0);
        if poll < LEAST_POLL {
            return Err(SettingsError::value("plan.poll", "is too short; give at least 100ms"));
        }
        let hosts = options.hosts.as_deref().unwrap_or_default();
        if let Some(bad) = hosts.iter().find(|host| !is_host(host)) {
            let problem = format!("has {bad:?}; give hosts, as \"lessons.example\"");
            return Err(SettingsError::value("plan.hosts", problem));
        }
        Ok(Some(Self {
            keys: TrustFile::read(keys)?,
            place,
            tokens: options.tokens.as_deref().map(TokenFile::read).transpose()?,
            state: options.state.clone(),
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            poll,
            clock_offset: options.clock_offset.map_or(SignedDuration::ZERO, |offset| offset.0),
        }))
    }

    /// Files and folders that are read at work.
    pub fn reads(&self) -> impl Iterator<Item = PathBuf> {
        let source = match &self.place {
            Place::Path(path) => Some(path.clone()),
            Place::Own | Place::Url(_) => None,
        };
        // One that is replaced is another one: its folder must be open.
        let around = source.as_deref().and_then(|source| source.parent().map(std::path::Path::to_path_buf));
        let tokens = self.tokens.as_ref().map(|tokens| tokens.path().to_path_buf());
        let paths = [around, source, Some(self.keys.path().to_path_buf()), tokens];
        paths.into_iter().flatten().filter_map(|path| std::path::absolute(path).ok())
    }

    /// The folder that is written to at work.
    pub fn writes(&self) -> Option<PathBuf> {
        std::path::absolute(self.state.as_deref()?).ok()
    }
}

fn place(source: Option<&str>) -> Place {
    match source {
        None => Place::Own,
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Place::Url(url.to_owned()),
        Some(path) => Place::Path(path.into()),
    }
}

fn is_host(host: &str) -> bool {
    let parsed: Option<http::uri::Authority> = host.parse().ok();
    parsed.is_some_and(|host| !host.as_str().contains('@') && !host.host().is_empty())
}

impl FromStr for ClockOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed: Result<SignedDuration, _> = text.parse();
        parsed.map(Self).map_err(|_| format!("{text:?} is no span; give 2h30m or -15m"))
    }
}

impl TryFrom<String> for ClockOffset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClockOffset> for String {
    fn from(offset: ClockOffset) -> Self {
        offset.to_string()
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_followed_without_keys() {
        assert!(PlanConfig::resolve(&PlanOptions::default()).unwrap().is_none());
        let alone = PlanOptions { source: Some("plans".into()), ..PlanOptions::default() };
        let error = PlanConfig::resolve(&alone).unwrap_err().to_string();
        assert!(error.contains("`plan.source`") && error.contains("plan.keys"), "{error}");
    }

    #[test]
    fn what_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        std::fs::write(&keys, "").unwrap();
        let tokens = folder.path().join("tokens");
        std::fs::write(&tokens, "short\n").unwrap();
        let with = || PlanOptions { keys: Some(keys.clone()), ..PlanOptions::default() };
        for (options, key) in [
            (PlanOptions { keys: Some("/nowhere".into()), ..PlanOptions::default() }, "/nowhere"),
            (PlanOptions { hosts: Some(vec!["a b".into()]), ..with() }, "`plan.hosts`"),
            (PlanOptions { poll: Some(Span::millis(1)), ..with() }, "`plan.poll`"),
            (PlanOptions { tokens: Some(tokens.clone()), ..with() }, "`plan.tokens`"),
        ] {
            let error = PlanConfig::resolve(&options).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let config = PlanConfig::resolve(&with()).unwrap().unwrap();
        assert_eq!((config.place, config.poll), (Place::Own, POLL));
    }

    #[test]
    fn offsets_go_both_ways_through_a_file() {
        for (text, seconds) in [("2h30m", 9_000), ("-15m", -900), ("-1h", -3_600)] {
            let offset: ClockOffset = text.parse().unwrap();
            assert_eq!(offset.0.as_secs(), seconds);
            assert_eq!(String::from(offset).parse(), Ok(offset));
        }
        assert!("soon".parse::<ClockOffset>().is_err());
    }
}
