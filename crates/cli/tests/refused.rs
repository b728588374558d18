//! What cannot be used is refused in one line: what it is, where, and what to do.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

fn airclass<Word: AsRef<OsStr>>(words: impl IntoIterator<Item = Word>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airclass"));
    command.args(words).stdin(Stdio::null()).output().expect("it is built")
}

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
        let output = airclass(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{words:?}: {said}");
        assert!(said.starts_with(code) && said.contains(way_out), "{words:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0, "nothing is published");
}

/// It was passed over: the edge asked an upstream of before, or had less memory than was meant.
#[test]
fn a_misspelt_variable_is_told_of() {
    let edge = ["edge", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--check"];
    for (variable, notes) in [("AIRCLASS_RAMM", 1), ("AIRCLASS_RAM", 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airclass"));
        let output =
            command.args(edge).env(variable, "64MiB").stdin(Stdio::null()).output().expect("it is built");
        let said = String::from_utf8_lossy(&output.stderr);
        let told = said
            .lines()
            .filter(|line| line.starts_with(&format!("note: {variable} is set and means nothing")));
        assert_eq!((output.status.code(), told.count()), (Some(0), notes), "{said}");
    }
}

/// They were read until no memory was left.
#[test]
fn a_file_without_end_is_told_where_a_small_one_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let (store, zero) = (folder.path().to_str().unwrap(), "/dev/zero");
    let control = ["control", "nodes", "--control", "https://127.0.0.1:1", "--as", zero];
    for (words, code) in [
        (&["edge", "--config", zero][..], "CONFIG_UNREADABLE: "),
        (&["steer", "--check", "--nodes", zero], "CONFIG_VALUE: "),
        (&["package", "sections", "--store", store, zero], "CONFIG_UNREADABLE: "),
        (&["package", "verify", "--all", "--store", store, "--trust", zero], "TRUST_UNREADABLE: "),
        (&["package", "sign", "--all", "--store", store, "--key", zero], "KEY_INVALID: "),
        (&control, "CONTROL_PERSON: "),
    ] {
        let output = airclass(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{words:?}: {said}");
        assert!(said.starts_with(code) && said.contains(zero), "{words:?}: {said}");
    }
}

#[test]
fn a_name_that_is_no_unicode_is_one_line_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().as_os_str();
    let name = folder.path().join(OsStr::from_bytes(b"\xd2\xbb"));
    let of = |words: &'static str| words.split(' ').map(OsStr::new).collect::<Vec<_>>();
    for words in [
        [of("check"), vec![name.as_os_str()]].concat(),
        [of("package ls --store"), vec![name.as_os_str()]].concat(),
        [of("package sections --store"), vec![store, name.as_os_str()]].concat(),
        [of("package sign --all --store"), vec![store, OsStr::new("--key"), name.as_os_str()]].concat(),
        [of("steer --check --nodes"), vec![name.as_os_str()]].concat(),
        [of("edge --config"), vec![name.as_os_str()]].concat(),
    ] {
        let output = airclass(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{words:?}: {said}");
        assert!(!said.contains("panicked"), "{words:?}: {said}");
    }
}

/// Nothing was said, as if all were well.
#[test]
fn a_store_without_packages_is_told_by_who_is_to_look_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let output = airclass(["package", "verify", "--all", "--store", store]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("no package is in {store}")), "{said}");
}
