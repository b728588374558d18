//! Rounds of one measurement, the peers by turns (A B C D A B C D …), so that what else the machine does meets all.

use crate::line::{Bar, Line};
use crate::peers::Kind;
use crate::statistics::Spread;
use anyhow::{Context, Result};

/// What was measured of each peer, in the order of [`Kind::ALL`].
pub(crate) struct Turns<R>(Vec<(Kind, Taken<R>)>);

enum Taken<R> {
    Rounds(Vec<R>),
    /// Why there are none.
    Missing(String),
}

impl<R> Turns<R> {
    /// Lets `measure` have its rounds of every peer, counted from 1. Where the measurement is `encrypted`, a peer without
    /// TLS is left out.
    ///
    /// # Errors
    /// The first that `measure` gives.
    pub(crate) fn take(
        encrypted: bool,
        rounds: usize,
        mut measure: impl FnMut(Kind) -> Result<R>,
    ) -> Result<Self> {
        let mut turns: Vec<_> = Kind::ALL
            .into_iter()
            .map(|kind| match kind.why_no_tls() {
                Some(why) if encrypted => (kind, Taken::Missing(why.to_owned())),
                _ => (kind, Taken::Rounds(Vec::new())),
            })
            .collect();
        for number in 1..=rounds {
            for (kind, taken) in &mut turns {
                if let Taken::Rounds(taken) = taken {
                    let round = measure(*kind);
                    taken.push(round.with_context(|| format!("{}, round {number}", kind.name()))?);
                }
            }
        }
        Ok(Self(turns))
    }

    /// The figure that `of` takes from a round, ours against all others.
    pub(crate) fn line(
        &self,
        what: impl Into<String>,
        unit: &str,
        of: impl Fn(&R) -> f64,
        bar: impl Fn(Kind) -> Option<Bar>,
    ) -> Result<Line> {
        let spread = |rounds: &[R]| {
            Spread::of(&rounds.iter().map(&of).collect::<Vec<_>>()).context("there is a round")
        };
        let (_, ours) = self.rounds().next().context("ours is among them")?;
        let line = Line::ours(what, unit, spread(ours)?, None);
        self.0.iter().skip(1).try_fold(line, |line, (kind, taken)| {
            Ok(match taken {
                Taken::Rounds(rounds) => line.against(kind.name(), spread(rounds)?, bar(*kind)),
                Taken::Missing(why) => line.without(kind.name(), why),
            })
        })
    }

    /// What each peer's rounds say in words, one after the other.
    pub(crate) fn words(&self, of: impl Fn(&[R]) -> String) -> String {
        let words = self.rounds().map(|(kind, rounds)| format!("{} {}", kind.name(), of(rounds)));
        words.collect::<Vec<_>>().join("; ")
    }

    fn rounds(&self) -> impl Iterator<Item = (Kind, &[R])> {
        self.0.iter().filter_map(|(kind, taken)| match taken {
            Taken::Rounds(rounds) => Some((*kind, rounds.as_slice())),
            Taken::Missing(_) => None,
        })
    }
}

/// The median of what `of` takes from each round.
pub(crate) fn median<R>(rounds: &[R], of: impl Fn(&R) -> f64) -> f64 {
    Spread::of(&rounds.iter().map(of).collect::<Vec<_>>()).map_or(f64::NAN, |spread| spread.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_take_turns_and_those_without_tls_are_left_out() {
        let mut order = Vec::new();
        let turns = Turns::take(true, 2, |kind| {
            order.push(kind);
            Ok(order.len() as f64)
        });
        use Kind::{Airclass, Nginx, TrafficServer};
        assert_eq!(order, [Airclass, Nginx, TrafficServer, Airclass, Nginx, TrafficServer]);
        let turns = turns.unwrap();
        let below = |_| Some(Bar::RatioBelow(1.0));
        let line = turns.line("what", "s", |round| *round, below).unwrap();
        assert_eq!(line.ours.median, 2.5);
        let names: Vec<_> = line.peers.iter().map(|peer| peer.name.as_str()).collect();
        assert_eq!(names, ["nginx", "Varnish", "Traffic Server"]);
        assert_eq!(line.peers[0].ratio(&line.ours), Some(2.5 / 3.5));
        assert_eq!(line.peers[1].ratio(&line.ours), None);
    }
}
