//! What becomes of a file that is over: zipped, summed, and in half a year removed.

use crate::files::names;
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

/// Zips and sums a file that is over. It is there under one name or the other at every moment, and whole under its last.
pub(crate) fn finish(path: &Path) -> io::Result<PathBuf> {
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

/// Finishes what a process left behind that was killed: files that nobody writes any more.
pub(crate) fn left_behind(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = [Reader::Analysis, Reader::Security].map(names);
        let writer = ours.iter().find_map(|(first, end)| {
            name.strip_prefix(first)?.strip_suffix(end)?.rsplit_once('-').map(|(_, writer)| writer)
        });
        let Some(writer) = writer.and_then(|writer| u32::from_str_radix(writer, 16).ok()) else { continue };
        // A process that lives, or another that has got its number since: then it is seen to at the next start.
        if !Path::new(&format!("/proc/{writer}")).exists() {
            left.push(path);
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
    use std::io::Read;
    use telemetry::Telemetry;

    #[test]
    fn what_is_over_is_zipped_summed_and_removed_in_its_time() {
        let folder = tempfile::tempdir().unwrap();
        // No process has this number.
        let dead = folder.path().join("access-20260301T000000000Z-ffffffff.log");
        std::fs::write(&dead, "a line\n").unwrap();
        let ours = format!("access-20260301T000000000Z-{:x}.log", std::process::id());
        std::fs::write(folder.path().join(ours), "").unwrap();
        assert_eq!(left_behind(folder.path()).unwrap(), std::slice::from_ref(&dead));
        let done = finish(&dead).unwrap();
        assert!(!dead.exists());
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(&done).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a line\n");
        let sums = std::fs::read_to_string(folder.path().join(SUMS)).unwrap();
        let (digits, name) = sums.trim_end().split_once("  ").unwrap();
        assert_eq!((digits.len(), name), (64, "access-20260301T000000000Z-ffffffff.log.gz"));
        let metrics = Metrics::register(&Telemetry::new("test"));
        let half_a_year = Duration::from_secs(180 * 24 * 3_600);
        for (now, there) in [("2026-08-27T00:00:00Z", true), ("2026-08-29T00:00:00Z", false)] {
            remove_old(folder.path(), half_a_year, now.parse().unwrap(), &metrics).unwrap();
            assert_eq!(done.exists(), there, "{now}");
        }
        assert_eq!(metrics.removed.get(), 1);
    }
}
