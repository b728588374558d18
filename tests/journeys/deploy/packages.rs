//! The Debian packages, made of the programs that the tests run.

use journeys::{program, project};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Makes the package of a crate in `folder`, from what is built.
pub(crate) fn deb(folder: &Path, package: &str, binary: &str) -> PathBuf {
    let built = program(binary);
    // target/<profile>/<program>
    let (profile, target) = (built.parent().unwrap(), built.ancestors().nth(2).unwrap());
    let profile = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let papers = built.with_file_name("papers").join(binary);
    assert!(Command::new(&built).arg("papers").arg(papers).status().unwrap().success());
    let mut make = Command::new("cargo");
    make.args(["deb", "--no-build", "--fast", "--strip", "--locked", "--offline", "--quiet"])
        .args(["--package", package, "--profile", profile, "--output"])
        .arg(folder)
        .current_dir(project())
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null());
    let made = make.output().unwrap();
    assert!(
        made.status.success(),
        "{}; `cargo deb` is there after scripts/setup",
        String::from_utf8_lossy(&made.stderr)
    );
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = format!("{binary}_");
    files.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&named)).unwrap()
}

fn dpkg_deb(arguments: &[&str], deb: &Path) -> String {
    let told = Command::new("dpkg-deb").args(arguments).arg(deb).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).unwrap()
}

/// What a package must have: what it needs, files with their rights, and files that are the owner's once they are there.
struct Wanted {
    package: &'static str,
    binary: &'static str,
    depends: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
    owners: &'static [&'static str],
}

const PACKAGES: [Wanted; 3] = [
    Wanted {
        package: "cli",
        binary: "airclass",
        depends: &["libc6 (>=", "systemd (>="],
        files: &[
            ("-rwxr-xr-x", "./usr/bin/airclass"),
            ("-rwxr-xr-x", "./usr/sbin/airclass-join"),
            ("-rw-r--r--", "./lib/systemd/system/airclass-edge@.service"),
            ("-rw-r--r--", "./usr/lib/sysusers.d/airclass.conf"),
            ("-rw-r--r--", "./usr/lib/tmpfiles.d/airclass.conf"),
            ("-rw-r--r--", "./usr/share/doc/airclass/copyright"),
        ],
        owners: &["control", "edge", "node", "origin", "steer"],
    },
    Wanted {
        package: "ingest",
        binary: "airclass-ingest",
        // Debian's FFmpeg, by the tools that read what a program links.
        depends: &["libavcodec59", "libavfilter8", "libavformat59", "libc6 (>="],
        files: &[
            ("-rwxr-xr-x", "./usr/bin/airclass-ingest"),
            ("-rw-r--r--", "./lib/systemd/system/airclass-ingest.service.d/10-hardening.conf"),
            ("-rw-r--r--", "./lib/systemd/system/airclass-probe.service"),
        ],
        owners: &["ladder", "quality"],
    },
    Wanted {
        package: "feed",
        binary: "airclass-feed",
        depends: &["libsrt1.5-gnutls"],
        files: &[("-rwxr-xr-x", "./usr/bin/airclass-feed")],
        owners: &["feed"],
    },
];

#[test]
fn packages_say_what_they_need_and_leave_owners_files_alone() {
    for Wanted { package, binary, depends, files, owners } in PACKAGES {
        let folder = TempDir::new().unwrap();
        let deb = deb(folder.path(), package, binary);
        let needs = dpkg_deb(&["--field"], &deb);
        assert!(needs.contains(&format!("Package: {binary}\n")), "{needs}");
        let line = needs.lines().find(|line| line.starts_with("Depends: ")).unwrap();
        for need in depends {
            assert!(line.contains(need), "{need}: {line}");
        }
        // No node carries a media library.
        assert!(binary == "airclass-ingest" || !line.contains("libav"), "{line}");
        let contents = dpkg_deb(&["--contents"], &deb);
        for (rights, file) in files {
            let here = contents.lines().find(|line| line.ends_with(&format!(" {file}")));
            assert!(here.is_some_and(|line| line.starts_with(&format!("{rights} "))), "{file}: {contents}");
        }
        for paper in [format!("/man1/{binary}.1"), format!("/completions/{binary}\n")] {
            assert!(contents.contains(&paper), "{paper}: {contents}");
        }
        let conffiles = dpkg_deb(&["--info"], &deb);
        assert!(conffiles.contains("conffiles"), "{conffiles}");
        let unpacked = folder.path().join("control");
        let done = Command::new("dpkg-deb").arg("--control").arg(&deb).arg(&unpacked).status().unwrap();
        assert!(done.success());
        let conffiles = std::fs::read_to_string(unpacked.join("conffiles")).unwrap();
        let mut found: Vec<_> = conffiles.lines().filter(|line| !line.is_empty()).collect();
        found.sort_unstable();
        let wanted: Vec<_> = owners.iter().map(|name| format!("/etc/airclass/{name}.toml")).collect();
        assert_eq!(found, wanted, "{binary}");
        for script in ["postinst", "prerm"] {
            let sound = Command::new("sh").arg("-n").arg(unpacked.join(script)).status().unwrap();
            assert!(sound.success(), "{binary} {script}");
        }
    }
}
