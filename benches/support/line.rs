//! One figure of the result.

use crate::statistics::Spread;
use serde::Serialize;

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// Ours divided by the peer's, at most.
    RatioAtMost(f64),
    /// Our figure, at most.
    AtMost(f64),
    /// Our figure, neither more nor less.
    Exactly(f64),
}

/// One figure: ours, the peer's, and what it should be.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// What was measured, in words.
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: Spread,
    pub(crate) peer: Option<Peer>,
    /// `None`: for information.
    pub(crate) bar: Option<Bar>,
    /// What one should know to judge it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

/// The other side.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) figure: Spread,
}

impl Line {
    /// A figure of ours alone.
    pub(crate) fn ours(what: impl Into<String>, unit: &'static str, ours: Spread, bar: Option<Bar>) -> Self {
        Self { what: what.into(), unit, ours, peer: None, bar, note: String::new() }
    }

    /// A figure measured once.
    pub(crate) fn once(what: impl Into<String>, unit: &'static str, ours: f64, bar: Option<Bar>) -> Self {
        Self::ours(what, unit, Spread { median: ours, least: ours, most: ours, rounds: 1 }, bar)
    }

    pub(crate) fn against(mut self, name: &'static str, figure: Spread) -> Self {
        self.peer = Some(Peer { name, figure });
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Ours divided by the peer's, both medians.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.peer.as_ref().map(|peer| self.ours.median / peer.figure.median)
    }

    /// `None` where there is no bar.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(match self.bar? {
            Bar::RatioAtMost(most) => self.ratio().is_some_and(|ratio| ratio <= most),
            Bar::AtMost(most) => self.ours.median <= most,
            // Not only the median: the one round that differs is the one that matters.
            Bar::Exactly(figure) => self.ours.least == figure && self.ours.most == figure,
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
    fn bars_are_met_at_the_bar_and_not_above() {
        for (ours, bar, met) in [
            (9.0, Bar::RatioAtMost(0.9), true),
            (9.1, Bar::RatioAtMost(0.9), false),
            (5.0, Bar::AtMost(5.0), true),
            (5.1, Bar::AtMost(5.0), false),
            (1.0, Bar::Exactly(1.0), true),
            (2.0, Bar::Exactly(1.0), false),
        ] {
            let line = Line::ours("", "", spread(ours), Some(bar)).against("peer", spread(10.0));
            assert_eq!(line.met(), Some(met), "{ours} {bar:?}");
        }
        assert_eq!(Line::once("", "", 1.0, None).met(), None);
        // A ratio without a peer was not measured, so it is not met.
        assert_eq!(Line::once("", "", 1.0, Some(Bar::RatioAtMost(1.0))).met(), Some(false));
    }
}
