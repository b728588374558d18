//! The parent's side of one worker: started, fed, listened to, watched, and always reaped.

use super::confine::Confinement;
use super::failure::{Ending, Told, WorkerError, one_line};
use super::limits::Limits;
use super::stillness::{self, Stillness};
use super::wire::{Frame, Inbox, Kind, MAX_TASK_BYTES, Orders, WireFault};
use crate::cancel::Cancel;
use crate::clock::Stopwatch;
use crate::fault::MediaError;
use crate::ffmpeg::Verbosity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

/// How often a flag that wakes nobody is looked at.
const TICK: Duration = Duration::from_millis(100);
/// From its last message to the end of its process.
const PARTING: Duration = Duration::from_secs(10);
/// Bytes read at once.
const READ_BLOCK: usize = 256 << 10;
/// The end of what it said on standard error, kept for a fault's text.
const KEPT_WORDS: usize = 400;
/// All that it may say on standard error; FFmpeg at its most talkative says some 100 kB about a damaged lesson.
const MAX_WORDS: u64 = 64 << 20;

/// Which program a worker is.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: &'static [&'static str],
}

impl Program {
    /// This very executable, also when its file was replaced since: `airclass-ingest worker`.
    pub fn own() -> Self {
        Self::at(Path::new("/proc/self/exe"))
    }

    /// The `airclass-ingest` at `path`.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), arguments: &["worker"] }
    }

    /// The same, to try what a worker must not be able to do.
    #[must_use]
    pub fn attempting(self) -> Self {
        Self { arguments: &["worker", "--attempt"], ..self }
    }

    fn start(&self, source: &File) -> io::Result<Process> {
        // A description of its own: a duplicate would share the position in the file with every other worker.
        let source = File::open(format!("/proc/self/fd/{}", source.as_raw_fd()))?;
        let (channel, theirs) = UnixStream::pair()?;
        channel.set_nonblocking(true)?;
        let mut child = Command::new(&self.path)
            .arg0("airclass-ingest")
            .args(self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(source)
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::piped())
            // Ctrl-C is the parent's to hear.
            .process_group(0)
            .spawn()?;
        let words = child.stderr.take();
        let mut process = Process { child, channel: Some(channel), words: None, exited: None };
        if let Some(words) = words {
            rustix::io::ioctl_fionbio(&words, true)?;
            process.words = Some(words);
        }
        let pid = Pid::from_child(&process.child);
        process.exited = Some(pidfd_open(pid, PidfdFlags::empty())?);
        Ok(process)
    }
}

/// A started worker. Dropping it kills it, and waits until it is gone: none is ever left behind.
struct Process {
    child: Child,
    channel: Option<UnixStream>,
    words: Option<ChildStderr>,
    exited: Option<OwnedFd>,
}

impl Process {
    /// Processor time it has used, in the kernel's ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        stat.as_deref().map_or(0, stillness::ticks)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both do nothing when it was waited for before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the parent has learned so far.
struct Course<'a> {
    limits: &'a Limits,
    on_frame: &'a mut dyn FnMut(Frame) -> Result<(), MediaError>,
    inbox: Inbox,
    words: Words,
    confinement: Option<Confinement>,
    ended: bool,
    refused: Option<MediaError>,
    /// Bytes and words that have come.
    heard: u64,
}

/// Runs `task` in a worker; the confinement it worked in.
///
/// # Errors
/// See [`WorkerError`]. Whatever it is, the process is gone.
pub fn run_program(
    program: &Program,
    task: &[u8],
    source: &File,
    limits: &Limits,
    cancel: &Cancel,
    on_frame: &mut dyn FnMut(Frame) -> Result<(), MediaError>,
) -> Result<Confinement, WorkerError> {
    let watch = Stopwatch::start();
    if task.len() > MAX_TASK_BYTES {
        return Err(WorkerError::Start(io::Error::other("the task is too long")));
    }
    let orders = Orders { parent: std::process::id(), limits: limits.clone() };
    let length = u32::try_from(task.len()).unwrap_or(u32::MAX).to_be_bytes();
    let unsent = [orders.to_bytes().as_slice(), &length, task].concat();
    let mut course = Course {
        limits,
        on_frame,
        inbox: Inbox::default(),
        words: Words::default(),
        confinement: None,
        ended: false,
        refused: None,
        heard: 0,
    };
    let mut process = program.start(source).map_err(WorkerError::Start)?;
    course.follow(&mut process, &unsent, cancel, &watch)?;
    let status = process.child.wait().map_err(WorkerError::Start)?;
    course.verdict(Ending::of(status), status.core_dumped())
}

