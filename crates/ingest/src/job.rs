//! One file: `read → survey → plan → units → assemble → check → publish`, or no work when that was done before.

mod look;
mod make;
mod publish;
mod tell;

use crate::assemble;
use crate::cancel::Cancel;
use crate::fault::{MediaError, OfFile, SourceFault};
use crate::ffmpeg;
use crate::gate;
use crate::papers::{Papers, SubtitleFile};
use crate::plan::{Ladder, Plan, Toolbox};
use crate::prescan::prescan;
use crate::progress::{Done, Follow, Report, Stage};
use crate::quality::{self, Policy, QualityFault};
use crate::sound;
use crate::spool::Spool;
use crate::title;
use crate::worker::Limits;
use faults::{AnyFault, Fault};
use package::ingest::{IngestKey, IngestRecord};
use package::manifest::{MAX_MANIFEST_BYTES, Recipe};
use package::{Description, Digest, Hasher, Lesson, LessonId, Manifest, PackageId, Sealed, layout};
use signing::SigningKey;
use std::fs::{File, Metadata};
use std::io::{Read, Seek};
use std::path::Path;
use std::time::SystemTime;
use storage::{Store, StoreError};
use tokio::runtime::Runtime;

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
    /// What counts as a fault of quality.
    pub quality: &'a Policy,
    /// The filters at hand.
    pub toolbox: Toolbox,
    /// Subtitles given by name, for the one file there is.
    pub subtitles: &'a [SubtitleFile],
    /// Units of a lesson worked on at the same time, at least 1. The result does not depend on it.
    pub workers: usize,
    /// What each worker may take.
    pub limits: Limits,
    /// What manifests are signed with, if they are.
    pub sign_key: Option<&'a SigningKey>,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
    /// Whether the lesson may become what was made of it: asked before it is uploaded, and just before it does, since who has lost the
    /// job to another would put it in the place of what came after it.
    pub hold: &'a (dyn Fn() -> Result<(), Ended> + Sync),
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
    let (mut source, stamp) = open(file).map_err(|fault| OfFile::new(file, fault))?;
    let length = stamp.bytes;
    let job = Job { workshop, path: file, stamp, lesson, description, damaged: false };
    let papers = Papers::beside(file, workshop.subtitles, description)?;
    let sha256 = job.hash(&mut source, length, report)?;
    job.is_at_rest(&source)?;
    let recipe = workshop.ladder.digest(workshop.toolbox.scaler());
    let key = IngestKey::of(&sha256, &recipe, &ffmpeg::build());
    let key = papers.digest().map_or(key, |digest| key.beside(&digest));
    let before = job.shown();
    if let Some(done) = job.known(&key)? {
        job.tell_replaced(before, &done, report);
        report.done(&done);
        return Ok(done);
    }
    let job = Job { damaged: job.is_published(&key)?, ..job };
    let warning = prescan(&mut source, length).map_err(|fault| OfFile::new(file, fault))?;
    source.rewind().map_err(|error| OfFile::new(file, SourceFault::Unreadable(error)))?;
    warning.iter().for_each(|warning| report.note(warning));
    let spool = Spool::new(workshop.runtime, workshop.store, &key);
    let recipe = Recipe { name: workshop.ladder.name.clone(), sha256: recipe, ffmpeg: ffmpeg::build() };
    let origin = package::manifest::Source { sha256, bytes: length };
    let done = match job.produce(&source, (recipe, origin), papers, key, &spool, report) {
        // Another process may have been at the same lesson, and faster: what it left is what we wanted.
        Err(Ended::Fault(fault)) => job.known(&key)?.ok_or(Ended::Fault(fault))?,
        done => done?,
    };
    spool.clear();
    job.tell_replaced(before, &done, report);
    report.done(&done);
    Ok(done)
}

/// The package that was made of this before; `None` too when the record of it makes no sense.
async fn recorded(store: &Store, key: &IngestKey) -> Result<Option<PackageId>, StoreError> {
    let record = store.get(&key.path(), MAX_RECORD_BYTES).await?;
    Ok(record.and_then(|record| IngestRecord::parse(&record.bytes)).map(|record| record.package))
}

/// That package, where it is in the store; one that is not what it should be costs an ingest and nothing else.
async fn whole(store: &Store, key: &IngestKey) -> Result<Option<Sealed>, Ended> {
    let Some(id) = recorded(store, key).await? else { return Ok(None) };
    let Some(manifest) = store.get(&id.manifest(), MAX_MANIFEST_BYTES).await? else { return Ok(None) };
    let Ok(package) = Manifest::parse(&manifest.bytes) else { return Ok(None) };
    let is_whole = package.id() == id && storage::is_whole(store, &package).await?;
    Ok(is_whole.then_some(package))
}

/// What a file is like that nobody writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    /// `None` where the system does not say.
    modified: Option<SystemTime>,
}

impl From<&Metadata> for Stamp {
    fn from(about: &Metadata) -> Self {
        Self { bytes: about.len(), modified: about.modified().ok() }
    }
}

impl Stamp {
    /// That `file` is still what it was: a lesson made of the half that was there would end in the middle, without a word.
    fn still(self, file: &File) -> Result<(), SourceFault> {
        let now = file.metadata().map_err(SourceFault::Unreadable)?;
        if Self::from(&now) == self { Ok(()) } else { Err(SourceFault::Changes) }
    }
}

/// The file and what it is like.
fn open(path: &Path) -> Result<(File, Stamp), SourceFault> {
    let about = std::fs::metadata(path).map_err(SourceFault::Unreadable)?;
    // Opening a pipe would wait for its writer.
    if !about.is_file() {
        return Err(SourceFault::NotAFile);
    }
    let file = File::open(path).map_err(SourceFault::Unreadable)?;
    match about.len() {
        0 => Err(SourceFault::Empty),
        _ => Ok((file, Stamp::from(&about))),
    }
}

