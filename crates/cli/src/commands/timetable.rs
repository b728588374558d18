//! `airclass timetable …`: from what a person writes to the plan that everything follows.

mod check;
mod compile;
mod diff;
mod fault;
mod forecast;
mod guide;
mod guides;
mod published;
mod read;
mod readiness;
mod stock;

use clap::{Args, Subcommand, ValueEnum};
use faults::AnyFault;
use jiff::civil::Date;
use std::path::PathBuf;
use timetable::plan::ChannelId;

/// What to do with timetables.
#[derive(Subcommand)]
pub(crate) enum TimetableCommand {
    /// Say everything that is wrong with a timetable, each with file, line, rule and a way out
    Check(Check),
    /// Make the signed plan of each day, and its guides
    Compile(Compile),
    /// Say what two plans of a day say differently
    Diff(Diff),
    /// Write the guide of a timetable or a plan
    Guide(Guide),
    /// Say how many bits a second a plan's day asks for, bell by bell, what is missing, and what it costs
    Forecast(Forecast),
    /// Say whether the lessons of the next bells lie on nodes; exit 1 when one is not covered
    Readiness(readiness::ReadinessOptions),
}

/// What is read.
#[derive(Args)]
pub(crate) struct Written {
    /// The timetable: TOML (config/timetable.toml is an example), or a sheet as CSV
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Documents and limits instead of those built in (config/limits.toml)
    #[arg(long, env = "AIRCLASS_LIMITS", value_name = "FILE")]
    limits: Option<PathBuf>,
}

/// `check`
#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    written: Written,
    /// Look lessons, and plans that are published, up here: a directory, a file:// URL or s3://BUCKET/PREFIX (with the AWS_ variables)
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    store: Option<String>,
    /// As one JSON object a finding
    #[arg(long)]
    json: bool,
}

/// `compile`
#[derive(Args)]
pub(crate) struct Compile {
    #[command(flatten)]
    written: Written,
    /// The key that signs; `airclass package keygen` makes one
    #[arg(long, env = "AIRCLASS_PLAN_KEY", value_name = "FILE")]
    key: PathBuf,
    /// Where lessons are: a directory, a file:// URL or s3://BUCKET/PREFIX (with the AWS_ variables)
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    store: String,
    /// Write plans/DATE.json, timetable/DATE.json and guide/CHANNEL.{xml,ics} below this directory
    #[arg(long, value_name = "DIR", required_unless_present = "publish")]
    out: Option<PathBuf>,
    /// Write them into the store
    #[arg(long)]
    publish: bool,
    /// The plan's edition [default: one more than the day's last]
    #[arg(long, value_name = "N")]
    edition: Option<u64>,
    /// Lessons may come later: their pointers stay shut, and channels show the slate in their place
    #[arg(long)]
    allow_missing: bool,
}

/// `diff`
#[derive(Args)]
pub(crate) struct Diff {
    /// A plan
    #[arg(value_name = "A")]
    before: PathBuf,
    /// Another of the same day
    #[arg(value_name = "B")]
    after: PathBuf,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// `guide`
#[derive(Args)]
pub(crate) struct Guide {
    /// A timetable, or a plan (.json)
    #[command(flatten)]
    written: Written,
    /// As what
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// Of this channel alone
    #[arg(long, value_name = "ID")]
    channel: Option<ChannelId>,
    /// Of this day alone
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Take titles and lengths from here
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    store: Option<String>,
}

/// `forecast`
#[derive(Args)]
pub(crate) struct Forecast {
    /// The plan of the day, as `compile` writes it
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Pupils, rungs, carriers and nodes, in TOML (config/forecast.toml is an example)
    #[arg(long, env = "AIRCLASS_ASSUME", value_name = "FILE")]
    assume: PathBuf,
    /// Exit 1 when a bell asks for more than all nodes can send
    #[arg(long)]
    strict: bool,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// What a guide can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// XMLTV, for receivers and head-ends
    Xmltv,
    /// iCalendar, for calendars
    Ics,
    /// For players and other programs
    Json,
    /// One page to print
    Html,
}

/// `airclass timetable`
pub(crate) fn timetable(command: &TimetableCommand) -> Result<(), AnyFault> {
    match command {
        TimetableCommand::Check(options) => check::check(options),
        TimetableCommand::Compile(options) => compile::compile(options),
        TimetableCommand::Diff(options) => diff::diff(options),
        TimetableCommand::Guide(options) => guide::guide(options),
        TimetableCommand::Forecast(options) => forecast::forecast(options),
        TimetableCommand::Readiness(options) => readiness::readiness(options),
    }
}
