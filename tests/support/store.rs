//! Stores with a few objects in them.

use std::path::Path;

/// The name of a package that nobody made with FFmpeg.
pub const PACKAGE: &str = "0123456789abcdef0123456789abcdef01234567";

/// Puts a file at `path` below `store`.
pub fn put(store: &Path, path: &str, bytes: &[u8]) {
    let file = store.join(path);
    let folder = file.parent().expect("an object lies in a folder");
    std::fs::create_dir_all(folder).expect("a scratch folder takes folders");
    std::fs::write(file, bytes).expect("a scratch folder takes files");
}

/// The path of segment `number` of the smallest rung.
pub fn segment(number: u32) -> String {
    format!("p/{PACKAGE}/s0/{number:05}.m4s")
}

/// `length` bytes that are not all alike.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}
