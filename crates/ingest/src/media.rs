//! The media journey: a source and a plan in, grid-aligned segments out. Knows no store, no network, no terminal.
//!
//! ```text
//! demux, decode ──▶ filter ──▶ encode s0 … s5 ──▶ messages
//!       │                                          ▲
//!       └──────────▶ filter, encode hi, lo ────────┘
//! ```
//!
//! Every arrow is a bounded channel, every box a thread. It talks to the rest of the program by [`Message`]s alone, so
//! that it can move into a process of its own: what arrives there is a file and a plan, what leaves are messages.

use crate::cancel::Cancel;
use crate::decode::{self, Damage};
use crate::encode;
use crate::encode::audio::SoundEncoder;
use crate::fault::MediaError;
use crate::ffmpeg::Source;
use crate::filter;
use crate::plan::Plan;
use grid::{SegmentCount, SegmentNumber};
use package::Rendition;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Decoded pictures between decoder and filters. Worst case 1080p: 4 × 3.1 MB; 4K: 4 × 13 MB.
const DECODED_PICTURES: usize = 4;
/// Decoded runs of sound between decoder and filters; some 20 ms each. Enough that sound which comes in large portions
/// between pictures does not stop them.
const DECODED_SOUNDS: usize = 512;
/// Filtered pictures before each encoder, so that a rung that thinks longer about one picture does not stop the others.
/// Worst case 1080p: 8 × 3.1 MB.
const FILTERED_PICTURES: usize = 8;

/// What the journey tells.
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
        /// From 0.
        number: SegmentNumber,
        /// The object.
        bytes: Vec<u8>,
    },
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Segments in every rendition.
    pub segments: SegmentCount,
    /// What was damaged in the source.
    pub damage: Damage,
}

/// Runs the whole journey; returns when the last message is sent.
///
/// # Errors
/// The first stage's that failed. [`MediaError::Stopped`] when `cancel` was set or nobody reads `messages` any more.
pub fn run(
    mut source: Source,
    plan: &Plan,
    messages: SyncSender<Message>,
    cancel: &Cancel,
) -> Result<Outcome, MediaError> {
    let (pictures, decoded_pictures) = sync_channel(DECODED_PICTURES);
    let (sounds, decoded_sounds) = sync_channel(DECODED_SOUNDS);
    thread::scope(|scope| {
        let mut feeds = Vec::new();
        let mut stages = Vec::new();
        for rung in &plan.rungs {
            let (feed, fed) = sync_channel(FILTERED_PICTURES);
            feeds.push(feed);
            let messages = messages.clone();
            let encode = move || encode::video::encode(rung, plan.rate, &fed, messages, cancel);
            stages.push(spawn(scope, "encode", cancel, encode));
        }
        let filter = move || filter::pictures(plan, &decoded_pictures, &feeds);
        stages.push(spawn(scope, "filter", cancel, filter));
        let sound = spawn(scope, "sound", cancel, move || {
            let mut encoders = Vec::with_capacity(plan.sounds.len());
            for rung in &plan.sounds {
                encoders.push(SoundEncoder::new(rung, messages.clone())?);
            }
            drop(messages);
            let segments = match encoders.as_mut_slice() {
                [stereo, mono] => filter::sounds(&decoded_sounds, &mut [stereo, mono])?,
                _ => return Err(MediaError::Crashed("sound")),
            };
            encoders.into_iter().try_for_each(|encoder| encoder.finish(segments, cancel))?;
            Ok(segments)
        });
        let decode = move || decode::decode(&mut source, plan, &pictures, &sounds, cancel);
        let decode = spawn(scope, "decode", cancel, decode);

        // "Stopped" is only the echo of another stage's error: that one is told, whichever thread had it.
        let mut first = None;
        let mut note = |error: MediaError| {
            if matches!(first, None | Some(MediaError::Stopped)) {
                first = Some(error);
            }
        };
        let damage = decode.join("decode").map_err(&mut note).ok();
        for stage in stages {
            let _ = stage.join("encode").map_err(&mut note);
        }
        let segments = sound.join("sound").map_err(&mut note).ok();
        match (first, segments, damage) {
            (None, Some(segments), Some(damage)) => Ok(Outcome { segments, damage }),
            (error, ..) => Err(error.unwrap_or(MediaError::Stopped)),
        }
    })
}

/// A thread of the journey.
struct Stage<'scope, T>(Option<thread::ScopedJoinHandle<'scope, Result<T, MediaError>>>);

/// Starts a thread that stops all others when it fails.
fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &'static str,
    cancel: &'scope Cancel,
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'scope,
) -> Stage<'scope, T> {
    let work = move || {
        let stop = StopUnlessDone { cancel, done: false };
        let result = work();
        stop.when(result.is_ok());
        result
    };
    Stage(thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work).ok())
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

impl<T> Stage<'_, T> {
    fn join(self, name: &'static str) -> Result<T, MediaError> {
        let handle = self.0.ok_or(MediaError::Crashed(name))?;
        handle.join().unwrap_or(Err(MediaError::Crashed(name)))
    }
}
