//! Why the control was not asked, or said no.

use agent::Trouble;
use faults::{Blame, Fault};
use std::io;
use std::path::PathBuf;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlFault {
    #[error("{control}: {trouble}")]
    Asked { control: String, trouble: Trouble },
    #[error("{}: {problem}", path.display())]
    Person { path: PathBuf, problem: String },
    #[error("`{0}` {1}")]
    Wrong(&'static str, String),
    #[error("order {number}: {refused} nodes refuse and {waiting} have not answered; their lines say why")]
    NotEverywhere { number: u64, refused: usize, waiting: usize },
    #[error("record {0} is no order; `airclass control records` lists them")]
    NoOrder(u64),
    #[error(
        "this would take every node of the fleet out of service; give --province, --carrier, --owner or --node, or --all where that is meant"
    )]
    WholeFleet,
    #[error("record {number} {error}; keep a copy of all records, and find out who has changed it")]
    Chain { number: u64, error: fleet::ChainError },
    #[error("the system gives no runtime or takes no output: {0}")]
    System(#[from] io::Error),
}

impl Fault for ControlFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Asked { trouble: Trouble::Refused { .. }, .. } => "CONTROL_REFUSED",
            Self::Asked { trouble: Trouble::Untrusted(_), .. } => "CONTROL_UNTRUSTED",
            Self::Asked { .. } => "CONTROL_NO_ANSWER",
            Self::Person { .. } => "CONTROL_PERSON",
            Self::Wrong(..) => "CONFIG_VALUE",
            Self::NotEverywhere { .. } => "ORDER_NOT_EVERYWHERE",
            Self::NoOrder(_) => "ORDER_UNKNOWN",
            Self::WholeFleet => "ORDER_WHOLE_FLEET",
            Self::Chain { .. } => "CONTROL_RECORDS",
            Self::System(_) => "CONTROL_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::NotEverywhere { .. } | Self::System(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