struct Job<'a> {
    workshop: &'a Workshop<'a>,
    path: &'a Path,
    /// As it was when it was opened.
    stamp: Stamp,
    lesson: &'a LessonId,
    description: &'a Description,
    /// A package was there before that is not whole: that one is there ends nobody's work.
    damaged: bool,
}

impl Job<'_> {
    fn stopped(&self) -> Result<(), Ended> {
        if self.workshop.cancel.is_stopped() { Err(Ended::Stopped) } else { Ok(()) }
    }

    fn is_at_rest(&self, source: &File) -> Result<(), Ended> {
        Ok(self.stamp.still(source).map_err(|fault| self.of_file(fault))?)
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

    /// What the lesson is now. Where the store cannot say, there is nothing to tell: publishing finds what is wrong.
    fn shown(&self) -> Option<PackageId> {
        let Workshop { runtime, store, .. } = self.workshop;
        runtime.block_on(store.lesson(self.lesson)).ok().flatten()?.package
    }

    /// A plan names packages: where it shows the lesson it goes on with the one that was there `before`.
    fn tell_replaced(&self, before: Option<PackageId>, done: &Done, report: &mut dyn Report) {
        if before.is_some_and(|before| before != done.package) {
            report.note(&format!(
                "lesson {lesson} was another package before; days whose plan shows it keep to that one until their timetable is \
                 compiled and published again; `airclass package rollback {lesson}` brings it back",
                lesson = self.lesson
            ));
        }
    }

    /// The lesson, when its package is in the store already: it is made to point there.
    fn known(&self, key: &IngestKey) -> Result<Option<Done>, Ended> {
        let Workshop { runtime, store, hold, .. } = self.workshop;
        let Some(package) = runtime.block_on(whole(store, key))? else { return Ok(None) };
        hold()?;
        let lesson = self.described(&package);
        runtime.block_on(async {
            if let Some(sign_key) = self.workshop.sign_key {
                storage::sign(store, package.id(), sign_key.sign(package.bytes())).await?;
            }
            storage::point(store, &lesson).await
        })?;
        Ok(Some(self.done(&package, true)))
    }

    /// Whether the package is in the store by now.
    fn is_published(&self, key: &IngestKey) -> Result<bool, StoreError> {
        let Workshop { runtime, store, .. } = self.workshop;
        runtime.block_on(async {
            let Some(id) = recorded(store, key).await? else { return Ok(false) };
            Ok(store.head(&id.manifest()).await?.is_some())
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

    /// Everything from the first look to the pointer.
    fn produce(
        &self,
        source: &File,
        (recipe, origin): (Recipe, package::manifest::Source),
        mut papers: Papers,
        key: IngestKey,
        spool: &Spool<'_>,
        report: &mut dyn Report,
    ) -> Result<Done, Ended> {
        let survey = self.survey(source, spool, report);
        // Before what came of it: of a file that is still copied the end is missing.
        self.is_at_rest(source)?;
        let survey = survey?;
        tell::source(&survey, report);
        let findings = quality::findings(&survey.measures, self.description, self.workshop.quality);
        findings.iter().for_each(|finding| report.note(&finding.to_string()));
        if let Some(fault) = QualityFault::of(&findings) {
            return Err(self.of_file(fault).into());
        }
        let tracks: Vec<_> = survey.texts.tracks(&papers.language).collect();
        papers.within(tracks, survey.texts.chapters.clone());
        let mut plan = Plan::new(&survey.source, self.workshop.ladder, self.workshop.toolbox);
        plan.sides = survey.measures.sides();
        plan.gain = sound::gain(
            survey.measures.loudness_behind_sides().as_ref(),
            &self.workshop.ladder.audio.target(),
        );
        let plan = self.own_rates(source, plan, &survey, spool, report)?;
        let records = self.make(source, &plan, &survey, &key, spool, report)?;
        let mut pieces = make::pieces(&records)?;
        let noticed = assemble::report(&survey, &plan, self.description)?;
        pieces.object(layout::report(), spool.write(&layout::report(), noticed)?);
        let package = pieces.seal(&plan, survey.segments, recipe, origin, &papers, spool)?;
        let (spent_bps, fixed_bps) = title::against_fixed(&package.manifest().video);
        tracing::info!(spent_bps, fixed_bps, content = ?plan.content, "H.264 rungs against the fixed ladder");
        let mut follow = Follow::begin(report, Stage::Check);
        gate::pass(spool, &mut follow)?;
        follow.end();
        self.stopped()?;
        self.is_at_rest(source)?;
        self.publish(&package, key, spool, report)
    }

    /// A media error, told with the file's name, unless it only says that somebody stopped us.
    fn ended(&self, error: MediaError) -> Ended {
        if self.workshop.cancel.is_stopped() { Ended::Stopped } else { self.of_file(error).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_file_to_which_somebody_writes_is_told_from_one_at_rest() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"half").unwrap();
        let (source, stamp) = open(file.path()).unwrap();
        assert!(stamp.still(&source).is_ok());
        file.write_all(b"more").unwrap();
        assert!(matches!(stamp.still(&source), Err(SourceFault::Changes)), "it grows");
        let stamp = Stamp::from(&source.metadata().unwrap());
        file.as_file().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(matches!(stamp.still(&source), Err(SourceFault::Changes)), "as long, and written to");
        assert_eq!(Fault::code(&SourceFault::Changes), "SOURCE_CHANGES");
    }
}
