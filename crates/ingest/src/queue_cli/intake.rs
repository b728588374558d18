//! A file into a job: what it is, what it becomes, what makes it the same as another.

use super::QueueUsage;
use super::options::Wish;
use crate::fault::{OfFile, SourceFault};
use crate::papers::Papers;
use crate::plan::Ladder;
use crate::run;
use faults::AnyFault;
use package::{Description, Digest, Hasher, LessonId};
use queue::Job;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes hashed at once.
const BLOCK: usize = 1 << 20;

/// What all files of a command have in common.
pub(super) struct Intake<'a> {
    wish: &'a Wish,
    store: String,
    ladder: Option<PathBuf>,
    recipe: Digest,
}

impl<'a> Intake<'a> {
    pub(super) fn new(wish: &'a Wish) -> Result<Self, AnyFault> {
        let ladder: Ladder = run::ladder(wish.config.as_deref())?;
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| OfFile::new(path, SourceFault::Unreadable(error)))
        };
        // A worker runs in another folder.
        let store = match wish.store.contains("://") {
            true => wish.store.clone(),
            false => text(&absolute(Path::new(&wish.store))?)?,
        };
        let config = wish.config.as_deref().map(absolute).transpose()?;
        config.as_deref().map(text).transpose()?;
        Ok(Self { wish, store, ladder: config, recipe: ladder.digest(run::toolbox().scaler()) })
    }

    /// Reads the whole file once: its content is part of the job's key.
    pub(super) fn job(
        &self,
        file: &Path,
        lesson: Option<&LessonId>,
        meta: Option<&Path>,
    ) -> Result<Job, AnyFault> {
        let of_file = |error| OfFile::new(file, SourceFault::Unreadable(error));
        let source = std::path::absolute(file).map_err(of_file)?;
        text(&source)?;
        let about = std::fs::metadata(file).map_err(of_file)?;
        if !about.is_file() {
            return Err(OfFile::new(file, SourceFault::NotAFile).into());
        }
        if about.len() == 0 {
            return Err(OfFile::new(file, SourceFault::Empty).into());
        }
        let beside = file.with_extension("toml");
        let meta = meta.or_else(|| beside.is_file().then_some(beside.as_path()));
        let description = match meta {
            Some(path) => Description::parse(&settings::read(path)?, path)?,
            None => Description::default(),
        };
        let papers = Papers::beside(file, &[], &description)?.digest();
        let content = hash(file, papers).map_err(of_file)?;
        let lesson = lesson.cloned().unwrap_or_else(|| run::default_lesson(file));
        Ok(Job {
            source,
            content,
            lesson,
            description,
            store: self.store.clone(),
            ladder: self.ladder.clone(),
            recipe: self.recipe,
            priority: self.wish.priority,
            airs_at: None,
        })
    }
}

/// Of the file's bytes, and of what lies beside it.
fn hash(file: &Path, papers: Option<Digest>) -> std::io::Result<Digest> {
    let (mut file, mut hasher, mut block) = (File::open(file)?, Hasher::new(), vec![0; BLOCK]);
    loop {
        match file.read(&mut block)? {
            0 => break,
            count => hasher.update(&block[..count]),
        }
    }
    let content = hasher.finish();
    let Some(papers) = papers else { return Ok(content) };
    let mut both = Hasher::new();
    both.update(&content.0);
    both.update(&papers.0);
    Ok(both.finish())
}

fn text(path: &Path) -> Result<String, QueueUsage> {
    path.to_str().map(str::to_owned).ok_or_else(|| QueueUsage::Name(path.to_owned()))
}

/// A sentence about a job that was added.
pub(super) fn told(job: &Job, added: &queue::Added) -> String {
    use queue::Added;
    let key = &job.key().to_string()[..12];
    let what = match added {
        Added::New => format!("waits, priority {}", job.priority),
        Added::Raised => format!("was there and moves forward, priority {}", job.priority),
        Added::Waiting => "waits already".to_owned(),
        Added::Running => "is being done already".to_owned(),
        Added::Done => "was done already".to_owned(),
        Added::SetAside(reason) => format!(
            "was set aside before ({}: {}); let it run again with: airclass-ingest status --retry {key}",
            reason.code, reason.text
        ),
    };
    format!("{key} lesson {} {what}", job.lesson)
}
