//! `drain` and `undrain`: through the edge's admin listener, with or without a control.

use agent::Local;
use bytes::Bytes;
use clap::Args;
use faults::{AnyFault, Fault};
use http::StatusCode;
use std::net::SocketAddr;

/// What both are told.
#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// The edge's admin listener
    #[arg(long, env = "AIRCLASS_NODE_EDGE", value_name = "ADDRESS", default_value = "127.0.0.1:9101")]
    edge: SocketAddr,
}

/// Why it was not.
#[derive(Debug, thiserror::Error)]
#[error("{edge}: {problem}; give the address of the edge's admin listener")]
struct NoEdge {
    edge: SocketAddr,
    problem: String,
}

impl Fault for NoEdge {
    fn code(&self) -> &'static str {
        "NODE_NO_EDGE"
    }
}

/// `airclass node drain` and `undrain`
pub(super) fn switch(options: &Switch, path: &str) -> Result<(), AnyFault> {
    let fault = |problem: String| NoEdge { edge: options.edge, problem };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| fault(error.to_string()))?;
    match runtime.block_on(Local::new(options.edge).post(path, Bytes::new())) {
        Ok((StatusCode::OK, said)) => {
            faults::say::text(&String::from_utf8_lossy(&said));
            Ok(())
        }
        // One that has just been replaced says so; whoever is there now hears the next order.
        Ok((StatusCode::SERVICE_UNAVAILABLE, said)) => {
            Err(fault(format!("answers: {}", String::from_utf8_lossy(&said).trim_end())).into())
        }
        Ok((status, _)) => Err(fault(format!("answers {status}")).into()),
        Err(unheard) => Err(fault(unheard.0).into()),
    }
}
