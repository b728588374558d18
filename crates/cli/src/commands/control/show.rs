//! `nodes`: a table.

use super::{Desk, ask};
use faults::{AnyFault, note, say};
use fleet::wire::{Node, Nodes};
use fleet::{SILENT, Standing};
use jiff::Timestamp;

/// `airclass control nodes`
pub(super) fn nodes(desk: &Desk, json: bool) -> Result<(), AnyFault> {
    let all: Nodes = ask(desk, async |line| line.look("/v1/nodes").await)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
        return Ok(());
    }
    if all.nodes.is_empty() {
        note!("no node has enrolled; `airclass control token` makes a token for one");
    }
    // By this desk's clock, and not before what the control's has seen.
    let heard = all.nodes.iter().filter_map(|node| node.heard_at);
    let now = heard.chain(Timestamp::try_from(crate::clock::now())).max().unwrap_or_default();
    for node in &all.nodes {
        say!("{}  {}", node.node, told(node, now));
    }
    Ok(())
}

fn told(node: &Node, now: Timestamp) -> String {
    if node.standing == Standing::Revoked {
        return "revoked".to_owned();
    }
    let (Some(report), Some(heard)) = (&node.report, node.heard_at) else {
        return "was never heard".to_owned();
    };
    let state =
        if report.ready { "ready".to_owned() } else { format!("not ready ({})", why(&report.readiness)) };
    let silent = now.duration_since(heard);
    // What it said then says nothing of now.
    let state =
        if silent > SILENT { format!("silent for {}, was {state}", span(silent.as_mins())) } else { state };
    format!("{state}, order {}, heard at {heard:.0}, certificate until {:.0}", report.heard, node.until)
}

fn span(minutes: i64) -> String {
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

fn why(readiness: &[String]) -> String {
    let bad: Vec<&str> =
        readiness.iter().filter(|line| line.contains(": not ok")).map(String::as_str).collect();
    bad.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A node that was gone for hours stood in the list as ready.
    #[test]
    fn who_was_not_heard_for_long_is_silent_whatever_it_said_last() {
        let node: Node = serde_json::from_value(json!({
            "node": "hubei/dianxin/acme/wuhan-1/1", "since": "2026-08-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "standing": "enrolled",
            "heard_at": "2026-09-01T00:00:00Z", "report": { "at": "2026-09-01T00:00:00Z", "heard": 12, "ready": true, "readiness": [] },
        }))
        .unwrap();
        let at = |now: &str| told(&node, now.parse().unwrap());
        assert!(at("2026-09-01T00:04:59Z").starts_with("ready, order 12, heard at 2026-09-01T00:00:00Z"));
        assert!(at("2026-09-01T00:12:00Z").starts_with("silent for 12 min, was ready, order 12, "));
        assert!(at("2026-09-01T07:00:00Z").starts_with("silent for 7 h, was ready"));
        assert!(at("2026-09-09T00:00:00Z").starts_with("silent for 8 days, was ready"));
    }
}
