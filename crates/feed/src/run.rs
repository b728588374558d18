//! The program at work: plans read, destinations opened, one thread that makes periods and one that sends them.

use crate::destination::Destination;
use crate::library::{self, Library};
use crate::line::Plans;
use crate::maker::{Made, Maker, Tempo, timestamp};
use crate::metrics::Metrics;
use crate::options::{Config, FeedError, Options};
use crate::pace::Time;
use crate::send::Out;
use crate::sender::Sender;
use faults::{AnyFault, Blame, Fault};
use jiff::Timestamp;
use multiplex::{Multiplexer, slate};
use settings::SettingsError;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use telemetry::{Admin, Check, Telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Periods made ahead of being sent: what is on now is in the first, and memory holds 2.4 MB of 4 Mbit/s each.
const MADE_AHEAD: usize = 2;
/// How long receivers by SRT are told of the end; a caller that nobody answers would take three seconds.
const GOODBYE: Duration = Duration::from_secs(1);
/// Misfits that are told.
const MAX_TOLD: usize = 5;

/// `airclass feed`
///
/// # Errors
/// An option that cannot be, plans or destinations that are not there; and what the system does not give.
pub fn run(flags: &Options, file: Option<&Path>) -> Result<(), AnyFault> {
    let options = settings::layered(flags, file)?;
    // What is of one run only does not come from files.
    let options =
        Options { at: flags.at, duration: flags.duration, clock_offset: flags.clock_offset, ..options };
    telemetry::init(&options.log).map_err(|problem| SettingsError::value("log", problem))?;
    let config = Config::resolve(&options)?;
    let telemetry = Telemetry::new("feed");
    let metrics = Metrics::register(&telemetry);
    let begin = config.at.unwrap_or_else(|| timestamp(config.clock.now()));
    let maker = maker(&config, begin, metrics.clone(), telemetry.clone())?;
    let first = u64::try_from(begin.as_millisecond()).unwrap_or(0) / grid::SEGMENT_MS + 1;
    match config.periods {
        Some(periods) => write(&config, maker, first, periods),
        None => send(&config, maker, metrics, &telemetry),
    }
}

/// A maker whose plans have been read and fit.
fn maker(
    config: &Config,
    begin: Timestamp,
    metrics: Metrics,
    telemetry: Telemetry,
) -> Result<Maker, AnyFault> {
    let cacert = || config.cacert.clone();
    let packages = library::open(&config.from, cacert(), None)
        .map_err(|error| SettingsError::value("from", error.to_string()))?;
    let is_address = config.papers.starts_with("http:") || config.papers.starts_with("https:");
    let papers = if is_address { &config.papers[..] } else { "/" };
    let (papers, _) = library::open(papers, cacert(), config.plan_token.clone())
        .map_err(|error| SettingsError::value("plan", error.to_string()))?;
    let mut plans = Plans::new(
        config.plan.clone(),
        config.trust.clone(),
        config.channel.clone(),
        config.rung,
        config.rate,
    );
    let (_, problems) = plans.refresh(&*papers, begin);
    for problem in &problems {
        tracing::warn!(%problem, "plan not followed");
    }
    let reason = |fallback: &dyn std::fmt::Display| match problems.first() {
        Some(problem) => FeedError::Plan(problem.to_string()),
        None => FeedError::Plan(fallback.to_string()),
    };
    plans.check(begin).map_err(|error| reason(&error))?;
    fits(&plans)?;
    let mut service = config.service.clone();
    if let Some((zone, title)) = plans.about() {
        service.utc_offset_minutes = zone.offset_s() / 60;
        if service.name.is_empty() {
            title.clone_into(&mut service.name);
        }
    }
    service.check().map_err(|error| SettingsError::value("name", error.to_string()))?;
    telemetry.readiness.pass(Check::Upstream);
    Ok(Maker {
        time: Time::new(Instant::now(), config.clock.now()),
        plans,
        papers,
        library: Library::new(packages),
        multiplexer: Multiplexer::new(config.rate, service, config.behind),
        slate: Arc::new(slate(config.rung.width(), config.rung.height())),
        behind: config.behind,
        metrics,
        telemetry,
    })
}

/// Told before anything is sent: what is planned and larger than the rate, with the rate that would do.
fn fits(plans: &Plans) -> Result<(), FeedError> {
    let misfits = plans.misfits();
    let Some(most) = misfits.iter().map(|misfit| misfit.needed).max() else { return Ok(()) };
    let each = |misfit: &crate::line::Misfit| {
        format!("{} needs {} with {}", misfit.name, misfit.needed, misfit.slot)
    };
    let mut told: Vec<String> = misfits.iter().take(MAX_TOLD).map(each).collect();
    if misfits.len() > MAX_TOLD {
        told.push(format!("and {} more", misfits.len() - MAX_TOLD));
    }
    Err(FeedError::Rate(format!("{}; give --rate {most} or more, or a smaller --rung", told.join(", "))))
}

/// Files, as fast as it goes.
fn write(config: &Config, maker: Maker, first: u64, periods: u64) -> Result<(), AnyFault> {
    let mut files = Vec::new();
    for to in &config.to {
        if let Destination::File(path) = to {
            files.push(BufWriter::new(File::create(path).map_err(|source| destination(to, source))?));
        }
    }
    let mut failed = None;
    maker.run(first, &Tempo::Fast(periods), |made| {
        let written = files.iter_mut().try_for_each(|file| file.write_all(&made.packets));
        failed = written.err();
        failed.is_none()
    });
    let flushed = files.iter_mut().try_for_each(BufWriter::flush);
    match failed.map_or(flushed, Err) {
        Ok(()) => Ok(()),
        Err(error) => Err(NotWritten(error).into()),
    }
}

/// A file that takes no more.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be written: {0}")]
struct NotWritten(#[source] std::io::Error);

impl Fault for NotWritten {
    fn code(&self) -> &'static str {
        "FEED_NOT_WRITTEN"
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

fn destination(to: &Destination, source: std::io::Error) -> FeedError {
    let to = match to {
        Destination::Udp(options) => format!("udp://{}", options.to),
        Destination::Srt(options) => format!("srt://{}", options.address),
        Destination::File(path) => path.display().to_string(),
    };
    FeedError::Destination { to, source }
}

/// The network, with the clock, until a signal.
fn send(config: &Config, maker: Maker, metrics: Metrics, telemetry: &Telemetry) -> Result<(), AnyFault> {
    let open = |to| Out::open(to, &metrics).map_err(|source| destination(to, source));
    let outs = config.to.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let admin = config
        .admin
        .map(|address| Admin::start(address, config.admin_hosts.clone(), telemetry.clone()))
        .transpose()?;
    let (rate, clock, time) = (config.rate, config.clock, maker.time.clone());
    let (periods, made) = mpsc::channel::<Made>(MADE_AHEAD);
    let (stop, stopped) = sync_channel(1);
    // The period that runs is half gone, and what is on in it half sent by whoever sends it.
    let first = period_at(time.at(Instant::now())) + 1;
    let thread = std::thread::Builder::new().name("maker".to_owned()).spawn(move || {
        maker.run(first, &Tempo::Live(stopped), |made| periods.blocking_send(made).is_ok());
    });
    let thread = thread.map_err(FeedError::System)?;
    tracing::info!(rate = rate.bits_per_second(), first, "feed begins");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(FeedError::System)?;
    let mut sender = Sender { rate, clock, time, outs, metrics };
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        telemetry.readiness.pass(Check::Listening);
        tokio::select! {
            () = sender.run(made) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok::<_, FeedError>(())
    })?;
    drop((stop, admin));
    let _ = thread.join();
    // All at once, then each is waited for.
    let ends: Vec<_> = sender.outs.into_iter().filter_map(Out::end).collect();
    let until = Instant::now() + GOODBYE;
    for mut end in ends {
        end.ends_within(until.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn period_at(since_1970: Duration) -> u64 {
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX) / grid::SEGMENT_MS
}
