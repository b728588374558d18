//! `airclass-ingest run`: options into jobs, jobs into an exit status.

use crate::cancel::Cancel;
use crate::cli::Run;
use crate::equivalent;
use crate::fault::{MediaError, OfFile, SourceFault, shown};
use crate::ffmpeg::{self, Verbosity};
use crate::job::{self, Ended, Workshop};
use crate::plan::{Ladder, Plan, Toolbox};
use crate::progress::{self, Report};
use crate::quality::Policy;
use crate::signals;
use crate::survey::Survey;
use crate::task::{Answer, Header, Task};
use crate::worker::{self, Limits};
use faults::{AnyFault, Fault, note, say};
use package::{Description, Digest, LessonId};
use settings::SettingsError;
use signing::SigningKey;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use storage::Store;

/// Exit status of a run that was interrupted: 128 and the number of SIGINT, as shells count.
pub(crate) const INTERRUPTED: u8 = 130;

/// A command line that contradicts itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageFault {
    #[error("--lesson names one lesson, but there are {0} files; leave it out or give one file")]
    LessonForMany(usize),
    #[error("--meta gives one title, but there are {0} files; leave the title out or give one file")]
    TitleForMany(usize),
    #[error(
        "--subtitles are those of one lesson, but there are {0} files; put them beside their files instead"
    )]
    SubtitlesForMany(usize),
    #[error("{} and {} would both become lesson `{lesson}`; rename one or ingest it alone with --lesson", shown(&.files.0), shown(&.files.1))]
    SameLesson { lesson: LessonId, files: Box<(PathBuf, PathBuf)> },
    #[error("the system gives no {what}: {source}; try again")]
    System { what: &'static str, source: std::io::Error },
}

impl Fault for UsageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::LessonForMany(_) | Self::SameLesson { .. } => "LESSON_NAME",
            Self::TitleForMany(_) => "LESSON_TITLE",
            Self::SubtitlesForMany(_) => "LESSON_SUBTITLES",
            Self::System { .. } => "SYSTEM",
        }
    }

    fn blame(&self) -> faults::Blame {
        match self {
            Self::System { .. } => faults::Blame::Ours,
            _ => faults::Blame::Input,
        }
    }
}

/// Runs it.
pub fn run(options: &Run) -> ExitCode {
    ffmpeg::set_up(verbosity(options));
    match begin(options) {
        Ok(status) => status,
        Err(fault) => fault.report(),
    }
}

fn begin(options: &Run) -> Result<ExitCode, AnyFault> {
    let ladder = ladder(options.config.as_deref())?;
    if let Some(folder) = &options.print_ffmpeg {
        return options
            .files
            .iter()
            .try_for_each(|file| print_ffmpeg(file, &ladder, folder))
            .map(|()| ExitCode::SUCCESS);
    }
    let quality = quality(options, &ladder)?;
    let description = description(options)?;
    let lessons = lessons(&options.files, options.lesson.as_ref())?;
    if options.files.len() > 1 && !options.subtitles.is_empty() {
        return Err(UsageFault::SubtitlesForMany(options.files.len()).into());
    }
    let sign_key = options.sign_key.as_deref().map(SigningKey::read).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| UsageFault::System { what: "event queue", source })?;
    let store = runtime.block_on(Store::create(&options.store))?;
    let cancel = Cancel::new();
    signals::stop_on_interrupt(&cancel)
        .map_err(|source| UsageFault::System { what: "signal handler", source })?;
    let workshop = Workshop {
        runtime: &runtime,
        store: &store,
        ladder: &ladder,
        quality: &quality,
        toolbox: toolbox(),
        subtitles: &options.subtitles,
        workers: options.workers.map_or_else(default_workers, usize::from),
        limits: Limits { verbosity: verbosity(options), ..Limits::default() },
        sign_key: sign_key.as_ref(),
        cancel: &cancel,
        hold: &|| Ok(()),
    };
    let mut report = progress::report(options.json);
    let mut worst = 0;
    for (file, lesson) in options.files.iter().zip(&lessons) {
        match job::ingest(&workshop, file, lesson, &description, report.as_mut()) {
            Ok(_) => {}
            Err(Ended::Stopped) => {
                report.failed("INTERRUPTED", "nothing of it is visible; the same command completes it");
                note!("INTERRUPTED: nothing of {} is visible; the same command completes it", shown(file));
                return Ok(ExitCode::from(INTERRUPTED));
            }
            Err(Ended::Fault(fault)) => {
                tell(report.as_mut(), &fault);
                // The next file may be a good one.
                worst = worst.max(fault.blame().exit_status());
            }
        }
    }
    Ok(ExitCode::from(worst))
}

fn verbosity(options: &Run) -> Verbosity {
    if options.verbose { Verbosity::Chatty } else { Verbosity::Silent }
}

/// A unit keeps about two cores busy: its encoders run beside each other.
pub(crate) fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.div_ceil(2)
}

