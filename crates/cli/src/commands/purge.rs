//! `airclass purge`: one signed order to forget, for any number of edges.

mod post;

use crate::clock;
use crate::commands::admin_listener::AdminListener;
use ::purge::{Group, Mode, Order, Place, Report, Signed, SurrogateKey, What};
use clap::Args;
use faults::{AnyFault, Blame, Fault};
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use post::PostError;
use serde_json::json;
use signing::SigningKey;
use std::io::{self, Write};
use std::path::PathBuf;
use units::Span;

/// Edges told at the same time.
const AT_ONCE: usize = 16;

/// What `airclass purge` is told.
#[derive(Debug, Args)]
pub(crate) struct PurgeOptions {
    /// An edge's admin listener, http://HOST:PORT; once for each edge
    #[arg(long = "edge", value_name = "URL", required = true)]
    edges: Vec<AdminListener>,
    #[command(flatten)]
    meant: Meant,
    /// Name the URLs too
    #[arg(long)]
    list: bool,
    /// As one JSON object an edge
    #[arg(long, conflicts_with = "list")]
    json: bool,
}

/// What is to go, how far, and in whose name.
#[derive(Debug, Args)]
pub(crate) struct Meant {
    /// The key that signs the order; its public half is in the edges' purge.keys
    #[arg(long, env = "AIRCLASS_PURGE_KEY", value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Only the responses of this site, with --surrogate-key [default: of all sites]
    #[arg(long, value_name = "HOST", requires = "surrogate_key")]
    host: Option<String>,
    /// Make stale instead of taking out: asked about before it is used, and still there when the origin fails
    #[arg(long)]
    soft: bool,
    /// For the edges of this group, as their purge.group says
    #[arg(long, value_name = "NAME")]
    group: Option<Group>,
    /// How long the order counts, 10min at most
    #[arg(long, value_name = "TIME", default_value = "60s")]
    life: Span,
}

/// What is to go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// One URL, in all its variants
    #[arg(long, value_name = "URL")]
    url: Option<Place>,
    /// All URLs that begin so
    #[arg(long, value_name = "URL")]
    prefix: Option<Place>,
    /// All responses that carry this key in Surrogate-Key or Cache-Tag
    #[arg(long, value_name = "KEY")]
    surrogate_key: Option<SurrogateKey>,
}

impl Which {
    /// Whether it is a URL that ends with `*`.
    fn has_a_star(&self) -> bool {
        self.url.iter().chain(&self.prefix).any(|place| place.target().ends_with('*'))
    }
}

/// Why an order was not given, or not obeyed everywhere.
#[derive(Debug, thiserror::Error)]
enum PurgeFault {
    #[error("{failed} of {of} edges have not obeyed; their lines say why")]
    NotEverywhere { failed: usize, of: usize },
    #[error("no order can be made: {0}; see --life and this machine's clock")]
    Order(&'static str),
    #[error("the system gives no runtime or takes no output: {0}")]
    System(#[from] io::Error),
}

impl Fault for PurgeFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEverywhere { .. } => "PURGE_NOT_EVERYWHERE",
            Self::Order(_) => "PURGE_ORDER",
            Self::System(_) => "PURGE_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Order(_) => Blame::Input,
            Self::NotEverywhere { .. } | Self::System(_) => Blame::Ours,
        }
    }
}

/// `airclass purge`
pub(crate) fn purge(options: &PurgeOptions) -> Result<(), AnyFault> {
    let sent = options.meant.signed()?;
    if options.meant.which.has_a_star() {
        // As other caches have it, where it means all: here nothing is removed, and it looks well.
        faults::note!("`*` in a URL stands for itself; `--prefix` without it means all that begin so");
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PurgeFault::System)?;

    let bar = ProgressBar::with_draw_target(Some(options.edges.len() as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} edges, {elapsed}") {
        bar.set_style(style);
    }
    let failed = runtime.block_on(async {
        let mut failed = 0;
        let mut ends = stream::iter(&options.edges)
            .map(|edge| {
                let sent = sent.clone();
                async move { (edge, edge.order(sent).await) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((edge, end)) = ends.next().await {
            bar.inc(1);
            failed += usize::from(end.is_err());
            bar.suspend(|| tell(options, edge, &end))?;
        }
        Ok::<_, io::Error>(failed)
    });
    bar.finish_and_clear();
    match failed.map_err(PurgeFault::System)? {
        0 => Ok(()),
        failed => Err(PurgeFault::NotEverywhere { failed, of: options.edges.len() }.into()),
    }
}

impl Meant {
    /// The order, given now and signed.
    pub(crate) fn signed(&self) -> Result<bytes::Bytes, AnyFault> {
        let key = SigningKey::read(&self.key)?;
        let mode = if self.soft { Mode::Soft } else { Mode::Hard };
        let now = Timestamp::try_from(clock::now())
            .map_err(|_| PurgeFault::Order("the clock is out of all bounds"))?;
        let order =
            Order::new(self.what(), mode, self.group.clone(), now, self.life.0).map_err(PurgeFault::Order)?;
        Ok(Signed::by(&order, &[&key]).to_bytes().into())
    }

    fn what(&self) -> What {
        match &self.which {
            Which { url: Some(url), .. } => What::Url(url.clone()),
            Which { prefix: Some(prefix), .. } => What::Prefix(prefix.clone()),
            Which { surrogate_key, .. } => What::SurrogateKey {
                key: surrogate_key.clone().expect("clap asks for one of the three"),
                host: self
                    .host
                    .as_deref()
                    .map(|host| ::purge::bare_host(&host.to_ascii_lowercase()).to_owned()),
            },
        }
    }
}

/// What was in memory, and what was on disks where there was any.
fn by_tier(tiers: ::purge::Tiers) -> String {
    match tiers.disk {
        0 => tiers.memory.to_string(),
        disk => format!("{} (on disk {disk})", tiers.memory),
    }
}

fn tell(options: &PurgeOptions, edge: &AdminListener, end: &Result<Report, PostError>) -> io::Result<()> {
    let mut out = faults::say::out();
    match end {
        _ if options.json => {
            let end = match end {
                Ok(report) => json!({ "edge": edge.to_string(), "report": report }),
                Err(error) => json!({ "edge": edge.to_string(), "error": error.to_string() }),
            };
            writeln!(out, "{end}")
        }
        Err(error) => writeln!(out, "{edge}  {error}"),
        Ok(report) => {
            writeln!(
                out,
                "{edge}  removed {}, made stale {}, fills overtaken {}, {:.1} ms{}",
                by_tier(report.removed),
                by_tier(report.softened),
                report.fills_overtaken,
                std::time::Duration::from_micros(report.duration_us).as_secs_f64() * 1e3,
                if report.lasting { "" } else { "; a disk has not written it down: give the order again" },
            )?;
            if report.disk_objects_left > 0 {
                let left = report.disk_objects_left;
                writeln!(
                    out,
                    "  {left} objects on disks are still to be looked at; none that is meant is served"
                )?;
            }
            if options.list {
                report.urls.iter().try_for_each(|url| writeln!(out, "  {url}"))?;
                if report.urls_left_out > 0 {
                    writeln!(out, "  and {} more", report.urls_left_out)?;
                }
            }
            Ok(())
        }
    }
}
