//! A lesson file into a streaming package: the journey of a frame.
//!
//! ```text
//! survey → plan → trial → decode → filter → encode → segment → package → check → publish
//! ```
//!
//! | stage | where |
//! |---|---|
//! | read: hash, and a look at the boxes | [`job`], [`prescan`] |
//! | survey: what is it, decoded once from end to end | [`survey`], [`probe`], [`accepted`], [`texts`] |
//! | plan: what will be made of it (pure) | [`plan`] |
//! | title: what this lesson needs, found by trying excerpts | [`title`] |
//! | units: chunks of pictures, and the sound | [`chunk`], [`unit`], [`crew`], [`claim`], [`task`] |
//! | decode: packets to pictures with a slot, sound with a time | [`decode`], [`cadence`], [`timeline`] |
//! | filter: upright, progressive, BT.709; rung scaled from rung | [`filter`] |
//! | encode: a thread a rung | [`encode`] |
//! | segment: cut on the grid and check every piece (pure) | [`segment`], [`cmaf`] |
//! | package: playlists, manifest, and what lies beside the media | [`spool`], [`papers`], [`assemble`] |
//! | check: read back and judged by other eyes | [`gate`], the crate `conformance` |
//! | publish: whole or not at all | the crate `storage` |
//!
//! [`media`] wires decode to segment and knows nothing of stores and terminals: it runs in a [`worker`], a confined
//! process of its own. Only [`mod@ffmpeg`] sees FFmpeg's types; there and where the worker is confined is `unsafe`.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod accepted;
pub mod assemble;
pub mod cadence;
pub mod cancel;
pub mod chunk;
pub mod claim;
pub mod cli;
mod clock;
pub mod cmaf;
pub mod crew;
pub mod decode;
pub mod doctor;
pub mod encode;
pub mod equivalent;
pub mod fault;
pub mod ffmpeg;
pub mod filter;
pub mod gate;
pub mod job;
pub mod media;
pub mod papers;
pub mod plan;
pub mod prescan;
pub mod probe;
pub mod progress;
pub mod quality;
pub mod queue_cli;
pub mod run;
pub mod sample;
pub mod segment;
mod signals;
pub mod sound;
pub mod spool;
pub mod survey;
pub mod task;
pub mod texts;
pub mod timeline;
pub mod title;
pub mod unit;
pub mod worker;
