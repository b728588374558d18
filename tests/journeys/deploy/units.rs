//! The units, as systemd reads them.

use journeys::project;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// systemd's own measure: 10 is an open door, 0 cannot do anything. What is left is sockets and, for some, low ports.
const EXPOSURE: f64 = 2.5;

/// The units in a folder of their own, with programs that are here.
fn units() -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let mut units = Vec::new();
    let hardening = "airclass-.service.d";
    fs::create_dir(folder.path().join(hardening)).unwrap();
    let from = project().join("deploy/systemd");
    let words = fs::read_to_string(from.join(hardening).join("10-hardening.conf")).unwrap();
    fs::write(folder.path().join(hardening).join("10-hardening.conf"), words).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let text = fs::read_to_string(&path).unwrap();
            let text: Vec<_> =
                text.lines().map(|line| line.replace("/usr/bin/airclass", "/bin/true -")).collect();
            let unit = folder.path().join(path.file_name().unwrap());
            fs::write(&unit, text.join("\n")).unwrap();
            units.push(unit);
        }
    }
    units.sort();
    (folder, units)
}

fn analyze(folder: &Path, words: &[&str], units: &[PathBuf]) -> (bool, String) {
    let mut path = folder.as_os_str().to_owned();
    path.push(":");
    let told =
        Command::new("systemd-analyze").args(words).args(units).env("SYSTEMD_UNIT_PATH", path).output();
    let told = told.expect("systemd-analyze is there after scripts/setup");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (told.status.success(), text(&told.stdout) + &text(&told.stderr))
}

#[test]
fn systemd_understands_every_line() {
    let (folder, units) = units();
    assert!(units.len() >= 9, "{units:?}");
    let (well, says) = analyze(folder.path(), &["verify", "--man=no"], &units);
    // What it says of this machine's own units is not about ours.
    let ours: Vec<_> = says.lines().filter(|line| line.contains("airclass")).collect();
    assert!(well && ours.is_empty(), "{says}");
}

#[test]
fn services_are_held_tightly() {
    let (folder, units) = units();
    for unit in units {
        let (_, says) = analyze(folder.path(), &["security", "--offline=true"], std::slice::from_ref(&unit));
        let line = says.lines().find(|line| line.contains("Overall exposure level"));
        let level = line.and_then(|line| line.split(": ").nth(1)?.split(' ').next()?.parse::<f64>().ok());
        let level = level.unwrap_or_else(|| panic!("{}: {says}", unit.display()));
        assert!(level <= EXPOSURE, "{} is at {level}: {says}", unit.display());
    }
}

#[test]
fn every_unit_is_in_a_package() {
    let manifests: String = ["cli", "ingest", "feed"]
        .iter()
        .map(|name| fs::read_to_string(project().join("crates").join(name).join("Cargo.toml")).unwrap())
        .collect();
    let (_folder, units) = units();
    for unit in units {
        let name = unit.file_name().unwrap().to_str().unwrap();
        assert!(manifests.contains(&format!("deploy/systemd/{name}\"")), "{name} is in no package");
    }
}

/// `airclass-edge@blue` stayed enabled without a program: the machine complained at every start, and began to serve when the package
/// came again.
#[test]
fn whoever_removes_a_package_leaves_no_unit_enabled() {
    let packages = ["airclass", "airclass-ingest", "airclass-feed"];
    let prerm =
        |package| fs::read_to_string(project().join("deploy/debian").join(package).join("prerm")).unwrap();
    let scripts = packages.map(prerm).concat();
    let words: Vec<_> = scripts.split_whitespace().collect();
    let (_folder, units) = units();
    for unit in units.iter().filter(|unit| fs::read_to_string(unit).unwrap().contains("\n[Install]\n")) {
        let name = unit.file_name().unwrap().to_str().unwrap();
        assert!(words.contains(&name), "no prerm disables {name}");
    }
}
