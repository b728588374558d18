//! One listener: where, how encrypted, behind whom, and how its packets go out.

use crate::quic::Control;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use units::{BitRate, ByteCount, Network};

/// One `[[serve.listener]]` as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerOptions {
    /// `"0.0.0.0:80"`, `"[::]:443"` or `"unix:/run/airclass/edge.sock"`.
    pub address: Option<Address>,
    /// Whether TLS is spoken; needs `cert` and `key`.
    pub tls: Option<bool>,
    /// Networks of load balancers, each of whose connections begins with a PROXY header; `"unix"` for a unix socket's.
    pub proxy_from: Option<Vec<ProxySender>>,
    /// What becomes of connections from elsewhere: `"refuse"` or `"direct"`.
    pub proxy_others: Option<Others>,
    /// Congestion control, as the kernel names it: `"bbr"`.
    pub congestion: Option<String>,
    /// Most that a connection is sent.
    pub pacing: Option<BitRate>,
    /// Most that the kernel holds for a connection of what the network does not take yet.
    pub send_buffer: Option<ByteCount>,
    /// Whether stored bodies are sent without a copy where there is no TLS.
    pub zero_copy: Option<bool>,
    /// Whether HTTP/3 is spoken, too, over UDP at the same port; needs `tls`.
    pub http3: Option<bool>,
    /// To which port of HTTPS whoever asks here is sent on.
    pub to_https: Option<u16>,
    /// Rights of a unix socket, octal: `"0660"`.
    pub mode: Option<String>,
}

/// In a flag or a variable: what would stand between the braces of an inline table.
impl FromStr for ListenerOptions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        settings::inline(text)
    }
}

/// Checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Whether HTTP/3 is, over UDP at the same port.
    pub http3: bool,
    /// Set when load balancers stand before it.
    pub proxy: Option<ProxyRule>,
    /// To which port of HTTPS whoever asks here is sent on.
    pub to_https: Option<u16>,
    /// How packets go out.
    pub tuning: Tuning,
    /// Rights of a unix socket, where something is said of them.
    pub mode: Option<u32>,
}

/// What is listened on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// TCP over IPv4 or IPv6. `[::]` is IPv6 alone.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

/// Who may say whose a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyRule {
    /// They must.
    pub from: Vec<ProxySender>,
    /// For everybody else.
    pub others: Others,
}

/// A load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProxySender {
    /// Whoever may write to the unix socket.
    Unix,
    /// Whoever comes from there.
    Network(Network),
}

/// What becomes of connections that do not come from a load balancer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// Closed at once.
    #[default]
    Refuse,
    /// Served as they are, without a header.
    Direct,
}

/// How a listener's packets go out; its connections inherit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Congestion control; `None` leaves the system's.
    pub congestion: Option<String>,
    /// Most bytes a second and connection (SO_MAX_PACING_RATE).
    pub pacing: Option<u64>,
    /// Bytes that the kernel takes for a connection beyond those that are on their way (TCP_NOTSENT_LOWAT).
    ///
    /// What a slow reader costs, for all that it does not take is not on its way. SO_SNDBUF would bound the rest, too, and
    /// with it what a quick reader far away can have on its way: its speed.
    pub send_buffer: u32,
    /// Whether stored bodies are sent without a copy where there is no TLS; `None`: where that costs less.
    pub zero_copy: Option<bool>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { congestion: None, pacing: None, send_buffer: SEND_BUFFER, zero_copy: None }
    }
}

/// Worst case: 15,000 readers that do not read hold a little above 1 GB of the kernel's memory, where its own bound is 4 MiB
/// each. On this machine's own network a segment costs no more CPU by it, over cubic and over BBR; a line is kept full by a
/// core that comes round once in half of it: 2.6 ms at 100 Mbit/s.
const SEND_BUFFER: u32 = 64 * 1_024;
/// Below this a core that is late for a moment leaves the line empty.
const LEAST_SEND_BUFFER: ByteCount = ByteCount(16 * 1_024);
/// The kernel's own bound is 4 MiB as a rule.
const MOST_SEND_BUFFER: ByteCount = ByteCount::mib(64);

impl Listener {
    /// One with nothing special about it.
    pub fn plain(address: SocketAddr, tls: bool) -> Self {
        let (proxy, tuning) = (None, Tuning::default());
        let address = address.into();
        Self { address, tls, http3: false, proxy, to_https: None, tuning, mode: None }
    }

