//! From the cores to the files: `batches ─► lines ─► files`, twenty times a second.

use crate::batch::{Batch, Batches};
use crate::entry::Named;
use crate::files::{Open, Over};
use crate::keep::{self, Finished};
use crate::line::{Reader, Scribe};
use crate::metrics::{Lost, Metrics};
use crate::options::{Config, Format};
use crate::pen::{Door, Pen};
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use telemetry::{Telemetry, Worker};

/// How often the writer looks. It is not woken by what comes, so a core that hands an entry over makes no system call.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes of lines at which they are written: few calls, and the lines still in the core's cache.
const WRITE_AT: usize = 256 * 1_024;
/// Bytes of lines at which a sealed piece is not waited for any longer.
const SEAL_AT: usize = 2 << 20;
/// Looks between two of the sealed pieces, which are zipped each for itself: a second.
const LOOKS_A_PIECE: u32 = 20;
/// Looks between two rounds for what is too old and what was left behind: an hour.
const LOOKS_A_ROUND: u32 = 72_000;
/// Looks until a file is begun after one that a disk did not take all of, a second; doubled each time up to a minute.
const FIRST_REST: u32 = 20;
const LONGEST_REST: u32 = 1_200;
/// Files that wait to be zipped. Beyond it they wait for the next round.
const MOST_OVER: usize = 64;
/// Longest wait for the last lines at the end: a service manager is not patient for ever, and a folder may hang.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3);
/// Longest wait for files to be zipped at the end. What is not by then is for the next process.
const ZIPPED_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait until the thread that zips has heard that it is to leave off.
const LEFT_WITHIN: Duration = Duration::from_secs(1);
/// How far the thread that zips stands back behind those that serve.
const NICE: i32 = 19;

/// What the day plan calls the subject of a path. Asked on the writer's thread.
pub trait Names: Send + 'static {
    /// The lesson and its slot; empty where the plan says nothing.
    fn named(&mut self, path: &str) -> &Named;
}

/// Where cores hand entries over, each with a [`Pen`] of its own.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Door>);

impl AccessLog {
    /// For the core that asks.
    pub fn pen(&self) -> Pen {
        Pen::of(&self.0)
    }

    /// Begins to write for so many cores, each with one [`Pen`]. The files are the [`Keeper`]'s, which ends them when it is dropped.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(
        config: Config,
        cores: usize,
        names: impl Names,
        now: impl Fn() -> Timestamp + Send + 'static,
        telemetry: &Telemetry,
    ) -> io::Result<(Self, Keeper)> {
        let metrics = Metrics::register(telemetry);
        let (stop, stopped) = sync_channel(0);
        let (over, finishing) = sync_channel::<Over>(MOST_OVER);
        let (count, hurries) = (metrics.clone(), Arc::new(AtomicBool::new(false)));
        let hurry = Arc::clone(&hurries);
        let zipping = Worker::start("access-log-zip", move || {
            // Alone this thread: on Linux it is a thread that is nice.
            let _ = rustix::process::nice(NICE);
            for over in &finishing {
                finish(&over, &hurry, &count);
            }
        })?;
        let log = Self(Arc::new(Door::new(Batches::new(cores), metrics.clone())));
        let secures = config.seal_to.is_some();
        let mut writer = Writer {
            logs: [Reader::Analysis, Reader::Security].map(|reader| Log::new(reader, config.format)),
            readers: if secures { 2 } else { 1 },
            config,
            names,
            now,
            over,
            metrics,
        };
        let door = Arc::clone(&log.0);
        let writing = Worker::start("access-log", move || writer.run(door.batches(), &stopped))?;
        Ok((log, Keeper { stop: Some(stop), writing, zipping, hurries }))
    }
}

fn finish(over: &Over, hurry: &AtomicBool, metrics: &Metrics) {
    match keep::finish(over, hurry) {
        Ok(Finished::Done) => metrics.files.inc(),
        Ok(Finished::Left) => {}
        Err(error) => {
            tracing::error!(%error, path = %over.path().display(), "a file of the access log stays as it is")
        }
    }
}

