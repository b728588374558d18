//! Nobody has to read to its end what a command says, and what a full disk has lost of it is told.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn airclass(words: &[&str], stdout: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airclass"));
    command.args(words).stdin(Stdio::null()).stdout(stdout);
    command.output().expect("it is built")
}

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

/// Commands that say something, and change at most a store.
fn each(check: impl Fn(&str, &[&str])) {
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("output");
    std::fs::create_dir_all(&store).expect("a scratch folder");
    let (timetable, sections) = (config("timetable.toml"), config("sections.toml"));
    let [store, timetable, sections] =
        [&store, &timetable, &sections].map(|path| path.to_str().expect("a plain name"));
    check("check", &["timetable", "check", timetable]);
    check("guide", &["timetable", "guide", "--format", "ics", timetable]);
    check("sections", &["package", "sections", "--store", store, sections]);
    check("ls", &["package", "ls", "--store", store]);
    check("log-key", &["node", "log-key"]);
}

#[test]
fn whoever_has_read_enough_leaves_no_error_behind() {
    each(|name, words| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = airclass(words, writer);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{name}");
    });
}

#[test]
fn what_a_full_disk_has_lost_is_a_fault() {
    each(|name, words| {
        let output = airclass(words, File::options().write(true).open("/dev/full").unwrap());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(
            said.starts_with("OUTPUT_LOST: standard output: ") && said.lines().count() == 1,
            "{name}: {said}"
        );
    });
}
