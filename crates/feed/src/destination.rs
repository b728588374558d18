//! Where a feed goes, as a URL says it.
//!
//! ```text
//! udp://239.1.1.1:5000?ttl=4&interface=192.0.2.7        multicast or unicast, 7 packets a datagram
//! srt://head-end.example:9000?latency=200ms&streamid=cetv4   calls
//! srt://:9000?mode=listener&latency=200ms               is called, by several at once
//! file:/var/tmp/morning.ts                              as fast as it goes, see --at and --duration
//! ```

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use units::Span;
use url::Url;

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Datagrams.
    Udp(UdpOptions),
    /// SRT (draft-sharabayko-srt-01).
    Srt(SrtOptions),
    /// A file.
    File(PathBuf),
}

/// Datagrams: to whom and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UdpOptions {
    /// A host or a group.
    pub to: SocketAddr,
    /// Routers they may pass; 1 keeps a group within its own network. System's default when `None`, 4 for a group.
    pub ttl: Option<u32>,
    /// The address of the interface that a group is sent through; the one with the route when `None`.
    pub interface: Option<IpAddr>,
}

/// Who calls whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrtMode {
    /// The feed calls.
    Caller,
    /// The feed is called.
    Listener,
}

/// SRT: to whom and how.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtOptions {
    /// The other side, or where to listen.
    pub address: SocketAddr,
    /// Who calls.
    pub mode: SrtMode,
    /// For how long lost packets are sent again; receivers play that much later.
    pub latency: Duration,
    /// Encrypts with AES when given. `passphrase=` of the URL, or AIRCLASS_FEED_PASSPHRASE.
    pub passphrase: Option<String>,
    /// 16, 24 or 32 bytes of key.
    pub key_bytes: i32,
    /// What a caller asks a listener for.
    pub stream_id: Option<String>,
}

/// Not in debug output, and so not in a log.
impl fmt::Debug for SrtOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, mode, latency, passphrase, .. } = self;
        let encrypted = passphrase.is_some();
        f.debug_struct("Srt")
            .field("address", address)
            .field("mode", mode)
            .field("latency", latency)
            .field("encrypted", &encrypted)
            .finish_non_exhaustive()
    }
}

/// No destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDestination {
    /// Of no kind that there is.
    #[error("`{0}` is no destination; give udp://HOST:PORT, srt://HOST:PORT or file:PATH")]
    Scheme(String),
    /// No host and port.
    #[error("`{0}` names no address that can be found; give HOST:PORT")]
    Address(String),
    /// An option that is not known or says nothing.
    #[error("`{key}={value}` is no option of it; there are {known}")]
    Option {
        /// Left of `=`.
        key: String,
        /// Right of it.
        value: String,
        /// What could be there.
        known: &'static str,
    },
}

/// SRT's own default, four round trips over a continent.
const LATENCY: Duration = Duration::from_millis(120);
/// No line needs more; it is also what a receiver must be able to hold.
const MAX_LATENCY: Duration = Duration::from_secs(60);
/// How far a multicast feed goes unless told otherwise: within a provider's own network.
pub(crate) const GROUP_TTL: u32 = 4;
const UDP_KEYS: &str = "ttl=1..255 and interface=ADDRESS";
const SRT_KEYS: &str =
    "mode=caller|listener, latency=120ms, passphrase=10 to 79 characters, pbkeylen=16|24|32, streamid=NAME";

impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        // Not in messages: it may hold a passphrase.
        let bare = || text.split('?').next().unwrap_or_default().to_owned();
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(InvalidDestination::Scheme(bare()))
            } else {
                Ok(Self::File(path.into()))
            };
        }
        // "Any of mine" is written by leaving the host out, which URLs do not know.
        let url = Url::parse(&text.replacen("://:", "://0.0.0.0:", 1));
        let url = url.map_err(|_| InvalidDestination::Scheme(bare()))?;
        let address = url
            .host_str()
            .zip(url.port())
            .and_then(|(host, port)| (host.trim_matches(['[', ']']), port).to_socket_addrs().ok()?.next());
        let address = address.ok_or_else(|| InvalidDestination::Address(bare()));
        match url.scheme() {
            "udp" => Ok(Self::Udp(udp(&url, address?)?)),
            "srt" => Ok(Self::Srt(srt(&url, address?)?)),
            _ => Err(InvalidDestination::Scheme(bare())),
        }
    }
}

fn udp(url: &Url, to: SocketAddr) -> Result<UdpOptions, InvalidDestination> {
    let mut options = UdpOptions { to, ttl: to.ip().is_multicast().then_some(GROUP_TTL), interface: None };
    for (key, value) in url.query_pairs() {
        match &*key {
            "ttl" => options.ttl = Some(read(&key, &value, UDP_KEYS, |ttl| (1..=255).contains(ttl))?),
            "interface" => {
                options.interface =
                    Some(read(&key, &value, UDP_KEYS, |ip: &IpAddr| ip.is_ipv4() == to.is_ipv4())?);
            }
            _ => return Err(unknown(&key, &value, UDP_KEYS)),
        }
    }
    Ok(options)
}

