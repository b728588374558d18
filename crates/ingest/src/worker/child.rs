//! Inside the worker: shut the door, read the task, work, tell.

use super::confine::{self, Confinement};
use super::failure::Told;
use super::wire::{self, Frame, Kind, MAX_TASK_BYTES, Orders};
use crate::fault::MediaError;
use crate::ffmpeg;
use faults::note;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// The first descriptor that may be left over from whoever started the parent.
const FIRST_STRANGER: libc::c_uint = 3;

/// Takes a frame and sends it; from any thread.
pub type Sink<'a> = &'a (dyn Fn(Frame) -> Result<(), MediaError> + Sync);

/// The whole life of a worker: confined before it has read its task, it gives task and source to `work`, sends what
/// that makes, and ends.
///
/// In `work` there is no file system, no network and no other process: `source` is all there is to read, and its length
/// is told by seeking to its end (asking for its metadata is forbidden with the rest of `stat`).
pub fn child(work: impl FnOnce(&[u8], File, Sink<'_>) -> Result<(), MediaError>) -> ExitCode {
    let ended = begin().and_then(|(source, mut channel)| {
        let task = shut_in(&mut channel)?;
        let channel = Mutex::new(channel);
        let send = |frame: Frame| {
            let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
            // A parent that does not listen any more has its reasons, and knows them.
            tell(&mut channel, Kind::Frame, &frame).map_err(|_| MediaError::Stopped)
        };
        let result = work(&task, source, &send);
        let mut channel = channel.into_inner().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => tell(&mut channel, Kind::End, &empty()),
            Err(error) => tell(&mut channel, Kind::Refused, &headed(&Told::of(&error))),
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Source and channel, with every other descriptor closed; standard output becomes standard error, so that what a
/// library prints cannot be taken for a message.
fn begin() -> io::Result<(File, File)> {
    #[expect(unsafe_code, reason = "no wrapper for close_range")]
    // SAFETY: nothing in this process has opened a descriptor yet; what is closed belongs to nobody here.
    let closed = unsafe { libc::close_range(FIRST_STRANGER, libc::c_uint::MAX, 0) };
    if closed != 0 {
        return Err(io::Error::last_os_error());
    }
    let source = File::from(stdin().try_clone_to_owned()?);
    let channel = File::from(stdout().try_clone_to_owned()?);
    dup2_stdin(stderr())?;
    dup2_stdout(stderr())?;
    Ok((source, channel))
}

/// Reads the orders, obeys them, says how far that went, and reads the task.
fn shut_in(channel: &mut File) -> io::Result<Vec<u8>> {
    let mut orders = [0; Orders::BYTES];
    channel.read_exact(&mut orders)?;
    let orders = Orders::parse(&orders);
    let confinement: Confinement = confine::confine(&orders.limits);
    // The parent may have died before its death could kill this process.
    if rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned())
        != Some(orders.parent)
    {
        return Err(io::Error::other("the parent is gone"));
    }
    tell(channel, Kind::Confined, &headed(&confinement))?;
    confinement.check().map_err(io::Error::other)?;
    ffmpeg::set_up(orders.limits.verbosity);
    let mut length = [0; 4];
    channel.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_TASK_BYTES {
        return Err(io::Error::other("the task is too long"));
    }
    let mut task = vec![0; length];
    channel.read_exact(&mut task)?;
    Ok(task)
}

fn tell(channel: &mut File, kind: Kind, frame: &Frame) -> io::Result<()> {
    let prefix = wire::prefix(kind, frame).map_err(io::Error::other)?;
    channel.write_all(&prefix)?;
    channel.write_all(&frame.header)?;
    channel.write_all(&frame.body)
}

fn empty() -> Frame {
    Frame { header: Vec::new(), body: Vec::new() }
}

fn headed(value: &impl serde::Serialize) -> Frame {
    Frame { header: serde_json::to_vec(value).unwrap_or_default(), body: Vec::new() }
}
