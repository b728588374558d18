//! Whether the node was tried out: `airclass node doctor` writes what it has found, and this reads it.

use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest paper read.
const MAX_BYTES: u64 = 64 << 10;

/// The part that counts here.
#[derive(Deserialize)]
struct Paper {
    passed: bool,
    #[serde(default)]
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    check: String,
    well: bool,
}

/// Why the node is not to be given traffic yet, for people.
pub(super) fn judge(path: &Path) -> Result<(), String> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text));
    if read.is_err() {
        return Err(format!("not tried out yet: airclass node doctor --out {}", path.display()));
    }
    let paper: Paper =
        serde_json::from_slice(&text).map_err(|_| format!("{} is no doctor's paper", path.display()))?;
    if paper.passed {
        return Ok(());
    }
    let bad: Vec<_> =
        paper.findings.iter().filter(|finding| !finding.well).map(|f| f.check.as_str()).collect();
    Err(format!("the doctor was not content with {}", bad.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_paper_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("burn-in.json");
        assert!(judge(&path).unwrap_err().contains("airclass node doctor"));
        for (text, says) in [
            ("", Some("no doctor's paper")),
            (
                r#"{"passed":false,"findings":[{"check":"disk","well":false},{"check":"clock","well":true}]}"#,
                Some("with disk"),
            ),
            (r#"{"passed":true,"at":"2026-09-01T00:00:00Z","findings":[]}"#, None),
        ] {
            std::fs::write(&path, text).unwrap();
            match (judge(&path), says) {
                (Ok(()), None) => {}
                (Err(why), Some(says)) => assert!(why.contains(says), "{why}"),
                (judged, _) => panic!("{text}: {judged:?}"),
            }
        }
    }
}
