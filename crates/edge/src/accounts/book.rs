//! The files: lines appended, each month's in its own.

use accounting::{
    Bill, Billing, Contract, Entry, Identity, MAX_FILE_BYTES, Minute, Month, RunId, accounts, read,
};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

/// Lines that wait for a disk: a day's.
const MOST_WAITING: usize = 1_440;

/// What most carriers bill by.
pub(super) const MONTH_95: Contract = Contract { billing: Billing::Month95, commit: None, from_day: 1 };

/// Which file it is, over all file systems: one that was moved away is followed by another of its name.
type Inode = (u64, u64);

/// One process's way into the files.
#[derive(Debug)]
pub(super) struct Book {
    directory: PathBuf,
    run: RunId,
    /// Whose the lines are. It stands before the first of each file.
    identity: Identity,
    /// The file in which it stands already, and bytes of it.
    begun: Option<(Inode, u64)>,
    waiting: VecDeque<Minute>,
    lost: u64,
}

impl Book {
    pub(super) fn new(directory: PathBuf, run: RunId, identity: Identity) -> Self {
        Self { directory, run, identity, begun: None, waiting: VecDeque::new(), lost: 0 }
    }

    fn path(&self, month: Month) -> PathBuf {
        self.directory.join(month.file_name())
    }

    /// Writes what waits and `lines`; how many that were.
    ///
    /// # Errors
    /// The first line that the disk did not take. It waits, with those behind it, for the next time.
    pub(super) fn write(&mut self, lines: Vec<Minute>) -> io::Result<u64> {
        self.waiting.extend(lines);
        let too_many = self.waiting.len().saturating_sub(MOST_WAITING);
        self.lost += self.waiting.drain(..too_many).count() as u64;
        let mut written = 0;
        let mut open: Option<(Month, File)> = None;
        while let Some(minute) = self.waiting.front() {
            let month = Month::of(minute.begin());
            if open.as_ref().is_none_or(|(of, _)| *of != month) {
                if let Some((_, file)) = open.take() {
                    file.sync_data()?;
                }
                let mut file = File::options().create(true).read(true).append(true).open(self.path(month))?;
                if !self.has_begun(&file)? {
                    put(&mut file, &Entry::Run(self.run, self.identity.clone()))?;
                }
                open = Some((month, file));
            }
            if let Some((_, file)) = &mut open {
                put(file, &Entry::Minute(self.run, *minute))?;
                self.begun = Some(standing(file)?);
            }
            self.waiting.pop_front();
            written += 1;
        }
        if let Some((_, file)) = open {
            file.sync_data()?;
        }
        Ok(written)
    }

    /// Whether this process has said in it whose its lines are. A file that is shorter than it was has been emptied.
    fn has_begun(&self, file: &File) -> io::Result<bool> {
        let (inode, length) = standing(file)?;
        Ok(self.begun.is_some_and(|(begun, least)| begun == inode && length >= least))
    }

    /// Lines that wait for the disk.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Lines given up since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

fn standing(file: &File) -> io::Result<(Inode, u64)> {
    let metadata = file.metadata()?;
    Ok(((metadata.dev(), metadata.ino()), metadata.len()))
}

/// Appends a line. Behind one that was cut off, by a crash or a full disk, it begins anew.
fn put(file: &mut File, entry: &Entry) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    let cut = if last == *b"\n" { "" } else { "\n" };
    let line = format!("{cut}{entry}\n");
    if length + line.len() as u64 > MAX_FILE_BYTES {
        let problem =
            format!("would have more than {MAX_FILE_BYTES} bytes, the most that is read of a month");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    file.write_all(line.as_bytes())
}

/// Where the month stands for this node.
pub(super) struct Standing {
    pub(super) bill: Bill,
    /// Bits a second of the last whole sample, by family.
    pub(super) last: [u64; 2],
}

/// Reads the month's file again: what this process and those before it have written.
pub(super) fn month95(book: &Book, contract: &Contract, now: Timestamp) -> Standing {
    let month = Month::of(now);
    let journal = read(&settings::small_file(&book.path(month), MAX_FILE_BYTES).unwrap_or_default());
    let passed = month.passed(now);
    let account = accounts(&month, &journal.entries).remove(&book.identity);
    let totals = account.as_ref().map_or_else(|| vec![0; month.samples()], accounting::Account::totals);
    let last = account.zip(passed.checked_sub(1)).map_or([0; 2], |(account, at)| {
        account.rates.each_ref().map(|rates| rates.get(at).copied().unwrap_or(0))
    });
    Standing { bill: contract.bill(&month, &totals, passed), last }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn identity() -> Identity {
        Identity {
            owner: "bofei".into(),
            province: Identity::province("hubei").unwrap(),
            carrier: "dianxin".parse().unwrap(),
            site: "wuhan-1".into(),
        }
    }

    fn minute(begin: &str, bytes: u64) -> Minute {
        let number = begin.parse::<Timestamp>().unwrap().as_second() / 60;
        Minute { number, covered_ms: 60_000, sent: [bytes, 0] }
    }

    fn book(folder: &std::path::Path, run: u64) -> Book {
        Book::new(folder.to_owned(), RunId(run), identity())
    }

    #[test]
    fn a_month_has_a_file_and_a_crash_costs_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = book(folder.path(), 1);
        // 24:00 in Beijing on the last of August.
        let lines =
            vec![minute("2026-08-31T15:59:00Z", 75_000_000), minute("2026-08-31T16:00:00Z", 75_000_000)];
        assert_eq!(first.write(lines).unwrap(), 2);
        let september = folder.path().join("accounts-2026-09.log");
        let text = std::fs::read_to_string(&september).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        // Killed while a line was on its way.
        let half = Entry::Minute(RunId(1), minute("2026-08-31T16:01:00Z", 75_000_000)).to_string();
        std::fs::write(&september, text + &half[..20]).unwrap();
        let mut second = book(folder.path(), 2);
        assert_eq!(second.write(vec![minute("2026-08-31T16:02:00Z", 75_000_000)]).unwrap(), 1);
        let journal = read(&std::fs::read(&september).unwrap());
        assert_eq!((journal.entries.len(), journal.damaged), (4, 1));
        let standing = month95(&second, &MONTH_95, "2026-08-31T16:05:00Z".parse().unwrap());
        // Two minutes of 10 Mbit/s of five.
        assert_eq!((standing.bill.samples, standing.bill.peak), (1, 4_000_000));
        assert_eq!(standing.last, [4_000_000, 0]);
    }

