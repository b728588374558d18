//! Builds the page into `OUT_DIR`.

use std::process::ExitCode;

/// What the page is made of.
const SOURCES: &[&str] = &["build.mjs", "package.json", "package-lock.json", ".npmrc", "page"];

fn main() -> ExitCode {
    let out = std::env::var("OUT_DIR").expect("cargo names a folder");
    npm::build(SOURCES, &[&out])
}
