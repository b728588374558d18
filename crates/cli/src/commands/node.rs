//! `airclass node …`: one node among others.

mod bill;

use clap::Subcommand;
use faults::AnyFault;

/// What to do with a node.
#[derive(Subcommand)]
pub(crate) enum NodeCommand {
    /// Say what lines are billed for a month, and how many hours are free: from the folders that edges write (--accounts)
    Bill(bill::BillOptions),
}

/// `airclass node`
pub(crate) fn node(command: &NodeCommand) -> Result<(), AnyFault> {
    match command {
        NodeCommand::Bill(options) => bill::bill(options),
    }
}