    /// `options` checked.
    ///
    /// # Errors
    /// No address, or what makes no sense for it.
    pub fn resolve(options: &ListenerOptions) -> Result<Self, SettingsError> {
        let wrong = |problem: &str| Err(SettingsError::value("listener", problem));
        let Some(address) = options.address.clone() else {
            return wrong("has no address: give for example address = \"[::]:443\"");
        };
        let proxy = match (&options.proxy_from, options.proxy_others) {
            (None, None) => None,
            (None, Some(_)) => return wrong("has proxy_others without proxy_from: name the load balancers"),
            (Some(from), _) if from.is_empty() => {
                return wrong("has an empty proxy_from: name the load balancers or leave it out");
            }
            (Some(from), others) => {
                Some(ProxyRule { from: from.clone(), others: others.unwrap_or_default() })
            }
        };
        let is_unix = matches!(address, Address::Unix(_));
        let tuned = options.congestion.is_some()
            || options.pacing.is_some()
            || options.send_buffer.is_some()
            || options.zero_copy.is_some();
        if is_unix && tuned {
            return wrong(
                "on a unix socket has no congestion, pacing, send_buffer and zero_copy: leave them out",
            );
        }
        let (tls, http3) = (options.tls.unwrap_or(false), options.http3.unwrap_or(false));
        if tls && options.zero_copy == Some(true) {
            return wrong("has zero_copy and tls: what is encrypted is a copy; leave one out");
        }
        if http3 && (!tls || is_unix) {
            return wrong("has http3 without tls or on a unix socket: HTTP/3 is TLS over UDP");
        }
        if http3 && proxy.is_some() {
            return wrong(
                "has http3 and proxy_from: no PROXY header comes over UDP; make two listeners of it",
            );
        }
        if http3 && Control::named(options.congestion.as_deref()).is_none() {
            return wrong("has a congestion that HTTP/3 has not: give bbr, cubic or reno, or leave it out");
        }
        let to_https = options.to_https;
        if to_https.is_some() && tls {
            return wrong("has to_https and tls: who comes here is there; leave one out");
        }
        if to_https == Some(0) {
            return wrong("has to_https = 0: give the port where HTTPS is listened for, as 443");
        }
        let mode = match &options.mode {
            None => None,
            Some(_) if !is_unix => return wrong("has a mode, which only unix sockets have: leave it out"),
            Some(text) => match u32::from_str_radix(text, 8) {
                Ok(mode) if mode <= 0o777 => Some(mode),
                _ => return wrong("has a mode that is none: write it in octal, as \"0660\""),
            },
        };
        let pacing = options.pacing.map(|rate| rate.0 / 8);
        if options.pacing.is_some_and(|rate| rate.0 < 8_000) {
            return wrong("has a pacing below 8kbit/s: nothing could be watched");
        }
        let send_buffer = match options.send_buffer {
            None => SEND_BUFFER,
            Some(size) if !(LEAST_SEND_BUFFER..=MOST_SEND_BUFFER).contains(&size) => {
                return wrong("has a send_buffer that is none: give 16KiB to 64MiB");
            }
            Some(size) => u32::try_from(size.0).unwrap_or(SEND_BUFFER),
        };
        let tuning = Tuning {
            congestion: options.congestion.clone(),
            pacing,
            send_buffer,
            zero_copy: options.zero_copy,
        };
        Ok(Self { address, tls, http3, proxy, to_https, tuning, mode })
    }
}

impl ProxyRule {
    /// Whether a connection from there has to begin with a header.
    pub fn trusts(&self, sender: SocketAddr, is_unix: bool) -> bool {
        self.from.iter().any(|from| match from {
            ProxySender::Unix => is_unix,
            ProxySender::Network(network) => !is_unix && network.contains(sender.ip()),
        })
    }
}

impl Address {
    /// Whether who listens here leaves nothing for who would listen at `other`.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix(one), Self::Unix(other)) => one == other,
            (Self::Tcp(one), Self::Tcp(other)) => {
                let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
                // Any port is always another one.
                one.port() == other.port()
                    && one.port() != 0
                    && (one.ip() == other.ip() || is_any && one.is_ipv4() == other.is_ipv4())
            }
            _ => false,
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!(
                    "`{text}` is no unix socket; write the whole path, as \"unix:/run/airclass/edge.sock\""
                ))
            };
        }
        text.parse().map(SocketAddr::into).map_err(|_| {
            format!("`{text}` is no address; write \"0.0.0.0:80\", \"[::]:443\" or \"unix:/run/airclass/edge.sock\"")
        })
    }
}

