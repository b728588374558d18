//! What can be set about an edge, and what it is when nothing is set.

use crate::accounts::{NodeConfig, NodeOptions};
use crate::admission::{AdmissionConfig, AdmissionOptions};
use crate::overload::{Share, half_of_memory, least_room};
use crate::owner::{OwnerConfig, OwnerOptions};
use crate::policy::{CacheOptions, Policies};
use crate::prefill::{FillConfig, FillOptions};
use crate::purge::{PurgeConfig, PurgeOptions};
use crate::resources::ResourceCaps;
use crate::upload::UploadCaps;
use crate::upstream::{self, GroupOptions, Upstreams};
use dayplan::{Place, PlanConfig, PlanOptions};
use diskstore::DiskConfig;
use feedback::{Support, SupportOptions};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use telemetry::LogOptions;
use units::{BitRate, ByteCount, Network, Span};

// What --help gathers beside the tables of the file, which say themselves what they are called.
const UPSTREAM: &str = "Towards the upstream";
const OVERLOAD: &str = "Under load";
const CLIENTS: &str = "Of one client";
const PAGES: &str = "What pages report";

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "edge")]
pub struct Options {
    /// Where answers come from: http://HOST[:PORT] or https://…; several, repeated or by commas, share the work
    #[arg(long, env = "AIRCLASS_UPSTREAM", value_name = "URL", value_delimiter = ',')]
    #[serde(deserialize_with = "upstream::one_or_several")]
    pub upstream: Option<Vec<String>>,
    /// Servers for some hosts and paths, in the file only: the tables `[[group]]`
    #[arg(skip)]
    pub group: Option<Vec<GroupOptions>>,
    /// Memory for cached responses [default: 1GiB, or half of --memory-cap where that is less]
    #[arg(long, env = "AIRCLASS_RAM", value_name = "SIZE")]
    pub ram: Option<ByteCount>,
    /// A directory for cached responses, on a disk of its own; repeat it for each disk. It must be there
    #[arg(long, env = "AIRCLASS_DISK", value_name = "DIR", value_delimiter = ',')]
    pub disk: Option<Vec<PathBuf>>,
    /// Room that the cache takes of each --disk, in their order, or one for all
    #[arg(long, env = "AIRCLASS_DISK_SIZE", value_name = "SIZE", value_delimiter = ',')]
    pub disk_size: Option<Vec<ByteCount>>,
    /// Name of this node in Cache-Status, Via and CDN-Loop [default: airclass]
    #[arg(long, env = "AIRCLASS_NAME", value_name = "TOKEN")]
    pub name: Option<String>,
    /// Longest wait for a connection to the upstream, however many servers are tried [default: 3s]
    #[arg(long, env = "AIRCLASS_CONNECT_TIMEOUT", help_heading = UPSTREAM, value_name = "TIME")]
    pub connect_timeout: Option<Span>,
    /// Longest wait for the upstream's header section once it has been sent the request, and for the next bytes of a request's body
    /// [default: 15s]
    #[arg(long, env = "AIRCLASS_RESPONSE_TIMEOUT", help_heading = UPSTREAM, value_name = "TIME")]
    pub response_timeout: Option<Span>,
    /// Longest wait for the next bytes of an upstream's body [default: 15s]
    #[arg(long, env = "AIRCLASS_BODY_TIMEOUT", help_heading = UPSTREAM, value_name = "TIME")]
    pub body_timeout: Option<Span>,
    /// Most connections to one upstream server at once, over all cores [default: 256]
    #[arg(long, env = "AIRCLASS_UPSTREAM_CONNECTIONS", help_heading = UPSTREAM, value_name = "N")]
    pub upstream_connections: Option<usize>,
    /// Most questions a second to one group of upstreams for what clients ask and the cache has not, over all cores; others are told
    /// to come again. 0: any number [default: 0]
    #[arg(long, env = "AIRCLASS_UPSTREAM_RATE", help_heading = UPSTREAM, value_name = "N")]
    pub upstream_rate: Option<u32>,
    /// How long a stale response may be used when the upstream fails and the response itself says nothing
    /// [default: 24h]
    #[arg(long, env = "AIRCLASS_STALE_ON_ERROR", help_heading = UPSTREAM, value_name = "TIME")]
    pub stale_on_error: Option<Span>,
    /// What may be sent a second, beyond which nothing new begins [default: no limit]
    #[arg(long, env = "AIRCLASS_BANDWIDTH_CAP", help_heading = OVERLOAD, value_name = "RATE")]
    pub bandwidth_cap: Option<BitRate>,
    /// What downloads of textbooks and files (/r/…) may take of it, all together, while the node is calm; a half, an eighth and a
    /// 32nd of it under pressure [default: a fifth of --bandwidth-cap, or 200Mbit/s]
    #[arg(long, env = "AIRCLASS_RESOURCE_RATE", help_heading = OVERLOAD, value_name = "RATE")]
    pub resource_rate: Option<BitRate>,
    /// Most such downloads at once; others are told to come again [default: as many as get 256 kB/s each: --resource-rate / 2.048
    /// Mbit/s, from 4 to 2048]
    #[arg(long, env = "AIRCLASS_RESOURCES_AT_ONCE", help_heading = OVERLOAD, value_name = "N")]
    pub resources_at_once: Option<usize>,
    /// Most memory of the process, --ram included: beyond three quarters of what it leaves beside --ram less and less new is begun,
    /// and when all of it is taken nothing that is not in memory [default: nine tenths of the machine's, or of what its control
    /// group may take]
    #[arg(long, env = "AIRCLASS_MEMORY_CAP", help_heading = OVERLOAD, value_name = "SIZE")]
    pub memory_cap: Option<ByteCount>,
    /// Whether new sessions are put off under pressure; false only measures [default: true]
    #[arg(long, env = "AIRCLASS_SHED", help_heading = OVERLOAD, value_name = "BOOL")]
    pub shed: Option<bool>,
    /// Connections of one client address (an IPv6 /64) beyond which, under pressure, sessions that begin there are put off
    /// first; 0: any number [default: 10000]
    #[arg(long, env = "AIRCLASS_CLIENT_CONNECTIONS", help_heading = CLIENTS, value_name = "N")]
    pub client_connections: Option<usize>,
    /// Requests of one client address (an IPv6 /64) in flight at once, beyond which they are answered with 429; 0: any number
    /// [default: 50000]
    #[arg(long, env = "AIRCLASS_CLIENT_REQUESTS", help_heading = CLIENTS, value_name = "N")]
    pub client_requests: Option<usize>,
    /// Requests a second of one client address (an IPv6 /64) beyond which, as with --client-connections, sessions that begin there
    /// are put off first under pressure; 0: any number [default: 0]
    #[arg(long, env = "AIRCLASS_CLIENT_RATE", help_heading = CLIENTS, value_name = "N")]
    pub client_rate: Option<u32>,
    /// Requests a second of one client address (an IPv6 /64) beyond which they are answered with 429, pressure or not; 0: any number
    /// [default: 0]
    #[arg(long, env = "AIRCLASS_CLIENT_RATE_REFUSED", help_heading = CLIENTS, value_name = "N")]
    pub client_rate_refused: Option<u32>,
    /// What such a time of either rate brings may come at once [default: 10s]
    #[arg(long, env = "AIRCLASS_CLIENT_BURST", help_heading = CLIENTS, value_name = "TIME")]
    pub client_burst: Option<Span>,
    /// Networks for which no bound on clients counts [default: none]
    #[arg(long, env = "AIRCLASS_CLIENT_EXEMPT", help_heading = CLIENTS, value_name = "NETWORK", value_delimiter = ',')]
    pub client_exempt: Option<Vec<Network>>,
    /// Largest body of a request that is sent on to the upstream; 0B: none [default: 64MiB]
    #[arg(long, env = "AIRCLASS_UPLOAD_SIZE", help_heading = UPSTREAM, value_name = "SIZE")]
    pub upload_size: Option<ByteCount>,
    /// Most requests with a body on their way to the upstream at once [default: 64]
    #[arg(long, env = "AIRCLASS_UPLOADS", help_heading = UPSTREAM, value_name = "N")]
    pub uploads: Option<usize>,
    /// What is kept and how long; in the file the table `[cache]`
    #[command(flatten)]
    pub cache: CacheOptions,
    /// Whose orders to forget are obeyed; in the file the table `[purge]`
    #[command(flatten)]
    pub purge: PurgeOptions,
    /// Which day plans are followed; in the file the table `[plan]`
    #[command(flatten)]
    pub plan: PlanOptions,
    /// What is fetched before a bell; in the file the table `[fill]`
    #[command(flatten)]
    pub fill: FillOptions,
    /// Who may begin when; in the file the table `[admission]`
    #[command(flatten)]
    pub admission: AdmissionOptions,
    /// Whose node it is; in the file the table `[node]`
    #[command(flatten)]
    pub node: NodeOptions,
    /// A folder for the numbers of classes (学情) that wish to know which minutes they have seen; without it none are counted.
    /// It must be there
    #[arg(long, env = "AIRCLASS_COVERAGE", help_heading = PAGES, value_name = "DIR")]
    pub coverage: Option<PathBuf>,
    /// A folder for what pages report (报告问题), that `airclass feedback` reads; without it reports go on to the upstream. It must
    /// be there
    #[arg(long, env = "AIRCLASS_FEEDBACK", help_heading = PAGES, value_name = "DIR")]
    pub feedback: Option<PathBuf>,
    /// Whom people may ask for help, on every error page; in the file the table `[support]`
    #[command(flatten)]
    pub support: SupportOptions,
    /// What the node's owner allows; in the file the table `[owner]`
    #[command(flatten)]
    pub owner: OwnerOptions,
    /// Who was answered what; in the file the table `[access_log]`
    #[command(flatten)]
    pub access_log: accesslog::Options,
    /// Listeners; in the file the table `[serve]`
    #[command(flatten)]
    pub serve: serve::Options,
    /// Logs; in the file the table `[log]`
    #[command(flatten)]
    pub log: LogOptions,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where answers come from.
    pub upstream: Upstreams,
    /// Room of the RAM tier.
    pub ram: ByteCount,
    /// The disks of the disk tier. None: no such tier.
    pub disks: Vec<DiskConfig>,
    /// This node, as a token.
    pub name: String,
    /// Waits and bounds towards the upstream.
    pub limits: UpstreamLimits,
    /// What may be sent a second.
    pub bandwidth_cap: Option<BitRate>,
    /// What the process may take of memory; `None`: by the machine.
    pub memory_cap: Option<ByteCount>,
    /// How wide the line of downloads is.
    pub(crate) resources: ResourceCaps,
    /// Whether pressure has consequences.
    pub shed: bool,
    /// How much one client may have before it is crowded, and how much at all.
    pub(crate) client_share: Share,
    /// What may be sent to the upstream.
    pub(crate) upload_caps: UploadCaps,
    /// What is kept and how long, for each group.
    pub cache: Policies,
    /// Whose orders to forget are obeyed.
    pub purge: PurgeConfig,
    /// Which day plans are followed.
    pub plan: Option<PlanConfig>,
    /// What is fetched before a bell.
    pub fill: FillConfig,
    /// Who may begin when; `None`: everybody at once.
    pub admission: Option<AdmissionConfig>,
    /// What its owner allows.
    pub owner: OwnerConfig,
    /// Whose node it is; `None`: nobody has said.
    pub node: Option<NodeConfig>,
    /// Where the numbers of classes are kept; `None`: nothing is counted.
    pub coverage: Option<PathBuf>,
    /// Where reports of pages are kept; `None`: none are taken.
    pub feedback: Option<PathBuf>,
    /// Whom people may ask for help.
    pub support: Support,
    /// Where answers are written down; `None`: nowhere.
    pub access_log: Option<accesslog::Config>,
    /// Listeners.
    pub serve: serve::Config,
}

