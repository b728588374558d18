//! A package that the real ingest made, once a run of the tests.

use crate::bytes::Package;
use conformance::{Report, check_package};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Three segments are enough for every rule that looks at neighbours.
const SECONDS: &str = "13";

/// A package as the ingest makes it.
pub(crate) fn package() -> Package {
    static MADE: OnceLock<Package> = OnceLock::new();
    MADE.get_or_init(make).clone()
}

fn make() -> Package {
    let scratch = tempfile::tempdir().unwrap();
    let (file, store) = (scratch.path().join("lesson.mp4"), scratch.path().join("store"));
    run(&[
        "sample",
        "--seconds",
        SECONDS,
        "--width",
        "640",
        "--height",
        "360",
        "--out",
        file.to_str().unwrap(),
    ]);
    run(&["run", file.to_str().unwrap(), "--store", store.to_str().unwrap(), "--lesson", "good"]);
    let folder = std::fs::read_dir(store.join("p")).unwrap().next().unwrap().unwrap().path();
    let mut package = Package::new();
    collect(&folder, &folder, &mut package);
    package
}

fn run(arguments: &[&str]) {
    let output = Command::new(program()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Beside the tests' own folder, as the journeys find it.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("airclass-ingest");
    assert!(path.is_file(), "{} is not built; `cargo build --workspace --bins` first", path.display());
    path
}

fn collect(root: &Path, folder: &Path, package: &mut Package) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, package);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            package.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// The gate on a package in memory.
pub(crate) fn judge(package: &Package) -> Report {
    let object = |path: &str| package.get(path).cloned().ok_or_else(|| std::io::ErrorKind::NotFound.into());
    check_package(object, &|_, _| {}).unwrap()
}

#[test]
fn what_the_ingest_makes_is_conformant() {
    let report = judge(&package());
    assert!(report.is_conformant(), "{report}");
    assert!(report.checked.len() > 80, "{report}");
    assert!(report.ours && report.volume.opened == report.volume.segments);
}
