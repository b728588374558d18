//! For build scripts of crates that embed a page: `npm ci` where the modules are not those of the lock file, then a script of the
//! package.
//!
//! Several builds with different target directories may run at once; a lock file lets one npm in at a time. What npm
//! makes depends on the sources alone, so whoever comes second finds everything as it should be.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The lock file as of the last `npm ci`, kept among the modules it describes.
const INSTALLED: &str = "node_modules/.installed-package-lock.json";

/// Has `npm run build -- arguments` run in the crate's folder, which is a build script's own, again whenever one of `sources` changes;
/// the script's `main` returns what this returns.
pub fn build(sources: &[&str], arguments: &[&str]) -> ExitCode {
    for source in sources {
        println!("cargo::rerun-if-changed={source}");
    }
    match install_and_run(Path::new("."), arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn install_and_run(here: &Path, arguments: &[&str]) -> Result<(), String> {
    let lock =
        File::create(here.join(".build.lock")).map_err(|e| format!("this crate cannot be written: {e}"))?;
    lock.lock().map_err(|e| format!(".build.lock cannot be locked: {e}"))?;

    let wanted = fs::read(here.join("package-lock.json")).map_err(|e| format!("package-lock.json: {e}"))?;
    let installed = here.join(INSTALLED);
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        npm(here, &["ci"])?;
        fs::write(&installed, &wanted).map_err(|e| format!("{INSTALLED}: {e}"))?;
    }
    npm(here, &[&["run", "build", "--"], arguments].concat())
}

/// Runs npm, quietly where all goes well.
fn npm(here: &Path, arguments: &[&str]) -> Result<(), String> {
    let command = format!("npm {}", arguments.join(" "));
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(here)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("this page is built with npm, which does not start ({e}): `make setup` installs Node.js and npm"))?;
    if output.status.success() {
        return Ok(());
    }
    for stream in [&output.stdout, &output.stderr] {
        for line in String::from_utf8_lossy(stream).lines() {
            println!("cargo::warning={command}: {line}");
        }
    }
    Err(format!(
        "`{command}` failed ({}): see the lines above; npm needs a registry the first time",
        output.status
    ))
}
