//! What must agree between the playlists of one presentation.

use super::multivariant::{is_of, is_sound};
use super::{Inspection, Medium, Presentation, Role};
use crate::read::m3u8::{Playlist, Stream};
use crate::report::Place;
use crate::rule::{apple, delivery, formats, rfc};
use url::Url;

impl Inspection<'_> {
    pub(super) fn across(&self, shown: &Presentation) {
        let timed: Vec<&Medium> =
            shown.media.iter().filter(|medium| matches!(medium.role, Role::Video | Role::Audio)).collect();
        let Some(first) = timed.first() else { return };
        let live = first.list.is_live();
        for medium in timed.iter().skip(1) {
            self.pair(first, medium, live);
        }
        for medium in shown.media.iter().filter(|medium| matches!(medium.role, Role::Text | Role::Iframes)) {
            self.aside(first, medium, live);
        }
        let mut iframes = shown.media.iter().filter(|medium| medium.role == Role::Iframes).peekable();
        if iframes.peek().is_some() {
            let close = |medium: &Medium| {
                medium.list.segments.iter().filter_map(|s| s.duration).all(|length| length <= 1_100_000)
            };
            self.judge.demand(&apple::A6_2, iframes.any(close), || {
                (
                    Place::whole(shown.url.as_str()),
                    "I-frames further apart in all I-frame playlists",
                    "a picture a second in one",
                )
            });
        }
        let kinds = |medium: &&Medium| medium.list.kind.clone();
        let odd = timed.iter().find(|medium| kinds(medium) != first.list.kind);
        self.judge.demand(&rfc::R6_2_4_TYPE, odd.is_none(), || {
            let url = odd.map_or("", |odd| odd.url.as_str());
            (Place::whole(url), "another EXT-X-PLAYLIST-TYPE", "one for all")
        });
        if shown.list.is_multivariant() && !shown.list.independent {
            let video = timed.iter().filter(|medium| medium.role == Role::Video);
            let all = video.clone().count() > 0 && video.clone().all(|medium| medium.list.independent);
            self.judge.demand(&delivery::A9_12, all, || {
                (Place::whole(shown.url.as_str()), "no EXT-X-INDEPENDENT-SEGMENTS", "one")
            });
        } else {
            self.judge.looked(&delivery::A9_12);
        }
        for stream in &shown.list.variants {
            self.variant(shown, stream);
        }
        for stream in
            shown.list.renditions.iter().filter(|stream| stream.attributes.get("TYPE") == Some("AUDIO"))
        {
            self.sound(shown, stream);
        }
        self.colours(&timed);
        let mut levels = timed
            .iter()
            .filter_map(|medium| medium.facts.iter().find_map(|f| f.codec.as_deref()))
            .filter_map(level)
            .peekable();
        if levels.peek().is_some() {
            let some = levels.any(|level| level <= 41);
            self.judge.demand(&apple::A1_3A, some, || {
                (Place::whole(shown.url.as_str()), "no variant of at most level 4.1", "some")
            });
        }
    }

    fn pair(&self, first: &Medium, medium: &Medium, live: bool) {
        let judge = &self.judge;
        let url = medium.url.as_str();
        let whole = || Place::whole(url);
        let (a, b) = (&first.list, &medium.list);
        judge.demand(&apple::A8_2, a.target == b.target, || {
            (
                whole(),
                format!("EXT-X-TARGETDURATION {:?}", b.target.unwrap_or(0)),
                format!("{} as {}", a.target.unwrap_or(0), first.url),
            )
        });
        judge.demand(
            &rfc::R6_2_4_PDT,
            a.segments.iter().any(|s| s.date.is_some()) == b.segments.iter().any(|s| s.date.is_some()),
            || (whole(), "time of day in some playlists only", "in all or none"),
        );
        let marks = |list: &Playlist| {
            list.segments.iter().enumerate().filter(|(at, s)| s.discontinuity && *at > 0).count()
        };
        if live {
            judge.demand(&rfc::R6_2_4_DIS, agree(a, b), || {
                (whole(), "other discontinuity numbers", "the same")
            });
            return;
        }
        let picture = first
            .facts
            .iter()
            .chain(&medium.facts)
            .map(|facts| facts.picture)
            .max()
            .unwrap_or(0)
            .max(1_000_000);
        let slip = (i128::from(a.duration()) - i128::from(b.duration())).abs() * 1_000;
        let told = || {
            (
                whole(),
                format!("{} ms", b.duration() / 1_000),
                format!("{} ms as {}", a.duration() / 1_000, first.url),
            )
        };
        judge.demand(&apple::A8_3, slip <= picture, told);
        if medium.role == Role::Audio && first.role == Role::Video {
            judge.demand(&apple::A2_15, slip <= picture, told);
        }
        judge.demand(&apple::A8_14, marks(a) == marks(b), || {
            (whole(), format!("{} discontinuities", marks(b)), format!("{} as {}", marks(a), first.url))
        });
        let starts = |medium: &Medium| {
            let mut at = 0;
            let one = |s: &crate::read::m3u8::Segment| {
                at += s.duration.unwrap_or(0);
                at
            };
            medium.list.segments.iter().map(one).collect::<Vec<_>>()
        };
        if medium.role == Role::Video {
            let aligned = starts(first) == starts(medium);
            judge.demand(&apple::A8_22, aligned, || (whole(), "other boundaries", "the same instants"));
        }
        let begins = |medium: &Medium| medium.facts.first().and_then(|facts| facts.start);
        if let (Some(one), Some(other)) = (begins(first), begins(medium))
            && first.facts.first().map(|f| f.is_ts) == medium.facts.first().map(|f| f.is_ts)
        {
            let slip = (one - other).abs();
            // An encoder's first frame of sound may lie a frame before the first picture.
            let allowed = if medium.role == first.role { 1_000_000 } else { picture };
            let told = || {
                (whole(), format!("media from {} ms", other / 1_000_000), format!("{} ms", one / 1_000_000))
            };
            judge.demand(&rfc::R6_2_4_START, slip <= allowed, told);
            judge.demand(&apple::A8_7, slip <= allowed, told);
        }
    }

    /// I-frames and texts beside the pictures.
    fn aside(&self, first: &Medium, medium: &Medium, live: bool) {
        let judge = &self.judge;
        let whole = || Place::whole(medium.url.as_str());
        let (theirs, ours) = (medium.list.target, first.list.target);
        if live {
            let rule = if medium.role == Role::Text { &apple::A5_6 } else { &apple::A6_11 };
            judge.demand(rule, theirs == ours, || {
                (whole(), format!("target duration {theirs:?}"), format!("{ours:?}"))
            });
            return;
        }
        if medium.role == Role::Text {
            let (text, title) = (medium.list.duration(), first.list.duration());
            let target = ours.unwrap_or(0) * 1_000_000;
            judge.demand(&apple::A5_5, text + target / 2 >= title, || {
                (whole(), format!("{} ms of text", text / 1_000), format!("{} ms", title / 1_000))
            });
        }
    }

    /// What a variant promises against what its media is.
    fn variant(&self, shown: &Presentation, stream: &Stream) {
        let judge = &self.judge;
        let place = || Place::line(shown.url.as_str(), stream.line);
        let Some(medium) = find(shown, stream) else { return };
        let Some(facts) = medium.facts.iter().find(|facts| facts.codec.is_some() || facts.channels.is_some())
        else {
            return;
        };
        let codecs = stream.attributes.codecs();
        let names = |real: &str| codecs.iter().any(|told| same_codec(told, real));
        if let Some(real) = facts.codec.as_deref().filter(|_| !codecs.is_empty()) {
            judge.demand(&delivery::A9_1, names(real), || {
                (place(), format!("CODECS {}", codecs.join(",")), format!("{real} as the media has"))
            });
        }
        if let Some(group) = stream.attributes.get("AUDIO").filter(|_| !codecs.is_empty()) {
            for sound in shown.list.renditions.iter().filter(|media| is_of(media, "AUDIO", group)) {
                let real = find(shown, sound)
                    .and_then(|medium| medium.facts.iter().find_map(|facts| facts.codec.clone()));
                let Some(real) = real else { continue };
                judge.demand(&delivery::A9_1, names(&real), || {
                    (place(), format!("CODECS {}", codecs.join(",")), format!("{real} for its sound"))
                });
            }
        } else if facts.is_muxed || !codecs.iter().any(|codec| is_sound(codec)) {
            judge.looked(&apple::A8_9);
        } else if medium.role == Role::Video {
            judge.demand(&apple::A8_9, false, || {
                (place(), "sound in CODECS, none in the media, no AUDIO group", "EXT-X-MEDIA")
            });
        }
        if let (Some(told), Some(real)) = (stream.attributes.size(), facts.size) {
            judge.demand(&delivery::A9_2, told == real, || {
                (place(), format!("RESOLUTION {}x{}", told.0, told.1), format!("{}x{}", real.0, real.1))
            });
        }
        if let (Some(told), Some(real)) =
            (stream.attributes.get("FRAME-RATE").and_then(|rate| rate.parse::<f64>().ok()), facts.rate)
        {
            let real = real as f64 / 1_000.0;
            judge.demand(&delivery::A9_15, (told - real).abs() <= real * 0.005, || {
                (place(), format!("FRAME-RATE {told}"), format!("{real:.3}"))
            });
            judge.demand(&apple::A1_19, real <= 60.05, || {
                (place(), format!("{real:.3} pictures a second"), "60 at most")
            });
            let natural = [23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0]
                .iter()
                .any(|rate| (rate - real).abs() < 0.02);
            judge.demand(&apple::A1_16, natural, || {
                (place(), format!("{real:.3} pictures a second"), "a natural rate")
            });
        }
        judge.demand(&delivery::A9_5, !facts.is_muxed || facts.is_ts, || {
            (place(), "sound and pictures in one file", "apart")
        });
        let range = stream.attributes.get("VIDEO-RANGE");
        judge.demand(
            &delivery::A9_16,
            !matches!(range, Some(other) if !matches!(other, "SDR" | "PQ" | "HLG")),
            || (place(), format!("VIDEO-RANGE {}", range.unwrap_or("")), "SDR, HLG or PQ"),
        );
    }

    fn sound(&self, shown: &Presentation, stream: &Stream) {
        let judge = &self.judge;
        let place = || Place::line(shown.url.as_str(), stream.line);
        let Some(medium) = find(shown, stream) else { return };
        judge.looked(&delivery::A9_7);
        let real = medium.facts.iter().find_map(|facts| facts.channels).filter(|channels| *channels > 0);
        let told =
            stream.attributes.get("CHANNELS").and_then(|told| told.split('/').next()?.parse::<u32>().ok());
        if let (Some(told), Some(real)) = (told, real) {
            judge.demand(&rfc::R4_6_1, told == real, || {
                (place(), format!("CHANNELS {told}"), format!("{real} as the media has"))
            });
        }
    }

    fn colours(&self, timed: &[&Medium]) {
        let mut known = timed
            .iter()
            .filter_map(|medium| Some((medium, medium.facts.iter().find_map(|f| f.colour.clone())?)));
        let Some((_, first)) = known.next() else { return };
        for (medium, colour) in known {
            self.judge.demand(&formats::CMAF_COLOUR, colour == first, || {
                (Place::whole(medium.url.as_str()), colour.clone(), first.clone())
            });
            self.judge.demand(&apple::A1_21, colour == first, || {
                (Place::whole(medium.url.as_str()), colour.clone(), first.clone())
            });
        }
    }
}

