//! One media playlist by itself.

use super::{Inspection, Medium, Role};
use crate::read::m3u8::{Fault, Playlist};
use crate::report::Place;
use crate::rule::{apple, delivery, rfc};
use url::Url;

/// Microseconds of a second.
const SECOND: u64 = 1_000_000;

impl Inspection<'_> {
    /// What holds for playlists of both kinds.
    pub(super) fn syntax(&self, url: &Url, list: &Playlist) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        judge.demand(&rfc::R4_1_1, list.has_header, || {
            (Place::line(url.as_str(), 1), "another first line", "#EXTM3U")
        });
        let both = list.is_multivariant() && list.is_media();
        judge.demand(&rfc::R4_1, !both, || (whole(), "tags of both kinds of playlist", "one kind"));
        judge.demand(&rfc::R4_1_2, list.versions <= 1, || {
            (whole(), format!("{} EXT-X-VERSION tags", list.versions), "at most one")
        });
        let needed = needed_version(list);
        let told = list.version.unwrap_or(1);
        judge.demand(&rfc::R4_1_2, told >= needed, || {
            (whole(), format!("EXT-X-VERSION {told}"), format!("{needed}"))
        });
        judge.demand(&rfc::R6_2_1_S5, told <= needed.max(7), || {
            (whole(), format!("EXT-X-VERSION {told}"), format!("no more than {needed}"))
        });
        for (line, fault, text) in &list.notes {
            let rule = match fault {
                Fault::Text => &rfc::R4_1,
                Fault::Attributes | Fault::Number => &rfc::R4_2,
                Fault::Order => &rfc::R4_3_2,
                Fault::Duration => &rfc::R4_4_1,
                Fault::Range => &rfc::R4_4_2,
                Fault::Date => &rfc::R4_4_6,
            };
            judge.broken(rule, Place::line(url.as_str(), *line), text, "what the section says");
        }
        judge.looked(&rfc::R4_2);
    }

    pub(super) fn playlist(&self, medium: &Medium) {
        let (judge, list) = (&self.judge, &medium.list);
        let url = medium.url.as_str();
        let whole = || Place::whole(url);
        self.syntax(&medium.url, list);
        judge.looked(&rfc::R4_4_1);
        judge.demand(&rfc::R4_3_1, list.target.is_some(), || (whole(), "no EXT-X-TARGETDURATION", "one"));
        let target = list.target.unwrap_or(0) * SECOND;
        for segment in &list.segments {
            let Some(length) = segment.duration else { continue };
            let place = || Place::line(url, segment.line);
            if target > 0 {
                let rounded = (length + SECOND / 2) / SECOND;
                judge.demand(&rfc::R6_2_1, rounded * SECOND <= target, || {
                    (place(), format!("{length} µs"), format!("at most {} s when rounded", target / SECOND))
                });
                judge.demand(&apple::A7_7, length <= target + SECOND / 2, || {
                    (place(), format!("{length} µs"), format!("at most {} ms", target / 1_000 + 500))
                });
            }
        }
        let kind = list.kind.as_deref();
        judge.demand(&rfc::R4_3_5, matches!(kind, None | Some("VOD" | "EVENT")), || {
            (whole(), format!("EXT-X-PLAYLIST-TYPE:{}", kind.unwrap_or("")), "VOD or EVENT")
        });
        if list.ended && kind != Some("EVENT") {
            judge.demand(&apple::A8_6, kind == Some("VOD"), || (whole(), "no EXT-X-PLAYLIST-TYPE", "VOD"));
        }
        if kind == Some("VOD") {
            judge.demand(&rfc::R6_2_1_M11, list.ended, || {
                (whole(), "VOD without EXT-X-ENDLIST", "EXT-X-ENDLIST")
            });
        }
        if medium.role == Role::Iframes {
            judge.demand(&apple::A6_8, list.iframes_only, || (whole(), "no EXT-X-I-FRAMES-ONLY", "one"));
        }
        if medium.role == Role::Video {
            let usual = list.segments.iter().filter_map(|s| s.duration).max().unwrap_or(0);
            judge.demand(&apple::A7_5, (5 * SECOND..=7 * SECOND).contains(&usual), || {
                (whole(), format!("{} ms", usual / 1_000), "about 6 s")
            });
        }
        if list.is_live() {
            self.window(medium);
        }
        self.protection(medium);
        self.low_latency(medium);
        if medium.role == Role::Video {
            // Nothing in an address changes with time or viewer.
            let fixed = list.segments.first().is_some_and(|segment| !segment.uri.contains('?'));
            judge.demand(&delivery::A12_4, !fixed, || (whole(), "plain addresses", "addresses that expire"));
        }
        for range in &list.date_ranges {
            let named = range.get("ID").is_some() && range.get("START-DATE").is_some();
            judge.demand(&rfc::R4_5_1, named, || {
                (whole(), "EXT-X-DATERANGE without ID or START-DATE", "both")
            });
        }
    }

    /// What holds for a window that moves.
    fn window(&self, medium: &Medium) {
        let (judge, list) = (&self.judge, &medium.list);
        let url = medium.url.as_str();
        let whole = || Place::whole(url);
        if list.kind.as_deref() == Some("EVENT") {
            judge.looked(&apple::A8_8);
            return;
        }
        judge.demand(&rfc::R6_2_2_M12, list.kind.is_none(), || (whole(), "EXT-X-PLAYLIST-TYPE", "none"));
        judge
            .demand(&rfc::R6_2_2_M1, list.sequence.is_some(), || (whole(), "no EXT-X-MEDIA-SEQUENCE", "one"));
        if medium.role != Role::Iframes {
            let count = list.segments.len();
            judge.demand(&apple::A8_11, count >= 6, || (whole(), format!("{count} segments"), "six"));
        }
        let (length, target) = (list.duration(), list.target.unwrap_or(0) * SECOND);
        judge.demand(&rfc::R6_2_2_M6, length >= 3 * target, || {
            (whole(), format!("{} ms listed", length / 1_000), format!("{} ms", 3 * target / 1_000))
        });
        judge.demand(&apple::A8_12, length >= 15 * 60 * SECOND, || {
            (whole(), format!("{} s listed", length / SECOND), "15 minutes")
        });
        let dated = list.segments.iter().any(|segment| segment.date.is_some());
        judge.demand(&apple::A8_4, dated, || (whole(), "no EXT-X-PROGRAM-DATE-TIME", "one"));
        if list.segments.iter().any(|segment| segment.discontinuity) {
            let told = list.discontinuity_sequence.is_some();
            judge.demand(&apple::A8_17, told, || (whole(), "no EXT-X-DISCONTINUITY-SEQUENCE", "one"));
        }
    }

    fn low_latency(&self, medium: &Medium) {
        let Some(parts) = &medium.list.part_info else { return };
        let whole = || Place::whole(medium.url.as_str());
        let seconds = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        let part = seconds(parts.get("PART-TARGET"));
        let fits = part.is_some_and(|part| part > 0.0 && part <= medium.list.target.unwrap_or(0) as f64);
        self.judge.demand(&delivery::A14_2, fits, || {
            (whole(), format!("PART-TARGET {part:?}"), "at most the target duration")
        });
        let hold = seconds(medium.list.control.as_ref().and_then(|control| control.get("PART-HOLD-BACK")));
        self.judge.demand(&delivery::A14_3, hold >= part.map(|part| 3.0 * part - 0.001), || {
            (whole(), format!("PART-HOLD-BACK {hold:?}"), "three parts at least")
        });
    }

    fn protection(&self, medium: &Medium) {
        let url = medium.url.as_str();
        let Some((line, key)) = medium.list.segments.iter().find_map(|s| Some((s.line, s.key.as_ref()?)))
        else {
            return;
        };
        if key.get("KEYFORMAT").is_none_or(|format| format == "identity") {
            return;
        }
        let method = key.get("METHOD").unwrap_or("none");
        self.judge.demand(&delivery::A13_2, method == "SAMPLE-AES", || {
            (Place::line(url, line), format!("METHOD={method}"), "SAMPLE-AES")
        });
        let format = key.get("KEYFORMAT").unwrap_or_default();
        self.judge.demand(&delivery::A13_3, format == "com.apple.streamingkeydelivery", || {
            (Place::line(url, line), format!("KEYFORMAT={format}"), "com.apple.streamingkeydelivery")
        });
    }
}

/// RFC 8216bis §8.
fn needed_version(list: &Playlist) -> u64 {
    let maps = list.segments.iter().any(|segment| segment.map.is_some());
    if maps && !list.iframes_only {
        6
    } else if maps {
        5
    } else if list.iframes_only || list.segments.iter().any(|segment| segment.range.is_some()) {
        4
    } else if list.segments.iter().any(|s| s.duration.is_some_and(|length| length % SECOND != 0)) {
        3
    } else {
        1
    }
}
