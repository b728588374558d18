//! What a worker must not be able to do, tried in one: `airclass-ingest worker --attempt`.
//!
//! `airclass-ingest doctor` and the tests start real workers with these tasks, confined like any other, and look at what
//! came of it. A claim that a protection holds is only worth what an attempt against it has shown.

use super::child::Sink;
use super::wire::Frame;
use crate::fault::MediaError;
use crate::ffmpeg::{AudioSettings, Encoder, FfmpegError, Muxer, Packet, Picture, Sound, VideoSettings};
use package::{Codec, Digest};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A file that is there on every Linux and that everybody may read.
const SOME_FILE: &str = "/proc/version";
/// Memory taken in one step, and touched.
const STEP: usize = 16 << 20;
/// The body of a flooding frame.
const FLOOD: usize = 1 << 20;
/// Descriptors nobody needs.
const MANY_DESCRIPTORS: usize = 64;
/// Pictures of the encoding test.
const PICTURES: i64 = 30;

/// A task of a worker that tries its walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// Open a file for reading.
    OpenFile,
    /// Ask whether a file is there.
    StatFile,
    /// List a folder.
    ListFolder,
    /// Make a file.
    WriteFile,
    /// Send a datagram somewhere.
    Internet,
    /// Talk to a local service.
    LocalSocket,
    /// Start a program.
    StartProgram,
    /// Become another program.
    BecomeProgram,
    /// Be looked into, or look into another.
    Debug,
    /// Signal the parent.
    SignalParent,
    /// Bring in new code.
    ExecutableMemory,
    /// Take memory that is not counted.
    SharedMemory,
    /// Get rights in a new namespace.
    NewNamespace,
    /// Hand the kernel work past the list.
    KernelQueue,
    /// Descriptors without end.
    MoreDescriptors,
    /// Memory without end.
    TakeMemory,
    /// Processor time without end.
    Spin,
    /// Crash, for a memory image.
    Crash,
    /// Say so, and never end.
    Hang,
    /// Send without end.
    Flood,
    /// Print where messages go, then end well.
    Print,
    /// What it is for: threads, x264, SVT-AV1, AAC, the muxer. Tells the digest of what it made.
    Encode,
}

/// What a worker tells about its attempt, if it still can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It did it. For [`Attempt::Encode`] with the digest.
    Done(String),
    /// It was refused, in the system's words.
    Refused(String),
}

/// The work of `airclass-ingest worker --attempt`.
///
/// # Errors
/// When the task is none of [`Attempt`], or encoding fails.
pub fn perform(task: &[u8], source: File, send: Sink<'_>) -> Result<(), MediaError> {
    let Ok(attempt) = serde_json::from_slice::<Attempt>(task) else {
        return Err(MediaError::Crashed("attempt"));
    };
    let told = match attempt {
        Attempt::Encode => Told::Done(encode()?.to_string()),
        attempt => match try_it(attempt, &source, send) {
            Ok(()) => Told::Done(String::new()),
            Err(error) => Told::Refused(error.to_string()),
        },
    };
    tell(send, &told)
}

fn tell(send: Sink<'_>, told: &Told) -> Result<(), MediaError> {
    let header = serde_json::to_vec(told).map_err(|_| MediaError::Crashed("attempt"))?;
    send(Frame { header, body: Vec::new() })
}

fn try_it(attempt: Attempt, source: &File, send: Sink<'_>) -> io::Result<()> {
    match attempt {
        Attempt::OpenFile => File::open(SOME_FILE).map(drop),
        Attempt::StatFile => fs::metadata(SOME_FILE).map(drop),
        Attempt::ListFolder => fs::read_dir("/").map(drop),
        Attempt::WriteFile => {
            let path = std::env::temp_dir().join(format!("airclass-attempt-{}", std::process::id()));
            File::create_new(&path).map(|_| drop(fs::remove_file(&path)))
        }
        Attempt::Internet => UdpSocket::bind("0.0.0.0:0").map(drop),
        Attempt::LocalSocket => UnixDatagram::unbound().map(drop),
        Attempt::StartProgram => Command::new("/bin/true").spawn()?.wait().map(drop),
        Attempt::BecomeProgram => Err(Command::new("/bin/true").exec()),
        // PTRACE_TRACEME.
        Attempt::Debug => call(libc::SYS_ptrace, [0; 6]),
        Attempt::SignalParent => match rustix::process::getppid() {
            Some(parent) => Ok(rustix::process::test_kill_process(parent)?),
            None => Ok(()),
        },
        Attempt::ExecutableMemory => memory(libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE),
        Attempt::SharedMemory => memory(libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED),
        Attempt::NewNamespace => call(libc::SYS_unshare, [i64::from(libc::CLONE_NEWUSER), 0, 0, 0, 0, 0]),
        Attempt::KernelQueue => call(libc::SYS_io_uring_setup, [0; 6]),
        Attempt::MoreDescriptors => {
            (0..MANY_DESCRIPTORS).map(|_| source.try_clone()).collect::<io::Result<Vec<_>>>().map(drop)
        }
        Attempt::TakeMemory => take_memory(),
        Attempt::Spin => loop {
            std::hint::black_box(());
        },
        Attempt::Crash => std::process::abort(),
        Attempt::Hang => {
            tell(send, &Told::Done(String::new())).map_err(io::Error::other)?;
            loop {
                std::thread::park();
            }
        }
        Attempt::Flood => loop {
            send(Frame { header: Vec::new(), body: vec![0; FLOOD] }).map_err(io::Error::other)?;
        },
        Attempt::Print => {
            #[expect(clippy::print_stdout, reason = "as a library would")]
            {
                println!("this is no message");
            }
            Ok(())
        }
        Attempt::Encode => Ok(()),
    }
}

