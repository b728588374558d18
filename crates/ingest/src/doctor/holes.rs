//! Known vulnerabilities of FFmpeg that were written for files like ours, and whether one can be reached here.

use crate::accepted;
use serde::Serialize;

/// A known vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// Its number.
    pub id: &'static str,
    /// Where it is.
    pub part: &'static str,
    /// This FFmpeg has it, as far as its version tells; distributions mend without a new version.
    pub present: bool,
    /// A file could get there.
    pub reachable: bool,
    /// Why it can or cannot.
    pub why: String,
}

impl Hole {
    /// A file could use it.
    pub fn is_open(&self) -> bool {
        self.present && self.reachable
    }

    pub(super) fn verdict(&self) -> &'static str {
        match (self.present, self.reachable) {
            (false, _) => "mended",
            (true, false) => "closed",
            (true, true) => "OPEN",
        }
    }
}

/// What must be let in for a hole to be reached.
enum Way {
    Decoder(&'static str),
    Demuxer(&'static str),
    /// Encrypted MP4, which our own look at the boxes refuses.
    Encrypted,
}

/// Number, part, way, first version without it (major, minor, patch) of each branch that has one.
const KNOWN: [(&str, &str, Way, &[Version]); 5] = [
    ("CVE-2026-8461", "decoder MagicYUV, writing beyond a buffer", Way::Decoder("magicyuv"), &[(5, 1, 10)]),
    // Told of 4.1 up to 8.1; no older branch is known to have it mended.
    ("CVE-2026-40962", "MP4 reader, encrypted samples", Way::Encrypted, &[(8, 1, 1)]),
    ("CVE-2023-6602", "reader TTY, inside playlists", Way::Demuxer("tty"), &[(5, 1, 7)]),
    ("CVE-2023-6604", "reader XBIN, inside playlists", Way::Demuxer("xbin"), &[(5, 1, 7)]),
    ("CVE-2023-6605", "reader DASH, requests to others", Way::Demuxer("dash"), &[(5, 1, 7)]),
];

type Version = (u32, u32, u32);

/// Each known hole, for the FFmpeg of this version. A version that cannot be read may have all of them.
pub fn holes(version: &str) -> Vec<Hole> {
    let version = parse(version).unwrap_or_default();
    KNOWN
        .iter()
        .map(|(id, part, way, mended)| {
            let present = !mended.iter().any(|mended| version >= *mended);
            let (reachable, why) = match way {
                Way::Decoder(name) => {
                    let listed = accepted::decoders().any(|decoder| decoder == *name);
                    (listed, format!("the decoder is {}", on_the_list(listed)))
                }
                Way::Demuxer(name) => {
                    let listed = accepted::containers(b"").split(',').any(|container| container == *name);
                    (listed, format!("the reader is {}", on_the_list(listed)))
                }
                Way::Encrypted => (false, "encrypted files are refused before FFmpeg sees them".to_owned()),
            };
            Hole { id, part, present, reachable, why }
        })
        .collect()
}

fn on_the_list(listed: bool) -> &'static str {
    if listed { "on the closed list" } else { "not on the closed list" }
}

/// `5.1.9-0+deb12u1` and `n5.1.9`; a missing part is zero.
fn parse(version: &str) -> Option<Version> {
    let digits = version.trim_start_matches('n').split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut parts = digits.split('.').map(|part| part.parse().unwrap_or(0));
    let major = parts.next().filter(|major| *major > 0)?;
    Some((major, parts.next().unwrap_or(0), parts.next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_what_they_have() {
        let present = |version: &str| {
            let present: Vec<_> =
                holes(version).into_iter().filter(|hole| hole.present).map(|hole| hole.id).collect();
            present
        };
        assert_eq!(present("5.1.9-0+deb12u1"), ["CVE-2026-8461", "CVE-2026-40962"]);
        assert_eq!(present("5.1.10"), ["CVE-2026-40962"]);
        assert_eq!(present("n8.2"), Vec::<&str>::new());
        assert_eq!(present("5.1.6").len(), KNOWN.len());
        assert_eq!(present("N-12345-gabc").len(), KNOWN.len(), "a build of unknown age");
    }

    #[test]
    fn none_can_be_reached() {
        assert!(holes("").iter().all(|hole| hole.present && !hole.reachable));
    }
}
