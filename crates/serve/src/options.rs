//! What can be set about listening, and what it is when nothing is set.

mod limits;
mod listener;
mod tls;

pub use limits::{LimitOptions, Limits};
pub(crate) use limits::{PRESSED_IDLE, raise_descriptors};
pub use listener::{Address, Listener, ListenerOptions, Others, ProxyRule, ProxySender, Tuning};
pub use tls::{CertificateFiles, TlsFiles};

use crate::sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use telemetry::Hosts;
use units::Span;

/// As typed: flags, environment or file. `None` means the default of [`Config::resolve`].
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "listeners")]
#[command(next_help_heading = "Listeners [serve]")]
pub struct Options {
    /// Address for plain HTTP/1.1 and HTTP/2; may be given several times
    #[arg(long, env = "AIRCLASS_LISTEN", value_name = "ADDR", value_delimiter = ',')]
    pub listen: Option<Vec<SocketAddr>>,
    /// Address for HTTPS (TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2); needs --cert and --key
    #[arg(long, env = "AIRCLASS_TLS_LISTEN", value_name = "ADDR", value_delimiter = ',')]
    pub tls_listen: Option<Vec<SocketAddr>>,
    /// Speak HTTP/3 as well on every --tls-listen address, over UDP at the same port
    #[arg(long, env = "AIRCLASS_HTTP3", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub http3: Option<bool>,
    /// How long a client may remember that there is HTTP/3 (Alt-Svc) [default: 24h]
    #[arg(long, env = "AIRCLASS_HTTP3_MAX_AGE", value_name = "TIME")]
    pub http3_max_age: Option<Span>,
    /// A listener with settings of its own, as a TOML inline table without its braces; in the file the tables
    /// `[[serve.listener]]`; may be given several times
    #[arg(long, env = "AIRCLASS_LISTENER", value_name = "TABLE", value_delimiter = ';')]
    pub listener: Option<Vec<ListenerOptions>>,
    /// Certificate chain, PEM; several for several names, the first also for all other names
    #[arg(long, env = "AIRCLASS_CERT", value_name = "FILE", value_delimiter = ',')]
    #[serde(deserialize_with = "tls::one_or_many")]
    pub cert: Option<Vec<PathBuf>>,
    /// Private key, PEM; one for each --cert, in the same order
    #[arg(long, env = "AIRCLASS_KEY", value_name = "FILE", value_delimiter = ',')]
    #[serde(deserialize_with = "tls::one_or_many")]
    pub key: Option<Vec<PathBuf>>,
    /// Keys for session tickets that all nodes of a group can read [default: keys of this process's own]
    #[arg(long, env = "AIRCLASS_TICKET_KEYS", value_name = "FILE")]
    pub ticket_keys: Option<PathBuf>,
    /// Where the next process asks for this one's sockets: a restart without a refused connection [default: nowhere]
    #[arg(long, env = "AIRCLASS_HANDOVER", value_name = "SOCKET")]
    pub handover: Option<PathBuf>,
    /// User to become once everything is bound, `user` or `user:group` [default: who started it]
    #[arg(long, env = "AIRCLASS_USER", value_name = "USER")]
    pub user: Option<String>,
    /// Leave paths and system calls open
    #[arg(long, env = "AIRCLASS_NO_SANDBOX", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub no_sandbox: Option<bool>,
    /// Address for /metrics, /healthz and /readyz
    #[arg(long, env = "AIRCLASS_ADMIN", value_name = "ADDR")]
    pub admin: Option<SocketAddr>,
    /// Names by which the admin listener may be asked, beside its addresses, localhost and the machine's own name
    #[arg(long = "admin-host", env = "AIRCLASS_ADMIN_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub admin_hosts: Option<Vec<String>>,
    /// Runtimes to start [default: one a core]
    #[arg(long, env = "AIRCLASS_CORES", value_name = "N")]
    pub cores: Option<usize>,
    /// Time-outs and bounds; in the file the table `[limits]`
    #[command(flatten)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitOptions>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// Plain ones, then TLS, then those of tables.
    pub listeners: Vec<Listener>,
    /// How long clients may remember that there is HTTP/3.
    pub http3_max_age: Duration,
    /// What TLS listeners need; set when there is one.
    pub tls: Option<TlsFiles>,
    /// Where the next process asks for the sockets.
    pub handover: Option<PathBuf>,
    /// Admin listener.
    pub admin: SocketAddr,
    /// By which names it may be asked.
    pub admin_hosts: Hosts,
    /// Runtimes, at least one.
    pub cores: usize,
    /// Every wait and bound of a connection.
    pub limits: Limits,
    /// What the process gives up once it listens.
    pub sandbox: Sandbox,
}