/// Whoever ends the log, behind the last answer. When it is dropped, it waits for the last lines and, for a while, for files to be
/// zipped; both within bounds.
#[derive(Debug)]
pub struct Keeper {
    stop: Option<SyncSender<()>>,
    writing: Worker,
    zipping: Worker,
    /// Nothing more is zipped.
    hurries: Arc<AtomicBool>,
}

impl Keeper {
    /// Leaves what is not zipped to the next process, from now on.
    pub fn hurry(&self) {
        self.hurries.store(true, Ordering::Relaxed);
    }

    fn end(&mut self, written_within: Duration, zipped_within: Duration) {
        drop(self.stop.take());
        if !self.writing.ends_within(written_within) {
            tracing::warn!("the access log's folder has not taken the last lines in time; they may be lost");
            return;
        }
        if !self.zipping.ends_within(zipped_within) {
            self.hurry();
            // A disk that hangs does not hear of it.
            let _ = self.zipping.ends_within(LEFT_WITHIN);
            tracing::info!("files of the access log are left to the next process to be zipped");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end(WRITTEN_WITHIN, ZIPPED_WITHIN);
    }
}

/// One of the two logs.
struct Log {
    scribe: Scribe,
    open: Option<Open>,
    lines: Vec<u8>,
    count: u64,
    /// Looks until the disk is asked again.
    rest: u32,
    /// Times in a row that it did not take all.
    failures: u32,
}

impl Log {
    fn new(reader: Reader, format: Format) -> Self {
        Self {
            scribe: Scribe::new(reader, format),
            open: None,
            lines: Vec::new(),
            count: 0,
            rest: 0,
            failures: 0,
        }
    }
}

struct Writer<N, C> {
    config: Config,
    logs: [Log; 2],
    /// How many of them are written.
    readers: usize,
    names: N,
    now: C,
    over: SyncSender<Over>,
    metrics: Metrics,
}

impl<N: Names, C: Fn() -> Timestamp> Writer<N, C> {
    fn run(&mut self, batches: &Batches, stopped: &Receiver<()>) {
        let mut batch = Batch::default();
        for look in 0_u32.. {
            if look.is_multiple_of(LOOKS_A_ROUND) {
                self.take_left_behind();
                self.remove_old();
            }
            let ends = stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout);
            self.look(look, batches, &mut batch, ends);
            if ends {
                return;
            }
        }
    }

    /// Writes down what there is by now; `batch` is an empty one.
    fn look(&mut self, look: u32, batches: &Batches, batch: &mut Batch, ends: bool) {
        for log in &mut self.logs {
            log.rest = log.rest.saturating_sub(1);
        }
        for at in 0..batches.count() {
            batches.take(at, batch, ends);
            self.write_down(batch);
            batch.clear();
        }
        self.put(0);
        if ends || look % LOOKS_A_PIECE == LOOKS_A_PIECE - 1 {
            self.put(1);
        }
        let now = (self.now)();
        for at in 0..self.readers {
            let Config { size, age, .. } = self.config;
            if self.logs[at]
                .open
                .as_ref()
                .is_some_and(|open| ends || open.written() >= size || open.age_s(now) >= age.as_secs())
            {
                self.turn_over(at);
            }
        }
    }

    /// Makes lines of a batch; writes them in large pieces.
    fn write_down(&mut self, batch: &Batch) {
        for entry in batch.entries() {
            let named = self.names.named(entry.words.path());
            for log in &mut self.logs[..self.readers] {
                log.scribe.write(&entry, named, &mut log.lines);
                log.count += 1;
            }
            for (at, most) in [WRITE_AT, SEAL_AT].into_iter().enumerate() {
                if self.logs[at].lines.len() >= most {
                    self.put(at);
                }
            }
        }
    }

