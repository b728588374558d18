//! Builds the page into `dist/`.

use std::process::ExitCode;

/// What the page is made of. `dist/index.html` is here so that a deleted `dist/` is made again.
const SOURCES: &[&str] = &[
    "build.mjs",
    "build-hls.mjs",
    "build-legacy.mjs",
    "build-small.mjs",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "page",
    "dist/index.html",
];

fn main() -> ExitCode {
    npm::build(SOURCES, &[])
}
