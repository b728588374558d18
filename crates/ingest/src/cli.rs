//! What the command line says.

use crate::papers::SubtitleFile;
use crate::queue_cli;
use clap::{Args, Parser, Subcommand};
use package::LessonId;
use std::path::PathBuf;
use units::Span;

/// Turns lesson files into streaming packages.
///
/// Exit status: 0 done, 1 our fault, 2 the input's fault (one line on standard error: `CODE: what is wrong, what to
/// do`), 130 interrupted; the same command then completes the work.
#[derive(Debug, Parser)]
#[command(name = "airclass-ingest", propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcode files and publish them as lessons.
    Run(Run),
    /// Put files into a queue, to be made lessons by `work`.
    Enqueue(queue_cli::options::Enqueue),
    /// Take jobs from a queue and do them, until stopped.
    Work(queue_cli::options::Work),
    /// Put what appears in a folder into a queue, until stopped.
    Watch(queue_cli::options::Watch),
    /// Show a queue: what waits, who works, what was set aside and why.
    Status(queue_cli::options::Status),
    /// Make a sample lesson: slides with Chinese text, a camera picture, a voice.
    Sample(Sample),
    /// Try what protects this machine from hostile files; name the media libraries and their known holes.
    ///
    /// Exit status 1 when a protection is missing that media are not opened without.
    Doctor(Doctor),
    /// The confined process that opens media; started by this program for itself.
    #[command(hide = true)]
    Worker(Worker),
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// As one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `worker`.
#[derive(Debug, Args)]
pub struct Worker {
    /// Try what a worker must not be able to do.
    #[arg(long)]
    pub attempt: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Videos in MP4, MOV, MKV, WebM or MPEG-TS.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to publish: a directory or a file:// URL, made when it is not there; or s3://BUCKET/PREFIX, with the
    /// variables AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    pub store: String,
    /// Name of the lesson, 1 to 64 of a-z 0-9 - _ . (with one FILE only). Default: made of the file's name.
    #[arg(long, value_name = "ID")]
    pub lesson: Option<LessonId>,
    /// What is said about the lesson, in TOML: title, stage, grade, subject, edition, volume, unit, teacher, language,
    /// provider, licence.
    #[arg(long, value_name = "FILE.toml")]
    pub meta: Option<PathBuf>,
    /// Subtitles in SRT, ASS or WebVTT, with their language (with one FILE only); may be given several times. Those
    /// that lie beside FILE under its name (lesson.srt, lesson.en.vtt) are found without it, and so are chapters
    /// (lesson.chapters.txt: lines such as `00:03:20 Title`).
    #[arg(long, value_name = "FILE[:LANG]")]
    pub subtitles: Vec<SubtitleFile>,
    /// The ladder: what is spent on pictures and sound. Default: the one built in, config/ladder.toml.
    #[arg(long, env = "AIRCLASS_LADDER", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What counts as a fault of quality, and what stops a lesson. Default: the policy built in, config/quality.toml.
    #[arg(long, env = "AIRCLASS_QUALITY", value_name = "FILE")]
    pub quality: Option<PathBuf>,
    /// Publish whatever quality control says: its errors become warnings.
    #[arg(long)]
    pub accept_quality: bool,
    /// How long the lesson was said to be, such as 20min; another length is told.
    #[arg(long, value_name = "LENGTH")]
    pub expect_length: Option<Span>,
    /// Chunks of a lesson worked on at the same time, 1 to 64; the result is the same. Default: half as many as cores.
    #[arg(long, env = "AIRCLASS_WORKERS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: Option<u8>,
    /// Sign manifests with this key; `airclass package keygen --out FILE` makes one.
    #[arg(long, env = "AIRCLASS_SIGN_KEY", value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
    /// Progress as one JSON object a line on standard output: begin, note, progress, stage_done, done, failed.
    #[arg(long)]
    pub json: bool,
    /// Let FFmpeg say on standard error what it has to say.
    #[arg(long, short)]
    pub verbose: bool,
    /// Do nothing but print the `ffmpeg` command that makes the same ladder, for comparison.
    #[arg(long, hide = true, value_name = "DIR")]
    pub print_ffmpeg: Option<PathBuf>,
}

/// `sample`.
#[derive(Debug, Args)]
pub struct Sample {
    /// Length.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=21_600))]
    pub seconds: u32,
    /// The MP4 to write.
    #[arg(long, value_name = "FILE.mp4")]
    pub out: PathBuf,
    /// Columns; even.
    #[arg(long, default_value_t = 1920, value_parser = clap::value_parser!(u32).range(160..=3_840))]
    pub width: u32,
    /// Rows; even.
    #[arg(long, default_value_t = 1080, value_parser = clap::value_parser!(u32).range(90..=2_160))]
    pub height: u32,
    /// Pictures a second.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub fps: u32,
}
