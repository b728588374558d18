//! What is asked for, and what it may cost.

use crate::load::{Question, Way};
use std::sync::Arc;

/// One row of the result.
pub(super) struct Case {
    pub(super) what: &'static str,
    pub(super) asked: Asked,
    pub(super) way: Way,
    /// A round's requests in the full run; a quick look takes a quarter.
    pub(super) requests: u64,
    pub(super) per: Per,
    /// Of nginx's figure, at most.
    pub(super) of_nginx: Option<f64>,
}

/// Objects and parts of them.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// One object, by everybody.
    Same(usize),
    /// Parts of one object by turns.
    Parts(usize, &'static [(usize, usize)]),
    /// Many objects by turns.
    Many(usize, usize),
}

/// What the CPU time is divided by.
#[derive(Clone, Copy)]
pub(super) enum Per {
    Gigabyte,
    Request,
}

impl Per {
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Gigabyte => "CPU s/GB",
            Self::Request => "CPU µs/request",
        }
    }
}

/// A segment of the highest rung.
const LARGE: usize = 1_100_000;
/// A segment of a middle one.
const MIDDLE: usize = 200_000;
/// A playlist of 250 segments, or a few of them gzipped.
const PLAYLIST: usize = 8_000;

/// What players ask parts for: an init segment, key pictures for seeking, a segment of a single file, what a broken
/// download lacks, and a first look at the end. Their mean is 115 kB.
const PARTS: [(usize, usize); 8] = [
    (0, 1_199),
    (1_200, 41_199),
    (300_000, 345_678),
    (262_144, 524_287),
    (200_000, 399_999),
    (700_001, 1_049_999),
    (1_099_500, LARGE - 1),
    (65_536, 88_000),
];

/// More than the memory for objects holds where the disk is measured, less than it holds elsewhere.
const MANY: usize = 400;

impl Case {
    /// What the askers ask for, one after the other.
    pub(super) fn questions(&self) -> Arc<[Question]> {
        match self.asked {
            Asked::Same(length) => {
                let name = if length == PLAYLIST { "index.m3u8" } else { "00001.m4s" };
                Arc::new([Question::whole(length, name)])
            }
            Asked::Parts(length, parts) => {
                let whole = Question::whole(length, "00002.m4s");
                parts.iter().map(|&(first, last)| whole.part(first, last)).collect()
            }
            Asked::Many(count, length) => {
                (0..count).map(|number| Question::whole(length, &format!("many-{number}.m4s"))).collect()
            }
        }
    }
}

/// The bars of the edge's issue.
const PLAIN: Option<f64> = Some(0.75);
const TLS: Option<f64> = Some(0.5);
const PLAYLISTS: Option<f64> = Some(0.7);

pub(super) const CASES: [Case; 12] = [
    Case {
        what: "1.1 MB segments",
        asked: Asked::Same(LARGE),
        way: Way::Plain,
        requests: 4_000,
        per: Per::Gigabyte,
        of_nginx: PLAIN,
    },
    Case {
        what: "200 kB segments",
        asked: Asked::Same(MIDDLE),
        way: Way::Plain,
        requests: 20_000,
        per: Per::Gigabyte,
        of_nginx: PLAIN,
    },
    Case {
        what: "1.1 MB segments, TLS",
        asked: Asked::Same(LARGE),
        way: Way::Tls,
        requests: 2_000,
        per: Per::Gigabyte,
        of_nginx: TLS,
    },
    Case {
        what: "200 kB segments, TLS",
        asked: Asked::Same(MIDDLE),
        way: Way::Tls,
        requests: 10_000,
        per: Per::Gigabyte,
        of_nginx: TLS,
    },
    // A lesson's worth of them is in no CPU's cache, as on a node at work: every byte comes from memory.
    Case {
        what: "1.1 MB segments, 400 by turns",
        asked: Asked::Many(MANY, LARGE),
        way: Way::Plain,
        requests: 4_000,
        per: Per::Gigabyte,
        of_nginx: PLAIN,
    },
    Case {
        what: "1.1 MB segments, 400 by turns, TLS",
        asked: Asked::Many(MANY, LARGE),
        way: Way::Tls,
        requests: 2_000,
        per: Per::Gigabyte,
        of_nginx: TLS,
    },
    Case {
        what: "1.1 MB segments, HTTP/2",
        asked: Asked::Same(LARGE),
        way: Way::Http2,
        requests: 2_000,
        per: Per::Gigabyte,
        of_nginx: TLS,
    },
    Case {
        what: "200 kB segments, HTTP/2",
        asked: Asked::Same(MIDDLE),
        way: Way::Http2,
        requests: 10_000,
        per: Per::Gigabyte,
        of_nginx: TLS,
    },
    Case {
        what: "8 kB playlists",
        asked: Asked::Same(PLAYLIST),
        way: Way::Plain,
        requests: 120_000,
        per: Per::Request,
        of_nginx: PLAYLISTS,
    },
    Case {
        what: "8 kB playlists, TLS",
        asked: Asked::Same(PLAYLIST),
        way: Way::Tls,
        requests: 80_000,
        per: Per::Request,
        of_nginx: PLAYLISTS,
    },
    Case {
        what: "8 kB playlists, HTTP/2",
        asked: Asked::Same(PLAYLIST),
        way: Way::Http2,
        requests: 80_000,
        per: Per::Request,
        of_nginx: PLAYLISTS,
    },
    Case {
        what: "byte ranges of a 1.1 MB segment",
        asked: Asked::Parts(LARGE, &PARTS),
        way: Way::Plain,
        requests: 40_000,
        per: Per::Request,
        of_nginx: PLAIN,
    },
];

/// Measured with little memory for objects.
pub(super) const DISK: Case = Case {
    what: "1.1 MB segments from the disk tier",
    asked: Asked::Many(MANY, LARGE),
    way: Way::Plain,
    requests: 4_000,
    per: Per::Gigabyte,
    of_nginx: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_within_their_object_and_are_what_the_text_says() {
        assert!(PARTS.iter().all(|&(first, last)| first <= last && last < LARGE));
        let sum: usize = PARTS.iter().map(|(first, last)| last - first + 1).sum();
        assert_eq!(sum / PARTS.len() / 1_000, 115);
    }

    #[test]
    fn the_disk_is_asked_for_more_than_memory_holds() {
        let asked = (MANY * LARGE) >> 20;
        assert!(asked > 4 * crate::peers::SMALL_RAM_MIB && asked < crate::peers::ROOM_MIB * 3 / 4);
    }
}
