//! Attack 69: kill -9 under write load. A few here; a thousand are `make bench BENCH="--only disk-kills"`.

use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::kills;

/// Where the child finds its directory and seed.
const DIRECTORY: &str = "DISKSTORE_KILLED_IN";
const SEED: &str = "DISKSTORE_KILLED_SEED";
const KILLS: u32 = 20;

#[test]
fn attack_69_kill_9_under_write_load_never_gives_a_wrong_byte() {
    // In memory where there is such a place: a kill leaves the same there, and barriers cost nothing.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let toll = kills::kill(directory.path(), KILLS, |seed| child(directory.path(), seed)).unwrap();
    assert_eq!((toll.kills, toll.wrong, toll.refused), (KILLS, 0, 0), "{toll:?}");
    assert!(toll.blocks > 200, "{toll:?}");
}

fn child(directory: &Path, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running test has a path"));
    command.args(["--exact", "writes_until_it_is_killed", "--nocapture"]);
    command.env(DIRECTORY, directory).env(SEED, seed.to_string());
    command
}

/// The process that the test above kills; nobody's child has nothing to do.
#[test]
fn writes_until_it_is_killed() {
    let (Some(directory), Ok(seed)) = (std::env::var_os(DIRECTORY), std::env::var(SEED)) else { return };
    // Its parent may be gone.
    let _ = kills::write_until_killed(&PathBuf::from(directory), seed.parse().unwrap());
}