    /// Writes a log's lines. What the disk does not take is gone: it is not worth the memory of those who watch.
    fn put(&mut self, at: usize) {
        let log = &mut self.logs[at];
        if log.lines.is_empty() {
            return;
        }
        let now = (self.now)();
        let open = match log.open.take() {
            Some(open) => Ok(open),
            // On a disk that is full each try would be a file, twenty a second.
            None if log.rest > 0 => {
                self.metrics.lost(Lost::Disk, log.count);
                log.lines.clear();
                log.count = 0;
                return;
            }
            None => Open::begin(&self.config.dir, log.scribe.reader(), self.config.seal_to.as_ref(), now),
        };
        let written = open.and_then(|mut open| match open.append(&log.lines) {
            Ok(()) => {
                log.open = Some(open);
                Ok(())
            }
            // A later batch begins a file of its own: behind half a piece nothing could be read.
            Err(error) => {
                if open.give_up().is_some_and(|over| self.over.try_send(over).is_err()) {
                    tracing::warn!("a file of the access log waits for the next round");
                }
                Err(error)
            }
        });
        match written {
            Ok(()) => {
                log.failures = 0;
                self.metrics.lines.inc_by(if at == 0 { log.count } else { 0 });
            }
            Err(error) => {
                log.rest = FIRST_REST.saturating_mul(1 << log.failures.min(10)).min(LONGEST_REST);
                log.failures += 1;
                self.metrics.lost(Lost::Disk, log.count);
                tracing::warn!(%error, lines = log.count, "the access log cannot be written");
            }
        }
        log.lines.clear();
        log.count = 0;
    }

    fn turn_over(&mut self, at: usize) {
        let Some(open) = self.logs[at].open.take() else { return };
        match open.end() {
            Ok(over) => self.is_over(over),
            Err(error) => tracing::warn!(%error, "a file of the access log has no end"),
        }
    }

    fn is_over(&self, over: Over) {
        if self.over.try_send(over).is_err() {
            tracing::warn!("many files of the access log wait to be zipped; this one for the next round");
        }
    }

    /// Also what a process that has handed over to this one left at its end.
    fn take_left_behind(&self) {
        match keep::left_behind(&self.config.dir, MOST_OVER) {
            Ok(left) => left.into_iter().for_each(|over| self.is_over(over)),
            Err(error) => tracing::error!(%error, "the access log's folder cannot be read"),
        }
    }

