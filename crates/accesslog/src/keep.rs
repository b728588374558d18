//! What becomes of a file that is over: zipped, summed, and in half a year removed.

use crate::files::{Over, names};
use crate::line::Reader;
use crate::metrics::Metrics;
use crate::seal::sum;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the sums of all finished files stand, as `sha256sum -c` reads them.
const SUMS: &str = "SHA256SUMS";

/// Zips and sums a file that is over, which stays locked meanwhile. It is there under one name or the other at every moment, and whole
/// under its last.
pub(crate) fn finish(over: &Over) -> io::Result<PathBuf> {
    let path = over.path();
    let done = match path.extension().and_then(OsStr::to_str) {
        Some("open") => path.with_extension("sealed"),
        _ => PathBuf::from(format!("{}.gz", path.display())),
    };
    if path.extension() == Some(OsStr::new("open")) {
        std::fs::rename(path, &done)?;
    } else {
        let half = PathBuf::from(format!("{}.half", path.display()));
        let mut zip = GzEncoder::new(File::create(&half)?, Compression::fast());
        io::copy(&mut BufReader::new(File::open(path)?), &mut zip)?;
        zip.finish()?.sync_data()?;
        std::fs::rename(&half, &done)?;
        std::fs::remove_file(path)?;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = done.file_name().unwrap_or_default().to_string_lossy();
    let line = format!("{}  {name}\n", sum(BufReader::new(File::open(&done)?))?);
    // One write of a short line, so that two processes do not come between each other.
    File::options().create(true).append(true).open(folder.join(SUMS))?.write_all(line.as_bytes())?;
    Ok(done)
}

/// What a process left behind that was killed: files that nobody has locked. A number of a process says nothing of that; in a container
/// each has the same.
pub(crate) fn left_behind(folder: &Path) -> io::Result<Vec<Over>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = [Reader::Analysis, Reader::Security].map(names);
        if ours.iter().any(|(first, end)| name.starts_with(first) && name.ends_with(end)) {
            left.extend(Over::unlocked(path));
        }
    }
    Ok(left)
}

/// Removes files older than `keep`, by the time in their names; sets how many bytes are left.
pub(crate) fn remove_old(folder: &Path, keep: Duration, now: Timestamp, metrics: &Metrics) -> io::Result<()> {
    let oldest = now.checked_sub(keep).map_or(Timestamp::MIN, |oldest| oldest);
    let oldest = oldest.strftime("%Y%m%dT%H%M%S").to_string();
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Some(begun) = name.strip_prefix("access-").or_else(|| name.strip_prefix("security-")) else {
            continue;
        };
        let finished = name.ends_with(".gz") || name.ends_with(".sealed");
        if finished && begun.get(..oldest.len()).is_some_and(|begun| begun < oldest.as_str()) {
            std::fs::remove_file(entry.path())?;
            metrics.removed.inc();
        } else {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    metrics.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Open;
    use std::io::Read;
    use telemetry::Telemetry;

    #[test]
    fn what_is_over_is_zipped_summed_and_removed_in_its_time() {
        let folder = tempfile::tempdir().unwrap();
        // Its writer had our number, as in a container whose program is always the first.
        let name = format!("access-20260301T000000000Z-{:x}.log", std::process::id());
        let dead = folder.path().join(&name);
        std::fs::write(&dead, "a line\n").unwrap();
        // Another process is at this one, after a handover.
        let lives = "2026-03-01T00:00:00Z".parse().unwrap();
        let _open = Open::begin(folder.path(), Reader::Security, None, lives).unwrap();
        let left = left_behind(folder.path()).unwrap();
        assert_eq!(left.iter().map(Over::path).collect::<Vec<_>>(), [&dead]);
        assert!(left_behind(folder.path()).unwrap().is_empty(), "one process finishes it");
        let done = finish(&left[0]).unwrap();
        assert!(!dead.exists());
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(&done).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a line\n");
        let sums = std::fs::read_to_string(folder.path().join(SUMS)).unwrap();
        let (digits, summed) = sums.trim_end().split_once("  ").unwrap();
        assert_eq!((digits.len(), summed), (64, format!("{name}.gz").as_str()));
        let metrics = Metrics::register(&Telemetry::new("test"));
        let half_a_year = Duration::from_secs(180 * 24 * 3_600);
        for (now, there) in [("2026-08-27T00:00:00Z", true), ("2026-08-29T00:00:00Z", false)] {
            remove_old(folder.path(), half_a_year, now.parse().unwrap(), &metrics).unwrap();
            assert_eq!(done.exists(), there, "{now}");
        }
        assert_eq!(metrics.removed.get(), 1);
    }
}
