//! What lies where in a package.
//!
//! ```text
//! main.m3u8 audio.m3u8 ts.m3u8 main.mpd              what players are given
//! <rung>/init.mp4 00000.m4s… index.m3u8 iframes.m3u8
//! audio/<hi|lo>/init.mp4 00000.m4s… index.m3u8
//! trick/init.mp4 00000.m4s… iframes.m3u8             one picture each 0.8 s, for quick seeking
//! thumbs/00000.jpg… thumbs.vtt                       storyboard: 25 pictures a sheet
//! slides/<9 digits of ms>.jpg… slides.json slides.vtt
//! subs/<language>/00000.vtt… index.m3u8 all.vtt
//! chapters.json chapters.vtt
//! ts/<s0|s1|s2>/00000.ts… index.m3u8 iframes.m3u8    the same media for old devices
//! ts/subs/<language>/00000.vtt… index.m3u8
//! bundle/lesson.tar                                  one file for where there is no network
//! report.json                                        how it was made and what was noticed
//! ```

use super::{AudioSlot, Slot};
use crate::language::Language;
use crate::path::ObjectPath;
use grid::SegmentNumber;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The manifest's name in its package.
pub const MANIFEST: &str = "manifest.json";
/// The name of the manifest's signatures, beside it.
pub const SIGNATURES: &str = "manifest.sig";
/// The multivariant playlist's name, in a package and behind a pointer.
pub const MAIN: &str = "main.m3u8";
/// The multivariant playlist of sound alone.
pub const AUDIO_ONLY: &str = "audio.m3u8";
/// The multivariant playlist of MPEG-TS, for old devices.
pub const TS: &str = "ts.m3u8";
/// The same media as a DASH presentation.
pub const DASH: &str = "main.mpd";
/// Chapters as Apple's players read them.
pub const CHAPTERS: &str = "chapters.json";
/// Chapters as browsers read them.
pub const CHAPTERS_VTT: &str = "chapters.vtt";
/// How the package was made and what was noticed.
pub const REPORT: &str = "report.json";
/// One file for where there is no network.
pub const BUNDLE: &str = "bundle/lesson.tar";
/// Which part of which sheet shows which time.
pub const THUMBS: &str = "thumbs/thumbs.vtt";
/// When which slide is shown.
pub const SLIDES: &str = "slides/slides.json";
/// The same as WebVTT.
pub const SLIDES_VTT: &str = "slides/slides.vtt";

/// One series of segments: pictures or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rendition {
    /// Pictures.
    Video(Slot),
    /// Sound.
    Audio(AudioSlot),
    /// Single pictures for quick seeking: 640x360, one each 0.8 s, every one its own fragment.
    Trick,
}

impl Rendition {
    /// `<folder>/init.mp4`.
    pub fn init(self) -> ObjectPath {
        ObjectPath::known(format!("{self}/init.mp4"))
    }

    /// `<folder>/00017.m4s`.
    pub fn segment(self, number: SegmentNumber) -> ObjectPath {
        ObjectPath::known(format!("{self}/{}", segment_name(number)))
    }

    /// `<folder>/index.m3u8`; single pictures have [`Self::iframes`] alone.
    pub fn playlist(self) -> ObjectPath {
        match self {
            Self::Trick => self.iframes(),
            _ => ObjectPath::known(format!("{self}/index.m3u8")),
        }
    }

    /// `<folder>/iframes.m3u8`: byte ranges of pictures that can be decoded by themselves (Apple 6.1).
    pub fn iframes(self) -> ObjectPath {
        ObjectPath::known(format!("{self}/iframes.m3u8"))
    }
}

impl fmt::Display for Rendition {
    /// Its folder: `s2`, `audio/hi`, `trick`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Video(slot) => f.write_str(slot.as_str()),
            Self::Audio(slot) => write!(f, "audio/{}", slot.as_str()),
            Self::Trick => f.write_str("trick"),
        }
    }
}

/// A segment's name in its folder: `00017.m4s`. Five digits hold more than a day.
pub fn segment_name(number: SegmentNumber) -> String {
    format!("{:05}.m4s", number.0)
}

/// A package's own multivariant playlist.
pub fn main_playlist() -> ObjectPath {
    ObjectPath::known(MAIN.to_owned())
}

/// A package's playlist of sound alone.
pub fn audio_playlist() -> ObjectPath {
    ObjectPath::known(AUDIO_ONLY.to_owned())
}

/// A package's multivariant playlist of MPEG-TS.
pub fn ts_main_playlist() -> ObjectPath {
    ObjectPath::known(TS.to_owned())
}

/// A package's DASH presentation.
pub fn dash() -> ObjectPath {
    ObjectPath::known(DASH.to_owned())
}

/// `ts/<rung>/index.m3u8`.
pub fn ts_playlist(slot: Slot) -> ObjectPath {
    ObjectPath::known(format!("ts/{slot}/index.m3u8"))
}

/// `ts/<rung>/iframes.m3u8`.
pub fn ts_iframes(slot: Slot) -> ObjectPath {
    ObjectPath::known(format!("ts/{slot}/iframes.m3u8"))
}

/// `ts/<rung>/00017.ts`: pictures and their sound.
pub fn ts_segment(slot: Slot, number: SegmentNumber) -> ObjectPath {
    ObjectPath::known(format!("ts/{slot}/{}", ts_segment_name(number)))
}

