//! What can be set about listening, and what it is when nothing is set.

mod listener;

pub use listener::{Address, Listener, ListenerOptions, Others, ProxyRule, ProxySender, Tuning};

use crate::pressure::Level;
use crate::sandbox::Sandbox;
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Deserializer, Serialize};
use settings::SettingsError;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use telemetry::Hosts;
use units::{BitRate, ByteCount, Span};

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
    #[serde(deserialize_with = "one_or_many")]
    pub cert: Option<Vec<PathBuf>>,
    /// Private key, PEM; one for each --cert, in the same order
    #[arg(long, env = "AIRCLASS_KEY", value_name = "FILE", value_delimiter = ',')]
    #[serde(deserialize_with = "one_or_many")]
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

/// Time-outs and bounds as typed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "limits")]
#[command(next_help_heading = "Bounds of connections [serve.limits]")]
pub struct LimitOptions {
    /// Most connections at once [default: the descriptor limit less a reserve]
    #[arg(long, value_name = "N")]
    pub max_connections: Option<usize>,
    /// Longest wait for a TLS handshake [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub handshake_timeout: Option<Span>,
    /// Longest wait for a request's header section [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub header_timeout: Option<Span>,
    /// How long an idle connection is kept [default: 75s]
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<Span>,
    /// How long a connection stays warm after a request before it is parked [default: 1s]
    #[arg(long, value_name = "TIME")]
    pub park_after: Option<Span>,
    /// How long a client may take not a single byte of an answer, or send none of a body [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub stall_timeout: Option<Span>,
    /// Under pressure: the least that a client must take of an answer it waits for [default: 32kbit/s]
    #[arg(long, value_name = "RATE")]
    pub min_rate: Option<BitRate>,
    /// How long running answers may go on after a stop was asked for [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub drain_timeout: Option<Span>,
    /// Largest header section of a request [default: 32KiB]
    #[arg(long, value_name = "SIZE")]
    pub max_header_size: Option<ByteCount>,
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

/// Where certificates and ticket keys lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// At least one; the first is for all names that no other has.
    pub certificates: Vec<CertificateFiles>,
    /// Keys that the nodes of a group share.
    pub ticket_keys: Option<PathBuf>,
}

/// Where a certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Chain, leaf first, PEM.
    pub cert: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1, PEM.
    pub key: PathBuf,
}

/// Every wait and bound of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once over all cores. Worst case memory: this × (about 20 KiB active, 1 KiB parked).
    pub max_connections: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// From a request's first byte to the end of its header section; on a new connection from accept. Slowloris
    /// ends here.
    pub header: Duration,
    /// Between requests. Longer than a segment (4.8 s) by far, so that a player's connection lives through a lesson.
    pub idle: Duration,
    /// From the end of an answer to giving back the buffers.
    pub park_after: Duration,
    /// Without a single byte taken by the client while an answer waits, or sent while its body is waited for.
    pub stall: Duration,
    /// Under pressure: a client that keeps us waiting and takes less gives its place to others. Below the slowest
    /// rendition's sound: nobody watches at this rate.
    pub min_rate: BitRate,
    /// From the wish to stop to dropping what still runs.
    pub drain: Duration,
    /// Bytes of a request's header section.
    pub max_header_bytes: usize,
}

/// Descriptors kept back from connections: listeners, upstream connections, files, logs.
const RESERVED_DESCRIPTORS: usize = 512;
/// However few descriptors there are: a service that nobody can try is none.
const LEAST_CONNECTIONS: usize = 64;
/// Taken where there is no limit.
const UNLIMITED_DESCRIPTORS: usize = 1 << 20;
/// hyper does not work with less.
const MIN_HEADER_BYTES: usize = 8 * 1_024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: most_connections(descriptor_limit()),
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            park_after: Duration::from_secs(1),
            stall: Duration::from_secs(60),
            min_rate: BitRate(32_000),
            drain: Duration::from_secs(30),
            max_header_bytes: 32 * 1_024,
        }
    }
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

impl TlsFiles {
    /// Every file.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let pairs = self.certificates.iter().flat_map(|pair| [pair.cert.as_path(), pair.key.as_path()]);
        pairs.chain(self.ticket_keys.as_deref())
    }

    /// `wanted`: some listener speaks TLS.
    fn resolve(options: &Options, wanted: bool) -> Result<Option<Self>, SettingsError> {
        let given = |files: &Option<Vec<PathBuf>>| files.clone().unwrap_or_default();
        let (certs, keys) = (given(&options.cert), given(&options.key));
        let none = certs.is_empty() && keys.is_empty();
        match wanted {
            true if certs.is_empty() || keys.is_empty() => {
                Err(SettingsError::value("tls_listen", "needs a certificate and its key: give cert and key"))
            }
            true if certs.len() != keys.len() => Err(SettingsError::value(
                "key",
                format!("names {} files for {} certificates; give one for each", keys.len(), certs.len()),
            )),
            true => {
                let pairs = certs.into_iter().zip(keys);
                let certificates = pairs.map(|(cert, key)| CertificateFiles { cert, key }).collect();
                Ok(Some(Self { certificates, ticket_keys: options.ticket_keys.clone() }))
            }
            false if options.ticket_keys.is_some() => {
                Err(SettingsError::value("ticket_keys", "does nothing without tls_listen: leave it out"))
            }
            false if none => Ok(None),
            false => Err(SettingsError::value(
                "cert",
                "and key do nothing without tls_listen: give all three or none",
            )),
        }
    }
}