    fn remove_old(&self) {
        let removed = keep::remove_old(&self.config.dir, self.config.keep, (self.now)(), &self.metrics);
        if let Err(error) = removed {
            tracing::warn!(%error, "old files of the access log cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::MOST_WAITING;
    use crate::line::tests::entry;
    use crate::options::Options;
    use std::io::Read;
    use std::path::PathBuf;

    #[derive(Default)]
    struct Nobody(Named);

    impl Names for Nobody {
        fn named(&mut self, _path: &str) -> &Named {
            &self.0
        }
    }

    /// No machine needs so long: a busy one leaves what is to be zipped to the next process.
    const PATIENCE: Duration = Duration::from_secs(300);

    fn now() -> Timestamp {
        "2026-09-01T00:30:00Z".parse().unwrap()
    }

    fn files(folder: &std::path::Path, end: &str) -> Vec<PathBuf> {
        let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.to_string_lossy().ends_with(end)).collect()
    }

    #[test]
    fn both_logs_have_every_answer_and_only_one_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let (key, private) = crate::seal::generate().unwrap();
        let options = Options {
            dir: Some(folder.path().to_owned()),
            seal_to: Some(key.to_string()),
            ..Options::default()
        };
        let config = Config::resolve(&options).unwrap().unwrap();
        let telemetry = Telemetry::new("test");
        let (log, mut keeper) = AccessLog::start(config, 2, Nobody::default(), now, &telemetry).unwrap();
        let pens = [log.pen(), log.pen()];
        for number in 0..8_000 {
            pens[number % 2].write(Box::new(entry(&format!("/p/0123/s2/{number}.m4s"))));
        }
        keeper.end(PATIENCE, PATIENCE);
        let mut analysis = String::new();
        for path in files(folder.path(), ".log.gz") {
            let file = std::fs::File::open(path).unwrap();
            flate2::read::GzDecoder::new(file).read_to_string(&mut analysis).unwrap();
        }
        assert_eq!(analysis.lines().count(), 8_000);
        assert!(!analysis.contains("203.0.113.77") && analysis.contains("203.0.113.0"));
        let mut security = Vec::new();
        for path in files(folder.path(), ".sealed") {
            let sealed = std::fs::read(path).unwrap();
            assert!(!sealed.windows(12).any(|bytes| bytes == b"203.0.113.77"));
            crate::seal::open(&sealed[..], &private, &mut security).unwrap();
        }
        let security = String::from_utf8(security).unwrap();
        assert_eq!(security.matches("203.0.113.77").count(), 8_000);
        let sums = std::fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
        assert_eq!(
            sums.lines().count(),
            files(folder.path(), ".gz").len() + files(folder.path(), ".sealed").len()
        );
    }

    /// A full disk was given a file for every look, twenty a second; an hour later all of them were opened at once.
    #[test]
    fn a_disk_that_is_full_is_asked_later_and_later() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { dir: Some(folder.path().to_owned()), ..Options::default() };
        let (over, _finishing) = sync_channel(MOST_OVER);
        let mut writer = Writer {
            logs: [Reader::Analysis, Reader::Security].map(|reader| Log::new(reader, Format::Json)),
            readers: 1,
            config: Config::resolve(&options).unwrap().unwrap(),
            names: Nobody::default(),
            now,
            over,
            metrics: Metrics::register(&Telemetry::new("test")),
        };
        let (batches, mut batch) = (Batches::new(1), Batch::default());
        let there = || std::fs::read_dir(folder.path()).unwrap().count();
        for (failure, rest) in [20, 40, 80, 160, 320, 640, 1_200, 1_200].into_iter().enumerate() {
            // What is written goes nowhere, and no file stays of it.
            let path = folder.path().join("access-full.log");
            std::fs::write(&path, "").unwrap();
            let full = std::fs::File::options().append(true).open("/dev/full").unwrap();
            writer.logs[0].open = Some(Open::of(path, full, now()));
            for look in 0..rest {
                batches.push(0, &entry("/a"));
                writer.look(0, &batches, &mut batch, false);
                assert_eq!(there(), 0, "{failure}: {look}");
            }
        }
        let lost = writer.metrics.lost_so_far(Lost::Disk);
        assert_eq!(lost, 20 + 40 + 80 + 160 + 320 + 640 + 1_200 * 2, "and each line is counted");
        batches.push(0, &entry("/a"));
        writer.look(0, &batches, &mut batch, false);
        assert_eq!((there(), writer.metrics.lines.get()), (1, 1));
        assert_eq!(writer.logs[0].failures, 0);
    }

    #[test]
    fn a_disk_that_takes_nothing_costs_lines_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let away = folder.path().join("away");
        std::fs::create_dir(&away).unwrap();
        let options = Options { dir: Some(away.clone()), ..Options::default() };
        let config = Config::resolve(&options).unwrap().unwrap();
        let (log, mut keeper) =
            AccessLog::start(config, 2, Nobody::default(), now, &Telemetry::new("test")).unwrap();
        std::fs::remove_dir(&away).unwrap();
        let pen = log.pen();
        for _ in 0..MOST_WAITING * 3 {
            pen.write(Box::new(entry("/a")));
        }
        keeper.end(PATIENCE, PATIENCE);
        // All are accounted for: those that the disk did not take, and those that came too fast.
        let lost: u64 = [Lost::Queue, Lost::Disk].map(|why| log.0.metrics.lost_so_far(why)).iter().sum();
        assert_eq!(lost, MOST_WAITING as u64 * 3);
        assert!(log.0.metrics.lost_so_far(Lost::Disk) > 0);
        // Behind the end nothing is waited for either.
        pen.write(Box::new(entry("/a")));
        assert_eq!(log.0.metrics.lost_so_far(Lost::Disk) + log.0.metrics.lost_so_far(Lost::Queue), lost + 1);
    }
}
