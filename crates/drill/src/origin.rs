//! What the origin has sent, by its own metrics.

use crate::error::DrillError;
use crate::fetch::{Ask, Fetch};
use crate::line::Line;
use crate::node::{Node, NodeOption};
use crate::retry::Class;
use crate::tally::Meter;
use crate::tls::Tls;
use http::HeaderValue;
use http::uri::PathAndQuery;
use serde::Serialize;
use std::rc::Rc;
use std::sync::Arc;

/// The origin's admin listener.
pub(crate) struct Gauge {
    node: Arc<Node>,
}

/// What is said where the origin is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What it has sent so far.
    Sent(Sent),
    /// Nothing: nobody answers.
    Silent,
    /// Something that no origin says.
    Strange,
}

/// Sums over all that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
}

/// What the origin did during the drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    /// `None` when it could not be asked before or after: one that is dead has sent nothing.
    pub(crate) sent: Option<Sent>,
    /// Whether it answered when the drill began.
    pub(crate) alive_before: bool,
    /// And when it ended.
    pub(crate) alive_after: bool,
}

impl Gauge {
    pub(crate) fn new(option: &NodeOption, tls: &Tls) -> Result<Self, DrillError> {
        let mut node = option.resolve(None, tls)?;
        // Admin listeners believe addresses, and of names only their own.
        if let Ok(address) = HeaderValue::try_from(node.address.to_string()) {
            node.host = address;
        }
        Ok(Self { node: Arc::new(node) })
    }

    /// Asks the origin before the drill. Who answers there and is none, an edge's listener for one, would be taken for an origin that is
    /// dead, and has sent nothing.
    pub(crate) async fn begin(&self) -> Result<Level, DrillError> {
        match self.read().await {
            Level::Strange => Err(DrillError::Option {
                option: "--origin-metrics",
                problem: format!(
                    "{} answers, and not as an origin does; give the origin's admin listener, as http://127.0.0.1:9100",
                    self.node.name
                ),
            }),
            level => Ok(level),
        }
    }

    /// Asks the origin.
    pub(crate) async fn read(&self) -> Level {
        let mut line = Line::new(&self.node, &Rc::<Meter>::default());
        let path = PathAndQuery::from_static("/metrics");
        let ask = Ask { path: &path, range: None, class: Class::Main };
        let Ok(answer) = line.get(ask).await else { return Level::Silent };
        let text = (answer.status == 200 && !answer.gzip).then(|| std::str::from_utf8(&answer.text).ok());
        text.flatten().and_then(read).map_or(Level::Strange, Level::Sent)
    }
}

impl Level {
    const fn sent(self) -> Option<Sent> {
        match self {
            Self::Sent(sent) => Some(sent),
            Self::Silent | Self::Strange => None,
        }
    }
}

impl Origin {
    pub(crate) fn between(before: Level, after: Level) -> Self {
        let sent = before.sent().zip(after.sent()).map(|(before, after)| Sent {
            requests: after.requests.saturating_sub(before.requests),
            bytes: after.bytes.saturating_sub(before.bytes),
        });
        Self { sent, alive_before: before != Level::Silent, alive_after: after != Level::Silent }
    }

    /// Bytes it sent, as far as can be told.
    pub(crate) fn bytes(self) -> Option<u64> {
        match self.sent {
            Some(sent) => Some(sent.bytes),
            None if !self.alive_before && !self.alive_after => Some(0),
            None => None,
        }
    }
}

/// Reads Prometheus' text: what an origin of ours has sent.
fn read(text: &str) -> Option<Sent> {
    Some(Sent {
        requests: sum(text, "origin_requests_total")?,
        bytes: sum(text, "origin_response_bytes_total")?,
    })
}

/// The sum of a counter over its labels.
fn sum(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split(' ').next()?.parse::<f64>().ok()
    });
    values.map(|value| value as u64).reduce(|sum, value| sum.saturating_add(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP origin_requests_total x\n# TYPE origin_requests_total counter\n\
        origin_requests_total{class=\"media\",status=\"ok\"} 12\norigin_requests_total{class=\"playlist\",status=\"ok\"} 3\n\
        origin_requests_total_other 9\norigin_response_bytes_total{class=\"media\"} 1000000 1700000000000\n";

    #[test]
    fn counters_add_up_over_their_labels() {
        assert_eq!(read(TEXT), Some(Sent { requests: 15, bytes: 1_000_000 }));
        assert_eq!(read("edge_requests_total 1\n"), None);
    }

    #[test]
    fn a_dead_origin_has_sent_nothing() {
        let level = |bytes| Level::Sent(Sent { requests: 1, bytes });
        assert_eq!(Origin::between(level(5), level(12)).bytes(), Some(7));
        assert_eq!(Origin::between(Level::Silent, Level::Silent).bytes(), Some(0));
        // It died meanwhile, and nobody knows.
        assert_eq!(Origin::between(level(5), Level::Silent).bytes(), None);
        assert_eq!(Origin::between(Level::Silent, Level::Strange).bytes(), None);
    }
}
