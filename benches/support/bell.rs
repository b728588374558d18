//! A night and a bell: twelve lessons go from an origin over a parent to three edges, the origin dies a minute before the bell, and
//! at the bell a swarm of players comes. And whether the forecast of that bell was right.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::process::{self, Process};
use crate::site::{HOST, Node, Site};
use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Unit};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A lesson for each.
const GRADES: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/// Edges below the parent.
const EDGES: usize = 3;
/// Players on each.
const PLAYERS: (u64, u64) = (3_000, 200);
/// How they come.
const ARRIVAL: &str = "1min";
/// What a player fetches ahead.
const AHEAD: &str = "30s";
/// When the drill ends: all who came are a minute within their lesson.
const LIMIT: &str = "130s";
/// The longest that a night may take.
const NIGHT: Duration = Duration::from_secs(900);
/// The longest that a changed plan may take to the edges.
const CHANGED_WITHIN: Duration = Duration::from_secs(15);
/// From the origin's end to the bell.
const WITHOUT_ORIGIN: SignedDuration = SignedDuration::from_secs(60);
/// From the bell to the first player: a lesson opens within half a second.
const OPEN: SignedDuration = SignedDuration::from_millis(500);
/// The longest that the drill may take.
const DRILL_WITHIN: Duration = Duration::from_secs(300);
/// Seconds over which rates are compared: the forecast's are of minutes.
const MINUTE: usize = 60;
/// What a pupil waits for his first picture, in ms, one of twenty longer.
const STARTUP_MS: f64 = 1_000.0;
/// Of a hundred bits the forecast may be wrong by so many.
const OFF: f64 = 10.0;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let program = process::sibling(options.airclass.as_ref(), "airclass", "cargo build --release -p cli")?;
    let directory = workplace.directory("bell-")?;
    let site = Site::new(program, directory.path(), &GRADES, &[])?;
    let players = options.pick(PLAYERS.0, PLAYERS.1);
    let origin = site.origin()?;
    let parent = site.edge(&origin, "parent", &[])?;
    let edges: Vec<Node> =
        (0..EDGES).map(|number| site.edge(&parent, &format!("edge-{number}"), &[])).collect::<Result<_>>()?;

    // The night.
    site.publish(1, site.moment("07:30:00")?, vec![])?;
    let began = clock::now();
    let full = clock::wait_until(NIGHT, || edges.iter().all(|edge| site.is_covered(edge)));
    ensure!(full, "the edges were not filled within {NIGHT:?}");
    let night_s = began.elapsed().as_secs_f64();

    // The bell is a whole minute, as the forecast's are.
    let bell = (site.now() + WITHOUT_ORIGIN + SignedDuration::from_secs(75))
        .round(jiff::TimestampRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Floor))?;
    let plan = site.publish(2, bell, vec![])?;
    let followed = clock::wait_until(CHANGED_WITHIN, || {
        edges.iter().all(|edge| edge.metric("airclass_plan_edition{day=\"today\"}").is_ok_and(|n| n == 2.0))
    });
    ensure!(followed, "the edges did not follow the changed plan within {CHANGED_WITHIN:?}");
    site.wait_until(bell - WITHOUT_ORIGIN);
    let before = filled(&edges)?;
    drop(origin);
    site.wait_until(bell + OPEN);
    let report = drill(&site, &edges, players, directory.path())?;
    let after = filled(&edges)?;

    let total = &report["total"];
    let sum = |counts: &Value| -> f64 {
        counts
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, count)| count.as_f64())
            .fold(0.0, |a, b| a + b)
    };
    let number =
        |value: &Value, what: &str| value.as_f64().with_context(|| format!("the drill says no {what}"));
    let coming = players as f64 * EDGES as f64;
    let (sent, foretold) =
        (busiest_minute(&report)?, forecast(&site, &plan, directory.path(), players * EDGES as u64)?);
    let off = (foretold - sent).abs() / sent.max(1.0) * 100.0;
    let bell_line =
        |what: &str, unit: &str, ours, bar| Line::once(format!("bell: {what}"), unit, ours, Some(bar));
    Ok(vec![
        Line::once("bell: twelve lessons to three edges over a parent", "s", night_s, None),
        bell_line(
            "players that started",
            "players",
            number(&total["started"], "start")?,
            Bar::Exactly(coming),
        ),
        bell_line("errors", "errors", sum(&total["errors"]), Bar::Exactly(0.0)),
        bell_line(
            "rebuffers",
            "rebuffers",
            number(&total["rebuffers"]["count"], "rebuffers")?,
            Bar::Exactly(0.0),
        ),
        bell_line(
            "first picture, p95",
            "ms",
            number(&total["startup"]["p95_ms"], "start-up")?,
            Bar::AtMost(STARTUP_MS),
        ),
        bell_line("bytes from above the edges, the origin dead", "bytes", after - before, Bar::Exactly(0.0)),
        bell_line("the forecast is off by", "%", off, Bar::AtMost(OFF)).note(format!(
            "{:.3} Gbit/s foretold, {:.3} sent in the busiest minute",
            foretold / 1e9,
            sent / 1e9
        )),
    ])
}

