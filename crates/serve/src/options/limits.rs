//! Every wait and bound of a connection.

use crate::pressure::Level;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::io;
use std::time::Duration;
use units::{BitRate, ByteCount, Span};

/// Time-outs and bounds as typed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "limits")]
#[command(next_help_heading = "Bounds of connections [serve.limits]")]
pub struct LimitOptions {
    /// Most connections at once [default: the hard descriptor limit less a reserve]
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

impl Limits {
    pub(super) fn resolve(options: Option<&LimitOptions>) -> Result<Self, SettingsError> {
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
                "is {max_connections}; with {descriptors} descriptors (`ulimit -Hn`, LimitNOFILE) give at most {most}, or raise them"
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

/// How many connections there can be when so many descriptors can.
fn most_connections(descriptors: usize) -> usize {
    descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(LEAST_CONNECTIONS)
}

/// The hard limit of open files, up to which [`raise_descriptors`] brings the soft one. Asked of the kernel itself: it has to be the same
/// at a reload as it was at the start, and a file of `/proc` may be none that the sandbox leaves open.
fn descriptor_limit() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    hard.and_then(|hard| usize::try_from(hard).ok()).unwrap_or(UNLIMITED_DESCRIPTORS)
}

/// Takes all descriptors that this process may have. A shell and a container begin with 1,024, for the sake of programs that use
/// `select`, and half of a school would have to wait for the other half.
///
/// # Errors
/// The kernel does not give them.
pub(crate) fn raise_descriptors() -> io::Result<()> {
    let hard = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_connections_than_descriptors_are_refused() {
        let most = most_connections(descriptor_limit());
        let with = |max_connections| {
            let limits = LimitOptions { max_connections: Some(max_connections), ..LimitOptions::default() };
            Limits::resolve(Some(&limits))
        };
        assert_eq!(with(most).unwrap().max_connections, most);
        let error = with(most + 1).unwrap_err().to_string();
        assert!(error.contains("max_connections") && error.contains(&format!("at most {most}")), "{error}");
        assert_eq!((most_connections(600), most_connections(8)), (88, 64));
    }

    /// Half a thousand could connect to an edge that was started by hand, or in a container.
    #[test]
    fn all_descriptors_are_taken_that_the_process_may_have() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let one_less = maximum.map(|hard| hard - 1);
        setrlimit(Resource::Nofile, Rlimit { current: one_less, maximum }).unwrap();
        let before = Limits::default().max_connections;
        raise_descriptors().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
        assert_eq!(Limits::default().max_connections, before, "a reload finds what the start has found");
    }

    #[test]
    fn a_wait_without_limit_is_refused() {
        let limits = LimitOptions { idle_timeout: Some(Span::secs(0)), ..LimitOptions::default() };
        let error = Limits::resolve(Some(&limits)).unwrap_err();
        assert!(error.to_string().contains("idle_timeout"), "{error}");
    }
}
