//! The line of an access log that has a number: in the file that is written, or in those that were turned over and zipped.

use flate2::read::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line that is looked at, in bytes: a header section, and what stands around it.
const MAX_LINE_BYTES: u64 = 64 << 10;

/// The first line with `trace` (16 hexadecimal digits), the youngest file first; `None` where there is none.
pub(super) fn find(folder: &Path, trace: &str) -> io::Result<Option<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".log") || name.ends_with(".log.gz") {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort();
    for (_, path) in files.into_iter().rev() {
        if let Some(line) = find_in(&path, trace)? {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

fn find_in(path: &PathBuf, trace: &str) -> io::Result<Option<String>> {
    // One that was turned over meanwhile is under another name.
    let Ok(file) = File::open(path) else { return Ok(None) };
    let plain: Box<dyn Read> = match path.extension() {
        Some(end) if end == "gz" => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut reader = BufReader::new(plain);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            // A file that is being zipped ends in the middle.
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if text.contains(trace) {
            return Ok(Some(text.trim_end().to_owned()));
        }
    }
}
