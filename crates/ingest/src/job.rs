//! One file: `read → probe → plan → transcode → assemble → publish`, or no work when that was done before.

use crate::assemble::{AssembleError, Pieces};
use crate::cancel::Cancel;
use crate::fault::{MediaError, OfFile, SourceFault};
use crate::ffmpeg::{self, FfmpegError, Source};
use crate::media::{self, Message, Outcome};
use crate::plan::{Ladder, Plan, Toolbox};
use crate::prescan::prescan;
use crate::probe::probe;
use crate::progress::{Done, Follow, Report, Stage};
use crate::spool::Spool;
use faults::{AnyFault, Blame, Fault};
use grid::{SEGMENT, SegmentCount};
use package::ingest::{IngestKey, IngestRecord};
use package::manifest::{MAX_MANIFEST_BYTES, Recipe};
use package::{Description, Digest, Hasher, Lesson, LessonId, Manifest, Sealed};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use storage::{Publication, StagedDirectory, Store};
use tokio::runtime::Runtime;

/// Segments on their way from encoders to the disk. Worst case 16 × 3 MB (a full 5 Mbit/s segment).
const MESSAGES: usize = 16;
/// Bytes of the source hashed at once.
const READ_BLOCK: usize = 1 << 20;
/// The longest record read from `ingests/`.
const MAX_RECORD_BYTES: usize = 4 << 10;

/// Everything a job needs besides its file.
pub struct Workshop<'a> {
    /// For the store's sake; nothing else is asynchronous here.
    pub runtime: &'a Runtime,
    /// Where lessons go.
    pub store: &'a Store,
    /// The recipe.
    pub ladder: &'a Ladder,
    /// The filters at hand.
    pub toolbox: Toolbox,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
}

/// Why a job ended without a lesson.
#[derive(Debug)]
pub enum Ended {
    /// Somebody stopped it. Nothing half is visible; the same command completes it.
    Stopped,
    /// A fault, to be reported.
    Fault(AnyFault),
}

impl<F: Fault + Send + Sync + 'static> From<F> for Ended {
    fn from(fault: F) -> Self {
        Self::Fault(AnyFault::from(fault))
    }
}