/// A system call that no library makes for us.
fn call(number: libc::c_long, arguments: [i64; 6]) -> io::Result<()> {
    let [a, b, c, d, e, f] = arguments;
    #[expect(unsafe_code, reason = "these calls have no wrapper: nothing here should ever make them")]
    // SAFETY: none of the calls made here touches memory of this process: their arguments are numbers or null.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// One page, never used.
fn memory(rights: libc::c_int, sharing: libc::c_int) -> io::Result<()> {
    let flags = i64::from(sharing | libc::MAP_ANONYMOUS);
    call(libc::SYS_mmap, [0, 4_096, i64::from(rights), flags, -1, 0])
}

/// Until there is no more.
fn take_memory() -> io::Result<()> {
    let block = vec![1; 1 << 20];
    let mut taken = Vec::new();
    loop {
        let mut step: Vec<u8> = Vec::new();
        step.try_reserve_exact(STEP)
            .map_err(|_| io::Error::other(format!("at {} MiB", taken.len() * (STEP >> 20))))?;
        while step.len() < STEP {
            step.extend_from_slice(&block);
        }
        taken.push(std::hint::black_box(step));
    }
}

/// A second of pictures and sound through encoders and muxer, with threads: the same bytes wherever it runs.
///
/// # Errors
/// When FFmpeg lacks a part, or cannot work here.
pub fn encode() -> Result<Digest, FfmpegError> {
    let mut hasher = package::Hasher::new();
    hasher.update(&pictures(Codec::H264)?);
    hasher.update(&pictures(Codec::Av1)?);
    hasher.update(&sound()?);
    Ok(hasher.finish())
}

fn pictures(codec: Codec) -> Result<Vec<u8>, FfmpegError> {
    let options: &[(&str, &str)] = match codec {
        Codec::H264 => &[("preset", "medium"), ("crf", "23")],
        Codec::Av1 => &[("preset", "10"), ("crf", "38"), ("svtav1-params", "lp=2:pin=0")],
    };
    let mut encoder = Encoder::video(&VideoSettings {
        codec,
        thinning: 1,
        width: 416,
        height: 234,
        rate: 25,
        gop: 25,
        threads: 3,
        options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    })?;
    let mut muxer = Muxer::new(&encoder, 25)?;
    for number in 0..PICTURES {
        let mut picture = Picture::planar(416, 234);
        for plane in 0..3 {
            let (samples, row) = picture.plane_mut(plane)?;
            for (at, sample) in samples.iter_mut().enumerate() {
                *sample = ((at % row) as i64 * 3 + (at / row) as i64 * 5 + number * 7) as u8;
            }
        }
        picture.tag_as_published();
        picture.set_pts(number);
        encoder.send_picture(&picture)?;
        drain(&mut encoder, &mut muxer, 1)?;
    }
    encoder.finish()?;
    drain(&mut encoder, &mut muxer, 1)?;
    muxer.cut()
}

fn sound() -> Result<Vec<u8>, FfmpegError> {
    let mut encoder = Encoder::aac(&AudioSettings { channels: 2, bits_per_second: 64_000 })?;
    let mut muxer = Muxer::new(&encoder, grid::AUDIO_RATE)?;
    for frame in 0..PICTURES {
        let mut sound = Sound::silence(grid::AAC_FRAME as usize, 2);
        for channel in 0..2 {
            for (at, sample) in sound.channel_mut(channel).iter_mut().enumerate() {
                *sample = (at % 97) as f32 / 200.0 - 0.24;
            }
        }
        sound.set_pts(frame * i64::from(grid::AAC_FRAME));
        encoder.send_sound(&sound)?;
        drain(&mut encoder, &mut muxer, i64::from(grid::AAC_FRAME))?;
    }
    encoder.finish()?;
    drain(&mut encoder, &mut muxer, i64::from(grid::AAC_FRAME))?;
    muxer.cut()
}

fn drain(encoder: &mut Encoder, muxer: &mut Muxer, duration: i64) -> Result<(), FfmpegError> {
    let mut packet = Packet::empty();
    while encoder.receive(&mut packet)? {
        packet.set_duration(duration);
        muxer.add(&mut packet)?;
    }
    Ok(())
}
