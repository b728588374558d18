//! What FFmpeg said, and what we had asked of it.

use ffmpeg_next as ff;
use std::fmt;

/// What was asked of FFmpeg when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Recognising the container and reading its headers.
    OpenSource,
    /// Reading a packet.
    Demux,
    /// Opening the decoder of this name.
    OpenDecoder(String),
    /// Decoding.
    Decode,
    /// Building this filter graph.
    BuildGraph(String),
    /// Running frames through a filter graph.
    Filter,
    /// Opening the encoder of this name.
    OpenEncoder(String),
    /// Encoding.
    Encode,
    /// Writing fragments.
    Mux,
    /// Making memory for a frame.
    Allocate,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenSource => f.write_str("opening the source"),
            Self::Demux => f.write_str("reading a packet"),
            Self::OpenDecoder(name) => write!(f, "opening decoder {name}"),
            Self::Decode => f.write_str("decoding"),
            Self::BuildGraph(spec) => write!(f, "building the filter graph `{spec}`"),
            Self::Filter => f.write_str("filtering"),
            Self::OpenEncoder(name) => write!(f, "opening encoder {name}"),
            Self::Encode => f.write_str("encoding"),
            Self::Mux => f.write_str("writing a fragment"),
            Self::Allocate => f.write_str("allocating a frame"),
        }
    }
}

/// A failure inside FFmpeg.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// FFmpeg returned an error code.
    #[error("FFmpeg failed {operation}: {source}")]
    Failed {
        /// What was asked.
        operation: Operation,
        /// What it answered.
        source: ff::Error,
    },
    /// An option that nothing took: a typo would otherwise change the picture in silence.
    #[error("FFmpeg does not know the option `{option}` {operation}")]
    UnusedOption {
        /// What was asked.
        operation: Operation,
        /// The first option left over.
        option: String,
    },
    /// This FFmpeg was built without a part we need.
    #[error("this FFmpeg has no {0}; install Debian's FFmpeg libraries")]
    Missing(String),
    /// The codec is not on the closed list.
    #[error("codec `{0}` is not accepted")]
    NotAccepted(String),
}

impl FfmpegError {
    pub(super) fn of(operation: Operation) -> impl FnOnce(ff::Error) -> Self {
        move |source| Self::Failed { operation, source }
    }

    /// Whether a source was not recognised: rubbish, an end too early, or a container that is not on the closed list
    /// (which FFmpeg calls an invalid argument).
    pub fn is_unknown_format(&self) -> bool {
        let told = [ff::Error::InvalidData, ff::Error::Eof, ff::Error::Other { errno: ff::ffi::EINVAL }];
        matches!(self, Self::Failed { operation: Operation::OpenSource, source } if told.contains(source))
    }

    /// `code` as a result: FFmpeg's negative numbers are errors.
    pub(super) fn check(code: i32, operation: impl FnOnce() -> Operation) -> Result<i32, Self> {
        if code < 0 {
            return Err(Self::Failed { operation: operation(), source: ff::Error::from(code) });
        }
        Ok(code)
    }
}