/// A failure of the place where the package is made.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the store's .ingest folder: {0}; make room and make it writable for this user")]
struct SpoolFault(#[from] io::Error);

impl Fault for SpoolFault {
    fn code(&self) -> &'static str {
        match self.0.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "STORE_FULL",
            _ => "STORE_NOT_WRITABLE",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Makes `file` the lesson `lesson`.
///
/// # Errors
/// When it cannot be done, or somebody stopped it. What was visible before still is.
pub fn ingest(
    workshop: &Workshop<'_>,
    file: &Path,
    lesson: &LessonId,
    description: &Description,
    report: &mut dyn Report,
) -> Result<Done, Ended> {
    report.begin(file);
    let job = Job { workshop, path: file, lesson, description };
    let (mut source, length) = open(file).map_err(|fault| OfFile::new(file, fault))?;
    let sha256 = job.hash(&mut source, length, report)?;
    let recipe = workshop.ladder.digest(workshop.toolbox.scaler());
    let key = IngestKey::of(&sha256, &recipe, &ffmpeg::build());
    if let Some(done) = job.known(&key)? {
        report.done(&done);
        return Ok(done);
    }
    let warning = prescan(&mut source, length).map_err(|fault| OfFile::new(file, fault))?;
    source.rewind().map_err(|error| OfFile::new(file, SourceFault::Unreadable(error)))?;
    warning.iter().for_each(|warning| report.note(warning));
    let spool = Spool::create(workshop.store.root()).map_err(SpoolFault)?;
    let recipe = Recipe { name: workshop.ladder.name.clone(), sha256: recipe, ffmpeg: ffmpeg::build() };
    let origin = package::manifest::Source { sha256, bytes: length };
    let package = job.transcode(source, recipe, origin, &spool, report)?;
    let done = job.publish(&package, key, &spool, report)?;
    report.done(&done);
    Ok(done)
}

/// The file and its length.
fn open(path: &Path) -> Result<(File, u64), SourceFault> {
    let about = std::fs::metadata(path).map_err(SourceFault::Unreadable)?;
    // Opening a pipe would wait for its writer.
    if !about.is_file() {
        return Err(SourceFault::NotAFile);
    }
    let file = File::open(path).map_err(SourceFault::Unreadable)?;
    match about.len() {
        0 => Err(SourceFault::Empty),
        length => Ok((file, length)),
    }
}

struct Job<'a> {
    workshop: &'a Workshop<'a>,
    path: &'a Path,
    lesson: &'a LessonId,
    description: &'a Description,
}

impl Job<'_> {
    fn stopped(&self) -> Result<(), Ended> {
        if self.workshop.cancel.is_stopped() { Err(Ended::Stopped) } else { Ok(()) }
    }

    fn of_file<F: Fault>(&self, fault: F) -> OfFile<F> {
        OfFile::new(self.path, fault)
    }

    fn hash(&self, source: &mut File, length: u64, report: &mut dyn Report) -> Result<Digest, Ended> {
        let mut follow = Follow::begin(report, Stage::Read);
        let mut hasher = Hasher::new();
        let mut block = vec![0; READ_BLOCK];
        let mut read = 0;
        loop {
            self.stopped()?;
            let count =
                source.read(&mut block).map_err(|error| self.of_file(SourceFault::Unreadable(error)))?;
            if count == 0 {
                break;
            }
            hasher.update(&block[..count]);
            read += count as u64;
            follow.at(read, length, None);
        }
        source.rewind().map_err(|error| self.of_file(SourceFault::Unreadable(error)))?;
        follow.end();
        Ok(hasher.finish())
    }

    /// The lesson, when its package is in the store already: it is made to point there.
    fn known(&self, key: &IngestKey) -> Result<Option<Done>, Ended> {
        let Workshop { runtime, store, .. } = self.workshop;
        runtime.block_on(async {
            let Some(record) = store.get(&key.path(), MAX_RECORD_BYTES).await? else { return Ok(None) };
            let Some(record) = IngestRecord::parse(&record.bytes) else { return Ok(None) };
            let Some(manifest) = store.get(&record.package.manifest(), MAX_MANIFEST_BYTES).await? else {
                return Ok(None);
            };
            // A record or manifest that is not what it should be costs an ingest and nothing else.
            let Ok(package) = Manifest::parse(&manifest.bytes) else { return Ok(None) };
            let lesson = self.described(&package);
            storage::point(store, &lesson).await?;
            Ok(Some(self.done(&package, true)))
        })
    }

    fn described(&self, package: &Sealed) -> Lesson {
        let stem = self.path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        Lesson::new(self.lesson.clone(), package.id(), package.manifest(), self.description, &stem)
    }

    fn done(&self, package: &Sealed, unchanged: bool) -> Done {
        Done {
            lesson: self.lesson.clone(),
            package: package.id(),
            path: self.lesson.pointer().to_string(),
            duration_ms: package.manifest().duration_ms(),
            bytes: package.manifest().total_bytes(),
            unchanged,
        }
    }

    fn transcode(
        &self,
        file: File,
        recipe: Recipe,
        origin: package::manifest::Source,
        spool: &Spool,
        report: &mut dyn Report,
    ) -> Result<Sealed, Ended> {
        let Workshop { ladder, toolbox, cancel, .. } = *self.workshop;
        let source = Source::open(file, cancel.flag());
        self.stopped()?;
        let source = source.map_err(|error| self.of_file(not_media(&error)))?;
        let info = probe(&source).map_err(|fault| self.of_file(fault))?;
        info.notes.iter().for_each(|note| report.note(note));
        let plan = Plan::new(&info, ladder, toolbox);
        let mut follow = Follow::begin(report, Stage::Transcode);
        let (messages, arriving) = sync_channel(MESSAGES);
        let (outcome, pieces) = std::thread::scope(|scope| {
            let media = scope.spawn(|| media::run(source, &plan, messages, cancel));
            let pieces = collect(&plan, &arriving, spool, &mut follow);
            // Nobody reads any more: whoever still sends learns it, also when the disk was full.
            drop(arriving);
            (media.join().unwrap_or(Err(MediaError::Crashed("media"))), pieces)
        });
        // A full disk first: the media side then only says that nobody listens.
        let pieces = pieces.map_err(SpoolFault)?;
        let Outcome { segments, damage } = match outcome {
            Err(MediaError::Stopped) => return Err(Ended::Stopped),
            outcome => outcome.map_err(|error| self.of_file(error))?,
        };
        self.stopped()?;
        if damage.is_visible() {
            follow.note(&format!(
                "the file is damaged: {} stretches unreadable, {} packets undecodable, {} pictures incomplete; the lesson shows what is left",
                damage.unreadable, damage.undecodable, damage.guessed
            ));
        }
        if damage.jumps > 0 {
            follow.note(&format!(
                "the file's clock jumps {} times; the lesson runs on without gaps",
                damage.jumps
            ));
        }
        follow.end();
        Ok(pieces.seal(&plan, segments, recipe, origin, spool).map_err(|error: AssembleError| error)?)
    }

    fn publish(
        &self,
        package: &Sealed,
        key: IngestKey,
        spool: &Spool,
        report: &mut dyn Report,
    ) -> Result<Done, Ended> {
        let Workshop { runtime, store, cancel, .. } = self.workshop;
        let lesson = self.described(package);
        let publication = Publication { package, lesson: &lesson, ingest: Some(key) };
        let staged = StagedDirectory(spool.path().to_owned());
        let (progress, told) = sync_channel::<storage::Progress>(1);
        let mut follow = Follow::begin(report, Stage::Publish);
        let published = std::thread::scope(|scope| {
            let publish = scope.spawn(move || {
                runtime.block_on(storage::publish(store, publication, &staged, |at| {
                    // Shown when somebody looks; never waited for.
                    let _ = progress.try_send(at);
                    if cancel.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }))
            });
            for at in told {
                follow.at(at.bytes, at.bytes_total, None);
            }
            publish.join()
        });
        match published {
            Ok(Ok(_)) => {}
            Ok(Err(storage::PublishError::Stopped)) => return Err(Ended::Stopped),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(MediaError::Crashed("publish").into()),
        }
        follow.end();
        Ok(self.done(package, false))
    }
}

