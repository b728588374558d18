//! What `airclass drill` is told, and what becomes of it.

use crate::arrivals::Curve;
use crate::error::DrillError;
use crate::morning::{self, Hours};
use crate::node::{Node, NodeOption};
use crate::origin::Gauge;
use crate::player::{Manners, StartRung};
use crate::report::Bars;
use crate::script::{Bell, tickets};
use crate::speed::Speed;
use crate::swarm::Drill;
use crate::tls::Tls;
use clap::Args;
use http::uri::PathAndQuery;
use jiff::civil::Time;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use units::{BitRate, ByteCount, Span};

/// What `airclass drill` is told.
#[derive(Debug, Args)]
pub struct DrillOptions {
    /// Multivariant playlists on the nodes, as /lessons/ID/main.m3u8; players are dealt out to them evenly
    #[arg(value_name = "PATH", required_unless_present = "plan", conflicts_with = "plan")]
    paths: Vec<String>,
    /// Replay a day plan instead, plans/DATE.json: every bell, its lessons, their grades; slots say who comes when
    #[arg(long, value_name = "FILE", requires = "assume")]
    plan: Option<PathBuf>,
    /// How many pupils there are, as the forecast assumes it: config/forecast.toml
    #[arg(long, value_name = "FILE")]
    assume: Option<PathBuf>,
    /// Only bells of the plan from this time of its day on, HH:MM
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// And before this
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// A node, http://HOST:PORT or https://…; once for each. =N behind it gives it N shares of the players
    #[arg(long = "node", value_name = "URL[=N]", required = true)]
    nodes: Vec<NodeOption>,
    /// What Host and the TLS handshake name, instead of each node's own name
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Trust these authorities (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Believe any certificate: for a drill before the certificates are there
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,

    /// Players, on all nodes together; of a plan, at its fullest bell
    #[arg(long, value_name = "N", default_value_t = 100)]
    players: usize,
    /// How they come, where no plan says it: at-once, uniform:TIME or bell:TIME, the standard deviation
    #[arg(long, value_name = "CURVE", default_value = "uniform:60s")]
    arrival: Curve,
    /// How fast time goes by for players: arrivals, playing, live windows. The network's does not
    #[arg(long, value_name = "N", default_value_t = Speed::REAL)]
    speed: Speed,
    /// How much each player watches [default: to the end]
    #[arg(long, value_name = "TIME")]
    watch: Option<Span>,
    /// When the drill ends, whoever still watches
    #[arg(long, value_name = "TIME", default_value_t = Span(Duration::from_secs(3_600)))]
    limit: Span,
    /// Media that players keep ahead. hls.js keeps 30 s, our page 90 s once it plays
    #[arg(long, value_name = "TIME", default_value_t = Span(Duration::from_secs(30)))]
    ahead: Span,
    /// The first rung: lowest, highest, or what a line of so many bit/s carries
    #[arg(long, value_name = "RUNG", default_value = "lowest")]
    start: StartRung,
    /// No rung with more lines: screens are small [default: none is too high]
    #[arg(long, value_name = "LINES")]
    max_height: Option<u32>,
    /// Of a hundred devices so many decode AV1
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    av1: u8,
    /// Downloads beside the players, each again and again until the last player has gone
    #[arg(long, value_name = "N", default_value_t = 0, requires = "download")]
    downloads: usize,
    /// Of which file, as /r/….pdf
    #[arg(long, value_name = "PATH")]
    download: Option<String>,
    /// How long a player that is told to come later keeps coming
    #[arg(long, value_name = "TIME", default_value_t = Span(Duration::from_secs(900)))]
    patience: Span,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The same number, the same arrivals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The origin's admin listener, whose bytes sent are compared before and after
    #[arg(long, value_name = "URL")]
    origin_metrics: Option<NodeOption>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as a page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Exit 1 on more errors
    #[arg(long, value_name = "N")]
    max_errors: Option<u64>,
    /// Exit 1 when the first picture takes longer for one player in twenty
    #[arg(long, value_name = "TIME")]
    max_startup_p95: Option<Span>,
    /// Exit 1 when pictures stood still more often
    #[arg(long, value_name = "N")]
    max_rebuffers: Option<u64>,
    /// Exit 1 when the origin sent more, or nobody knows
    #[arg(long, value_name = "SIZE", requires = "origin_metrics")]
    max_origin_bytes: Option<ByteCount>,
}

/// A drill that can begin.
pub(crate) struct Ready {
    pub(crate) drill: Arc<Drill>,
    pub(crate) speed: Speed,
    pub(crate) gauge: Option<Gauge>,
    pub(crate) bars: Bars,
}

impl DrillOptions {
    /// Looks everything up that can be known before the first player comes.
    pub(crate) fn resolve(&self) -> Result<Ready, DrillError> {
        let tls = Tls::new(self.ca.as_deref(), self.insecure);
        let resolve = |node: &NodeOption| node.resolve(self.host.as_deref(), &tls).map(Arc::new);
        let nodes: Vec<Arc<Node>> = self.nodes.iter().map(resolve).collect::<Result<_, _>>()?;
        let bells = self.bells()?;
        let file = self.download.as_deref().map(path).transpose()?;
        let weights: Vec<u32> = nodes.iter().map(|node| node.weight).collect();
        let drill = Drill {
            tickets: tickets(&bells, &weights, self.av1, self.speed, self.seed),
            nodes,
            bells,
            manners: Manners {
                speed: self.speed,
                ahead: self.ahead.0,
                watch: self.watch.map_or(Duration::MAX, |watch| watch.0),
                start: self.start,
                max_height: self.max_height.unwrap_or(u32::MAX),
                patience: self.patience.0,
            },
            names: Arc::default(),
            downloads: file.map_or_else(Vec::new, |file| vec![file; self.downloads]),
            threads: self.threads.unwrap_or_else(cores).max(1),
            limit: self.limit.0,
        };
        let gauge = self.origin_metrics.as_ref().map(|option| Gauge::new(option, &tls)).transpose()?;
        let bars = Bars {
            errors: self.max_errors,
            startup_p95: self.max_startup_p95.map(|span| span.0),
            rebuffers: self.max_rebuffers,
            origin_bytes: self.max_origin_bytes,
        };
        Ok(Ready { drill: Arc::new(drill), speed: self.speed, gauge, bars })
    }

