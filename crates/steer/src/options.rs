//! What steering is told.

use crate::desk::Settings;
use crate::source::Source;
use agent::Control;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use steering::Networks;
use telemetry::LogOptions;
use units::{BitRate, Span};

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The control, which knows the nodes: https://HOST:PORT
    #[arg(long, env = "AIRCLASS_CONTROL", value_name = "URL")]
    pub control: Option<String>,
    /// The certificate to show it, as `airclass control person` makes them
    #[arg(long = "as", env = "AIRCLASS_PERSON", value_name = "FILE")]
    pub person: Option<PathBuf>,
    /// Nodes from a file instead, as `airclass control nodes --json` prints them; read again every second
    #[arg(long, env = "AIRCLASS_STEER_NODES", value_name = "FILE")]
    pub nodes: Option<PathBuf>,
    /// Where addresses are: lines of PREFIX,PROVINCE,CARRIER [default: nobody is near anybody]
    #[arg(long, env = "AIRCLASS_STEER_NETWORKS", value_name = "FILE")]
    pub networks: Option<PathBuf>,
    /// What one student is sent [default: 1800kbit/s]
    #[arg(long, env = "AIRCLASS_STEER_RATE", value_name = "RATE")]
    pub rate: Option<BitRate>,
    /// What a node may send whose owner has set no limit [default: 10Gbit/s]
    #[arg(long, env = "AIRCLASS_STEER_LIMIT", value_name = "RATE")]
    pub limit: Option<BitRate>,
    /// How long an answer counts [default: 60s]
    #[arg(long, env = "AIRCLASS_STEER_TTL", value_name = "TIME")]
    pub ttl: Option<Span>,
    /// The pathway of the playlists that nodes are clones of (PATHWAY-ID; without one in the playlist it is ".") [default: .]
    #[arg(long, env = "AIRCLASS_STEER_PATHWAY", value_name = "ID")]
    pub pathway: Option<String>,
    /// Networks whose word for another address (`ip`) is believed: portals and apps' own resolvers [default: loopback]
    #[arg(long = "portal", env = "AIRCLASS_STEER_PORTALS", value_name = "PREFIX", value_delimiter = ',')]
    pub portals: Option<Vec<units::Network>>,
    /// Listeners; in the file the table `[serve]`
    #[command(flatten)]
    pub serve: serve::Options,
    /// Logs; in the file the table `[log]`
    #[command(flatten)]
    pub log: LogOptions,
}

/// Checked and complete.
pub struct Config {
    pub(crate) source: Source,
    pub(crate) settings: Settings,
    pub(crate) serve: serve::Config,
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8060);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9160);
/// The published design point: 90 Tbit/s for 50 million students.
const RATE: BitRate = BitRate(1_800_000);
const LIMIT: BitRate = BitRate(10_000_000_000);
const TTL: Span = Span::secs(60);
/// Below this steering is asked more often than playlists.
const LEAST_TTL: Span = Span::secs(5);

impl Config {
    /// `options` checked, defaults filled in, files read.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let mut serve = serve::Config::resolve(&options.serve, LISTEN, ADMIN)?;
        serve.sandbox.reads.extend(settings::paths(options)?.into_iter().map(|(_, path)| path));
        let source = source(options)?;
        if let Source::File(path) = &source {
            // A file that is replaced is another file: its folder must be open.
            let folder = std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_path_buf));
            serve.sandbox.reads.extend(folder);
        }
        let networks = match &options.networks {
            None => Networks::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| SettingsError::Unreadable { path: path.clone(), source })?;
                Networks::parse(&text).map_err(|error| SettingsError::Invalid {
                    path: path.clone(),
                    line: error.line,
                    problem: error.problem,
                })?
            }
        };
        let (rate, limit) = (options.rate.unwrap_or(RATE), options.limit.unwrap_or(LIMIT));
        if rate.0 == 0 || limit < rate {
            return Err(SettingsError::value(
                "limit",
                format!("is {limit}, less than one student's `rate`, {rate}"),
            ));
        }
        let ttl = options.ttl.unwrap_or(TTL);
        if ttl < LEAST_TTL {
            return Err(SettingsError::value("ttl", format!("is {ttl}; give at least {LEAST_TTL}")));
        }
        let pathway = options.pathway.clone().unwrap_or_else(|| ".".to_owned());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if pathway.is_empty() || !pathway.bytes().all(plain) {
            return Err(SettingsError::value("pathway", "must be letters, digits, `.`, `-` and `_`"));
        }
        let portals = options.portals.clone().unwrap_or_default();
        let settings = Settings { networks, rate, limit, ttl: ttl.0, pathway, portals };
        Ok(Self { source, settings, serve })
    }
}

fn source(options: &Options) -> Result<Source, SettingsError> {
    match (&options.nodes, &options.control, &options.person) {
        (Some(_), Some(_), _) => Err(SettingsError::value("nodes", "and `control` are both given; give one")),
        (Some(path), None, _) => Ok(Source::File(path.clone())),
        (None, Some(url), Some(person)) => {
            let text = std::fs::read_to_string(person)
                .map_err(|source| SettingsError::Unreadable { path: person.clone(), source })?;
            let control = Control::of_person(url, &text);
            let control = control.map_err(|(what, problem)| SettingsError::value(what, problem))?;
            Ok(Source::Control(control))
        }
        (None, Some(_), None) => {
            Err(SettingsError::value("person", "is missing; give the file to show the control"))
        }
        (None, None, _) => Err(SettingsError::value("control", "is missing; give it, or a file of `nodes`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let with = || Options { nodes: Some("nodes.json".into()), ..Options::default() };
        for (options, key) in [
            (Options::default(), "`control`"),
            (Options { control: Some("https://a".into()), ..with() }, "`nodes`"),
            (Options { control: Some("https://a".into()), ..Options::default() }, "`person`"),
            (Options { ttl: Some(Span::secs(1)), ..with() }, "`ttl`"),
            (Options { limit: Some(BitRate(1)), ..with() }, "`limit`"),
            (Options { pathway: Some("a b".into()), ..with() }, "`pathway`"),
            (Options { networks: Some("/nowhere".into()), ..with() }, "/nowhere"),
        ] {
            let error = Config::resolve(&options).map(drop).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert!(Config::resolve(&with()).is_ok());
    }

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let shipped = include_str!("../../../config/steer.toml");
        let options: Options = settings::parse(shipped, Path::new("steer.toml")).unwrap();
        let config = Config::resolve(&options).unwrap();
        let bare = Options { nodes: options.nodes.clone(), ..Options::default() };
        let defaults = Config::resolve(&bare).unwrap();
        assert_eq!(
            (config.serve.listeners, config.serve.admin),
            (defaults.serve.listeners, defaults.serve.admin)
        );
        assert_eq!(
            (config.settings.rate, config.settings.limit, config.settings.ttl, config.settings.pathway),
            (
                defaults.settings.rate,
                defaults.settings.limit,
                defaults.settings.ttl,
                defaults.settings.pathway
            )
        );
    }
}
