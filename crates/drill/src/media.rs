//! A media playlist as a player walks through it.

use crate::outcome::ErrorKind;
use crate::place::Base;
use hls::{ByteRange, MediaPlaylist};
use http::uri::PathAndQuery;
use std::time::Duration;

/// The segments of one rendition, with their addresses.
#[derive(Debug)]
pub(crate) struct Media {
    first: u64,
    segments: Vec<Segment>,
    inits: Vec<PathAndQuery>,
    target: Duration,
    /// Nothing will be added.
    whole: bool,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathAndQuery,
    pub(crate) range: Option<ByteRange>,
    pub(crate) duration: Duration,
    /// There is nothing to ask for (RFC 8216bis §4.4.4.7).
    pub(crate) gap: bool,
    /// Its place among the init segments.
    init: Option<usize>,
}

/// Where a segment's number is.
#[derive(Debug)]
pub(crate) enum At<'a> {
    Here(&'a Segment),
    /// The playlist will have it.
    Later,
    /// The window has gone past it.
    Gone,
    /// There is none any more.
    End,
}

/// A live player begins so many segments before the end of the window (hls.js: `liveSyncDurationCount`).
const LIVE_SYNC: usize = 3;

impl Media {
    /// Reads the playlist at `path`.
    ///
    /// # Errors
    /// When it is none, or leads to another server.
    pub(crate) fn parse(path: &PathAndQuery, text: &str) -> Result<Self, ErrorKind> {
        let playlist = MediaPlaylist::parse(text).map_err(|_| ErrorKind::Playlist)?;
        let base = Base::new(path)?;
        let mut inits: Vec<PathAndQuery> = Vec::new();
        let mut init = None;
        let mut enter = |uri: &str| {
            let path = base.join(uri)?;
            let known = inits.iter().position(|known| *known == path);
            Ok::<_, ErrorKind>(known.unwrap_or_else(|| {
                inits.push(path);
                inits.len() - 1
            }))
        };
        if let Some(uri) = &playlist.map {
            init = Some(enter(uri)?);
        }
        let mut segments = Vec::with_capacity(playlist.segments.len());
        for segment in &playlist.segments {
            if let Some(uri) = &segment.map {
                init = Some(enter(uri)?);
            }
            segments.push(Segment {
                path: base.join(&segment.uri)?,
                range: segment.byte_range,
                duration: Duration::from_millis(segment.duration_ms),
                gap: segment.gap,
                init,
            });
        }
        Ok(Self {
            first: playlist.media_sequence,
            segments,
            inits,
            target: Duration::from_secs(playlist.target_duration_s),
            whole: playlist.end_list,
        })
    }

    /// Where a player begins: at the first segment of a lesson, some before the last of a live window.
    pub(crate) fn begin(&self) -> u64 {
        let skipped = if self.whole { 0 } else { self.segments.len().saturating_sub(LIVE_SYNC) };
        self.first + skipped as u64
    }

    /// Looks for segment `number`.
    pub(crate) fn at(&self, number: u64) -> At<'_> {
        let Some(place) = number.checked_sub(self.first) else { return At::Gone };
        match usize::try_from(place).ok().and_then(|place| self.segments.get(place)) {
            Some(segment) => At::Here(segment),
            None if self.whole => At::End,
            None => At::Later,
        }
    }

    /// The init segment of a segment of this playlist.
    pub(crate) fn init(&self, segment: &Segment) -> Option<&PathAndQuery> {
        segment.init.and_then(|place| self.inits.get(place))
    }

    /// How long after it was asked for it is to be asked for again: a target duration, or half of one when it has not
    /// changed (RFC 8216bis §6.3.4).
    pub(crate) fn again(&self, changed: bool) -> Duration {
        if changed { self.target } else { self.target / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Media {
        Media::parse(&"/channels/one/s0.m3u8".parse().unwrap(), text).unwrap()
    }

    fn window(first: u64, count: usize, end: bool) -> String {
        let segments: String =
            (0..count).map(|at| format!("#EXTINF:4.800,\n/p/a/{:05}.m4s\n", first + at as u64)).collect();
        let end = if end { "#EXT-X-ENDLIST\n" } else { "" };
        format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-MAP:URI=\"init.mp4\"\n{segments}{end}"
        )
    }

    #[test]
    fn a_lesson_is_watched_from_its_beginning_and_a_channel_from_near_its_end() {
        assert_eq!(parse(&window(0, 250, true)).begin(), 0);
        assert_eq!(parse(&window(100, 6, false)).begin(), 103);
        assert_eq!(parse(&window(100, 2, false)).begin(), 100);
    }

    #[test]
    fn a_window_slides_past_a_player_or_makes_it_wait() {
        let live = parse(&window(100, 6, false));
        assert!(matches!(live.at(99), At::Gone));
        assert!(matches!(live.at(106), At::Later));
        let At::Here(segment) = live.at(105) else { panic!("it is in the window") };
        assert_eq!(
            (segment.path.as_str(), segment.duration),
            ("/p/a/00105.m4s", Duration::from_millis(4_800))
        );
        assert!(matches!(parse(&window(0, 3, true)).at(3), At::End));
        assert_eq!(
            (live.again(true), live.again(false)),
            (Duration::from_secs(5), Duration::from_millis(2_500))
        );
    }

    #[test]
    fn a_programme_change_brings_its_own_init_segment() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MAP:URI=\"/p/a/init.mp4\"\n#EXTINF:4.8,\n/p/a/1\n\
                    #EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"/p/b/init.mp4\"\n#EXTINF:4.8,\n/p/b/0\n#EXTINF:4.8,\n/p/b/1\n\
                    #EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"/p/a/init.mp4\"\n#EXTINF:4.8,\n/p/a/2\n";
        let media = parse(text);
        let inits: Vec<_> = (0..4)
            .map(|number| match media.at(number) {
                At::Here(segment) => media.init(segment).unwrap().as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(inits, ["/p/a/init.mp4", "/p/b/init.mp4", "/p/b/init.mp4", "/p/a/init.mp4"]);
        assert_eq!(media.inits.len(), 2);
    }

    proptest! {
        /// Walking from the beginning meets every segment once and in order, then the end or a wait.
        #[test]
        fn a_walk_meets_every_segment(first in 0u64..1 << 40, count in 0usize..60, end: bool) {
            let media = parse(&window(first, count, end));
            let mut number = media.begin();
            prop_assert!(end || number + 3 >= first + count as u64);
            while let At::Here(segment) = media.at(number) {
                prop_assert_eq!(segment.path.as_str(), format!("/p/a/{number:05}.m4s"));
                number += 1;
            }
            prop_assert_eq!(number, first + count as u64);
            prop_assert_eq!(matches!(media.at(number), At::End), end);
            prop_assert_eq!(matches!(media.at(number), At::Later), !end);
        }
    }
}