impl Config {
    /// `options` with defaults filled in: `listen` when no listener is named at all, and `admin`.
    ///
    /// # Errors
    /// TLS without a certificate, zero cores, a bound that cannot work; the key is named.
    pub fn resolve(options: &Options, listen: SocketAddr, admin: SocketAddr) -> Result<Self, SettingsError> {
        let mut listeners = Vec::new();
        for (addresses, tls) in [(&options.listen, false), (&options.tls_listen, true)] {
            let http3 = tls && options.http3.unwrap_or(false);
            let plain = |&address| Listener { http3, ..Listener::plain(address, tls) };
            listeners.extend(addresses.iter().flatten().map(plain));
        }
        for table in options.listener.iter().flatten() {
            listeners.push(Listener::resolve(table)?);
        }
        if listeners.is_empty() {
            if options.listen.is_some() {
                let problem =
                    "is empty, and nothing else listens: give an address, or leave it out for the default";
                return Err(SettingsError::value("listen", problem));
            }
            listeners.push(Listener::plain(listen, false));
        }
        let tls = TlsFiles::resolve(options, listeners.iter().any(|listener| listener.tls))?;
        if options.http3 == Some(true) && options.tls_listen.as_ref().is_none_or(Vec::is_empty) {
            return Err(SettingsError::value(
                "http3",
                "does nothing without tls_listen: give an address there",
            ));
        }
        let http3_max_age = options.http3_max_age.map_or(HTTP3_MAX_AGE, |span| span.0);
        if http3_max_age > MAX_HTTP3_MAX_AGE {
            return Err(SettingsError::value(
                "http3_max_age",
                "is above 30 days: who changes his mind waits that long",
            ));
        }
        let cores = options.cores.unwrap_or_else(available_cores);
        if cores == 0 || cores > MAX_CORES {
            return Err(SettingsError::value("cores", format!("is {cores}; give 1 to {MAX_CORES}")));
        }
        let limits = Limits::resolve(options.limits.as_ref())?;
        let admin = options.admin.unwrap_or(admin);
        let admin_hosts = Hosts::configured(options.admin_hosts.as_deref())?;
        let sandbox = Sandbox {
            enabled: !options.no_sandbox.unwrap_or(false),
            user: options.user.clone(),
            // Read again when they change; relative ones, too.
            reads: tls
                .iter()
                .flat_map(TlsFiles::paths)
                .filter_map(|path| std::path::absolute(path).ok())
                .collect(),
            writes: Vec::new(),
            disks: Vec::new(),
        };
        let handover = options.handover.clone();
        Ok(Self { listeners, http3_max_age, tls, handover, admin, admin_hosts, cores, limits, sandbox })
    }
}

impl Config {
    /// For services that answer every request themselves.
    ///
    /// # Errors
    /// A listener has `to_https`.
    pub fn serving_all(self) -> Result<Self, SettingsError> {
        match self.listeners.iter().any(|listener| listener.to_https.is_some()) {
            true => {
                Err(SettingsError::value("listener", "has to_https, which only an edge obeys: leave it out"))
            }
            false => Ok(self),
        }
    }
}

/// A school day and its night: whoever was here yesterday comes by HTTP/3 at once.
const HTTP3_MAX_AGE: Duration = Duration::from_secs(24 * 3_600);
const MAX_HTTP3_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// More runtimes than any machine we know has cores.
const MAX_CORES: usize = 1_024;

fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: &str = "127.0.0.1:8080";

    fn resolve(options: &Options) -> Result<Config, SettingsError> {
        Config::resolve(options, LISTEN.parse().unwrap(), "127.0.0.1:9101".parse().unwrap())
    }

    #[test]
    fn nothing_set_listens_on_the_default() {
        let config = resolve(&Options::default()).unwrap();
        assert_eq!(config.listeners, [Listener::plain(LISTEN.parse().unwrap(), false)]);
        assert!(config.tls.is_none() && config.cores >= 1);
    }

    #[test]
    fn who_would_listen_nowhere_is_refused() {
        let nowhere = Options { listen: Some(vec![]), ..Options::default() };
        assert!(resolve(&nowhere).unwrap_err().to_string().contains("`listen` is empty"));
        let files = Some(vec!["c".into()]);
        let tls = Options {
            tls_listen: Some(vec![LISTEN.parse().unwrap()]),
            cert: files.clone(),
            key: files,
            ..nowhere
        };
        assert_eq!(resolve(&tls).unwrap().listeners.len(), 1, "another one is enough");
    }

    #[test]
    fn tls_needs_all_three() {
        let options = Options {
            tls_listen: Some(vec![LISTEN.parse().unwrap()]),
            cert: Some(vec!["c".into()]),
            ..Options::default()
        };
        assert!(resolve(&options).unwrap_err().to_string().contains("tls_listen"));
        let options = Options { cert: Some(vec!["c".into()]), ..Options::default() };
        assert!(resolve(&options).unwrap_err().to_string().contains("cert"));
    }

    #[test]
    fn http3_is_off_unless_asked_for_and_needs_tls() {
        let addresses = Some(vec![LISTEN.parse().unwrap()]);
        let files = Some(vec!["c".into()]);
        let options =
            Options { tls_listen: addresses, cert: files.clone(), key: files, ..Options::default() };
        assert!(!resolve(&options).unwrap().listeners[0].http3);
        let config = resolve(&Options { http3: Some(true), ..options }).unwrap();
        assert!(config.listeners[0].http3 && config.http3_max_age == HTTP3_MAX_AGE);
        let error = resolve(&Options { http3: Some(true), ..Options::default() }).unwrap_err();
        assert!(error.to_string().contains("http3"), "{error}");
        let long = Options { http3_max_age: Some(Span::secs(31 * 86_400)), ..Options::default() };
        assert!(resolve(&long).unwrap_err().to_string().contains("http3_max_age"));
    }

    #[test]
    fn a_certificate_is_one_path_or_a_list() {
        let parse = |text| settings::parse::<Options>(text, std::path::Path::new("edge.toml"));
        let one = parse("tls_listen = [\"[::]:443\"]\ncert = \"a\"\nkey = [\"b\"]").unwrap();
        let files = resolve(&one).unwrap().tls.unwrap();
        assert_eq!(files.certificates, [CertificateFiles { cert: "a".into(), key: "b".into() }]);
        let many = parse("tls_listen = [\"[::]:443\"]\ncert = [\"a\", \"b\"]\nkey = \"a\"").unwrap();
        assert!(resolve(&many).unwrap_err().to_string().contains("`key`"));
        assert!(parse("cert = 1").unwrap_err().to_string().contains("a list of paths"));
    }
}
