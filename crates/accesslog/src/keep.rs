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
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the sums of all finished files stand, as `sha256sum -c` reads them.
const SUMS: &str = "SHA256SUMS";

/// What has become of a file that was to be finished.
pub(crate) enum Finished {
    /// It is whole under its last name.
    Done,
    /// It is as it was, for the next process.
    Left,
}

/// Zips and sums a file that is over, which stays locked meanwhile, or leaves it where somebody is in a `hurry`. It is there under one
/// name or the other at every moment, and whole under its last.
pub(crate) fn finish(over: &Over, hurry: &AtomicBool) -> io::Result<Finished> {
    let path = over.path();
    let (half, done) = match path.extension().and_then(OsStr::to_str) {
        Some("open") => (None, path.with_extension("sealed")),
        _ => {
            let zipped = |end| PathBuf::from(format!("{}{end}", path.display()));
            (Some(zipped(".half")), zipped(".gz"))
        }
    };
    let made = || -> io::Result<String> {
        if let Some(half) = &half {
            let mut zip = GzEncoder::new(File::create(half)?, Compression::fast());
            io::copy(&mut Unhurried { file: BufReader::new(File::open(path)?), hurry }, &mut zip)?;
            zip.finish()?.sync_data()?;
        }
        let file = File::open(half.as_deref().unwrap_or(path))?;
        sum(Unhurried { file: BufReader::new(file), hurry })
    };
    let sum = match made() {
        Ok(sum) => sum,
        Err(error) => {
            // It would be written anew, and a disk that is full has no room for half of it.
            let removed = half.map_or(Ok(()), std::fs::remove_file);
            return if hurry.load(Ordering::Relaxed) { removed.map(|()| Finished::Left) } else { Err(error) };
        }
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = done.file_name().unwrap_or_default().to_string_lossy();
    // One write of a short line, so that two processes do not come between each other.
    let line = format!("{sum}  {name}\n");
    let add_sum =
        || File::options().create(true).append(true).open(folder.join(SUMS))?.write_all(line.as_bytes());
    // A process may end between any two steps. Behind the last one nobody looks at the file again, so that its sum is there by then;
    // it may be there twice.
    match half {
        Some(half) => {
            std::fs::rename(half, &done)?;
            add_sum()?;
            std::fs::remove_file(path)?;
        }
        None => {
            add_sum()?;
            std::fs::rename(path, &done)?;
        }
    }
    Ok(Finished::Done)
}

/// Reads until somebody is in a hurry, and then no more.
struct Unhurried<'a, R> {
    file: R,
    hurry: &'a AtomicBool,
}

impl<R: Read> Read for Unhurried<'_, R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        if self.hurry.load(Ordering::Relaxed) {
            return Err(io::Error::other("left to the next process"));
        }
        self.file.read(piece)
    }
}

/// What a process left behind that was killed: files that nobody has locked, `most` of them. Each is open from here on. A number of a
/// process says nothing of that; in a container each has the same.
pub(crate) fn left_behind(folder: &Path, most: usize) -> io::Result<Vec<Over>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if left.len() >= most {
            break;
        }
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = [Reader::Analysis, Reader::Security].map(names);
        let is_ours = ours.iter().any(|(first, end)| name.starts_with(first) && name.ends_with(end));
        if is_ours && !is_of_another_process(&name) {
            left.extend(Over::unlocked(path));
        }
    }
    Ok(left)
}

/// Whether another process of the number in a file's name lives: a build that locks nothing may still be writing it, where it has just
/// handed over. Who has our own number is dead. Where the number has gone to somebody else, a later round sees to the file.
fn is_of_another_process(name: &str) -> bool {
    let number = name.rsplit_once('-').and_then(|(_, rest)| rest.split('.').next());
    let writer = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    writer.is_some_and(|writer| {
        writer != std::process::id() && Path::new("/proc").join(writer.to_string()).exists()
    })
}

