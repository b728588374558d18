//! Why an ingest ended: one code, one line, whose fault.

use crate::accepted;
use crate::ffmpeg::FfmpegError;
use crate::prescan::Disguise;
use faults::{Blame, Fault};
use std::io;
use std::path::{Path, PathBuf};

/// A file that no lesson can be made of. Always the input's fault.
#[derive(Debug, thiserror::Error)]
pub enum SourceFault {
    /// It cannot be opened.
    #[error("{0}; give the path of a readable file")]
    Unreadable(io::Error),
    /// It is a directory or a device.
    #[error("it is not a file; give the path of a video file")]
    NotAFile,
    /// It has no byte.
    #[error("the file is empty; copy it again")]
    Empty,
    /// Somebody still writes to it.
    #[error(
        "the file changes while it is read: it is still being copied or recorded; ingest it when it is whole"
    )]
    Changes,
    /// None of the containers.
    #[error("the file is not a video in MP4, MOV, MKV, WebM or MPEG-TS; export it as MP4")]
    NotMedia,
    /// Something else under a video's name.
    #[error("the file is really {0}; {way}", way = .0.way_out())]
    Disguised(Disguise),
    /// Its media are said to be in other files.
    #[error("the file refers to media outside itself ({0}); export it as one self-contained MP4")]
    Reference(&'static str),
    /// A part is missing.
    #[error("the file is cut off: {0}; copy or export it again")]
    Truncated(String),
    /// Under lock and key.
    #[error("the file is encrypted ({0}); export it without copy protection")]
    Encrypted(&'static str),
    /// Sound or nothing.
    #[error("there is no video in the file; a lesson needs pictures")]
    NoVideo,
    /// A codec that is not on the list.
    #[error("the {what} is coded as `{codec}`, which is not accepted; export it as H.264 and AAC")]
    Codec {
        /// Pictures or sound.
        what: &'static str,
        /// FFmpeg's name.
        codec: String,
    },
    /// It lasts no time.
    #[error("the video lasts no time at all; export it again")]
    NoDuration,
    /// Pictures beyond the limit.
    #[error(
        "pictures of {width}x{height} are too large; at most {} samples (4096x2160)",
        accepted::MAX_PIXELS
    )]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Longer than the limit.
    #[error(
        "the video says it lasts {hours} hours; a lesson lasts at most {}; cut it, or export it again if it is shorter",
        accepted::MAX_SECONDS / 3_600
    )]
    TooLong {
        /// As the container says.
        hours: u64,
    },
    /// Nothing of it could be decoded.
    #[error("no picture in the file can be decoded; export it again")]
    Undecodable,
    /// More streams than any lesson has, or headers FFmpeg refuses.
    #[error("the file's headers make no sense ({0}); export it again as MP4")]
    Headers(String),
}

impl Fault for SourceFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "SOURCE_UNREADABLE",
            Self::NotAFile => "SOURCE_NOT_A_FILE",
            Self::Empty => "SOURCE_EMPTY",
            Self::Changes => "SOURCE_CHANGES",
            Self::NotMedia => "SOURCE_NOT_MEDIA",
            Self::Disguised(disguise) => disguise.code(),
            Self::Reference(_) => "SOURCE_REFERENCE",
            Self::Truncated(_) => "SOURCE_TRUNCATED",
            Self::Encrypted(_) => "SOURCE_ENCRYPTED",
            Self::NoVideo => "SOURCE_NO_VIDEO",
            Self::Codec { .. } => "SOURCE_CODEC",
            Self::NoDuration => "SOURCE_NO_DURATION",
            Self::TooLarge { .. } => "SOURCE_TOO_LARGE",
            Self::TooLong { .. } => "SOURCE_TOO_LONG",
            Self::Undecodable => "SOURCE_UNDECODABLE",
            Self::Headers(_) => "SOURCE_HEADERS",
        }
    }
}

