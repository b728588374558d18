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
    let now = now(&all, Timestamp::try_from(crate::clock::now()).unwrap_or_default());
    for node in &all.nodes {
        say!("{}  {}", node.node, told(node, now));
    }
    say!("# {}", summary(&all, now));
    Ok(())
}

/// How many are how: of hundreds of lines nobody sees the one.
fn summary(all: &Nodes, now: Timestamp) -> String {
    let count = |state: State| all.nodes.iter().filter(|node| State::of(node, now) == state).count();
    let counts = State::ALL.map(|state| (count(state), state.as_str()));
    let some = counts.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}"));
    let parts: Vec<String> = std::iter::once(format!("{} nodes", all.nodes.len())).chain(some).collect();
    parts.join(", ")
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    NotReady,
    Silent,
    NotHeard,
    Revoked,
}

impl State {
    const ALL: [Self; 5] = [Self::Ready, Self::NotReady, Self::Silent, Self::NotHeard, Self::Revoked];

    fn of(node: &Node, now: Timestamp) -> Self {
        match (node.standing, &node.report, node.heard_at) {
            (Standing::Revoked, ..) => Self::Revoked,
            (_, Some(_), Some(heard)) if now.duration_since(heard) > SILENT => Self::Silent,
            (_, Some(report), Some(_)) if report.ready => Self::Ready,
            (_, Some(_), Some(_)) => Self::NotReady,
            _ => Self::NotHeard,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::Silent => "silent",
            Self::NotHeard => "not heard",
            Self::Revoked => "revoked",
        }
    }
}

/// By the control's clock, by which nodes are heard. Where it does not say (an earlier release), by this `desk`'s, and not before what
/// the control has seen.
fn now(all: &Nodes, desk: Timestamp) -> Timestamp {
    let heard = || all.nodes.iter().filter_map(|node| node.heard_at).max();
    all.now.unwrap_or_else(|| heard().map_or(desk, |heard| heard.max(desk)))
}

fn told(node: &Node, now: Timestamp) -> String {
    let how = State::of(node, now);
    if how == State::Revoked {
        return how.as_str().to_owned();
    }
    let (Some(report), Some(heard)) = (&node.report, node.heard_at) else {
        return "not heard since this control was started".to_owned();
    };
    let state =
        if report.ready { "ready".to_owned() } else { format!("not ready ({})", why(&report.readiness)) };
    // What it said then says nothing of now.
    let state = if how == State::Silent {
        format!("silent for {}, was {state}", span(now.duration_since(heard).as_mins()))
    } else {
        state
    };
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

    /// On a desk whose clock was a day ahead the whole fleet was silent for a day.
    #[test]
    fn silence_is_by_the_controls_clock() {
        let nodes = |now: serde_json::Value| -> Nodes {
            serde_json::from_value(json!({ "now": now, "nodes": [{
                "node": "hubei/dianxin/acme/wuhan-1/1", "since": "2026-08-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "standing": "enrolled",
                "heard_at": "2026-09-01T00:00:00Z",
            }] }))
            .unwrap()
        };
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (said, early, late) =
            (at("2026-09-01T00:00:03Z"), at("2020-01-01T00:00:00Z"), at("2026-09-02T00:00:00Z"));
        for (told, desk, wanted) in [
            (json!(said), late, said),
            (json!(said), early, said),
            (json!(null), late, late),
            (json!(null), early, at("2026-09-01T00:00:00Z")),
        ] {
            assert_eq!(now(&nodes(told), desk), wanted);
        }
    }

    #[test]
    fn how_many_are_how_stands_below_the_list() {
        let node = |heard: Option<&str>, ready: bool, standing: &str| {
            let report = heard.map(|at| json!({ "at": at, "heard": 1, "ready": ready, "readiness": [] }));
            json!({ "node": "hubei/dianxin/acme/wuhan-1/1", "since": "2026-08-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
                "standing": standing, "heard_at": heard, "report": report })
        };
        let (now, before) = (Some("2026-09-01T08:00:00Z"), Some("2026-09-01T07:00:00Z"));
        let nodes = [
            node(now, true, "enrolled"),
            node(now, true, "enrolled"),
            node(now, false, "enrolled"),
            node(before, true, "enrolled"),
            node(None, false, "enrolled"),
            node(before, true, "revoked"),
        ];
        let all: Nodes = serde_json::from_value(json!({ "nodes": nodes })).unwrap();
        let at = "2026-09-01T08:00:00Z".parse().unwrap();
        assert_eq!(summary(&all, at), "6 nodes, 2 ready, 1 not ready, 1 silent, 1 not heard, 1 revoked");
    }
}