impl Course<'_> {
    /// Feeds and listens until the process is gone.
    fn follow(
        &mut self,
        process: &mut Process,
        mut unsent: &[u8],
        cancel: &Cancel,
        watch: &Stopwatch,
    ) -> Result<(), WorkerError> {
        let mut block = vec![0; READ_BLOCK];
        let mut deadline = self.limits.wall;
        let mut parting = false;
        let mut stillness = Stillness::default();
        loop {
            if cancel.is_stopped() {
                return Err(WorkerError::Stopped);
            }
            let elapsed = watch.elapsed();
            if (self.ended || self.refused.is_some()) && !parting {
                parting = true;
                deadline = deadline.min(elapsed + PARTING);
            }
            let Some(left) = deadline.checked_sub(elapsed).filter(|left| !left.is_zero()) else {
                return Err(WorkerError::Hung(self.limits.wall));
            };
            let gone = wait(process, !unsent.is_empty(), left.min(TICK)).map_err(WorkerError::Start)?;
            let before = (self.heard, unsent.len());
            if !unsent.is_empty()
                && let Some(channel) = &mut process.channel
            {
                match channel.write(unsent) {
                    Ok(count) => unsent = &unsent[count..],
                    Err(error) if would_block(&error) => {}
                    // It is dying; how, its end will tell.
                    Err(_) => unsent = &[],
                }
            }
            // What it sent before it went is still there; nobody else can be writing, for it has no children.
            self.listen(process, &mut block, gone)?;
            if gone {
                return Ok(());
            }
            // By the clock of now: whoever takes its frames may have taken long, and meanwhile it waited for us.
            let now = watch.elapsed();
            if (self.heard, unsent.len()) != before {
                stillness.heard(now);
            }
            if stillness.lasts(now, || process.ticks()) >= self.limits.still {
                return Err(WorkerError::Still(self.limits.still));
            }
        }
    }

    /// Reads what is there: one block of each, or all when the process is gone.
    fn listen(&mut self, process: &mut Process, block: &mut [u8], all: bool) -> Result<(), WorkerError> {
        loop {
            let count = read(&mut process.channel, block);
            self.inbox.push(&block[..count]);
            while let Some((kind, frame)) = self.inbox.next().map_err(WorkerError::Garbled)? {
                self.take(kind, frame)?;
            }
            if self.inbox.cost() > self.limits.output.0 {
                return Err(WorkerError::Flooded(self.limits.output));
            }
            let said = read(&mut process.words, block);
            self.heard += (count + said) as u64;
            self.words.hear(&block[..said], self.limits.verbosity);
            if self.words.heard > MAX_WORDS {
                return Err(WorkerError::Flooded(units::ByteCount(MAX_WORDS)));
            }
            if !all || count + said == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, kind: Kind, frame: Frame) -> Result<(), WorkerError> {
        let over = self.ended || self.refused.is_some();
        match (kind, &self.confinement) {
            (Kind::Confined, None) => {
                let confinement: Confinement = parse(&frame.header)?;
                confinement.check()?;
                self.confinement = Some(confinement);
            }
            (Kind::Frame, Some(_)) if !over => (self.on_frame)(frame).map_err(WorkerError::Sink)?,
            (Kind::End, Some(_)) if !over => self.ended = true,
            (Kind::Refused, Some(_)) if !over => {
                self.refused = Some(parse::<Told>(&frame.header)?.into_error());
            }
            _ => return Err(WorkerError::Garbled(WireFault::OutOfTurn)),
        }
        Ok(())
    }

    fn verdict(self, ending: Ending, image: bool) -> Result<Confinement, WorkerError> {
        if let Some(error) = self.refused {
            return Err(WorkerError::Refused(error));
        }
        match (self.confinement, ending) {
            (Some(confinement), Ending::Exit(0)) if self.ended => Ok(confinement),
            (_, Ending::Signal(libc::SIGXCPU)) => Err(WorkerError::Hung(self.limits.cpu)),
            _ => Err(WorkerError::Died { ending, said: self.words.last(), image }),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(header: &[u8]) -> Result<T, WorkerError> {
    serde_json::from_slice(header).map_err(|_| WorkerError::Garbled(WireFault::Senseless))
}

/// Waits until something can be read or written, for `limit` at most; whether the process is gone.
fn wait(process: &Process, unsent: bool, limit: Duration) -> io::Result<bool> {
    let limit = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: limit.subsec_nanos().into() };
    let mut places = Vec::with_capacity(3);
    if let Some(exited) = &process.exited {
        places.push(PollFd::from_borrowed_fd(exited.as_fd(), PollFlags::IN));
    }
    if let Some(channel) = &process.channel {
        let interest = if unsent { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        places.push(PollFd::from_borrowed_fd(channel.as_fd(), interest));
    }
    if let Some(words) = &process.words {
        places.push(PollFd::from_borrowed_fd(words.as_fd(), PollFlags::IN));
    }
    match poll(&mut places, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(places.first().is_some_and(|exited| !exited.revents().is_empty()))
}

/// Reads what is there; a source that has ended is let go.
fn read<R: Read>(from: &mut Option<R>, block: &mut [u8]) -> usize {
    let Some(open) = from else { return 0 };
    match open.read(block) {
        Ok(count) if count > 0 => count,
        Err(error) if would_block(&error) => 0,
        Ok(_) | Err(_) => {
            *from = None;
            0
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// What the worker says on standard error: its end is kept, all of it is repeated when somebody wants to hear it.
#[derive(Default)]
struct Words {
    heard: u64,
    end: Vec<u8>,
}

impl Words {
    fn hear(&mut self, said: &[u8], verbosity: Verbosity) {
        self.heard += said.len() as u64;
        if verbosity == Verbosity::Chatty && !said.is_empty() {
            // FFmpeg repeats what stands in the file: nothing that a terminal would obey gets through.
            let plain: Vec<u8> = said
                .iter()
                .map(|&byte| if byte < b' ' && byte != b'\n' || byte == 0x7f { b' ' } else { byte })
                .collect();
            let _ = io::stderr().write_all(String::from_utf8_lossy(&plain).as_bytes());
        }
        self.end.extend_from_slice(&said[said.len().saturating_sub(KEPT_WORDS)..]);
        let surplus = self.end.len().saturating_sub(KEPT_WORDS);
        self.end.drain(..surplus);
    }

    /// The last of it, as one line.
    fn last(&self) -> String {
        one_line(String::from_utf8_lossy(&self.end).trim(), KEPT_WORDS)
    }
}
