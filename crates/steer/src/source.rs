//! Where the nodes are known from, asked again and again. What was known last goes on when nobody answers.

use crate::desk::Desk;
use agent::Control;
use fleet::wire::{MAX_ANSWER_BYTES, Nodes};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Check, Telemetry};
use tokio::time::{MissedTickBehavior, interval};

/// How often nodes are asked for: a node that is taken out of service is named no more after a second, and a report's age.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where from.
#[derive(Clone)]
pub(crate) enum Source {
    Control(Control),
    File(PathBuf),
}

impl Source {
    /// Follows it until the end. To be run once.
    pub(crate) async fn follow(self, desk: Arc<Desk>, telemetry: Telemetry) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut line, mut known, mut there) = (None, false, true);
        loop {
            ticks.tick().await;
            let nodes: Result<Nodes, String> = match &self {
                Self::Control(control) => {
                    let line = line.get_or_insert_with(|| control.line());
                    line.look("/v1/nodes").await.map_err(|trouble| trouble.to_string())
                }
                Self::File(path) => {
                    let path = path.clone();
                    let nodes = tokio::task::spawn_blocking(move || read(&path)).await;
                    nodes.unwrap_or_else(|error| Err(error.to_string()))
                }
            };
            match nodes {
                Ok(nodes) => {
                    desk.know(&nodes);
                    known = true;
                    telemetry.readiness.pass(Check::Upstream);
                    if !std::mem::replace(&mut there, true) {
                        tracing::info!("nodes are heard of again");
                    }
                }
                Err(problem) => {
                    if std::mem::replace(&mut there, false) {
                        tracing::warn!(
                            problem,
                            "nobody says which nodes there are; those that are known go on"
                        );
                    }
                    if !known {
                        telemetry.readiness.fail(Check::Upstream, problem);
                    }
                }
            }
        }
    }
}

/// The nodes in a file, of at most as many bytes as a control may answer.
pub(crate) fn read(path: &Path) -> Result<Nodes, String> {
    let shown = path.display();
    let text = settings::followed_file(path, MAX_ANSWER_BYTES as u64);
    let text = text.map_err(|error| format!("{shown}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{shown}: {error}"))
}
