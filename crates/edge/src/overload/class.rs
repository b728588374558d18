//! What a request is for, by its path alone.

use crate::resources::Resources;
use serve::Standing;

/// Media, or anything that stands at the beginning of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A piece of a picture, of sound or of subtitles: somebody is watching.
    Media,
    /// A page, a playlist, a list: somebody wants to begin.
    Opening,
}

/// What players fetch while they play. Playlists are not among them: the first thing of a session is one, and those
/// that a live channel asks for again come over a connection that has got media.
const MEDIA: [&str; 14] =
    ["m4s", "mp4", "m4v", "m4a", "cmfv", "cmfa", "cmft", "ts", "aac", "ac3", "mp3", "webm", "vtt", "key"];

impl Class {
    /// Whether a session begins with such a request: playback asks for media, and on a connection that has got media for
    /// anything.
    pub(crate) fn begins(self, standing: &Standing) -> bool {
        self == Self::Opening && !standing.is_playing()
    }

    /// By the extension of `path`, without its query.
    pub(crate) fn of(path: &str) -> Self {
        // Sound to be taken home is no playback.
        if Resources::is_one(path) {
            return Self::Opening;
        }
        let path = path.as_bytes();
        let dot = path.iter().rposition(|byte| matches!(byte, b'.' | b'/'));
        match dot.map(|at| path.split_at(at)) {
            Some((_, [b'.', extension @ ..])) if is_media(extension) => Self::Media,
            _ => Self::Opening,
        }
    }
}

fn is_media(extension: &[u8]) -> bool {
    MEDIA.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_plays_begins_nothing() {
        let (new, playing) = (Standing::default(), Standing::default());
        playing.note_playing();
        assert!(Class::Opening.begins(&new));
        assert!(!Class::Opening.begins(&playing) && !Class::Media.begins(&new));
    }

    #[test]
    fn pieces_are_media_and_what_leads_to_them_is_not() {
        for (path, class) in [
            ("/p/0123/s0/00001.m4s", Class::Media),
            ("/live/a.TS", Class::Media),
            ("/p/0123/main.m3u8", Class::Opening),
            ("/", Class::Opening),
            ("/lesson.json", Class::Opening),
            ("/a.ts/b", Class::Opening),
            ("/ts", Class::Opening),
            ("/r/0123.mp3", Class::Opening),
        ] {
            assert_eq!(Class::of(path), class, "{path}");
        }
    }
}
