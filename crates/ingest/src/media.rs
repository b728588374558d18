//! The media journey: a source and a plan in, grid-aligned segments out. Knows no store, no network, no terminal.
//!
//! ```text
//! pictures of a chunk:  decode ──▶ filter ──▶ encode s0 … s5, stills ──▶ messages
//!                       decode ──▶ filter ──▶ encode a2 … a5 ──────────▶ messages
//! sound of a lesson:    decode ──▶ filter, encode hi, lo ──────▶ messages
//! ```
//!
//! Every arrow is a bounded channel, every box a thread. What leaves are [`Message`]s alone.
//!
//! Sound is one piece from the first sample to the last: coded sound leans on what was before it, and one encoder has
//! no joins. It takes less time than a chunk of pictures.

use crate::cancel::Cancel;
use crate::chunk::{Chunk, Entry};
use crate::decode::{self, Found};
use crate::encode;
use crate::encode::audio::SoundEncoder;
use crate::encode::slides::Slide;
use crate::fault::MediaError;
use crate::ffmpeg::Source;
use crate::filter::{self, Feed};
use crate::plan::Plan;
use grid::{SegmentCount, SegmentNumber};
use package::{Codec, Rendition, Slot};
use std::fs::File;
use std::io::Seek;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Decoded pictures between decoder and filters. Worst case 1080p: 4 × 3.1 MB; 4K: 4 × 13 MB.
const DECODED_PICTURES: usize = 4;
/// Decoded runs of sound between decoder and filters; some 20 ms each.
const DECODED_SOUNDS: usize = 512;
/// Filtered pictures before each encoder, so that a rung that thinks longer about one picture does not stop the others.
/// Worst case 1080p: 8 × 3.1 MB.
const FILTERED_PICTURES: usize = 8;

/// What the journey makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The init section of a rendition; comes before its segments.
    Init {
        /// Whose.
        rendition: Rendition,
        /// RFC 6381.
        codecs: String,
        /// The object.
        bytes: Vec<u8>,
    },
    /// A segment; those of a rendition come in order.
    Segment {
        /// Whose.
        rendition: Rendition,
        /// In the lesson, from 0.
        number: SegmentNumber,
        /// The object.
        bytes: Vec<u8>,
    },
    /// A sheet of the storyboard.
    Sheet {
        /// In the lesson, from 0.
        sheet: u32,
        /// A JPEG.
        bytes: Vec<u8>,
    },
    /// A slide; those of a chunk come in order.
    Slide {
        /// What is known of it.
        slide: Slide,
        /// A JPEG.
        bytes: Vec<u8>,
    },
}

/// Encodes the pictures of `chunk` in every rung of `codec`, and with H.264 the single pictures; returns when the last
/// message is sent.
///
/// # Errors
/// The first stage's that failed. [`MediaError::Stopped`] when `cancel` was set or nobody reads `messages` any more.
pub fn pictures(
    file: &File,
    plan: &Plan,
    codec: Codec,
    chunk: &Chunk,
    entry: &Entry,
    messages: SyncSender<Message>,
    cancel: &Cancel,
) -> Result<(), MediaError> {
    let rungs = plan.rungs.iter().filter(|rung| rung.slot.codec() == codec);
    let consumers = rungs.map(|rung| {
        let messages = messages.clone();
        let work: Work<'_> = Box::new(move |feed| {
            encode::video::encode(rung, plan.timing.rate, chunk, &feed, messages, cancel)
        });
        Consumer { size: rung.slot.in_h264(), name: "encode", work }
    });
    let mut consumers: Vec<Consumer<'_>> = consumers.collect();
    if codec == Codec::H264 {
        // Single pictures, all from one feed: seldom wanted, they cost a reference a picture.
        let size = encode::stills::size(&plan.sizes());
        let work: Work<'_> = Box::new(move |feed| {
            encode::stills::encode(plan.timing.rate, size, chunk, &feed, &messages, cancel)
        });
        consumers.push(Consumer { size, name: "stills", work });
    }
    fan_out(file, plan, chunk, entry, consumers, cancel)
}

/// Somebody who takes pictures of one size, in a thread of its own.
pub struct Consumer<'a> {
    /// The H.264 slot of that size.
    pub size: Slot,
    /// The thread's name.
    pub name: &'static str,
    /// Takes the pictures until their end.
    pub work: Work<'a>,
}

/// What a consumer does.
pub type Work<'a> = Box<dyn FnOnce(Receiver<Feed>) -> Result<(), MediaError> + Send + 'a>;

