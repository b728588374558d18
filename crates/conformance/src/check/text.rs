//! Subtitles in segments.

use super::{Inspection, Medium};
use crate::read::webvtt;
use crate::report::Place;
use crate::rule::{apple, formats};
use url::Url;

impl Inspection<'_> {
    pub(super) fn text_segment(&self, medium: &Medium, place: usize, url: &Url, body: &[u8]) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let text = String::from_utf8_lossy(body);
        let found = webvtt::read(&text);
        if !judge.demand(&apple::A5_2, found.has_signature, || (whole(), "no WEBVTT in front", "WebVTT")) {
            return;
        }
        judge.demand(&apple::A5_3, found.map.is_some() && !found.broken_map, || {
            (
                whole(),
                if found.broken_map { "one that cannot be read" } else { "no X-TIMESTAMP-MAP" },
                "X-TIMESTAMP-MAP",
            )
        });
        self.cues(url, &found);
        let before: u64 = medium.list.segments[..place].iter().filter_map(|segment| segment.duration).sum();
        let length = medium.list.segments[place].duration.unwrap_or(0);
        // With the usual map cue times are those of the title.
        if found.map.is_some_and(|(local, _)| local == 0) && !medium.list.is_live() {
            let (start, end) = (before / 1_000, (before + length) / 1_000);
            let outside = found.cues.iter().find(|cue| cue.end_ms < start || cue.start_ms > end);
            judge.demand(&formats::VTT_RANGE, outside.is_none(), || {
                let line = outside.map_or(0, |cue| cue.line);
                (Place::line(url.as_str(), line), "a cue of another time", format!("{start} to {end} ms"))
            });
        }
    }

    pub(super) fn cues(&self, url: &Url, found: &webvtt::Text) {
        self.judge.demand(&formats::VTT_SYNTAX, found.broken.is_empty(), || {
            (Place::line(url.as_str(), found.broken[0]), "a timing that cannot be read", "start --> end")
        });
        let backwards = found.cues.iter().find(|cue| cue.end_ms <= cue.start_ms);
        self.judge.demand(&formats::VTT_SYNTAX, backwards.is_none(), || {
            let line = backwards.map_or(0, |cue| cue.line);
            (Place::line(url.as_str(), line), "a cue that ends before it starts", "an end after its start")
        });
    }
}