fn srt(url: &Url, address: SocketAddr) -> Result<SrtOptions, InvalidDestination> {
    let mut options = SrtOptions {
        address,
        mode: if address.ip().is_unspecified() { SrtMode::Listener } else { SrtMode::Caller },
        latency: LATENCY,
        passphrase: None,
        key_bytes: 16,
        stream_id: None,
    };
    for (key, value) in url.query_pairs() {
        match (&*key, &*value) {
            ("mode", "caller") => options.mode = SrtMode::Caller,
            ("mode", "listener") => options.mode = SrtMode::Listener,
            ("latency", _) => {
                // Bare numbers are milliseconds to every other tool.
                let text = if value.bytes().all(|b| b.is_ascii_digit()) {
                    format!("{value}ms")
                } else {
                    value.to_string()
                };
                options.latency = read(&key, &text, SRT_KEYS, |span: &Span| span.0 <= MAX_LATENCY)?.0;
            }
            ("passphrase", phrase) if is_passphrase(phrase) => options.passphrase = Some(phrase.to_owned()),
            ("passphrase", _) => return Err(unknown(&key, "…", SRT_KEYS)),
            ("pbkeylen", _) => {
                options.key_bytes = read(&key, &value, SRT_KEYS, |bytes| matches!(bytes, 16 | 24 | 32))?;
            }
            ("streamid", id) if (1..=512).contains(&id.len()) => options.stream_id = Some(id.to_owned()),
            _ => return Err(unknown(&key, &value, SRT_KEYS)),
        }
    }
    Ok(options)
}

/// libsrt takes 10 to 79 characters.
pub(crate) fn is_passphrase(text: &str) -> bool {
    (10..=79).contains(&text.len())
}

fn read<T: FromStr>(
    key: &str,
    value: &str,
    known: &'static str,
    fits: impl Fn(&T) -> bool,
) -> Result<T, InvalidDestination> {
    value.parse().ok().filter(fits).ok_or_else(|| unknown(key, value, known))
}

fn unknown(key: &str, value: &str, known: &'static str) -> InvalidDestination {
    InvalidDestination::Option { key: key.to_owned(), value: value.chars().take(80).collect(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Destination, InvalidDestination> {
        text.parse()
    }

    #[test]
    fn destinations_are_urls() {
        let udp = |to: &str, ttl, interface: Option<&str>| {
            let interface = interface.map(|address| address.parse().unwrap());
            Ok(Destination::Udp(UdpOptions { to: to.parse().unwrap(), ttl, interface }))
        };
        assert_eq!(parse("udp://127.0.0.1:5000"), udp("127.0.0.1:5000", None, None));
        assert_eq!(parse("udp://239.1.1.1:5000"), udp("239.1.1.1:5000", Some(4), None));
        assert_eq!(
            parse("udp://239.1.1.1:5000?ttl=9&interface=10.0.0.1"),
            udp("239.1.1.1:5000", Some(9), Some("10.0.0.1"))
        );
        assert_eq!(parse("udp://[ff15::1]:5000?ttl=2"), udp("[ff15::1]:5000", Some(2), None));
        assert_eq!(parse("file:out.ts"), Ok(Destination::File("out.ts".into())));
        assert_eq!(parse("file:///var/out.ts"), Ok(Destination::File("/var/out.ts".into())));
        let Ok(Destination::Srt(called)) = parse("srt://:9000?latency=200&passphrase=0123456789&pbkeylen=32")
        else {
            panic!("no SRT")
        };
        assert_eq!((called.mode, called.latency.as_millis(), called.key_bytes), (SrtMode::Listener, 200, 32));
        assert!(!format!("{called:?}").contains("0123456789"));
        let Ok(Destination::Srt(calls)) = parse("srt://127.0.0.1:9000?streamid=a&latency=1s") else {
            panic!("no SRT")
        };
        assert_eq!((calls.mode, calls.stream_id.as_deref()), (SrtMode::Caller, Some("a")));
    }

    #[test]
    fn what_is_none_says_what_would_be() {
        for text in [
            "",
            "rtp://127.0.0.1:1",
            "udp://127.0.0.1",
            "udp://127.0.0.1:5000?ttl=0",
            "udp://127.0.0.1:5000?speed=9",
            "udp://239.1.1.1:5000?interface=fe80::1",
            "srt://127.0.0.1:9000?latency=9min",
            "srt://127.0.0.1:9000?mode=rendezvous",
            "file:",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("srt://127.0.0.1:9000?passphrase=hush").unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }
}
