//! `nodes`: a table.

use super::{Desk, ask};
use faults::{AnyFault, note, say};
use fleet::Standing;
use fleet::wire::{Node, Nodes};

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
    for node in &all.nodes {
        say!("{}  {}", node.node, told(node));
    }
    Ok(())
}

fn told(node: &Node) -> String {
    if node.standing == Standing::Revoked {
        return "revoked".to_owned();
    }
    let (Some(report), Some(heard)) = (&node.report, node.heard_at) else {
        return "was never heard".to_owned();
    };
    let state =
        if report.ready { "ready".to_owned() } else { format!("not ready ({})", why(&report.readiness)) };
    format!("{state}, order {}, heard at {heard:.0}, certificate until {:.0}", report.heard, node.until)
}

fn why(readiness: &[String]) -> String {
    let bad: Vec<&str> =
        readiness.iter().filter(|line| line.contains(": not ok")).map(String::as_str).collect();
    bad.join("; ")
}
