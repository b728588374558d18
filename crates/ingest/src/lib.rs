//! A lesson file into a streaming package: the journey of a frame.
//!
//! ```text
//! probe → plan → decode → filter → encode → segment → package → publish
//! ```
pub mod accepted;
pub mod cadence;
pub mod cancel;
pub mod cmaf;
pub mod decode;
pub mod encode;
pub mod fault;
pub mod ffmpeg;
pub mod filter;
pub mod media;
pub mod plan;
pub mod probe;
pub mod segment;
pub mod timeline;
