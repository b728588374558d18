//! The largest herd, before the peers.

use super::{Field, OBJECTS, Round, Trouble};
use crate::cleanup::Workplace;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::peers::Kind;
use crate::statistics::Spread;
use anyhow::{Context, Result};

/// What became of the largest herd before each peer, or why nothing did: a peer that does not stand it has a result,
/// too.
pub(super) struct Rivals(Vec<Rival>);

struct Rival {
    kind: Kind,
    /// Length of the object.
    length: usize,
    round: Result<Round>,
}

impl Rivals {
    pub(super) fn measure(options: &Options, workplace: &Workplace, count: usize) -> Result<Self> {
        let mut rivals = Vec::new();
        for kind in Kind::ALL.into_iter().skip(1) {
            let mut field = Field::start(kind, options, workplace).with_context(|| kind.name())?;
            for (length, _) in OBJECTS {
                let round = field.round(count, length, Trouble::None);
                if let Err(error) = &round {
                    eprintln!("bench: {}: {count} for {length} bytes: {error:#}", kind.name());
                }
                rivals.push(Rival { kind, length, round });
            }
        }
        Ok(Self(rivals))
    }

    /// Adds theirs to our lines for the same object, in the order of [`Field::herd`].
    pub(super) fn stand_beside(&self, lines: Vec<Line>, length: usize) -> Vec<Line> {
        let figures: [fn(&Round) -> f64; 3] =
            [|round| round.at_origin as f64, Round::follower_median, Round::follower_p99];
        let rivals = || self.0.iter().filter(|rival| rival.length == length);
        let beside = |line: Line, of: fn(&Round) -> f64| {
            rivals().fold(line, |line, rival| match &rival.round {
                Ok(round) => line.against(rival.kind.name(), once(of(round)), bar(rival.kind, of(round))),
                Err(error) => line.without(rival.kind.name(), format!("{error:#}")),
            })
        };
        lines.into_iter().zip(figures).map(|(line, of)| beside(line, of)).collect()
    }
}

/// Better than Varnish and Traffic Server, where better is possible: no herd needs less than one request.
fn bar(kind: Kind, theirs: f64) -> Option<Bar> {
    match kind {
        Kind::Airclass | Kind::Nginx => None,
        Kind::Varnish | Kind::TrafficServer if theirs == 1.0 => Some(Bar::RatioAtMost(1.0)),
        Kind::Varnish | Kind::TrafficServer => Some(Bar::RatioBelow(1.0)),
    }
}

fn once(figure: f64) -> Spread {
    Spread { median: figure, least: figure, most: figure, rounds: 1 }
}
