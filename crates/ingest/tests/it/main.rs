//! Whole ingests through the real program, on clips of a few seconds that FFmpeg makes.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails the test that called it")]

mod av1;
mod bad_input;
mod chunks;
mod clip;
mod command_line;
mod confined;
mod drift;
mod geometry;
mod hostile;
mod interrupted;
mod lesson;
mod loudness;
mod papers;
mod quality;
mod queued;
mod sources;
mod stills;
mod sync;