    #[test]
    fn a_file_that_was_moved_away_is_followed_by_one_that_says_whose_it_is() {
        let now = "2026-09-01T00:20:00Z".parse().unwrap();
        for others in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let (path, away) = (folder.path().join("accounts-2026-09.log"), folder.path().join("away"));
            let mut book = book(folder.path(), 1);
            book.write(vec![minute("2026-09-01T00:00:00Z", 75_000_000)]).unwrap();
            std::fs::rename(&path, &away).unwrap();
            if others {
                // The process beside it, as long as one makes way for the other, has begun another meanwhile.
                let mut other = super::tests::book(folder.path(), 2);
                other.write(vec![minute("2026-09-01T00:05:00Z", 1); 3]).unwrap();
            }
            for at in ["2026-09-01T00:10:00Z", "2026-09-01T00:11:00Z"] {
                book.write(vec![minute(at, 75_000_000)]).unwrap();
            }
            let journal = read(&std::fs::read(&path).unwrap());
            let begun = journal.entries.iter().filter(|entry| **entry == Entry::Run(RunId(1), identity()));
            assert_eq!((begun.count(), journal.damaged), (1, 0), "others: {others}");
            assert_eq!(month95(&book, &MONTH_95, now).bill.peak, 4_000_000, "others: {others}");
            assert_eq!(std::fs::read_to_string(&away).unwrap().lines().count(), 2);
            // Emptied in its place.
            File::options().write(true).truncate(true).open(&path).unwrap();
            book.write(vec![minute("2026-09-01T00:12:00Z", 75_000_000)]).unwrap();
            assert_eq!(month95(&book, &MONTH_95, now).bill.peak, 2_000_000, "others: {others}");
        }
    }

    /// It was read whole, however long it had become, and written on.
    #[test]
    fn a_month_is_written_as_far_as_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts-2026-09.log");
        let mut book = book(folder.path(), 1);
        book.write(vec![minute("2026-09-01T00:00:00Z", 75_000_000)]).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(MAX_FILE_BYTES).unwrap();
        let refused = book.write(vec![minute("2026-09-01T00:01:00Z", 75_000_000)]).unwrap_err();
        assert_eq!((refused.kind(), book.waiting()), (io::ErrorKind::FileTooLarge, 1));
        // Somebody has taken it away.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(book.write(Vec::new()).unwrap(), 1);
        assert_eq!(month95(&book, &MONTH_95, "2026-09-01T00:20:00Z".parse().unwrap()).bill.peak, 2_000_000);
    }

    #[test]
    fn lines_wait_for_a_disk_and_for_a_day_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let away = folder.path().join("away");
        let mut book = book(&away, 1);
        assert!(book.write(vec![minute("2026-09-01T00:00:00Z", 1); 2]).is_err());
        assert_eq!((book.waiting(), book.take_lost()), (2, 0));
        assert!(book.write(vec![minute("2026-09-01T00:01:00Z", 1); MOST_WAITING]).is_err());
        assert_eq!((book.waiting(), book.take_lost(), book.take_lost()), (MOST_WAITING, 2, 0));
        std::fs::create_dir(&away).unwrap();
        assert_eq!(book.write(Vec::new()).unwrap(), MOST_WAITING as u64);
        assert_eq!(book.waiting(), 0);
    }
}