/// Decodes the pictures of `chunk`, filters them, and gives them to all `consumers`; returns when all are done.
///
/// # Errors
/// The first one's that failed. [`MediaError::Stopped`] when `cancel` was set.
pub fn fan_out(
    file: &File,
    plan: &Plan,
    chunk: &Chunk,
    entry: &Entry,
    consumers: Vec<Consumer<'_>>,
    cancel: &Cancel,
) -> Result<(), MediaError> {
    let (pictures, decoded) = sync_channel(DECODED_PICTURES);
    thread::scope(|scope| {
        let mut feeds = Vec::new();
        let mut stages = Vec::new();
        for Consumer { size, name, work } in consumers {
            let (feed, fed) = sync_channel(FILTERED_PICTURES);
            feeds.push((size, feed));
            stages.push(spawn(scope, name, cancel, move || work(fed)));
        }
        stages.push(spawn(scope, "filter", cancel, move || filter::pictures(plan, &decoded, &feeds)));
        stages.push(spawn(scope, "decode", cancel, move || {
            let attempt = |entry: &Entry| {
                let mut source = open(file, cancel)?;
                decode::pictures(&mut source, &plan.timing, chunk, entry, &pictures, cancel)
            };
            if attempt(entry)? == Found::Yes {
                return Ok(());
            }
            // A stream that cannot be entered at its key pictures is decoded from its beginning, as the survey did.
            match attempt(&Entry { packet: 0, ..entry.clone() })? {
                Found::Yes => Ok(()),
                Found::No => Err(MediaError::Adrift(chunk.first.0)),
            }
        }));
        join(stages)
    })
}

/// Encodes the sound of the whole lesson, `segments` long, in both renditions.
///
/// # Errors
/// As for pictures.
pub fn sound(
    file: &File,
    plan: &Plan,
    segments: SegmentCount,
    messages: SyncSender<Message>,
    cancel: &Cancel,
) -> Result<(), MediaError> {
    let (sounds, decoded) = sync_channel(DECODED_SOUNDS);
    thread::scope(|scope| {
        let encode = spawn(scope, "sound", cancel, move || {
            let mut encoders = Vec::with_capacity(plan.sounds.len());
            for rung in &plan.sounds {
                encoders.push(SoundEncoder::new(rung, messages.clone())?);
            }
            drop(messages);
            match encoders.as_mut_slice() {
                [stereo, mono] => filter::sounds(plan.sides, plan.gain, &decoded, &mut [stereo, mono])?,
                _ => return Err(MediaError::Crashed("sound")),
            }
            encoders.into_iter().try_for_each(|encoder| encoder.finish(segments, cancel))
        });
        let decode = spawn(scope, "decode", cancel, move || {
            decode::sounds(&mut open(file, cancel)?, &plan.timing, &sounds, cancel)
        });
        join(vec![encode, decode])
    })
}

/// Opens the source from its first byte.
///
/// # Errors
/// When it cannot be read or is none of the containers.
pub fn open(file: &File, cancel: &Cancel) -> Result<Source, MediaError> {
    let unreadable = |error| MediaError::Source(crate::fault::SourceFault::Unreadable(error));
    let mut file = file.try_clone().map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let source = Source::open(file, cancel.clone());
    cancel.check()?;
    source.map_err(|error| MediaError::Source(not_media(&error)))
}

/// What FFmpeg's refusal of a file means to the one who gave it.
fn not_media(error: &crate::ffmpeg::FfmpegError) -> crate::fault::SourceFault {
    use crate::fault::SourceFault;
    if error.is_unknown_format() { SourceFault::NotMedia } else { SourceFault::Headers(error.to_string()) }
}

/// A thread of the journey.
struct Stage<'scope>(&'static str, Option<thread::ScopedJoinHandle<'scope, Result<(), MediaError>>>);

/// Starts a thread that stops all others when it fails.
fn spawn<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &'static str,
    cancel: &'scope Cancel,
    work: impl FnOnce() -> Result<(), MediaError> + Send + 'scope,
) -> Stage<'scope> {
    let work = move || {
        let stop = StopUnlessDone { cancel, done: false };
        let result = work();
        stop.when(result.is_ok());
        result
    };
    Stage(name, thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work).ok())
}

/// Waits for all. "Stopped" is only the echo of another stage's error: that one is told, whichever thread had it.
fn join(stages: Vec<Stage<'_>>) -> Result<(), MediaError> {
    let mut first = Ok(());
    for Stage(name, handle) in stages {
        let result = handle.map_or(Err(MediaError::Crashed(name)), |handle| {
            handle.join().unwrap_or(Err(MediaError::Crashed(name)))
        });
        if matches!(first, Ok(()) | Err(MediaError::Stopped)) && result.is_err() {
            first = result;
        }
    }
    first
}

/// Stops the others also when the thread panics.
struct StopUnlessDone<'a> {
    cancel: &'a Cancel,
    done: bool,
}

impl StopUnlessDone<'_> {
    fn when(mut self, done: bool) {
        self.done = done;
    }
}

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.cancel.stop();
        }
    }
}
