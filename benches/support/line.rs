//! One figure of the result.

use crate::statistics::Spread;
use serde::{Deserialize, Serialize};

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// Ours divided by the peer's, at most.
    RatioAtMost(f64),
    /// Ours divided by the peer's, less than.
    RatioBelow(f64),
    /// Our figure, at most.
    AtMost(f64),
    /// Our figure, neither more nor less.
    Exactly(f64),
}

/// One figure: ours, the peers', and what it should be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    /// What was measured, in words.
    pub(crate) what: String,
    pub(crate) unit: String,
    pub(crate) ours: Spread,
    /// Held against our figure alone. `None`: for information.
    pub(crate) bar: Option<Bar>,
    pub(crate) peers: Vec<Peer>,
    /// What one should know to judge it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

/// The other side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) figure: Figure,
    /// Held against the ratio. `None`: for information.
    pub(crate) bar: Option<Bar>,
}

/// A peer's figure, or why it has none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    Measured(Spread),
    Missing(String),
}

impl Line {
    /// A figure of ours alone.
    pub(crate) fn ours(
        what: impl Into<String>,
        unit: impl Into<String>,
        ours: Spread,
        bar: Option<Bar>,
    ) -> Self {
        Self { what: what.into(), unit: unit.into(), ours, bar, peers: Vec::new(), note: String::new() }
    }

    /// A figure measured once.
    pub(crate) fn once(
        what: impl Into<String>,
        unit: impl Into<String>,
        ours: f64,
        bar: Option<Bar>,
    ) -> Self {
        Self::ours(what, unit, Spread { median: ours, least: ours, most: ours, rounds: 1 }, bar)
    }

    pub(crate) fn against(mut self, name: impl Into<String>, figure: Spread, bar: Option<Bar>) -> Self {
        self.peers.push(Peer { name: name.into(), figure: Figure::Measured(figure), bar });
        self
    }

    /// A peer that has no such figure.
    pub(crate) fn without(mut self, name: impl Into<String>, why: impl Into<String>) -> Self {
        self.peers.push(Peer { name: name.into(), figure: Figure::Missing(why.into()), bar: None });
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether our figure by itself meets its bar. `None` where there is no bar.
    pub(crate) fn met_alone(&self) -> Option<bool> {
        Some(match self.bar? {
            Bar::AtMost(most) => self.ours.median <= most,
            // Not only the median: the one round that differs is the one that matters.
            Bar::Exactly(figure) => self.ours.least == figure && self.ours.most == figure,
            // A ratio without a peer was not measured, so it is not met.
            Bar::RatioAtMost(_) | Bar::RatioBelow(_) => false,
        })
    }

    /// Whether every bar of the line is met. `None` where there is none.
    pub(crate) fn met(&self) -> Option<bool> {
        let of_peers = self.peers.iter().map(|peer| peer.met(&self.ours));
        std::iter::once(self.met_alone()).chain(of_peers).flatten().reduce(|all, met| all && met)
    }
}

impl Peer {
    /// Ours divided by the peer's, both medians.
    pub(crate) fn ratio(&self, ours: &Spread) -> Option<f64> {
        match &self.figure {
            Figure::Measured(theirs) => Some(ours.median / theirs.median),
            Figure::Missing(_) => None,
        }
    }

    /// Whether the ratio meets its bar. `None` where there is no bar.
    pub(crate) fn met(&self, ours: &Spread) -> Option<bool> {
        let ratio = self.ratio(ours);
        Some(match self.bar? {
            Bar::RatioAtMost(most) => ratio.is_some_and(|ratio| ratio <= most),
            Bar::RatioBelow(limit) => ratio.is_some_and(|ratio| ratio < limit),
            Bar::AtMost(_) | Bar::Exactly(_) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(figure: f64) -> Spread {
        Spread::of(&[figure]).unwrap()
    }

    #[test]
    fn ratios_are_met_at_the_bar_or_below_it() {
        for (ours, bar, met) in [
            (9.0, Bar::RatioAtMost(0.9), true),
            (9.1, Bar::RatioAtMost(0.9), false),
            (9.9, Bar::RatioBelow(1.0), true),
            (10.0, Bar::RatioBelow(1.0), false),
        ] {
            let line = Line::ours("", "", spread(ours), None).against("peer", spread(10.0), Some(bar));
            assert_eq!(line.met(), Some(met), "{ours} {bar:?}");
        }
    }

    #[test]
    fn our_own_bars_are_met_at_the_bar_and_not_above() {
        for (ours, bar, met) in [
            (5.0, Bar::AtMost(5.0), true),
            (5.1, Bar::AtMost(5.0), false),
            (1.0, Bar::Exactly(1.0), true),
            (2.0, Bar::Exactly(1.0), false),
            (1.0, Bar::RatioAtMost(1.0), false),
        ] {
            assert_eq!(Line::once("", "", ours, Some(bar)).met(), Some(met), "{ours} {bar:?}");
        }
        assert_eq!(Line::once("", "", 1.0, None).met(), None);
    }

    #[test]
    fn one_bar_that_is_missed_spoils_the_line() {
        let below = Some(Bar::RatioBelow(1.0));
        let line = Line::ours("", "", spread(5.0), Some(Bar::AtMost(6.0))).against("a", spread(6.0), below);
        assert_eq!(line.met(), Some(true));
        assert_eq!(line.clone().without("b", "has none").met(), Some(true));
        assert_eq!(line.against("c", spread(4.0), below).met(), Some(false));
    }
}
