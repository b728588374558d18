//! The decision.

use crate::loads::Loads;
use crate::networks::Near;
use crate::roster::{Candidate, Roster};
use fleet::{NodeName, Place};
use twox_hash::XxHash3_64;
use units::BitRate;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Student<'a> {
    /// Where, as far as that is known.
    pub near: Near,
    /// What tells this one from others, and is the same each time: an address, a network, a session. Only its hash counts.
    pub seed: &'a [u8],
    /// Where he or she plays now.
    pub plays_at: Option<&'a NodeName>,
    /// What is sent to one.
    pub rate: BitRate,
}

/// How near a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ring {
    /// The same province, the same carrier.
    Home,
    /// The same carrier in a neighbouring province.
    Beside,
    /// The same carrier anywhere.
    Carrier,
    /// The same province, through another carrier.
    Province,
    /// Anybody.
    Any,
}

/// One node of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice<'a> {
    /// Which.
    pub candidate: &'a Candidate,
    /// How near.
    pub ring: Ring,
}

impl Ring {
    /// As JSON and metrics name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Beside => "beside",
            Self::Carrier => "carrier",
            Self::Province => "province",
            Self::Any => "any",
        }
    }

    /// How near `place` is to `near`.
    pub fn of(place: &Place, near: &Near) -> Self {
        let province = near.province == Some(place.province);
        let beside = || near.province.is_some_and(|home| fleet::neighbours(home).contains(&place.province));
        match near.carrier.as_ref() == Some(&place.carrier) {
            true if province => Self::Home,
            true if beside() => Self::Beside,
            true => Self::Carrier,
            false if province => Self::Province,
            false => Self::Any,
        }
    }
}

/// The nodes that `student` is told of, `most` at most, the best first. Nobody, when every node that may be named is full: then
/// who plays goes on, and who would begin waits.
///
/// The first is to be granted; the others are for when it fails.
pub fn choose<'a>(roster: &'a Roster, loads: &Loads, student: &Student<'_>, most: usize) -> Vec<Choice<'a>> {
    let seed = XxHash3_64::oneshot(student.seed);
    let mut best: Vec<(bool, Ring, f64, &Candidate)> = roster
        .iter()
        .filter_map(|candidate| {
            let stays = student.plays_at == Some(&candidate.node);
            // Who plays here is in what it sends already.
            (stays || loads.has_room(candidate, student.rate)).then(|| {
                let ring = Ring::of(&candidate.node.place, &student.near);
                (!stays, ring, -score(seed, candidate), candidate)
            })
        })
        .collect();
    best.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.cmp(&other.1)).then(one.2.total_cmp(&other.2)));
    best.truncate(most);
    best.into_iter().map(|(_, ring, _, candidate)| Choice { candidate, ring }).collect()
}

/// Weighted rendezvous: of all students, the part that a node scores highest for is in proportion to its limit, and no other node
/// has a say in its score.
fn score(seed: u64, candidate: &Candidate) -> f64 {
    let hash = XxHash3_64::oneshot_with_seed(seed, &candidate.hash.to_le_bytes());
    // 53 bits, between 0 and 1 and neither.
    let uniform = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    candidate.limit.0 as f64 / -uniform.ln()
}

#[cfg(test)]
mod tests;
