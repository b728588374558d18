//! Attack 72: a file system that is full, has room again, and is taken away.

use crate::{LOOK, arguments, is_in, is_online, is_right, is_written, origin, text};
use journeys::Airclass;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a small file system at the first word and goes on with the others, where nobody else sees it.
const MOUNT: &str = r#"mount -t tmpfs -o size=90m tmpfs "$0" && mkdir "$0/disk" && exec "$@""#;
/// Written at once.
const PIECE: usize = 1 << 16;
/// Requests while the disk has no room: each is for something that is to be written.
const WITHOUT_ROOM: usize = 60;

fn done(words: &[&str]) -> bool {
    Command::new(words[0]).args(&words[1..]).status().expect("util-linux is there").success()
}

/// Fills a file system to its last byte.
fn fill(junk: &Path) {
    let mut file = std::fs::File::create(junk).expect("there is some room");
    while file.write_all(&[0; PIECE]).is_ok() {}
}

#[test]
fn attack_72_a_disk_that_is_full_and_then_gone_is_noticed_by_nobody() {
    if !done(&["unshare", "--mount", "true"]) {
        eprintln!("NOT TRIED: a file system of its own cannot be had here (root and namespaces are needed)");
        return;
    }
    let place = tempfile::tempdir().expect("a scratch folder");
    let disk = place.path().join("disk");
    let origin = origin();
    let mut edge = Airclass::start_through(
        &["unshare", "--mount", "sh", "-c", MOUNT, text(place.path())],
        &arguments(&format!("http://{}", origin.address), text(&disk)),
    );
    let inside = PathBuf::from(format!("/proc/{}/root{}", edge.id(), place.path().display()));
    let address = edge.address();
    is_online(&edge, &disk);
    let held = |number: usize| format!("/300000/held-{}", number % 40);
    for number in 0..40 {
        is_right(address, &held(number));
    }
    is_written(&edge, &disk, 40);

    // Nothing that was reserved is there any more, and somebody else has taken it.
    let (data, junk) = (inside.join("disk/data"), inside.join("junk"));
    let length = std::fs::metadata(&data).expect("the edge's data").len().to_string();
    assert!(done(&["fallocate", "--punch-hole", "--offset", "0", "--length", &length, text(&data)]));
    fill(&junk);
    let mut new = (0..).map(|number| format!("/300000/new-{number}"));
    let mut both = |number: usize| {
        is_right(address, &new.next().expect("there is no end to it"));
        is_right(address, &held(number));
    };
    let mut full = false;
    for number in 0..WITHOUT_ROOM {
        both(number);
        full |= is_in(&edge, &disk, "read_only");
    }
    while !full {
        both(0);
        full = is_in(&edge, &disk, "read_only");
    }

    std::fs::remove_file(&junk).expect("the junk");
    while !is_in(&edge, &disk, "online") {
        both(1);
        std::thread::park_timeout(LOOK);
    }

    let pid = edge.id().to_string();
    assert!(done(&["nsenter", "--mount", "--target", &pid, "umount", "--lazy", text(place.path())]));
    while !is_in(&edge, &disk, "offline") {
        both(2);
        std::thread::park_timeout(LOOK);
    }
    (0..40).for_each(&mut both);
    edge.terminate();
    assert!(edge.wait().success());
}
