//! What the control is told.

use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use telemetry::{Hosts, LogOptions};
use units::Span;

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "control")]
pub struct Options {
    /// The folder that `airclass control init` has made: the authority's key, and records unless there is a --store
    #[arg(long, env = "AIRCLASS_CONTROL_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Records in NATS JetStream, for several controls: nats://HOST[:PORT][,HOST]/NAME [default: in --state]
    #[arg(long, env = "AIRCLASS_CONTROL_STORE", value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,
    /// Where nodes and people reach it [default: 127.0.0.1:8070]
    #[arg(long, env = "AIRCLASS_CONTROL_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Names and addresses under which they do; its certificate is for these [default: localhost, 127.0.0.1]
    #[arg(long = "name", env = "AIRCLASS_CONTROL_NAMES", value_name = "HOST", value_delimiter = ',')]
    pub names: Option<Vec<String>>,
    /// Where the edges of new nodes fetch from; told to each with its certificate [default: their installers say]
    #[arg(long, env = "AIRCLASS_CONTROL_UPSTREAM", value_name = "URL", value_delimiter = ',')]
    pub upstream: Option<Vec<String>>,
    /// For how long a node's certificate counts, 10s to 366d; the node renews it when a third is left [default: 45d]
    #[arg(long, env = "AIRCLASS_CONTROL_CERTIFICATES", value_name = "TIME")]
    pub certificates: Option<Span>,
    /// /metrics, /healthz, /readyz; POST /drain [default: 127.0.0.1:9170]
    #[arg(long, env = "AIRCLASS_CONTROL_ADMIN", value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// Names by which the admin listener may be asked, beside its addresses, localhost and the machine's own name
    #[arg(
        long = "admin-host",
        env = "AIRCLASS_CONTROL_ADMIN_HOSTS",
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
    pub(crate) state: PathBuf,
    pub(crate) store: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) names: Vec<String>,
    pub(crate) upstream: Vec<String>,
    pub(crate) certificates: Duration,
    pub(crate) admin: SocketAddr,
    pub(crate) admin_hosts: Hosts,
}

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8070);
const ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9170);
/// A node that is away for a month comes back by itself; one that was stolen and not missed is nobody after that.
const CERTIFICATES: Span = Span::secs(45 * 86_400);
/// Shorter ones could not be renewed in time over a bad line; longer ones are forgotten about.
const LEAST_CERTIFICATES: Span = Span::secs(10);
const MOST_CERTIFICATES: Span = Span::secs(366 * 86_400);

impl Config {
    /// `options` checked, defaults filled in.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let state = options.state.clone().ok_or_else(|| {
            SettingsError::value("state", "is missing; give the folder that `airclass control init` has made")
        })?;
        let names = options.names.clone().unwrap_or_else(|| vec!["localhost".into(), "127.0.0.1".into()]);
        if names.iter().any(String::is_empty) || names.is_empty() {
            return Err(SettingsError::value("names", "has an empty one; give hosts or addresses"));
        }
        let upstream = options.upstream.clone().unwrap_or_default();
        if let Some(wrong) =
            upstream.iter().find(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            return Err(SettingsError::value(
                "upstream",
                format!("has {wrong:?}; give http://HOST or https://HOST"),
            ));
        }
        let certificates = options.certificates.unwrap_or(CERTIFICATES);
        if !(LEAST_CERTIFICATES..=MOST_CERTIFICATES).contains(&certificates) {
            let problem = format!("is {certificates}; give {LEAST_CERTIFICATES} to {MOST_CERTIFICATES}");
            return Err(SettingsError::value("certificates", problem));
        }
        Ok(Self {
            state,
            store: options.store.clone(),
            listen: options.listen.unwrap_or(LISTEN),
            names,
            upstream,
            certificates: certificates.0,
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
    fn the_shipped_file_says_the_defaults() {
        let shipped = include_str!("../../../config/control.toml");
        let options: Options = settings::parse(shipped, Path::new("control.toml")).unwrap();
        let config = Config::resolve(&options).unwrap();
        let bare = Options { state: options.state.clone(), ..Options::default() };
        let defaults = Config::resolve(&bare).unwrap();
        assert_eq!(
            (config.listen, config.admin, config.names),
            (defaults.listen, defaults.admin, defaults.names)
        );
        assert_eq!((config.store, config.certificates), (None, defaults.certificates));
        let error = Config::resolve(&Options::default()).unwrap_err().to_string();
        assert!(error.contains("`state`"), "{error}");
        let short = Options { certificates: Some(Span::secs(9)), ..options.clone() };
        let error = Config::resolve(&short).unwrap_err().to_string();
        assert!(error.contains("`certificates` is 9s; give 10s to 366d"), "{error}");
        let options = Options { upstream: Some(vec!["origin.example".into()]), ..options };
        let error = Config::resolve(&options).unwrap_err().to_string();
        assert!(error.contains("`upstream`"), "{error}");
    }
}