/// Waits and bounds towards the upstream.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamLimits {
    /// For a connection; also for a place when all connections are busy.
    pub connect: Duration,
    /// For the header section, and for the next bytes of a request's body.
    pub response: Duration,
    /// Between bytes of a body.
    pub body: Duration,
    /// To one server at once on one core.
    pub connections_per_core: usize,
    /// Questions a second to one group for what clients ask; `None`: any number.
    pub rate: Option<u32>,
}

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8_080);
const ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9_101);
/// A day's lessons in the lower rungs fit; every node of ours gives more.
pub(crate) const RAM: ByteCount = ByteCount::mib(1_024);
/// Below this a single segment could not be kept (see the bound on one object).
const LEAST_RAM: ByteCount = ByteCount::mib(16);
/// Long enough for a lost SYN and its repetition, short enough that a student sees an answer and not a blank page.
const CONNECT: Duration = Duration::from_secs(3);
const RESPONSE: Duration = Duration::from_secs(15);
const BODY: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 256;
/// Two of the largest schools behind one address.
const CLIENT_CONNECTIONS: usize = 10_000;
/// The students behind [`CLIENT_CONNECTIONS`], each with all of a page's first requests at once. Worst case memory: this x
/// about 20 KiB.
const CLIENT_REQUESTS: usize = 50_000;
/// A class that opens a lesson at its bell asks for everything at once, and then hardly at all.
const CLIENT_BURST: Duration = Duration::from_secs(10);
/// Below a second a bucket may hold less than one request, and what is longer is no rate.
const CLIENT_BURSTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
/// A photograph of an exercise book, a recording of a minute; lessons go to ingest, not through here.
const UPLOAD_SIZE: ByteCount = ByteCount::mib(64);
/// Each holds a connection to the upstream for as long as its client takes: a quarter of [`CONNECTIONS`].
const UPLOADS: usize = 64;
/// design.md 8: a node serves alone for at least a day.
pub(crate) const STALE_ON_ERROR: Duration = Duration::from_secs(24 * 3_600);

