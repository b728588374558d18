//! What a path is of, by its words alone.

use package::Slot;
use telemetry::Label;

/// Which part of a lesson, or of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list of what there is.
    Playlist,
    /// What decoders need before anything.
    Init,
    /// A piece of picture or sound.
    Segment,
    /// Subtitles.
    Text,
    /// What opens segments.
    Key,
    /// Anything else.
    Other,
}

impl Kind {
    pub(crate) fn of(path: &str) -> Self {
        let path = path.as_bytes();
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return Self::Other };
        let (stem, extension) = (&name[..dot], &name[dot + 1..]);
        match extension {
            b"m3u8" | b"mpd" => Self::Playlist,
            b"vtt" => Self::Text,
            b"key" => Self::Key,
            b"m4s" | b"mp4" | b"m4v" | b"m4a" | b"cmfv" | b"cmfa" | b"ts" | b"aac"
                if stem.starts_with(b"init") =>
            {
                Self::Init
            }
            b"m4s" | b"mp4" | b"m4v" | b"m4a" | b"cmfv" | b"cmfa" | b"ts" | b"aac" => Self::Segment,
            _ => Self::Other,
        }
    }
}

impl Label for Kind {
    const ALL: &'static [Self] =
        &[Self::Playlist, Self::Init, Self::Segment, Self::Text, Self::Key, Self::Other];

    fn as_str(self) -> &'static str {
        match self {
            Self::Playlist => "playlist",
            Self::Init => "init",
            Self::Segment => "segment",
            Self::Text => "text",
            Self::Key => "key",
            Self::Other => "other",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Which rung of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    /// A picture's.
    Picture(Slot),
    /// Of a package: sound by itself.
    Sound,
    /// Of a package, and neither: texts, slides, single pictures.
    Beside,
    /// Of no package.
    None,
}

/// Pictures' in their order, then the others.
const ALL: [Rung; Slot::ALL.len() + 3] = {
    let mut all = [Rung::None; Slot::ALL.len() + 3];
    let mut at = 0;
    while at < Slot::ALL.len() {
        all[at] = Rung::Picture(Slot::ALL[at]);
        at += 1;
    }
    all[at] = Rung::Sound;
    all[at + 1] = Rung::Beside;
    all
};

impl Rung {
    /// By the folder below the package: `/p/<package>/s2/00017.m4s`, `…/ts/s1/…`, `…/audio/lo/…`.
    pub(crate) fn of(path: &str) -> Self {
        let inside = path.strip_prefix("/p/").and_then(|path| path.split_once('/'));
        let Some((folder, _)) = inside.and_then(|(_, inside)| inside.rsplit_once('/')) else {
            return Self::None;
        };
        if folder.starts_with("audio/") {
            return Self::Sound;
        }
        let picture = folder.strip_prefix("ts/").unwrap_or(folder);
        let slot = Slot::ALL.into_iter().find(|slot| slot.as_str() == picture);
        slot.map_or(Self::Beside, Self::Picture)
    }
}

impl Label for Rung {
    const ALL: &'static [Self] = &ALL;

    fn as_str(self) -> &'static str {
        match self {
            Self::Picture(slot) => slot.as_str(),
            Self::Sound => "sound",
            Self::Beside => "beside",
            Self::None => "none",
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Picture(slot) => slot as usize,
            Self::Sound => Slot::ALL.len(),
            Self::Beside => Slot::ALL.len() + 1,
            Self::None => Slot::ALL.len() + 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_it_is_of() {
        for (path, kind, rung) in [
            ("/p/0123/s2/00001.m4s", Kind::Segment, "s2"),
            ("/p/0123/a5/init.mp4", Kind::Init, "a5"),
            ("/p/0123/audio/lo/00001.m4s", Kind::Segment, "sound"),
            ("/p/0123/ts/s1/00001.ts", Kind::Segment, "s1"),
            ("/p/0123/ts/subs/zh/00001.vtt", Kind::Text, "beside"),
            ("/p/0123/s9/00001.m4s", Kind::Segment, "beside"),
            ("/00001.m4s", Kind::Segment, "none"),
            ("", Kind::Other, "none"),
            ("/p/0123/s0/media.m3u8", Kind::Playlist, "s0"),
            ("/p/0123/manifest.json", Kind::Other, "none"),
            ("/lessons/math-7/main.m3u8", Kind::Playlist, "none"),
            ("/live/a.ts", Kind::Segment, "none"),
            ("/a.vtt", Kind::Text, "none"),
            ("/", Kind::Other, "none"),
        ] {
            assert_eq!((Kind::of(path), Rung::of(path).as_str()), (kind, rung), "{path}");
        }
        for (at, rung) in Rung::ALL.iter().enumerate() {
            assert_eq!(rung.index(), at, "{rung:?}");
        }
    }
}