/// A segment's name in its folder: `00017.ts`.
pub fn ts_segment_name(number: SegmentNumber) -> String {
    format!("{:05}.ts", number.0)
}

/// `subs/<language>/index.m3u8`.
pub fn subtitles_playlist(language: &Language) -> ObjectPath {
    ObjectPath::known(format!("subs/{language}/index.m3u8"))
}

/// `subs/<language>/00017.vtt`.
pub fn subtitles_segment(language: &Language, number: SegmentNumber) -> ObjectPath {
    ObjectPath::known(format!("subs/{language}/{}", subtitles_segment_name(number)))
}

/// A segment's name in its folder: `00017.vtt`.
pub fn subtitles_segment_name(number: SegmentNumber) -> String {
    format!("{:05}.vtt", number.0)
}

/// `subs/<language>/all.vtt`: the whole track in one file, for DASH and for a page's `<track>`.
pub fn subtitles_whole(language: &Language) -> ObjectPath {
    ObjectPath::known(format!("subs/{language}/all.vtt"))
}

/// `ts/subs/<language>/index.m3u8`: MPEG-TS has a clock of its own, which subtitles must tell.
pub fn ts_subtitles_playlist(language: &Language) -> ObjectPath {
    ObjectPath::known(format!("ts/subs/{language}/index.m3u8"))
}

/// `ts/subs/<language>/00017.vtt`.
pub fn ts_subtitles_segment(language: &Language, number: SegmentNumber) -> ObjectPath {
    ObjectPath::known(format!("ts/subs/{language}/{}", subtitles_segment_name(number)))
}

/// `chapters.json`.
pub fn chapters() -> ObjectPath {
    ObjectPath::known(CHAPTERS.to_owned())
}

/// `chapters.vtt`.
pub fn chapters_vtt() -> ObjectPath {
    ObjectPath::known(CHAPTERS_VTT.to_owned())
}

/// `thumbs/00003.jpg`: the sheet with the pictures of the segments from `3 × 25` on.
pub fn thumbs_sheet(sheet: u32) -> ObjectPath {
    ObjectPath::known(format!("thumbs/{sheet:05}.jpg"))
}

/// `thumbs/thumbs.vtt`.
pub fn thumbs() -> ObjectPath {
    ObjectPath::known(THUMBS.to_owned())
}

/// `slides/000123200.jpg`: the slide that is shown from that millisecond on. The time is the name because whoever makes
/// a part of a lesson does not know how many slides came before it.
pub fn slide(at_ms: u64) -> ObjectPath {
    ObjectPath::known(format!("slides/{at_ms:09}.jpg"))
}

/// From when on the slide at `path` is shown; `None` when it is none.
pub fn slide_time(path: &ObjectPath) -> Option<u64> {
    let digits = path.as_str().strip_prefix("slides/")?.strip_suffix(".jpg")?;
    let at_ms = digits.parse().ok()?;
    (slide(at_ms) == *path).then_some(at_ms)
}

/// `slides/slides.json`.
pub fn slides() -> ObjectPath {
    ObjectPath::known(SLIDES.to_owned())
}

/// `slides/slides.vtt`.
pub fn slides_vtt() -> ObjectPath {
    ObjectPath::known(SLIDES_VTT.to_owned())
}

/// `bundle/lesson.tar`.
pub fn bundle() -> ObjectPath {
    ObjectPath::known(BUNDLE.to_owned())
}

/// `report.json`.
pub fn report() -> ObjectPath {
    ObjectPath::known(REPORT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaType;

    #[test]
    fn objects_lie_where_the_layout_says() {
        let number = SegmentNumber(17);
        let chinese: Language = "zh-CN".parse().unwrap();
        for (path, text) in [
            (Rendition::Video(Slot::A4).segment(number), "a4/00017.m4s"),
            (Rendition::Video(Slot::S0).iframes(), "s0/iframes.m3u8"),
            (Rendition::Audio(AudioSlot::Hi).init(), "audio/hi/init.mp4"),
            (Rendition::Audio(AudioSlot::Lo).playlist(), "audio/lo/index.m3u8"),
            (Rendition::Trick.playlist(), "trick/iframes.m3u8"),
            (ts_segment(Slot::S1, number), "ts/s1/00017.ts"),
            (ts_playlist(Slot::S1), "ts/s1/index.m3u8"),
            (subtitles_segment(&chinese, number), "subs/zh-CN/00017.vtt"),
            (subtitles_playlist(&chinese), "subs/zh-CN/index.m3u8"),
            (subtitles_whole(&chinese), "subs/zh-CN/all.vtt"),
            (thumbs_sheet(3), "thumbs/00003.jpg"),
            (slide(123_200), "slides/000123200.jpg"),
            (bundle(), "bundle/lesson.tar"),
        ] {
            assert_eq!(path.as_str(), text);
            assert!(path.media_type().is_some(), "{text}");
        }
        assert_eq!(dash().media_type(), Some(MediaType::Dash));
    }

    #[test]
    fn a_slides_name_is_its_time() {
        for at_ms in [0, 4_800, 86_400_000] {
            assert_eq!(slide_time(&slide(at_ms)), Some(at_ms));
        }
        for path in ["slides/1.jpg", "slides/0000000010.jpg", "slides/slides.json", "thumbs/000000000.jpg"] {
            assert_eq!(slide_time(&ObjectPath::parse(path).unwrap()), None, "{path}");
        }
    }
}
