//! What can be set about a feed, and what it is when nothing is set.

use crate::clock::Clock;
use crate::destination::{Destination, is_passphrase};
use crate::line::Place;
use faults::Fault;
use grid::SEGMENT_MS;
use jiff::Timestamp;
use multiplex::{Rate, Service};
use package::{Codec, Slot};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use signing::Trust;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use telemetry::{Hosts, LogOptions};
use timetable::plan::ChannelId;
use units::{BitRate, Span};

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "feed")]
pub struct Options {
    /// The channel, as the plan names it
    #[arg(long, env = "AIRCLASS_FEED_CHANNEL", value_name = "ID")]
    pub channel: Option<String>,
    /// Signed day plans: a folder called plans, a directory or address with plans/DATE.json in it, or a name with {date} in it
    #[arg(long, env = "AIRCLASS_FEED_PLAN", value_name = "DIR|FILE|URL")]
    pub plan: Option<String>,
    /// A file with the token that nodes show for plans, where --plan is an address that asks for one
    #[arg(long, env = "AIRCLASS_FEED_PLAN_TOKEN", value_name = "FILE")]
    pub plan_token: Option<PathBuf>,
    /// Public keys that plans may be signed with (TOML)
    #[arg(long, env = "AIRCLASS_FEED_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Where packages are: an edge, an origin, or the directory of a store
    #[arg(long, env = "AIRCLASS_FEED_FROM", value_name = "URL|DIR")]
    pub from: Option<String>,
    /// Trust these certificates of --from and --plan too (PEM)
    #[arg(long, env = "AIRCLASS_FEED_CACERT", value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Where it goes: udp://HOST:PORT, srt://HOST:PORT or file:PATH; repeat it for several
    #[arg(long, env = "AIRCLASS_FEED_TO", value_name = "URL", value_delimiter = ',')]
    pub to: Option<Vec<String>>,
    /// Encrypts SRT where the URL does not say so itself; 10 to 79 characters
    #[arg(long, env = "AIRCLASS_FEED_PASSPHRASE", value_name = "TEXT", hide_env_values = true)]
    pub passphrase: Option<String>,
    /// Rate of the multiplex, rounded to whole packets in 4.8 s [default: 4Mbit/s]
    #[arg(long, env = "AIRCLASS_FEED_RATE", value_name = "RATE")]
    pub rate: Option<BitRate>,
    /// The rung that is sent [default: s3, 960x540]
    #[arg(long, env = "AIRCLASS_FEED_RUNG", value_name = "SLOT")]
    pub rung: Option<String>,
    /// How far the feed is behind the timetable, in whole segments of 4.8 s: time to read what is released [default: 9600ms]
    #[arg(long, env = "AIRCLASS_FEED_DELAY", value_name = "TIME")]
    pub delay: Option<Span>,
    /// The service's name in the tables [default: the channel's title]
    #[arg(long, env = "AIRCLASS_FEED_NAME", value_name = "TEXT")]
    pub name: Option<String>,
    /// Who provides it, in the tables [default: Airclass]
    #[arg(long, env = "AIRCLASS_FEED_PROVIDER", value_name = "TEXT")]
    pub provider: Option<String>,
    /// Number of the service and programme [default: 1]
    #[arg(long, env = "AIRCLASS_FEED_SERVICE_ID", value_name = "N")]
    pub service_id: Option<u16>,
    /// Number of the transport stream [default: 1]
    #[arg(long, env = "AIRCLASS_FEED_TRANSPORT_STREAM_ID", value_name = "N")]
    pub transport_stream_id: Option<u16>,
    /// Number of the original network [default: 65281, for private use]
    #[arg(long, env = "AIRCLASS_FEED_NETWORK_ID", value_name = "N")]
    pub network_id: Option<u16>,
    /// Language of sound and guide, ISO 639-2 [default: chi]
    #[arg(long, env = "AIRCLASS_FEED_LANGUAGE", value_name = "CODE")]
    pub language: Option<String>,
    /// Country whose time the tables tell, ISO 3166 [default: CHN]
    #[arg(long, env = "AIRCLASS_FEED_COUNTRY", value_name = "CODE")]
    pub country: Option<String>,
    /// Address for /metrics, /healthz and /readyz [default: none]
    #[arg(long, env = "AIRCLASS_FEED_ADMIN", value_name = "ADDR")]
    pub admin: Option<SocketAddr>,
    /// Names by which the admin listener may be asked, beside its addresses, localhost and the machine's own name
    #[arg(
        long = "admin-host",
        env = "AIRCLASS_FEED_ADMIN_HOSTS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub admin_hosts: Option<Vec<String>>,
    /// For files: from when on [default: now]
    #[arg(long, value_name = "TIMESTAMP")]
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// For files: how much, as fast as it goes
    #[arg(long, value_name = "TIME")]
    #[serde(skip)]
    pub duration: Option<Span>,
    /// Live so many seconds away from the wall clock: for drills and tests
    #[arg(long, value_name = "SECONDS", hide = true, allow_hyphen_values = true)]
    #[serde(skip)]
    pub clock_offset: Option<i64>,
    /// Logs; in the file the table `[log]`
    #[command(flatten)]
    pub log: LogOptions,
}