impl Config {
    /// `options` checked, defaults filled in.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let simple = options.upstream.as_deref().unwrap_or_default();
        let groups = options.group.as_deref().unwrap_or_default();
        let mut upstream = Upstreams::resolve(simple, groups)?;
        let plan = PlanConfig::resolve(&options.plan)?;
        if let Some(PlanConfig { place: Place::Url(url), .. }) = &plan {
            upstream.plans_from(url)?;
        }
        let ram = ram(options);
        if ram < LEAST_RAM {
            return Err(SettingsError::value("ram", format!("is {ram}; give at least {LEAST_RAM}")));
        }
        let disks = disks(options)?;
        let name = options.name.clone().unwrap_or_else(|| "airclass".to_owned());
        if !is_token(&name) {
            return Err(SettingsError::value(
                "name",
                "must be letters, digits, `-`, `_` and `.`, at most 64",
            ));
        }
        let mut serve = listeners(&options.serve)?;
        for (key, path) in settings::paths(options)? {
            let sandbox = &mut serve.sandbox;
            let writes = key.starts_with("disk")
                || matches!(key.as_str(), "node.accounts" | "access_log.dir" | "coverage" | "feedback");
            let paths = if writes { &mut sandbox.writes } else { &mut sandbox.reads };
            paths.push(path);
        }
        serve
            .sandbox
            .writes
            .extend(disks.iter().filter_map(|disk| std::path::absolute(&disk.directory).ok()));
        if let Some(plan) = &plan {
            serve.sandbox.reads.extend(plan.reads());
            serve.sandbox.writes.extend(plan.writes());
        }
        let owner = OwnerConfig::resolve(&options.owner)?;
        let node = NodeConfig::resolve(&options.node)?;
        // It may not be there yet: its folder is read.
        let burn_in = owner.burn_in.as_ref().and_then(|path| path.parent());
        serve.sandbox.reads.extend(burn_in.map(std::path::Path::to_path_buf));
        serve.sandbox.writes.extend(node.as_ref().and_then(|node| node.accounts.clone()));
        let coverage = coverage_folder(options.coverage.as_deref(), plan.is_some())?;
        let feedback = folder("feedback", options.feedback.as_deref())?;
        let support = Support::resolve(&options.support)?;
        let access_log = accesslog::Config::resolve(&options.access_log)?;
        serve.sandbox.writes.extend(access_log.as_ref().map(|log| log.dir.clone()));
        let pins_in_ram = disks.is_empty() && plan.as_ref().is_some_and(|plan| !plan.hosts.is_empty());
        let fill = FillConfig::resolve(&options.fill, ram, pins_in_ram)?;
        let admission = AdmissionConfig::resolve(&options.admission, plan.is_some())?;
        let span = |key, given: Option<Span>, default: Duration| match given {
            Some(Span(Duration::ZERO)) => {
                Err(SettingsError::value(key, "is zero; every wait needs a limit above it"))
            }
            given => Ok(given.map_or(default, |span| span.0)),
        };
        let connections = options.upstream_connections.unwrap_or(CONNECTIONS);
        if connections == 0 {
            return Err(SettingsError::value("upstream_connections", "is zero; nothing could be fetched"));
        }
        let limits = UpstreamLimits {
            connect: span("connect_timeout", options.connect_timeout, CONNECT)?,
            response: span("response_timeout", options.response_timeout, RESPONSE)?,
            body: span("body_timeout", options.body_timeout, BODY)?,
            connections_per_core: connections.div_ceil(serve.cores),
            rate: options.upstream_rate.filter(|rate| *rate > 0),
        };
        let stale_on_error = options.stale_on_error.map_or(STALE_ON_ERROR, |span| span.0);
        let cache = Policies::resolve(&options.cache, stale_on_error, groups)?;
        let bandwidth_cap = options.bandwidth_cap;
        if bandwidth_cap == Some(BitRate(0)) {
            return Err(SettingsError::value("bandwidth_cap", "is zero; nothing could be sent"));
        }
        let memory_cap = options.memory_cap;
        let least = ByteCount(ram.0.saturating_add(least_room(ram).0));
        if let Some(cap) = memory_cap.filter(|cap| *cap < least) {
            let what = format!("is {cap}; with {ram} of ram give at least {least}, or less to ram");
            return Err(SettingsError::value("memory_cap", what));
        }
        let resources =
            ResourceCaps::resolve(options.resource_rate, options.resources_at_once, bandwidth_cap)?;
        let shed = options.shed.unwrap_or(true);
        let bound = |given: Option<usize>, default| match given {
            Some(0) => None,
            given => Some(given.unwrap_or(default)),
        };
        let client_share = Share {
            connections: bound(options.client_connections, CLIENT_CONNECTIONS),
            requests: bound(options.client_requests, CLIENT_REQUESTS),
            rate: options.client_rate.filter(|rate| *rate > 0),
            rate_refused: options.client_rate_refused.filter(|rate| *rate > 0),
            burst: options.client_burst.map_or(CLIENT_BURST, |span| span.0),
            exempt: options.client_exempt.clone().unwrap_or_default(),
        };
        if !CLIENT_BURSTS.contains(&client_share.burst) {
            return Err(SettingsError::value("client_burst", "must be from 1s to 10min"));
        }
        if client_share
            .rate_refused
            .is_some_and(|refused| client_share.rate.is_some_and(|rate| refused < rate))
        {
            let problem = "is below client_rate: who asks so often would be refused before he is crowded";
            return Err(SettingsError::value("client_rate_refused", problem));
        }
        let upload_caps = UploadCaps {
            size: options.upload_size.unwrap_or(UPLOAD_SIZE),
            at_once: options.uploads.unwrap_or(UPLOADS),
        };
        let purge = PurgeConfig::resolve(&options.purge)?;
        // Read again at work; a relative path, too.
        serve
            .sandbox
            .reads
            .extend(options.purge.keys.iter().filter_map(|keys| std::path::absolute(keys).ok()));
        Ok(Self {
            upstream,
            ram,
            disks,
            name,
            limits,
            bandwidth_cap,
            memory_cap,
            resources,
            shed,
            client_share,
            upload_caps,
            cache,
            purge,
            plan,
            fill,
            admission,
            node,
            coverage,
            feedback,
            support,
            owner,
            access_log,
            serve,
        })
    }

    /// Under which host the upstream is asked for plans.
    pub(crate) fn plan_host(&self) -> &str {
        let first = self.plan.as_ref().and_then(|plan| plan.hosts.first());
        first.map_or("localhost", String::as_str)
    }
}