/// A list, or the one element of a list.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<PathBuf>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path or a list of paths")]
    enum OneOrMany {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(Option::<OneOrMany>::deserialize(deserializer)?.map(|given| match given {
        OneOrMany::One(path) => vec![path],
        OneOrMany::Many(paths) => paths,
    }))
}

/// A school day and its night: whoever was here yesterday comes by HTTP/3 at once.
const HTTP3_MAX_AGE: Duration = Duration::from_secs(24 * 3_600);
const MAX_HTTP3_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// More runtimes than any machine we know has cores.
const MAX_CORES: usize = 1_024;

impl Limits {
    fn resolve(options: Option<&LimitOptions>) -> Result<Self, SettingsError> {
        let default = Self::default();
        let Some(options) = options else { return Ok(default) };
        let span = |key, given: Option<Span>, default: Duration| match given {
            Some(Span(Duration::ZERO)) => {
                Err(SettingsError::value(key, "is zero; every wait needs a limit above it"))
            }
            Some(Span(span)) => Ok(span),
            None => Ok(default),
        };
        let max_header_bytes = options.max_header_size.map_or(default.max_header_bytes, ByteCount::as_usize);
        if !(MIN_HEADER_BYTES..=1 << 20).contains(&max_header_bytes) {
            return Err(SettingsError::value("max_header_size", "must lie between 8KiB and 1MiB"));
        }
        let max_connections = options.max_connections.unwrap_or(default.max_connections);
        if max_connections == 0 {
            return Err(SettingsError::value("max_connections", "is zero; nobody could connect"));
        }
        // Beyond it nothing would be left for upstreams: who is in would wait, and nobody would be told why.
        let descriptors = descriptor_limit();
        let most = most_connections(descriptors);
        if max_connections > most {
            let problem = format!(
                "is {max_connections}; with {descriptors} descriptors (`ulimit -n`, LimitNOFILE) give at most {most}, or raise them"
            );
            return Err(SettingsError::value("max_connections", problem));
        }
        Ok(Self {
            max_connections,
            handshake: span("handshake_timeout", options.handshake_timeout, default.handshake)?,
            header: span("header_timeout", options.header_timeout, default.header)?,
            idle: span("idle_timeout", options.idle_timeout, default.idle)?,
            park_after: span("park_after", options.park_after, default.park_after)?,
            stall: span("stall_timeout", options.stall_timeout, default.stall)?,
            min_rate: options.min_rate.unwrap_or(default.min_rate),
            drain: span("drain_timeout", options.drain_timeout, default.drain)?,
            max_header_bytes,
        })
    }
}

/// Idle limit under pressure: three segments, so that whoever plays keeps the connection.
pub(crate) const PRESSED_IDLE: Duration = Duration::from_secs(15);

impl Limits {
    /// How long a connection may be idle when the machine is pressed so hard.
    pub(crate) fn idle_under(&self, level: Level) -> Duration {
        if level >= Level::High { self.idle.min(PRESSED_IDLE) } else { self.idle }
    }

    /// When a connection that has been idle for so long is looked at again, for the machine may be pressed by then; `None` where
    /// it has been idle for too long.
    pub(crate) fn idle_look(&self, idle: Duration, level: Level) -> Option<Duration> {
        let left = self.idle_under(level).checked_sub(idle).filter(|left| !left.is_zero())?;
        Some(left.min(PRESSED_IDLE))
    }
}

fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many connections there can be when so many descriptors can.
fn most_connections(descriptors: usize) -> usize {
    descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(LEAST_CONNECTIONS)
}

/// The soft limit of open files. Asked of the kernel itself: it has to be the same at a reload as it was at the start, and a file
/// of `/proc` may be none that the sandbox leaves open.
fn descriptor_limit() -> usize {
    let soft = getrlimit(Resource::Nofile).current;
    soft.and_then(|soft| usize::try_from(soft).ok()).unwrap_or(UNLIMITED_DESCRIPTORS)
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

    #[test]
    fn more_connections_than_descriptors_are_refused() {
        let most = most_connections(descriptor_limit());
        let with = |max_connections| {
            let limits = LimitOptions { max_connections: Some(max_connections), ..LimitOptions::default() };
            resolve(&Options { limits: Some(limits), ..Options::default() })
        };
        assert_eq!(with(most).unwrap().limits.max_connections, most);
        let error = with(most + 1).unwrap_err().to_string();
        assert!(error.contains("max_connections") && error.contains(&format!("at most {most}")), "{error}");
        assert_eq!((most_connections(600), most_connections(8)), (88, 64));
    }

    #[test]
    fn a_wait_without_limit_is_refused() {
        let limits = LimitOptions { idle_timeout: Some(Span::secs(0)), ..LimitOptions::default() };
        let error = resolve(&Options { limits: Some(limits), ..Options::default() }).unwrap_err();
        assert!(error.to_string().contains("idle_timeout"), "{error}");
    }
}
