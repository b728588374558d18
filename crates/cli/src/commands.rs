//! One function a command: options from file and flags, then the service.

mod admin_listener;
mod check;
mod configured;
mod control;
mod coverage;
mod external;
mod feedback;
mod node;
mod package;
mod purge;
mod resource;
mod timetable;
mod variables;

pub(crate) use check::{CheckOptions, check};
pub(crate) use configured::{check_edge, check_origin, check_steer};
pub(crate) use control::{ControlCommand, control};
pub(crate) use coverage::{CoverageCommand, coverage};
pub(crate) use external::other;
pub(crate) use feedback::{FeedbackCommand, feedback};
pub(crate) use node::{NodeCommand, node};
pub(crate) use package::{PackageCommand, package};
pub(crate) use purge::{PurgeOptions, purge};
pub(crate) use resource::{ResourceCommand, resource};
pub(crate) use timetable::{TimetableCommand, timetable};

use faults::AnyFault;
use settings::SettingsError;
use std::path::Path;
use telemetry::LogOptions;

/// `airclass edge`
pub(crate) fn edge(flags: &edge::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    serve::hold_hang_ups()?;
    let options = settings::layered(flags, file)?;
    start_logs(&options.log)?;
    let mut config = edge::Config::resolve(&options)?;
    if let Some(file) = file {
        config.serve.sandbox.reads_configuration(file);
    }
    config.serve.sandbox.disks.extend(config.disks.iter().map(|disk| disk.directory.clone()));
    let server = edge::EdgeServer::start(config)?;
    server.run_until_told(options, Box::new(move || Ok(settings::layered_again(flags, file)?)))
}

/// `airclass origin`
pub(crate) fn origin(flags: &origin::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    serve::hold_hang_ups()?;
    let options = settings::layered(flags, file)?;
    start_logs(&options.log)?;
    origin::run(options)
}

/// `airclass steer`
pub(crate) fn steer(flags: &steer::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    serve::hold_hang_ups()?;
    steer::run(&settings::layered(flags, file)?)
}

fn start_logs(options: &LogOptions) -> Result<(), AnyFault> {
    telemetry::init(options).map_err(|problem| SettingsError::value("log", problem))?;
    variables::strange().for_each(|what| tracing::warn!("{what}"));
    Ok(())
}