/// Room of the RAM tier: as given, or what leaves a small machine or container enough beside it.
pub(crate) fn ram(options: &Options) -> ByteCount {
    options
        .ram
        .unwrap_or_else(|| half_of_memory(options.memory_cap).map_or(RAM, |half| half.clamp(LEAST_RAM, RAM)))
}

/// Listeners, ours where none are named.
pub(crate) fn listeners(options: &serve::Options) -> Result<serve::Config, SettingsError> {
    serve::Config::resolve(options, LISTEN, ADMIN)
}

/// Each directory with its size.
pub(crate) fn disks(options: &Options) -> Result<Vec<DiskConfig>, SettingsError> {
    let directories = options.disk.as_deref().unwrap_or_default();
    let sizes = options.disk_size.as_deref().unwrap_or_default();
    let least = ByteCount(DiskConfig::LEAST_SIZE);
    if directories.is_empty() && !sizes.is_empty() {
        return Err(SettingsError::value("disk_size", "is given without `disk`; name the directory"));
    }
    if let Some(small) = sizes.iter().find(|&&size| size < least) {
        return Err(SettingsError::value("disk_size", format!("is {small}; give at least {least}")));
    }
    for (place, directory) in directories.iter().enumerate() {
        if directories[..place].contains(directory) {
            return Err(SettingsError::value("disk", format!("names {} twice", directory.display())));
        }
    }
    let size = |place: usize| match sizes {
        [one] => Some(*one),
        several => several.get(place).copied(),
    };
    if directories.len() != sizes.len() && sizes.len() != 1 && !directories.is_empty() {
        let given = format!("is given {} times for {} disks; ", sizes.len(), directories.len());
        return Err(SettingsError::value("disk_size", given + "give one for each, or one for all"));
    }
    let disk = |(place, directory): (usize, &PathBuf)| {
        Some(DiskConfig { directory: directory.clone(), size: size(place)?.0 })
    };
    Ok(directories.iter().enumerate().filter_map(disk).collect())
}

/// A token that stands unquoted in every field that names us.
pub(crate) fn is_token(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Where the numbers of classes are kept.
fn coverage_folder(given: Option<&Path>, plans: bool) -> Result<Option<PathBuf>, SettingsError> {
    if given.is_some() && !plans {
        return Err(SettingsError::value("coverage", "counts lessons of day plans; it needs `[plan]`"));
    }
    folder("coverage", given)
}

/// A folder that the process writes to.
pub(crate) fn folder(key: &'static str, given: Option<&Path>) -> Result<Option<PathBuf>, SettingsError> {
    let Some(folder) = given else { return Ok(None) };
    if !folder.is_dir() {
        let problem = format!("names {}, which is no folder; create it", folder.display());
        return Err(SettingsError::value(key, problem));
    }
    // It is written again and again, whatever becomes of the folder that the process was started in.
    let absolute = std::path::absolute(folder);
    absolute.map(Some).map_err(|error| SettingsError::value(key, error.to_string()))
}

#[cfg(test)]
mod tests;
