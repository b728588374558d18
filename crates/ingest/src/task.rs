//! What a worker is asked to do, and what it answers. Both cross a pipe.

use crate::cancel::Cancel;
use crate::chunk::{Chunk, Entry};
use crate::cmaf::{Still, stills};
use crate::encode::slides::Slide;
use crate::fault::MediaError;
use crate::media::{self, Message};
use crate::plan::{Ladder, Plan, Timing};
use crate::survey::{Survey, survey};
use crate::texts::texts;
use crate::title::{self, Content, Excerpt, Pass};
use grid::{SegmentCount, SegmentNumber};
use package::{Codec, Rendition};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Segments on their way from encoders to the pipe. Worst case 8 × 3 MB (a full 5 Mbit/s segment).
const MESSAGES: usize = 8;

/// One piece of work on a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Decode everything once and say what it is.
    Survey,
    /// Encode an excerpt in the rungs of a codec at one quality and say what came of it.
    Trial {
        /// What is made of the source.
        plan: Box<Plan>,
        /// Between which qualities to try.
        ladder: Box<Ladder>,
        /// What kind of lesson it is.
        content: Content,
        /// In which rungs, at which quality.
        pass: Pass,
        /// What to try.
        excerpt: Excerpt,
    },
    /// Encode the pictures of a chunk in the rungs of a codec; single pictures come with H.264.
    Pictures {
        /// What is made of the source.
        plan: Box<Plan>,
        /// In which rungs.
        codec: Codec,
        /// Which pictures.
        chunk: Chunk,
        /// From where they are decoded.
        entry: Entry,
    },
    /// Encode all sound.
    Sound {
        /// What is made of the source.
        plan: Box<Plan>,
        /// How long the lesson is.
        segments: SegmentCount,
    },
}

/// One answer: a header, and the bytes it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it is.
    pub header: Header,
    /// The object, where there is one.
    pub body: Vec<u8>,
}

/// What an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// So much of the media is done; nothing in the body.
    Progress {
        /// Milliseconds of the lesson.
        media_ms: u64,
        /// Of so many, as the container says.
        of_ms: Option<u64>,
    },
    /// The survey, as JSON in the body.
    Survey,
    /// What was tried, as JSON in the body.
    Trial,
    /// An init section.
    Init {
        /// Whose.
        rendition: Rendition,
        /// RFC 6381.
        codecs: String,
    },
    /// A segment.
    Segment {
        /// Whose.
        rendition: Rendition,
        /// In the lesson, from 0.
        number: SegmentNumber,
        /// Pictures in it that can be decoded by themselves; none in sound.
        #[serde(default)]
        stills: Vec<Still>,
    },
    /// A sheet of the storyboard.
    Sheet {
        /// In the lesson, from 0.
        sheet: u32,
    },
    /// A slide.
    Slide(Slide),
}

/// What takes answers, in order.
pub type Sink<'a> = dyn FnMut(Answer) -> Result<(), MediaError> + 'a;

/// Does the task on `file` and gives what comes of it to `sink`.
///
/// # Errors
/// When it cannot be done, when `sink` fails, or when somebody stopped it.
pub fn perform(task: &Task, file: &File, sink: &mut Sink<'_>, cancel: &Cancel) -> Result<(), MediaError> {
    match task {
        Task::Survey => {
            let mut tell = |media: Duration, of: Option<Duration>| {
                let header = Header::Progress { media_ms: millis(media), of_ms: of.map(millis) };
                sink(Answer { header, body: Vec::new() })
            };
            let mut survey: Survey = survey(&|| media::open(file, cancel), &mut tell, cancel)?;
            let origin = Timing::of(&survey.source).origin;
            survey.texts = texts(&mut media::open(file, cancel)?, origin, cancel)?;
            let body = serde_json::to_vec(&survey).expect("plain structs with string keys");
            sink(Answer { header: Header::Survey, body })
        }
        Task::Trial { plan, ladder, content, pass, excerpt } => {
            let parts = title::trial(file, plan, ladder, *content, *pass, excerpt, cancel)?;
            let body = serde_json::to_vec(&parts).expect("plain structs with string keys");
            sink(Answer { header: Header::Trial, body })
        }
        Task::Pictures { plan, codec, chunk, entry } => forward(sink, cancel, |messages| {
            media::pictures(file, plan, *codec, chunk, entry, messages, cancel)
        }),
        Task::Sound { plan, segments } => {
            forward(sink, cancel, |messages| media::sound(file, plan, *segments, messages, cancel))
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Runs `work` on a thread of its own and its messages through `sink` on this one.
fn forward(
    sink: &mut Sink<'_>,
    cancel: &Cancel,
    work: impl FnOnce(std::sync::mpsc::SyncSender<Message>) -> Result<(), MediaError> + Send,
) -> Result<(), MediaError> {
    let (messages, arriving) = sync_channel(MESSAGES);
    std::thread::scope(|scope| {
        let work = scope.spawn(move || work(messages));
        let sunk = arriving.iter().try_for_each(|message| sink(message.into()));
        if sunk.is_err() {
            cancel.stop();
        }
        // Nobody reads any more: whoever still sends learns it.
        drop(arriving);
        let worked = work.join().unwrap_or(Err(MediaError::Crashed("media")));
        // The sink's own error first: the media side then only says that nobody listens.
        sunk.and(worked)
    })
}

impl From<Message> for Answer {
    fn from(message: Message) -> Self {
        match message {
            Message::Init { rendition, codecs, bytes } => {
                Self { header: Header::Init { rendition, codecs }, body: bytes }
            }
            Message::Segment { rendition, number, bytes } => {
                // The cutter has read these boxes before. What has no picture where one must be is found when playlists
                // are made.
                let stills = match rendition {
                    Rendition::Audio(_) => Vec::new(),
                    Rendition::Video(_) | Rendition::Trick => stills(&bytes).unwrap_or_default(),
                };
                Self { header: Header::Segment { rendition, number, stills }, body: bytes }
            }
            Message::Sheet { sheet, bytes } => Self { header: Header::Sheet { sheet }, body: bytes },
            Message::Slide { slide, bytes } => Self { header: Header::Slide(slide), body: bytes },
        }
    }
}