/// For so long files have to have been begun by a clock before any is removed by it, or for half of what they are kept. One that is years
/// ahead would have half a year of them removed at once, which the law asks for.
const TRUSTED_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Removes files older than `keep`, by the time in their names; sets how many bytes are left.
pub(crate) fn remove_old(folder: &Path, keep: Duration, now: Timestamp, metrics: &Metrics) -> io::Result<()> {
    let stamp = |ago: Duration| {
        let then = now.checked_sub(ago).unwrap_or(Timestamp::MIN);
        then.strftime("%Y%m%dT%H%M%S").to_string()
    };
    let (oldest, trusted) = (stamp(keep), stamp(TRUSTED_AFTER.min(keep / 2)));
    let (mut bytes, mut old, mut is_trusted) = (0, Vec::new(), false);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let begun = name.strip_prefix("access-").or_else(|| name.strip_prefix("security-"));
        let Some(begun) = begun.and_then(|begun| begun.get(..oldest.len())) else { continue };
        is_trusted |= (oldest.as_str()..=trusted.as_str()).contains(&begun);
        let length = entry.metadata().map_or(0, |metadata| metadata.len());
        bytes += length;
        let finished = name.ends_with(".gz") || name.ends_with(".sealed");
        if finished && begun < oldest.as_str() {
            old.push((entry.path(), length));
        }
    }
    if !is_trusted && !old.is_empty() {
        tracing::warn!(
            files = old.len(),
            "files of the access log are too old by this machine's clock, which may be wrong; they stay until files have been begun by it for a week"
        );
        old.clear();
    }
    for (path, length) in old {
        std::fs::remove_file(path)?;
        metrics.removed.inc();
        bytes -= length;
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
        // And at this one a process of a build that locked nothing.
        let older = format!("access-20260301T000000000Z-{:x}.log", std::os::unix::process::parent_id());
        let older = folder.path().join(older);
        std::fs::write(&older, "a line\n").unwrap();
        assert_eq!(left_behind(folder.path(), 0).unwrap().len(), 0);
        let left = left_behind(folder.path(), 9).unwrap();
        assert_eq!(left.iter().map(Over::path).collect::<Vec<_>>(), [&dead]);
        assert!(left_behind(folder.path(), 9).unwrap().is_empty(), "one process finishes it");
        // Somebody is in a hurry: it stays as it is.
        assert!(matches!(finish(&left[0], &AtomicBool::new(true)).unwrap(), Finished::Left));
        assert_eq!(std::fs::read_to_string(&dead).unwrap(), "a line\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "and nothing beside it");
        assert!(matches!(finish(&left[0], &AtomicBool::new(false)).unwrap(), Finished::Done));
        let done = folder.path().join(format!("{name}.gz"));
        assert!(!dead.exists());
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(&done).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a line\n");
        let sums = std::fs::read_to_string(folder.path().join(SUMS)).unwrap();
        let (digits, summed) = sums.trim_end().split_once("  ").unwrap();
        assert_eq!((digits.len(), summed), (64, format!("{name}.gz").as_str()));
        let metrics = Metrics::register(&Telemetry::new("test"));
        let half_a_year = Duration::from_secs(180 * 24 * 3_600);
        let remove =
            |now: &str| remove_old(folder.path(), half_a_year, now.parse().unwrap(), &metrics).unwrap();
        // This one shows that it is so late.
        std::fs::write(folder.path().join("access-20260815T000000000Z-1.log.gz"), "later").unwrap();
        for (now, there) in [("2026-08-27T00:00:00Z", true), ("2026-08-29T00:00:00Z", false)] {
            remove(now);
            assert_eq!(done.exists(), there, "{now}");
        }
        assert_eq!(metrics.removed.get(), 1);
    }

    /// A process that ended behind the name left a file whose sum nobody wrote any more.
    #[test]
    fn what_is_sealed_is_summed_before_it_has_its_last_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("security-20260301T000000000Z-1.open");
        std::fs::write(&path, "sealed").unwrap();
        let sums = || std::fs::read_to_string(folder.path().join(SUMS)).unwrap();
        let over = Over::unlocked(path.clone()).unwrap();
        // It goes no further than that.
        let taken = path.with_extension("sealed");
        std::fs::create_dir(&taken).unwrap();
        assert!(finish(&over, &AtomicBool::new(false)).is_err() && path.exists());
        assert!(sums().ends_with("  security-20260301T000000000Z-1.sealed\n"));
        std::fs::remove_dir(&taken).unwrap();
        assert!(matches!(finish(&over, &AtomicBool::new(false)).unwrap(), Finished::Done));
        let both: Vec<_> = sums().lines().map(str::to_owned).collect();
        assert!(both.len() == 2 && both[0] == both[1] && taken.is_file() && !path.exists(), "{both:?}");
    }

    /// A start by such a clock removed all there was.
    #[test]
    fn a_clock_that_is_years_ahead_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = |begun: &str| {
            let path = folder.path().join(format!("access-{begun}T000000000Z-1.log.gz"));
            std::fs::write(&path, "a line").unwrap();
            path
        };
        let all = [file("20260301"), file("20260831")];
        let metrics = Metrics::register(&Telemetry::new("test"));
        let half_a_year = Duration::from_secs(180 * 24 * 3_600);
        let remove =
            |now: &str| remove_old(folder.path(), half_a_year, now.parse().unwrap(), &metrics).unwrap();
        file("20370101");
        remove("2037-01-01T01:00:00Z");
        assert!(all.iter().all(|path| path.exists()));
        assert_eq!((metrics.removed.get(), metrics.bytes.get()), (0, 18));
        // Who was switched off for years has to wait for a week.
        remove("2037-01-07T23:00:00Z");
        assert!(all.iter().all(|path| path.exists()));
        remove("2037-01-08T01:00:00Z");
        assert!(all.iter().all(|path| !path.exists()));
        assert_eq!((metrics.removed.get(), metrics.bytes.get()), (2, 6));
    }
}
