//! The drill: a swarm of HLS players that rehearses the morning bell against real nodes.
//!
//! `arrivals → player (main playlist → rung → playlist → init → segments → buffer → screen) → tally → report`
//!
//! Players behave as hls.js does: two kept connections, a rung chosen by the measured line and the buffer, retries that wait
//! longer and longer. What they fetch is counted and thrown away as it comes. What a player decides is pure (`abr`,
//! `playback`, `media`, `ladder`, `retry`, `arrivals`); times of media are `Duration`s, never floats. Players are tasks of
//! one runtime a core and wake only for what they fetch.

mod abr;
mod arrivals;
mod clock;
mod downloads;
mod error;
mod fetch;
mod ladder;
mod line;
mod machine;
mod media;
mod morning;
mod node;
mod options;
mod origin;
mod outcome;
mod place;
mod playback;
mod player;
mod progress;
mod random;
mod report;
mod retry;
mod script;
mod shelf;
mod speed;
mod swarm;
mod tally;
mod tls;

pub use error::DrillError;
pub use options::DrillOptions;

use options::Ready;
use origin::{Level, Origin};
use progress::Progress;
use report::{Ended, Report};
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use swarm::{Beat, SECOND, Swarm};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// `airclass drill`: holds a drill, and says what it has shown.
///
/// # Errors
/// When it cannot begin, its report cannot be written, or a bar is missed.
pub fn run(options: &DrillOptions) -> Result<(), DrillError> {
    let ready = options.resolve()?;
    machine::allow(ready.drill.most_at_once())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = LocalSet::new().block_on(&runtime, hold(&ready))?;
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&report).map_err(std::io::Error::from)?;
        write(path, &json)?;
    }
    if let Some(path) = &options.html {
        write(path, report.page().as_bytes())?;
    }
    // Behind the files: what an hour has shown is not lost with whoever read along.
    match write!(std::io::stdout().lock(), "{report}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    let missed = ready.bars.missed(&report);
    if missed.is_empty() { Ok(()) } else { Err(DrillError::Missed { missed }) }
}

/// Holds the drill until everybody has gone, its limit is reached, or Ctrl-C is pressed.
async fn hold(ready: &Ready) -> Result<Report, DrillError> {
    let drill = &ready.drill;
    let before = match &ready.gauge {
        Some(gauge) => gauge.begin().await?,
        None => Level::Silent,
    };
    let (stop, stopped) = watch::channel(false);
    let (began, cpu) = (clock::today(), machine::cpu());
    let begins = Instant::now();
    let mut swarm = Swarm::start(drill, begins, &stopped)?;
    let mut progress = Progress::begin(drill.tickets.len() as u64);
    let mut seconds = interval(SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = pin!(tokio::signal::ctrl_c());
    let mut interrupted = false;
    loop {
        tokio::select! {
            () = swarm.ended() => break,
            _ = seconds.tick() => progress.tell(&Beat::sum(swarm.pulses.iter().map(|pulse| pulse.read()))),
            told = &mut told, if !interrupted => {
                interrupted = told.is_ok();
                stop.send_replace(true);
            }
        }
    }
    progress.end();
    let lasted = begins.elapsed();
    let cpu = machine::cpu().saturating_sub(cpu);
    let tally = swarm.join(drill.groups())?;
    let origin = match &ready.gauge {
        Some(gauge) => Some(Origin::between(before, gauge.read().await)),
        None => None,
    };
    Ok(Report::of(Ended {
        began: format!("{began:.0}"),
        lasted,
        interrupted,
        speed: ready.speed,
        players: drill.tickets.len() as u64,
        bells: &drill.bells,
        nodes: drill.nodes.iter().map(|node| node.name.clone()).collect(),
        names: drill.names.all(),
        tally,
        origin,
        downloads: drill.downloads.len(),
        threads: drill.threads,
        cpu,
    }))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DrillError> {
    std::fs::write(path, bytes).map_err(|source| DrillError::Write { path: path.to_owned(), source })
}