/// Checked and resolved.
#[derive(Debug)]
pub struct Config {
    pub(crate) channel: ChannelId,
    pub(crate) plan: Place,
    pub(crate) plan_token: Option<String>,
    pub(crate) trust: Trust,
    pub(crate) from: String,
    pub(crate) papers: String,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) to: Vec<Destination>,
    pub(crate) rate: Rate,
    pub(crate) rung: Slot,
    pub(crate) behind: u64,
    /// Its name may be empty: the channel's.
    pub(crate) service: Service,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) admin_hosts: Hosts,
    pub(crate) at: Option<Timestamp>,
    pub(crate) periods: Option<u64>,
    pub(crate) clock: Clock,
}

/// Why a feed does not start.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A destination cannot be opened.
    #[error("{to}: {source}; choose another with --to")]
    Destination {
        /// As given, without what follows `?`.
        to: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Plans cannot be had, or say nothing about the channel.
    #[error("{0}")]
    Plan(String),
    /// Something that is planned is larger than the rate.
    #[error("{0}")]
    Rate(String),
    /// The system gives no thread or event queue.
    #[error("the system gives no thread, signal or event queue: {0}")]
    System(#[from] std::io::Error),
}

impl Fault for FeedError {
    fn code(&self) -> &'static str {
        match self {
            Self::Destination { .. } => "FEED_DESTINATION",
            Self::Plan(_) => "FEED_PLAN",
            Self::Rate(_) => "FEED_RATE",
            Self::System(_) => "SYSTEM",
        }
    }

    fn blame(&self) -> faults::Blame {
        match self {
            Self::System(_) => faults::Blame::Ours,
            _ => faults::Blame::Input,
        }
    }
}

/// A minute and a half: more is a mistake in the unit.
const MAX_BEHIND: u64 = 20;

