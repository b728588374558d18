//! `airclass timetable readiness`: whether the lessons of the next bells lie on the nodes.

use crate::commands::admin_listener::{AdminListener, host_of};
use clap::Args;
use faults::{AnyFault, Blame, Fault};
use futures_util::{StreamExt, stream};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nodes asked at the same time.
const AT_ONCE: usize = 16;
/// The longest wait for a node.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bells named to who asks for one that there is not: a day's and some of the next.
const BELLS_NAMED: usize = 16;
/// The largest answer: three days of bells.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What `airclass timetable readiness` is told.
#[derive(Debug, Args)]
pub(crate) struct ReadinessOptions {
    /// A node's admin listener, http://HOST:PORT; once for each node
    #[arg(long = "node", value_name = "URL", required = true)]
    nodes: Vec<AdminListener>,
    /// Only this bell, as 2026-09-01T08:30 where the plan is for, or as a timestamp [default: all that are to come]
    #[arg(long, value_name = "TIME")]
    bell: Option<String>,
    /// As one JSON object a node
    #[arg(long)]
    json: bool,
}

/// Why not everything is covered.
#[derive(Debug, thiserror::Error)]
enum ReadinessFault {
    #[error("{missing} of {of} bells on nodes are not covered, or nodes do not say; their lines tell")]
    NotCovered { missing: usize, of: usize },
    #[error("the system gives no runtime or takes no output: {0}")]
    System(#[from] io::Error),
}

impl Fault for ReadinessFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotCovered { .. } => "FILL_NOT_COVERED",
            Self::System(_) => "READINESS_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// What a node says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Report {
    rungs: String,
    bells: Vec<Bell>,
    /// Those that were not asked for, where the plan is for.
    #[serde(skip)]
    others: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bell {
    bell: Timestamp,
    local: String,
    lessons: usize,
    packages: usize,
    wanted_bytes: u64,
    held_bytes: u64,
    ratio: f64,
    covered: bool,
}

/// `airclass timetable readiness`
pub(crate) fn readiness(options: &ReadinessOptions) -> Result<(), AnyFault> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ReadinessFault::System)?;
    let said: Vec<_> = runtime.block_on(
        stream::iter(&options.nodes)
            .map(|node| async move { (node, node.ask().await) })
            .buffered(AT_ONCE)
            .collect(),
    );
    let now = Timestamp::try_from(crate::clock::now()).unwrap_or(Timestamp::MIN);
    let (mut missing, mut of) = (0, 0);
    let mut out = faults::say::out();
    for (node, said) in said {
        let said = said.map(|report| report.about(options.bell.as_deref(), now));
        let bells = said.as_ref().map_or(&[][..], |report| &report.bells);
        // A node that does not say, or knows nothing of the bell, is not ready for it.
        of += bells.len().max(1);
        missing += match &said {
            Ok(report) if !report.bells.is_empty() => {
                report.bells.iter().filter(|bell| !bell.covered).count()
            }
            Ok(_) | Err(_) => 1,
        };
        tell(&mut out, options.json, node, &said).map_err(ReadinessFault::System)?;
    }
    if missing == 0 { Ok(()) } else { Err(ReadinessFault::NotCovered { missing, of }.into()) }
}

fn tell(
    out: &mut impl Write,
    json: bool,
    node: &AdminListener,
    said: &Result<Report, String>,
) -> io::Result<()> {
    match said {
        _ if json => {
            let line = match said {
                Ok(report) => serde_json::json!({ "node": node.to_string(), "report": report }),
                Err(error) => serde_json::json!({ "node": node.to_string(), "error": error }),
            };
            writeln!(out, "{line}")
        }
        Err(error) => writeln!(out, "{node}  {error}"),
        Ok(Report { rungs, bells, others }) => {
            writeln!(out, "{node}  rungs {rungs}")?;
            if bells.is_empty() {
                writeln!(out, "  {}", none_such(others))?;
            }
            for Bell { local, lessons, wanted_bytes, held_bytes, ratio, covered, .. } in bells {
                // Never 100 before it is all there.
                let percent = (ratio * 1e4).floor() / 1e2;
                let (held, wanted) = (megabytes(*held_bytes), megabytes(*wanted_bytes));
                let word = if *covered { "covered" } else { "NOT covered" };
                writeln!(
                    out,
                    "  {local}  {percent:>6.2} %  {lessons:>3} lessons  {held:>10} of {wanted:>10} MB  {word}"
                )?;
            }
            Ok(())
        }
    }
}

/// What to do about a bell that a node does not know, by those that it knows.
fn none_such(known: &[String]) -> String {
    match known {
        [] => "knows of no bell to come; is its plan followed, and is `plan.hosts` set?".to_owned(),
        known => {
            let named = known.iter().take(BELLS_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = known.len().saturating_sub(BELLS_NAMED);
            let more = if more == 0 { String::new() } else { format!(", {more} more") };
            format!("knows of no such bell; it knows {named}{more}")
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}

impl Report {
    /// What of it was asked for.
    fn about(mut self, bell: Option<&str>, now: Timestamp) -> Self {
        let known: Vec<String> = self.bells.iter().map(|known| known.local.clone()).collect();
        match bell {
            None => self.bells.retain(|known| known.bell >= now),
            Some(wanted) => {
                let moment: Option<Timestamp> = wanted.parse().ok();
                self.bells.retain(|known| Some(known.bell) == moment || known.local == wanted);
                self.others = known;
            }
        }
        self
    }
}

impl AdminListener {
    async fn ask(&self) -> Result<Report, String> {
        match timeout(PATIENCE, self.report()).await {
            Ok(said) => said,
            Err(_) => Err("gives no answer; is this its admin listener?".to_owned()),
        }
    }

    async fn report(&self) -> Result<Report, String> {
        let unreachable = |error: &dyn fmt::Display| format!("cannot be reached: {error}");
        let stream = TcpStream::connect(&self.address).await.map_err(|error| unreachable(&error))?;
        let host = host_of(&stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        drop(tokio::spawn(connection));
        let request = Request::get("/fill")
            .header(header::HOST, host)
            .body(Empty::<bytes::Bytes>::new())
            .expect("an address is a field value");
        let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                return Err("fills nothing; `plan.keys` and `plan.hosts` turn that on".to_owned());
            }
            status => return Err(format!("answers {status}; is this its admin listener?")),
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let text = body.map_err(|error| format!("its answer broke off: {error}"))?.to_bytes();
        serde_json::from_slice(&text).map_err(|error| format!("its answer is of another release: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_bell_that_there_is_not_hears_which_there_are() {
        assert!(none_such(&[]).starts_with("knows of no bell to come; "));
        let known: Vec<String> = (0..18).map(|minute| format!("2026-09-01T08:{minute:02}")).collect();
        assert_eq!(
            none_such(&known[..2]),
            "knows of no such bell; it knows 2026-09-01T08:00, 2026-09-01T08:01"
        );
        assert!(none_such(&known).ends_with(", 2026-09-01T08:15, 2 more"));
    }
}