/// The medium behind a tag.
pub(super) fn find<'a>(shown: &'a Presentation, stream: &Stream) -> Option<&'a Medium> {
    let url: Url = shown.url.join(stream.uri.as_deref()?).ok()?;
    shown.media.iter().find(|medium| medium.url == url)
}

/// The level of an H.264 codec name.
fn level(codec: &str) -> Option<u8> {
    u8::from_str_radix(codec.strip_prefix("avc1.")?.get(4..6)?, 16).ok()
}

/// Names of codecs, hexadecimal letters in either case; AV1's optional fields may be told or not.
fn same_codec(told: &str, real: &str) -> bool {
    let (told, real) = (told.to_ascii_lowercase(), real.to_ascii_lowercase());
    told == real || real.starts_with("av01") && told.starts_with(&format!("{real}."))
}

/// How far two playlists' times of day for the same segment may lie apart: each is of its own first sample.
const SAME_TIME_NS: i128 = 500_000_000;

/// Whether two windows number the same moments alike. Numbers of segments need not agree (6.2.4), and windows that were asked for one after
/// the other need not hold the same: so what is dated is compared.
fn agree(a: &Playlist, b: &Playlist) -> bool {
    let theirs = b.numbered();
    a.numbered().iter().all(|(time, number)| {
        let same = theirs.iter().filter(|(other, _)| (time - other).abs() < SAME_TIME_NS);
        same.min_by_key(|(other, _)| (time - other).abs()).is_none_or(|(_, other)| other == number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::m3u8;

    /// A window of segments of six seconds, a new programme each two, from `first` on; its numbers begin with `before`.
    fn window(first: u64, before: u64) -> Playlist {
        let segment = |at: u64| {
            let mark = if at.is_multiple_of(2) { "#EXT-X-DISCONTINUITY\n" } else { "" };
            let (minute, second) = (at * 6 / 60, at * 6 % 60);
            let date = format!("#EXT-X-PROGRAM-DATE-TIME:2026-03-02T08:{minute:02}:{second:02}.000+08:00\n");
            format!("{mark}{date}#EXTINF:6,\n{at}.m4s\n")
        };
        let segments: String = (first..first + 5).map(segment).collect();
        let head = format!("#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:{before}\n");
        m3u8::read(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n{head}{segments}"))
    }

    /// The second of two was asked for where another programme had come in, and was called wrong.
    #[test]
    fn windows_that_were_asked_for_one_after_the_other_agree_where_they_number_moments_alike() {
        for (first, before, alike) in
            [(11, 5, true), (12, 5, true), (13, 6, true), (12, 6, false), (13, 5, false)]
        {
            assert_eq!(agree(&window(11, 5), &window(first, before)), alike, "{first} {before}");
        }
        // They have no moment in common.
        assert!(agree(&window(11, 5), &window(20, 0)));
    }
}