    fn bells(&self) -> Result<Vec<Bell>, DrillError> {
        let (Some(file), Some(assume)) = (&self.plan, &self.assume) else {
            // clap does not say so: PATH, which is there, conflicts with what these would require.
            if self.assume.is_some() || self.from.is_some() || self.until.is_some() {
                let problem = "is of use with --plan only; leave it out".to_owned();
                return Err(DrillError::Option { option: "--assume, --from, --until", problem });
            }
            let paths: Vec<_> = self.paths.iter().map(|text| path(text)).collect::<Result<_, _>>()?;
            return Ok(vec![Bell::now(&paths, self.players, self.arrival)]);
        };
        let (plan, assumed) = (morning::read_plan(file)?, morning::read_assumptions(assume)?);
        let hours = Hours { from: self.from, until: self.until };
        let bells = morning::bells(&plan, &assumed, self.players, hours);
        if bells.is_empty() {
            let problem = "no lesson of it opens in these hours, or nobody is of its grades; see --from, --until, --assume";
            return Err(DrillError::Plan { path: file.clone(), problem: problem.to_owned() });
        }
        Ok(bells)
    }
}

fn path(text: &str) -> Result<PathAndQuery, DrillError> {
    let wrong = || DrillError::Option {
        option: "PATH",
        problem: format!("`{text}` is no path on a node; write for example /lessons/sample/main.m3u8"),
    };
    if text.starts_with('/') { text.parse().map_err(|_| wrong()) } else { Err(wrong()) }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl FromStr for StartRung {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "lowest" => Ok(Self::Lowest),
            "highest" => Ok(Self::Highest),
            rate => rate.parse::<BitRate>().map(|rate| Self::Line(rate.0)).map_err(|_| {
                format!("`{text}` is no rung; write \"lowest\", \"highest\" or a line as \"2Mbit/s\"")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use faults::Fault;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        options: DrillOptions,
    }

    fn parse(words: &str) -> Result<DrillOptions, String> {
        let words = std::iter::once("drill").chain(words.split_whitespace());
        Command::try_parse_from(words).map(|command| command.options).map_err(|error| error.to_string())
    }

    #[test]
    fn a_drill_is_a_node_and_a_lesson() {
        let ready = parse("/lessons/a/main.m3u8 --node http://127.0.0.1:8080").unwrap().resolve().unwrap();
        assert_eq!(
            (ready.drill.tickets.len(), ready.drill.most_at_once(), ready.drill.groups()),
            (100, 100, 1)
        );
        assert!(ready.drill.threads >= 1);
        let many = parse(
            "/a /b --node http://127.0.0.1:1=2 --node http://127.0.0.1:2 --players 30 --arrival at-once --speed 10 \
             --watch 5min --start 2Mbit/s --av1 50 --max-startup-p95 1s --max-errors 0",
        );
        let ready = many.unwrap().resolve().unwrap();
        assert_eq!(ready.drill.tickets.iter().filter(|ticket| ticket.node == 0).count(), 20);
        assert_eq!(ready.drill.manners.start, StartRung::Line(2_000_000));
        assert_eq!(ready.bars.startup_p95, Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let node = "--node http://127.0.0.1:8080";
        for words in [
            "/a".to_owned(),
            node.to_owned(),
            format!("/a {node} --arrival soon"),
            format!("/a {node} --speed 0"),
            format!("/a {node} --av1 101"),
            format!("/a {node} --start middle"),
            format!("/a {node} --ca a --insecure"),
            format!("/a {node} --max-origin-bytes 0B"),
            "/a --node 127.0.0.1".to_owned(),
            format!("/a {node} --plan a --assume b"),
            format!("{node} --plan a"),
        ] {
            assert!(parse(&words).is_err(), "{words}");
        }
        let refused = |words: &str| parse(words).unwrap().resolve().map(drop).unwrap_err();
        assert_eq!(refused(&format!("lessons/a {node}")).code(), "DRILL_OPTION");
        assert_eq!(refused("/a --node https://127.0.0.1 --ca /nowhere.pem").code(), "DRILL_CERTIFICATES");
        assert_eq!(refused(&format!("/a {node} --from 08:00")).code(), "DRILL_OPTION");
        assert_eq!(
            refused(&format!("--plan /nowhere.json --assume /nowhere.toml {node}")).code(),
            "DRILL_PLAN"
        );
        assert_eq!(refused("/a --node http://name.invalid").code(), "DRILL_NODE");
    }
}