impl From<SocketAddr> for Address {
    /// An IPv4 address that is written as one of IPv6 (RFC 4291 §2.5.5.2) is what it is: what listens for IPv6 alone cannot have it.
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(match address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
            // With its scope.
            IpAddr::V6(_) => address,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl TryFrom<String> for ProxySender {
    type Error = units::ParseNetworkError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "unix" { Ok(Self::Unix) } else { text.parse().map(Self::Network) }
    }
}

impl From<ProxySender> for String {
    fn from(sender: ProxySender) -> Self {
        match sender {
            ProxySender::Unix => "unix".to_owned(),
            ProxySender::Network(network) => network.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Listener, String> {
        Listener::resolve(&text.parse()?).map_err(|error| error.to_string())
    }

    #[test]
    fn a_listener_in_one_line() {
        let listener = resolve(
            r#"address = "[::]:443", tls = true, proxy_from = ["10.0.0.0/8"], congestion = "bbr", pacing = "80Mbit/s", send_buffer = "256KiB""#,
        )
        .unwrap();
        assert!(listener.tls);
        assert_eq!(listener.tuning.send_buffer, 256 << 10);
        assert_eq!(listener.tuning.pacing, Some(10_000_000));
        let rule = listener.proxy.unwrap();
        assert_eq!(rule.others, Others::Refuse);
        assert!(rule.trusts("10.1.1.1:1".parse().unwrap(), false));
        assert!(!rule.trusts("10.1.1.1:1".parse().unwrap(), true));
        assert!(!rule.trusts("192.0.2.1:1".parse().unwrap(), false));
        let listener =
            resolve(r#"address = "unix:/run/e.sock", mode = "0600", proxy_from = ["unix"]"#).unwrap();
        assert_eq!(
            (listener.mode.unwrap(), listener.address.to_string()),
            (0o600, "unix:/run/e.sock".to_owned())
        );
    }

    #[test]
    fn addresses_exclude_each_other_as_the_kernel_has_it() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        for (one, other, excludes) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("[::1]:80", "[::]:80", true),
            ("0.0.0.0:80", "[::]:80", false),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("unix:/a", "127.0.0.1:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
            ("[::ffff:0.0.0.0]:80", "[::]:80", false),
        ] {
            assert_eq!(address(one).excludes(&address(other)), excludes, "{one} {other}");
            assert_eq!(address(other).excludes(&address(one)), excludes, "{other} {one}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, why) in [
            ("tls = true", "no address"),
            (r#"address = "unix:edge.sock""#, "whole path"),
            (r#"address = "localhost""#, "no address"),
            (r#"address = "[::]:1", mode = "0660""#, "mode"),
            (r#"address = "unix:/a", mode = "rw""#, "octal"),
            (r#"address = "unix:/a", congestion = "bbr""#, "congestion"),
            (r#"address = "unix:/a", send_buffer = "64KiB""#, "send_buffer"),
            (r#"address = "[::]:1", send_buffer = "1KiB""#, "send_buffer"),
            (r#"address = "unix:/a", zero_copy = false"#, "zero_copy"),
            (r#"address = "[::]:1", tls = true, zero_copy = true"#, "zero_copy"),
            (r#"address = "[::]:1", tls = true, to_https = 443"#, "to_https"),
            (r#"address = "[::]:1", to_https = 0"#, "to_https"),
            (r#"address = "[::]:1", proxy_others = "direct""#, "proxy_from"),
            (r#"address = "[::]:1", proxy_from = []"#, "proxy_from"),
            (r#"address = "[::]:1", proxy_from = ["ten"]"#, "ten"),
            (r#"address = "[::]:1", pacing = "1kbit/s""#, "pacing"),
            (r#"address = "[::]:1", http3 = true"#, "http3"),
            (r#"address = "unix:/a", tls = true, http3 = true"#, "http3"),
            (r#"address = "[::]:1", tls = true, http3 = true, proxy_from = ["10.0.0.0/8"]"#, "proxy_from"),
            (r#"address = "[::]:1", tls = true, http3 = true, congestion = "vegas""#, "congestion"),
            (r#"adress = "[::]:1""#, "adress"),
        ] {
            let error = resolve(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
