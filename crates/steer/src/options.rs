//! What steering is told.

use crate::desk::Settings;
use crate::dns::{Zone, name};
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
    /// Questions a second over HTTP from one address (IPv6: from one /64), ten seconds' worth at once; 0: any number [default: 200]
    #[arg(long, env = "AIRCLASS_STEER_ADDRESS_RATE", value_name = "N")]
    pub address_rate: Option<u32>,
    /// Answer in DNS here, over UDP and TCP; once for each address
    #[arg(long = "dns", env = "AIRCLASS_STEER_DNS", value_name = "ADDRESS", value_delimiter = ',')]
    pub dns: Option<Vec<SocketAddr>>,
    /// Names that are answered for; each is delegated here, as a zone of its own
    #[arg(long = "dns-name", env = "AIRCLASS_STEER_DNS_NAMES", value_name = "NAME", value_delimiter = ',')]
    pub dns_names: Option<Vec<String>>,
    /// Who answers for them, as the parent zone says: names of this server and its kin
    #[arg(
        long = "dns-server",
        env = "AIRCLASS_STEER_DNS_SERVERS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub dns_servers: Option<Vec<String>>,
    /// How long an answer in DNS counts [default: 30s]
    #[arg(long, env = "AIRCLASS_STEER_DNS_TTL", value_name = "TIME")]
    pub dns_ttl: Option<Span>,
    /// Messages a second of DNS from one network (/24, /56), ten seconds' worth at once; what is more is told to come by TCP, or
    /// dropped; 0: any number [default: 1000]
    #[arg(long, env = "AIRCLASS_STEER_DNS_RATE", value_name = "N")]
    pub dns_rate: Option<u32>,
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
    pub(crate) dns: Dns,
    pub(crate) serve: serve::Config,
}

/// DNS, checked.
pub(crate) struct Dns {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) zone: Zone,
    pub(crate) rate: u32,
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8060);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9160);
/// The published design point: 90 Tbit/s for 50 million students.
const RATE: BitRate = BitRate(1_800_000);
const LIMIT: BitRate = BitRate(10_000_000_000);
const TTL: Span = Span::secs(60);
/// Below this steering is asked more often than playlists.
const LEAST_TTL: Span = Span::secs(5);

/// A school behind one address: 5,000 players that ask once a minute, twice over.
const ADDRESS_RATE: u32 = 200;
/// A node that fails is left by who asks anew; half a minute, since resolvers keep it for all their students.
const DNS_TTL: Span = Span::secs(30);
/// A province's resolvers in one network, each name asked for every half minute by each.
const DNS_RATE: u32 = 1_000;
/// The largest file of networks read: all of the internet's take half of it.
const MAX_NETWORKS_BYTES: u64 = 64 << 20;
/// Names, in a zone each.
const MAX_DNS_NAMES: usize = 64;

impl Config {
    /// `options` checked, defaults filled in, files read.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let mut serve = serve::Config::resolve(&options.serve, LISTEN, ADMIN)?.serving_all()?;
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
                let text = settings::small_text(path, MAX_NETWORKS_BYTES)
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
        let dns = dns(options)?;
        let settings = Settings {
            networks,
            rate,
            limit,
            ttl: ttl.0,
            pathway,
            portals,
            address_rate: options.address_rate.unwrap_or(ADDRESS_RATE),
            dns_ttl: dns.zone.ttl,
        };
        Ok(Self { source, settings, dns, serve })
    }
}

fn dns(options: &Options) -> Result<Dns, SettingsError> {
    let named = |key: &'static str, given: &Option<Vec<String>>| -> Result<Vec<_>, SettingsError> {
        let given = given.as_deref().unwrap_or_default();
        let whole = given.iter().map(|text| {
            let named = name(text).filter(|name| !name.is_root());
            named.ok_or_else(|| SettingsError::value(key, format!("has {text:?}, which is no name")))
        });
        whole.collect()
    };
    let listen = options.dns.clone().unwrap_or_default();
    let zone = Zone {
        names: named("dns_names", &options.dns_names)?,
        servers: named("dns_servers", &options.dns_servers)?,
        ttl: options.dns_ttl.unwrap_or(DNS_TTL).0,
    };
    if listen.is_empty() != zone.names.is_empty() {
        return Err(SettingsError::value("dns_names", "and `dns` go together: where, and for which names"));
    }
    if zone.names.len() > MAX_DNS_NAMES {
        return Err(SettingsError::value("dns_names", format!("has more than {MAX_DNS_NAMES} names")));
    }
    if zone.ttl < LEAST_TTL.0 {
        return Err(SettingsError::value("dns_ttl", format!("is less than {LEAST_TTL}")));
    }
    Ok(Dns { listen, zone, rate: options.dns_rate.unwrap_or(DNS_RATE) })
}

fn source(options: &Options) -> Result<Source, SettingsError> {
    match (&options.nodes, &options.control, &options.person) {
        (Some(_), Some(_), _) => Err(SettingsError::value("nodes", "and `control` are both given; give one")),
        (Some(path), None, _) => Ok(Source::File(path.clone())),
        (None, Some(url), Some(person)) => {
            let control = Control::of_person(url, &settings::read(person)?);
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
            (Options { dns_names: Some(vec!["a.example".into()]), ..with() }, "`dns_names`"),
            (Options { dns: Some(vec![LISTEN]), ..with() }, "`dns_names`"),
            (Options { dns_names: Some(vec!["a..b".into()]), ..with() }, "`dns_names`"),
            (Options { dns_ttl: Some(Span::secs(1)), ..with() }, "`dns_ttl`"),
        ] {
            let error = Config::resolve(&options).map(drop).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert!(Config::resolve(&with()).is_ok());
    }

    #[test]
    fn names_are_answered_for_at_addresses() {
        let options = Options {
            nodes: Some("nodes.json".into()),
            dns: Some(vec![LISTEN]),
            dns_names: Some(vec!["lessons.example".into(), "tv.example.".into()]),
            ..Options::default()
        };
        let dns = Config::resolve(&options).unwrap().dns;
        assert_eq!((dns.zone.names.len(), dns.rate), (2, DNS_RATE));
        assert!(dns.zone.names.iter().all(|name| name.is_fqdn()));
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
            (config.dns.listen, config.dns.rate, config.settings.address_rate, config.settings.dns_ttl),
            (
                defaults.dns.listen,
                defaults.dns.rate,
                defaults.settings.address_rate,
                defaults.settings.dns_ttl
            )
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
