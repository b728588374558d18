//! A bare Debian: the essential packages and what a caller asks for, out of those that this machine has installed, with a package
//! database that says no more than that. It needs no network, and whoever installs a package there needs what it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const STATUS: &str = "/var/lib/dpkg/status";
/// Nobody reads these in a test.
const LEFT_OUT: [&str; 6] = [
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/locale/",
    "usr/share/info/",
    "usr/share/zoneinfo/",
    "usr/share/i18n/",
];
/// Not packages' own: who makes a Debian writes them.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// One installed package: its paragraph of the database.
struct Installed<'a>(&'a str);

impl<'a> Installed<'a> {
    fn field(&self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// What it needs: of each line's alternatives the names.
    fn needs(&self) -> Vec<Vec<&'a str>> {
        let lines = ["Pre-Depends", "Depends"].into_iter().filter_map(|name| self.field(name));
        lines.flat_map(|line| line.split(',')).map(|any| any.split('|').map(name).collect()).collect()
    }
}

/// The name in `libc6:any (>= 2.34)`.
fn name(text: &str) -> &str {
    text.trim().split([' ', ':']).next().unwrap_or_default()
}

/// Makes one in the empty folder `root`, with `packages` beside the essential ones.
///
/// # Errors
/// Why there is none: this is no Debian, or a package is missing.
pub fn bare(root: &Path, packages: &[&str]) -> Result<(), String> {
    let status = fs::read_to_string(STATUS).map_err(|error| format!("{STATUS}: {error}"))?;
    let paragraphs = status.split("\n\n").map(Installed);
    let here: Vec<_> = paragraphs
        .filter(|one| one.field("Status").is_some_and(|text| text.ends_with(" installed")))
        .collect();
    let by_name: BTreeMap<_, _> = here.iter().filter_map(|one| Some((one.field("Package")?, one))).collect();
    let mut provided: BTreeMap<&str, &str> = BTreeMap::new();
    for (package, one) in &by_name {
        for what in one.field("Provides").into_iter().flat_map(|line| line.split(',')) {
            provided.entry(name(what)).or_insert(package);
        }
    }
    let essential =
        by_name.iter().filter(|(_, one)| one.field("Essential") == Some("yes")).map(|(name, _)| *name);
    let mut wanted: Vec<&str> = essential.chain(packages.iter().copied()).collect();
    let mut chosen = BTreeSet::new();
    while let Some(package) = wanted.pop() {
        let one = by_name.get(package).ok_or_else(|| format!("{package} is not installed here"))?;
        if chosen.insert(package) {
            wanted.extend(one.needs().iter().filter_map(|any| {
                let found = any.iter().find(|one| by_name.contains_key(**one)).copied();
                found.or_else(|| any.iter().find_map(|one| provided.get(one).copied()))
            }));
        }
    }
    copy(root, &chosen).map_err(|error| format!("{}: {error}", root.display()))?;
    let paragraphs: Vec<_> =
        chosen.iter().filter_map(|package| Some(by_name.get(package)?.0.trim())).collect();
    finish(root, &paragraphs).map_err(|error| format!("{}: {error}", root.display()))
}

/// The packages' files.
fn copy(root: &Path, packages: &BTreeSet<&str>) -> std::io::Result<()> {
    for name in MERGED {
        fs::create_dir_all(root.join("usr").join(name))?;
        symlink(Path::new("usr").join(name), root.join(name))?;
    }
    let mut files = BTreeSet::new();
    for list in fs::read_dir("/var/lib/dpkg/info")? {
        let path = list?.path();
        let Some(package) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".list")) else {
            continue;
        };
        if packages.contains(name(package)) {
            let list = fs::read_to_string(&path)?;
            let inside = list.lines().filter_map(|line| line.strip_prefix('/'));
            let kept = inside.filter(|file| !LEFT_OUT.iter().any(|left| file.starts_with(left)));
            // A machine may have been made smaller than its packages.
            files.extend(
                kept.filter(|file| fs::symlink_metadata(Path::new("/").join(file)).is_ok())
                    .map(str::to_owned),
            );
        }
    }
    let mut pack = Command::new("tar")
        .args(["--create", "--directory=/", "--no-recursion", "--files-from=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (mut names, bytes) = (pack.stdin.take(), pack.stdout.take().expect("it is piped"));
    let feeder = std::thread::spawn(move || {
        let list: Vec<_> = files.into_iter().filter(|file| *file != ".").collect();
        names.as_mut().expect("it is piped").write_all(list.join("\n").as_bytes())
    });
    let unpacked = Command::new("tar")
        .args(["--extract", "--keep-directory-symlink", "--directory"])
        .arg(root)
        .stdin(bytes)
        .status()?;
    feeder.join().expect("it does not panic")?;
    match pack.wait()?.success() && unpacked.success() {
        true => Ok(()),
        false => Err(std::io::Error::other("tar has failed")),
    }
}

/// What an installer of Debian writes.
fn finish(root: &Path, paragraphs: &[&str]) -> std::io::Result<()> {
    let dpkg = root.join("var/lib/dpkg");
    fs::create_dir_all(dpkg.join("info"))?;
    fs::create_dir_all(dpkg.join("updates"))?;
    fs::write(dpkg.join("status"), format!("{}\n\n", paragraphs.join("\n\n")))?;
    fs::write(dpkg.join("available"), "")?;
    for (from, to) in [("passwd", "passwd"), ("group", "group")] {
        fs::copy(root.join(format!("usr/share/base-passwd/{from}.master")), root.join("etc").join(to))?;
    }
    for name in ["shadow", "gshadow"] {
        fs::write(root.join("etc").join(name), "")?;
    }
    fs::write(root.join("etc/machine-id"), "uninitialized\n")?;
    fs::write(root.join("etc/hostname"), "bare\n")?;
    for name in ["proc", "sys", "dev", "run", "tmp", "root"] {
        fs::create_dir_all(root.join(name))?;
    }
    Ok(())
}
