//! What the agent is told.

use serde::{Deserialize, Serialize};
use settings::SettingsError;
use signing::TrustFile;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use telemetry::{Hosts, LogOptions};

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "agent")]
pub struct Options {
    /// The folder of this node, as `airclass node enroll` has made it [default: /var/lib/airclass/node]
    #[arg(long, env = "AIRCLASS_NODE_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// The edge's admin listener [default: 127.0.0.1:9101]
    #[arg(long, env = "AIRCLASS_NODE_EDGE", value_name = "ADDRESS")]
    pub edge: Option<SocketAddr>,
    /// The folder that the edge takes plans from (its `plan.source`) [default: orders to follow a plan are refused]
    #[arg(long, env = "AIRCLASS_NODE_PLANS", value_name = "DIR")]
    pub plans: Option<PathBuf>,
    /// Whose orders to forget count here: the edge's own `purge.keys`, with this node's relay key in it [default: orders that
    /// come late are refused]
    #[arg(long, env = "AIRCLASS_NODE_PURGE_KEYS", value_name = "FILE")]
    pub purge_keys: Option<PathBuf>,
    /// Where students reach this node, for steering: https://HOST[:PORT]
    #[arg(long, env = "AIRCLASS_NODE_ADDRESS", value_name = "URL")]
    pub address: Option<String>,
    /// Addresses that answer for it in DNS
    #[arg(long = "ip", env = "AIRCLASS_NODE_IPS", value_name = "IP", value_delimiter = ',')]
    pub ips: Option<Vec<IpAddr>>,
    /// /metrics, /healthz, /readyz [default: 127.0.0.1:9171]
    #[arg(long, env = "AIRCLASS_NODE_ADMIN", value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// Names by which the admin listener may be asked, beside its addresses, localhost and the machine's own name
    #[arg(
        long = "admin-host",
        env = "AIRCLASS_NODE_ADMIN_HOSTS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub admin_hosts: Option<Vec<String>>,
    /// How it logs.
    #[command(flatten)]
    pub log: LogOptions,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node's folder.
    pub home: PathBuf,
    /// The edge's admin listener.
    pub edge: SocketAddr,
    /// Where plans go.
    pub plans: Option<PathBuf>,
    /// Whose orders count.
    pub purge_keys: Option<TrustFile>,
    /// Where students reach it.
    pub address: Option<String>,
    /// Its addresses in DNS.
    pub ips: Vec<IpAddr>,
    /// Its admin listener.
    pub admin: SocketAddr,
    /// By which names it may be asked.
    pub admin_hosts: Hosts,
}

/// Where a node keeps itself.
pub(crate) const HOME: &str = "/var/lib/airclass/node";
const EDGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9101);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9171);
/// More addresses than a DNS answer has room for.
const MAX_IPS: usize = 8;

impl Config {
    /// `options` checked, defaults filled in.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let ips = options.ips.clone().unwrap_or_default();
        if ips.len() > MAX_IPS {
            return Err(SettingsError::value("ips", format!("has more than {MAX_IPS} addresses")));
        }
        if let Some(address) = &options.address
            && !(address.starts_with("https://") || address.starts_with("http://"))
        {
            return Err(SettingsError::value("address", format!("is {address:?}; give https://HOST[:PORT]")));
        }
        Ok(Self {
            home: options.home.clone().unwrap_or_else(|| HOME.into()),
            edge: options.edge.unwrap_or(EDGE),
            plans: options.plans.clone(),
            purge_keys: options.purge_keys.as_deref().map(TrustFile::read).transpose()?,
            address: options.address.as_deref().map(|address| address.trim_end_matches('/').to_owned()),
            ips,
            admin: options.admin.unwrap_or(ADMIN),
            admin_hosts: Hosts::configured(options.admin_hosts.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_shipped_file_says_the_defaults_and_what_cannot_be_is_named() {
        let shipped = include_str!("../../../config/node.toml");
        let options: Options = settings::parse(shipped, Path::new("node.toml")).unwrap();
        let (config, defaults) =
            (Config::resolve(&options).unwrap(), Config::resolve(&Options::default()).unwrap());
        assert_eq!((config.home, config.edge, config.plans), (defaults.home, defaults.edge, defaults.plans));
        assert_eq!(config.admin, defaults.admin);
        for (options, key) in [
            (Options { address: Some("edge".into()), ..Options::default() }, "`address`"),
            (Options { ips: Some(vec!["192.0.2.1".parse().unwrap(); 9]), ..Options::default() }, "`ips`"),
            (Options { purge_keys: Some("/nowhere".into()), ..Options::default() }, "/nowhere"),
        ] {
            let error = Config::resolve(&options).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