/// Bytes that the edges have had from above.
fn filled(edges: &[Node]) -> Result<f64> {
    edges.iter().map(|edge| edge.metric("edge_fill_bytes_total")).sum()
}

/// The swarm; what it says.
fn drill(site: &Site, edges: &[Node], players: u64, directory: &Path) -> Result<Value> {
    let json = directory.join("drill.json");
    let mut command = Command::new(&site.program);
    command.arg("drill").args(GRADES.map(Site::pointer)).args(["--host", HOST]);
    command.args(edges.iter().flat_map(|edge| ["--node".to_owned(), format!("http://{}", edge.address)]));
    command.args(["--players", &(players * edges.len() as u64).to_string()]);
    command.args(["--arrival", &format!("uniform:{ARRIVAL}"), "--ahead", AHEAD, "--limit", LIMIT]);
    command.arg("--json").arg(&json);
    let log = directory.join("drill.log");
    let mut process = Process::start(command, &log)?;
    let status = process.wait(DRILL_WITHIN)?;
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    ensure!(status.success(), "the drill ended with {status}: {}", said());
    Ok(serde_json::from_slice(&std::fs::read(&json)?)?)
}

/// The most that was sent in a minute from the bell on, in bits a second: the minutes that a forecast reckons with.
fn busiest_minute(report: &Value) -> Result<f64> {
    let seconds = report["seconds"].as_array().context("the drill tells no seconds")?;
    let bytes: Vec<f64> = seconds.iter().filter_map(|second| second["bytes"].as_f64()).collect();
    let minutes = bytes.chunks_exact(MINUTE).map(|minute| minute.iter().sum::<f64>() * 8.0 / MINUTE as f64);
    minutes.reduce(f64::max).context("the drill lasted less than a minute")
}

/// What the bell of `plan` asks for with so many players, in bits a second.
fn forecast(site: &Site, plan: &Path, directory: &Path, players: u64) -> Result<f64> {
    let assumed = directory.join("assumed.toml");
    let each = players / GRADES.len() as u64;
    let text = format!(
        "attendance = 1000\nreplay = 0\narrival = \"{ARRIVAL}\"\nbuffer = \"{AHEAD}\"\nmix = {{ s1 = 1000 }}\n\
         carriers = {{ dianxin = 1000 }}\npupils = [{{ region = \"hubei\", grades = {GRADES:?}, each = {each} }}]\n",
    );
    std::fs::write(&assumed, text)?;
    let mut command = Command::new(&site.program);
    command.args(["timetable", "forecast"]).arg(plan).arg("--assume").arg(&assumed).arg("--json");
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "no forecast: {}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    told["bells"][0]["peak_bps"].as_f64().context("the forecast has a bell")
}
