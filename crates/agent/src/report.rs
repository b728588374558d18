//! What the node says of itself, put together from what its edge says.

use crate::clock;
use crate::local::Local;
use crate::options::Config;
use crate::state::State;
use fleet::Report;
use http::StatusCode;

/// A report on `state` and on the edge as it is now.
pub(crate) async fn put_together(config: &Config, edge: Local, state: &State) -> Report {
    let (ready, readiness) = match edge.get("/readyz").await {
        Ok((status, text)) => {
            let text = String::from_utf8_lossy(&text);
            (status == StatusCode::OK, text.lines().map(str::to_owned).collect())
        }
        Err(unheard) => (false, vec![format!("edge: not ok: {}", unheard.0)]),
    };
    let capacity = match edge.get("/capacity").await {
        Ok((StatusCode::OK, text)) => serde_json::from_slice(&text).unwrap_or_default(),
        _ => serde_json::Value::Null,
    };
    let limits = &capacity["capabilities"][0]["capability-value"]["limits"];
    let sends_bps = match limits.as_array() {
        Some(limits) if !limits.is_empty() => None,
        _ => sends(edge).await,
    };
    Report {
        at: clock::now(),
        heard: state.heard,
        hash: state.known.get(&state.heard).copied(),
        effects: state.effects.clone(),
        ready,
        readiness,
        address: config.address.clone(),
        addresses: config.ips.clone(),
        capacity,
        sends_bps,
        certificate_until: Some(state.until),
        version: settings::version().to_owned(),
    }
}

/// What the edge says that it sends.
async fn sends(edge: Local) -> Option<u64> {
    let (_, text) = edge.get("/status.json").await.ok()?;
    let status: serde_json::Value = serde_json::from_slice(&text).ok()?;
    status["bandwidth"]["sent_bps"].as_u64()
}
