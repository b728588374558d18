//! The only neighbourhood that touches FFmpeg, and the only one with `unsafe`.
//!
//! Everything outside sees plain data ([`Stream`]), four machines ([`Source`], [`Decoder`], [`Graph`],
//! [`Encoder`] with its [`Muxer`]) and two kinds of frame ([`Picture`], [`Sound`]). The machines are wrappers over
//! `ffmpeg-next`; where that crate is silent about a mistake (options nobody used, real errors taken for "try
//! again"), the call is made by hand and the mistake becomes an error.

mod decoder;
mod echo;
mod encoder;
mod error;
mod file;
mod frame;
mod graph;
mod jpeg;
mod library;
mod muxer;
mod source;

pub use decoder::{Decoder, Received};
pub use echo::Echo;
pub use encoder::{AudioSettings, Encoder, Packet, VideoSettings};
pub use error::{FfmpegError, Operation};
pub use file::Mp4File;
pub use frame::{Colour, Picture, PictureShape, Sound, SoundShape};
pub use graph::{Graph, has_filter};
pub use jpeg::jpeg;
pub use library::{Verbosity, build, set_up};
pub use muxer::Muxer;
pub use source::{Read, Source, Stream, StreamKind};