pub(crate) fn tell(report: &mut dyn Report, fault: &AnyFault) {
    let line = fault.line();
    let text = line.strip_prefix(fault.code()).map_or(line.as_str(), |rest| rest.trim_start_matches(": "));
    report.failed(fault.code(), text);
    note!("{line}");
}

pub(crate) fn toolbox() -> Toolbox {
    Toolbox { zscale: ffmpeg::has_filter("zscale"), tonemap: ffmpeg::has_filter("tonemap") }
}

pub(crate) fn ladder(path: Option<&Path>) -> Result<Ladder, SettingsError> {
    match path {
        None => Ladder::shipped(),
        Some(path) => Ladder::parse(&settings::read(path)?, path),
    }
}

fn quality(options: &Run, ladder: &Ladder) -> Result<Policy, SettingsError> {
    let mut policy = match &options.quality {
        None => Policy::shipped()?,
        Some(path) => Policy::parse(&settings::read(path)?, path)?,
    };
    policy.target = Some(ladder.audio.target());
    policy.expected_length = options.expect_length;
    policy.accept_all = options.accept_quality;
    Ok(policy)
}

fn description(options: &Run) -> Result<Description, AnyFault> {
    let Some(path) = &options.meta else { return Ok(Description::default()) };
    let description = Description::parse(&settings::read(path)?, path)?;
    match (&description.title, options.files.len()) {
        (Some(_), files @ 2..) => Err(UsageFault::TitleForMany(files).into()),
        _ => Ok(description),
    }
}

/// Each file's lesson.
pub(crate) fn lessons(files: &[PathBuf], given: Option<&LessonId>) -> Result<Vec<LessonId>, UsageFault> {
    match (given, files) {
        (Some(lesson), [_]) => return Ok(vec![lesson.clone()]),
        (Some(_), files) => return Err(UsageFault::LessonForMany(files.len())),
        (None, _) => {}
    }
    let mut taken: BTreeMap<LessonId, &PathBuf> = BTreeMap::new();
    for file in files {
        let lesson = default_lesson(file);
        if let Some(other) = taken.insert(lesson.clone(), file) {
            return Err(UsageFault::SameLesson { lesson, files: Box::new((other.clone(), file.clone())) });
        }
    }
    Ok(files.iter().map(|file| default_lesson(file)).collect())
}

/// The file's name as a lesson's. What has other letters than ASCII gets a number made of its name, always the same:
/// leaving the letters out would make one lesson of many.
pub(crate) fn default_lesson(file: &Path) -> LessonId {
    let stem = file.file_stem().unwrap_or_default();
    let slug = stem.to_str().filter(|stem| stem.is_ascii()).and_then(LessonId::from_stem);
    slug.unwrap_or_else(|| {
        let hash = Digest::of(stem.as_encoded_bytes()).to_string();
        format!("lesson-{}", &hash[..8]).parse().expect("digits and letters")
    })
}

fn print_ffmpeg(file: &Path, ladder: &Ladder, folder: &Path) -> Result<(), AnyFault> {
    let opened = fs::File::open(file).map_err(|error| OfFile::new(file, SourceFault::Unreadable(error)))?;
    let mut survey = None;
    let mut sink = |answer: Answer| {
        if answer.header == Header::Survey {
            survey = serde_json::from_slice::<Survey>(&answer.body).ok();
        }
        Ok(())
    };
    worker::perform(&Task::Survey, &opened, &Limits::default(), &mut sink, &Cancel::new())
        .map_err(|error| OfFile::new(file, error))?;
    let info = survey.ok_or(MediaError::Crashed("survey"))?.source;
    say!("{}", equivalent::command_line(&Plan::new(&info, ladder, toolbox()), file, folder));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn files_name_their_lessons() {
        for (file, lesson) in [
            ("/a/Fractions 1.mp4", "fractions-1"),
            ("lesson_2.final.mov", "lesson_2.final"),
            ("分数的认识.mp4", "lesson-61b4d0ad"),
            ("第1课 A.mp4", "lesson-2f3ab8f3"),
            ("!!!.mp4", "lesson-"),
        ] {
            let got = default_lesson(Path::new(file));
            assert_eq!(got, default_lesson(Path::new(file)));
            if lesson.starts_with("lesson-") {
                assert!(got.as_str().starts_with("lesson-") && got.as_str().len() == 15, "{file}: {got}");
            } else {
                assert_eq!(got.as_str(), lesson);
            }
        }
        assert_ne!(default_lesson(Path::new("第1课A.mp4")), default_lesson(Path::new("第2课A.mp4")));
        // GB 18030, as an old disk names them: 一 and 二. They were one lesson.
        let named = |bytes| default_lesson(Path::new(std::ffi::OsStr::from_bytes(bytes)));
        assert_ne!(named(b"\xd2\xbb.mp4"), named(b"\xb6\xfe.mp4"));
    }
}