impl Config {
    /// What was typed, with defaults where nothing was.
    ///
    /// # Errors
    /// An option that is missing or cannot be; the key is named.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        fn value(key: &'static str, problem: impl Into<String>) -> SettingsError {
            SettingsError::value(key, problem)
        }
        let channel = required("channel", options.channel.as_deref())?;
        let channel = channel.parse().map_err(|error| value("channel", format!("{error}")))?;
        let papers = required("plan", options.plan.as_deref())?.to_owned();
        let plan = Place::parse(&papers).ok_or_else(|| value("plan", "is neither an address nor a path"))?;
        let keys = options
            .keys
            .as_deref()
            .ok_or_else(|| value("keys", "is missing; plans are followed when signed"))?;
        let text = settings::small_text(keys, settings::MAX_TEXT_BYTES)
            .map_err(|error| value("keys", format!("cannot be read from {}: {error}", keys.display())))?;
        let trust = Trust::parse(&text, keys)?;
        let from = required("from", options.from.as_deref())?.to_owned();
        let rate = options.rate.unwrap_or(BitRate(4_000_000));
        let rate = Rate::nearest(rate.0).map_err(|error| value("rate", error.to_string()))?;
        let behind = options.delay.unwrap_or(Span::millis(2 * SEGMENT_MS)).0;
        let behind = u64::try_from(behind.as_millis()).unwrap_or(u64::MAX).div_ceil(SEGMENT_MS);
        if behind > MAX_BEHIND {
            return Err(value("delay", format!("is more than {} s", MAX_BEHIND * SEGMENT_MS / 1_000)));
        }
        let periods = options
            .duration
            .map(|span| u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX).div_ceil(SEGMENT_MS));
        let to = destinations(options)?;
        if periods.is_some() && to.iter().any(|to| !matches!(to, Destination::File(_))) {
            return Err(value("duration", "is for files; the network is sent to until the feed is stopped"));
        }
        if options.at.is_some() && periods.is_none() {
            return Err(value("at", "is for files with a --duration"));
        }
        Ok(Self {
            channel,
            plan,
            plan_token: options.plan_token.as_deref().map(token).transpose()?,
            trust,
            from,
            papers,
            cacert: options.cacert.clone(),
            to,
            rate,
            rung: rung(options.rung.as_deref().unwrap_or("s3"))?,
            behind,
            service: service(options)?,
            admin: options.admin,
            admin_hosts: Hosts::configured(options.admin_hosts.as_deref())?,
            at: options.at,
            periods,
            clock: Clock { offset_s: options.clock_offset.unwrap_or(0) },
        })
    }
}

/// The one line of a file.
fn token(path: &Path) -> Result<String, SettingsError> {
    let text = settings::small_text(path, settings::MAX_TEXT_BYTES).map_err(|error| {
        SettingsError::value("plan_token", format!("cannot be read from {}: {error}", path.display()))
    })?;
    Ok(text.trim().to_owned())
}

fn required<'a>(key: &'static str, value: Option<&'a str>) -> Result<&'a str, SettingsError> {
    value.ok_or_else(|| SettingsError::value(key, "is missing"))
}

fn destinations(options: &Options) -> Result<Vec<Destination>, SettingsError> {
    let passphrase = options.passphrase.clone();
    if passphrase.as_deref().is_some_and(|text| !is_passphrase(text)) {
        return Err(SettingsError::value("passphrase", "has 10 to 79 characters"));
    }
    let mut all = Vec::new();
    for text in options.to.iter().flatten() {
        let mut to: Destination = text
            .parse()
            .map_err(|error: crate::InvalidDestination| SettingsError::value("to", error.to_string()))?;
        if let Destination::Srt(srt) = &mut to
            && srt.passphrase.is_none()
        {
            srt.passphrase.clone_from(&passphrase);
        }
        all.push(to);
    }
    if all.is_empty() { Err(SettingsError::value("to", "is missing")) } else { Ok(all) }
}

fn rung(text: &str) -> Result<Slot, SettingsError> {
    let rungs = Codec::H264.slots();
    let found = rungs.iter().copied().find(|slot| slot.as_str() == text);
    let names: Vec<&str> = rungs.iter().map(|slot| slot.as_str()).collect();
    found.ok_or_else(|| SettingsError::value("rung", format!("`{text}` is none of {}", names.join(", "))))
}

fn service(options: &Options) -> Result<Service, SettingsError> {
    let code = |key: &'static str, text: &Option<String>, default: &str| {
        let text = text.as_deref().unwrap_or(default).as_bytes();
        let code = <[u8; 3]>::try_from(text).ok().filter(|code| code.iter().all(u8::is_ascii_alphabetic));
        code.ok_or_else(|| SettingsError::value(key, "is three letters"))
    };
    let service = Service {
        transport_stream: options.transport_stream_id.unwrap_or(1),
        network: options.network_id.unwrap_or(0xff01),
        service: options.service_id.unwrap_or(1),
        name: options.name.clone().unwrap_or_default(),
        provider: options.provider.clone().unwrap_or_else(|| "Airclass".to_owned()),
        language: code("language", &options.language, "chi")?,
        country: code("country", &options.country, "CHN")?,
        utc_offset_minutes: 480,
    };
    service.check().map_err(|error| SettingsError::value("service_id", error.to_string()))?;
    Ok(service)
}