/// Why the media journey ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The source is at fault.
    #[error(transparent)]
    Source(#[from] SourceFault),
    /// FFmpeg failed at something it should be able to do.
    #[error("{0}; this is a fault of the ingest, please report it with the file")]
    Ffmpeg(#[from] FfmpegError),
    /// What we made breaks a rule of ours: nothing of it is published.
    #[error("{rendition}: {problem}; this is a fault of the ingest, please report it with the file")]
    Nonconformant {
        /// Where.
        rendition: String,
        /// Which rule.
        problem: String,
    },
    /// A chunk's pictures could not be found again, neither from its key picture nor from the start.
    #[error(
        "the pictures of segment {0} cannot be decoded again as they were before; this is a fault of the ingest, please report it with the file"
    )]
    Adrift(u32),
    /// Somebody else stopped it: a signal, or another stage's error, which is the one to report.
    #[error("stopped")]
    Stopped,
    /// A thread came to an end it should not.
    #[error(
        "the {0} stage ended unexpectedly; this is a fault of the ingest, please report it with the file"
    )]
    Crashed(&'static str),
    /// As a worker told it, whose own error this was.
    #[error("{text}")]
    Worker {
        /// One of [`known_code`].
        code: &'static str,
        /// Who has to act.
        blame: Blame,
        /// What is wrong, what to do.
        text: String,
    },
}

/// Every code that a media journey ends with.
const CODES: [&str; 28] = [
    "SOURCE_UNREADABLE",
    "SOURCE_NOT_A_FILE",
    "SOURCE_EMPTY",
    "SOURCE_NOT_MEDIA",
    "SOURCE_IS_PLAYLIST",
    "SOURCE_IS_CONCAT_SCRIPT",
    "SOURCE_IS_SDP",
    "SOURCE_IS_XML",
    "SOURCE_IS_PICTURE",
    "SOURCE_IS_ARCHIVE",
    "SOURCE_IS_DOCUMENT",
    "SOURCE_REFERENCE",
    "SOURCE_TRUNCATED",
    "SOURCE_ENCRYPTED",
    "SOURCE_NO_VIDEO",
    "SOURCE_CODEC",
    "SOURCE_NO_DURATION",
    "SOURCE_TOO_LARGE",
    "SOURCE_TOO_LONG",
    "SOURCE_UNDECODABLE",
    "SOURCE_HEADERS",
    "MEDIA_FFMPEG",
    "MEDIA_NONCONFORMANT",
    "MEDIA_ADRIFT",
    "MEDIA_CRASHED",
    "MEDIA_WORKER",
    "INTERRUPTED",
    "SYSTEM",
];

/// `code` if it is one that a media journey ends with: what a worker says is only believed when it is on the list.
pub(crate) fn known_code(code: &str) -> Option<&'static str> {
    CODES.into_iter().find(|known| *known == code)
}

impl Fault for MediaError {
    fn code(&self) -> &'static str {
        match self {
            Self::Source(fault) => fault.code(),
            Self::Ffmpeg(_) => "MEDIA_FFMPEG",
            Self::Nonconformant { .. } => "MEDIA_NONCONFORMANT",
            Self::Adrift(_) => "MEDIA_ADRIFT",
            Self::Stopped => "INTERRUPTED",
            Self::Crashed(_) => "MEDIA_CRASHED",
            Self::Worker { code, .. } => code,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Source(_) => Blame::Input,
            Self::Worker { blame, .. } => *blame,
            _ => Blame::Ours,
        }
    }
}

/// A file's name as it is told. It may hold anything but a zero byte, and what breaks the line or turns a terminal's colours is not
/// for whoever reads a log.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().replace(char::is_control, " ")
}

/// A fault of one of several files: the line says which.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", shown(path))]
pub struct OfFile<F: std::error::Error> {
    path: PathBuf,
    fault: F,
}

impl<F: Fault> OfFile<F> {
    /// `fault` of the file at `path`.
    pub fn new(path: &Path, fault: F) -> Self {
        Self { path: path.to_owned(), fault }
    }
}

impl<F: Fault> Fault for OfFile<F> {
    fn code(&self) -> &'static str {
        self.fault.code()
    }

    fn blame(&self) -> Blame {
        self.fault.blame()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn a_files_name_is_told_on_one_line_and_in_no_colour() {
        for (name, told) in [
            ("七年级 数学 😀.mp4".as_bytes(), "七年级 数学 😀.mp4"),
            (b"a\nb.mp4", "a b.mp4"),
            (b"\x1b[31mred\x07.mp4", " [31mred .mp4"),
            ("\u{9b}2Ja.mp4".as_bytes(), " 2Ja.mp4"),
            (b"\xc6\xdf.mp4", "\u{fffd}\u{fffd}.mp4"),
        ] {
            let fault = OfFile::new(Path::new(OsStr::from_bytes(name)), SourceFault::Empty);
            assert_eq!(fault.to_string(), format!("{told}: the file is empty; copy it again"));
        }
    }
}
