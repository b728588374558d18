//! What cannot be used is refused in one line: what it is, where, and what to do.

use std::process::{Command, Stdio};

#[test]
fn files_that_are_not_there_or_empty_are_told_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (missing, empty, store) = (path("missing"), path("empty"), path("store"));
    std::fs::write(&empty, "").unwrap();
    std::fs::create_dir(&store).unwrap();
    let drill = ["drill", "--node", "http://127.0.0.1:1", "--plan"];
    let control = ["control", "nodes", "--control", "https://127.0.0.1:1", "--as"];
    for (words, code, way_out) in [
        (vec!["package", "sections", "--store", &store, &missing], "CONFIG_UNREADABLE: ", "give the path"),
        (vec!["resource", "platforms", "--store", &store, &empty], "CONFIG_VALUE: ", "write a [[platform]]"),
        ([&drill[..], &[&missing, "--assume", &missing]].concat(), "DRILL_PLAN: ", "give plans/DATE.json"),
        ([&control[..], &[&missing]].concat(), "CONTROL_PERSON: ", "`airclass control person`"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airclass"));
        let output = command.args(&words).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{words:?}: {said}");
        assert!(said.starts_with(code) && said.contains(way_out), "{words:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0, "nothing is published");
}