/// Writes what arrives to the spool until nobody sends any more.
fn collect(
    plan: &Plan,
    arriving: &Receiver<Message>,
    spool: &Spool,
    follow: &mut Follow<'_>,
) -> io::Result<Pieces> {
    let renditions = (plan.rungs.len() + plan.sounds.len()) as u64;
    let declared =
        plan.declared.map_or(0, |length| u64::from(SegmentCount::covering(length.to_duration()).0));
    let mut pieces = Pieces::default();
    while let Ok(message) = arriving.recv() {
        match message {
            Message::Init { rendition, codecs, bytes } => {
                pieces.init(rendition, codecs, spool.write(&rendition.init(), &bytes)?);
            }
            Message::Segment { rendition, number, bytes } => {
                pieces.segment(rendition, number, spool.write(&rendition.segment(number), &bytes)?);
                let done = pieces.segments();
                let media = SEGMENT * u32::try_from(done).unwrap_or(u32::MAX)
                    / u32::try_from(renditions).unwrap_or(1);
                follow.at(done, declared * renditions, Some(media));
            }
        }
    }
    Ok(pieces)
}

/// What FFmpeg's refusal of a file means to the one who gave it.
fn not_media(error: &FfmpegError) -> SourceFault {
    if error.is_unknown_format() { SourceFault::NotMedia } else { SourceFault::Headers(error.to_string()) }
}
