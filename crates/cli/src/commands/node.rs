//! `airclass node`: this machine as a node of the fleet, and what it has sent.

mod bill;
mod doctor;
mod enroll;
mod logs;
mod switch;

use agent::{Config, Options};
use clap::Subcommand;
use faults::AnyFault;
use std::path::PathBuf;

/// What `airclass node` does.
#[derive(Subcommand)]
pub(crate) enum NodeCommand {
    /// Become a node: makes a key here, and has the control certify it for a one-time token
    Enroll(enroll::Enroll),
    /// Follow the control beside an edge: orders, plans, reports, renewal
    Run {
        /// Options as a TOML file; flags and environment win over it
        #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Try out whether this machine can be a node: the edge's checks, descriptors, disks, control, filling
    Doctor(doctor::Doctor),
    /// Take this node out of service; who plays is served on
    Drain(switch::Switch),
    /// Put it back into service
    Undrain(switch::Switch),
    /// Say what lines are billed for a month, and how many hours are free: from the folders that edges write (--accounts)
    Bill(bill::BillOptions),
    /// Make the keys of the security log: nodes seal it to the public one, the private one stays with who may read it
    LogKey,
    /// Open sealed security logs
    Unseal(logs::UnsealOptions),
}

/// `airclass node`
pub(crate) fn node(command: &NodeCommand) -> Result<(), AnyFault> {
    match command {
        NodeCommand::Enroll(options) => enroll::enroll(options),
        NodeCommand::Run { config, options } => {
            let options = settings::layered(&**options, config.as_deref())?;
            super::start_logs(&options.log)?;
            agent::run(Config::resolve(&options)?)
        }
        NodeCommand::Doctor(options) => doctor::doctor(options),
        NodeCommand::Drain(options) => switch::switch(options, "/out-of-service"),
        NodeCommand::Undrain(options) => switch::switch(options, "/in-service"),
        NodeCommand::Bill(options) => bill::bill(options),
        NodeCommand::LogKey => logs::log_key(),
        NodeCommand::Unseal(options) => logs::unseal(options),
    }
}
