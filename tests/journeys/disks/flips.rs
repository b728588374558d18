//! Attack 71: a bit that has changed on the disk.

use crate::{body, edge, is_online, is_right, is_written, metric, origin};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

const FLIPPED: usize = 40;
/// As many as push all others out of memory.
const OTHERS: usize = 60;
/// Of an object of this length, the first piece.
const PIECE: usize = 262_144;

#[test]
fn attack_71_a_bit_that_flips_under_the_edge_is_found_and_counted_and_given_to_nobody() {
    let disk = tempfile::tempdir().expect("a scratch folder");
    let origin = origin();
    let edge = edge(origin.address, disk.path());
    is_online(&edge, disk.path());
    let flipped = |number: usize| format!("/300000/flipped-{number:02}");
    for number in 0..FLIPPED {
        is_right(edge.address(), &flipped(number));
    }
    is_written(&edge, disk.path(), FLIPPED);

    let path = disk.path().join("data");
    let file = OpenOptions::new().write(true).open(&path).expect("the edge's data");
    let data = std::fs::read(&path).expect("the edge's data");
    let mut flips = 0;
    let slashes = data.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    for at in slashes.filter(|&at| data[at..].starts_with(b"/300000/flipped-")) {
        // The first line of a body. All names are as long as one another.
        let (name, rest) = data[at..].split_at(flipped(0).len());
        if !rest.starts_with(b" 0\n") {
            continue;
        }
        let place = (flips * 6_553) % PIECE;
        let byte = body(&String::from_utf8_lossy(name))[place];
        assert_eq!(data[at + place], byte, "a piece lies in one piece");
        file.write_all_at(&[byte ^ (1 << (flips % 8))], (at + place) as u64).expect("a byte can be written");
        flips += 1;
    }
    assert_eq!(flips, FLIPPED);
    for number in 0..OTHERS {
        is_right(edge.address(), &format!("/300000/other-{number}"));
    }
    let failures = || metric(&edge, disk.path(), "edge_checksum_failures_total", "op=\"read\"");
    assert!(failures() < 0.5, "{}", failures());
    for number in 0..FLIPPED {
        is_right(edge.address(), &flipped(number));
    }
    assert!((failures() - FLIPPED as f64).abs() < 0.5, "{} failures", failures());
    // Asked for once more, as what is not there.
    let asked = |name: &str| origin.targets().iter().filter(|target| *target == name).count();
    assert!((0..FLIPPED).all(|number| asked(&flipped(number)) == 2));
}
