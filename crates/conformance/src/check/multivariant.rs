//! The multivariant playlist by itself.

use super::Inspection;
use crate::read::m3u8::{Playlist, Stream};
use crate::report::Place;
use crate::rule::{apple, delivery, rfc};
use std::collections::BTreeMap;
use url::Url;

/// Apple 1.32b.
const START: u64 = 730_000;
/// Apple 9.21.
const CELLULAR: u64 = 192_000;

impl Inspection<'_> {
    pub(super) fn multivariant(&self, url: &Url, list: &Playlist) {
        self.syntax(url, list);
        let judge = &self.judge;
        let place = |stream: &Stream| Place::line(url.as_str(), stream.line);
        let has = |rule, stream: &Stream, name: &str| {
            judge.demand(rule, stream.attributes.get(name).is_some(), || {
                (place(stream), format!("no {name}"), name)
            });
        };
        for stream in &list.variants {
            let number = stream.attributes.number("BANDWIDTH").is_some();
            judge.demand(&rfc::R4_6_2, number, || (place(stream), "no BANDWIDTH", "BANDWIDTH"));
            has(&delivery::A9_13, stream, "BANDWIDTH");
            has(&delivery::A9_1, stream, "CODECS");
            has(&delivery::A9_14, stream, "AVERAGE-BANDWIDTH");
            let codecs = stream.attributes.codecs();
            let sound_alone = !codecs.is_empty() && codecs.iter().all(|codec| is_sound(codec));
            if !sound_alone {
                has(&delivery::A9_2, stream, "RESOLUTION");
                has(&delivery::A9_15, stream, "FRAME-RATE");
            }
            for kind in ["AUDIO", "SUBTITLES", "VIDEO"] {
                let Some(group) = stream.attributes.get(kind) else { continue };
                let there = list.renditions.iter().any(|media| is_of(media, kind, group));
                judge.demand(&rfc::R4_6_2, there, || {
                    (
                        place(stream),
                        format!("{kind}=\"{group}\", of which there is no EXT-X-MEDIA"),
                        "a group that is there",
                    )
                });
            }
        }
        for stream in &list.iframes {
            judge.demand(
                &rfc::R4_6_3,
                stream.uri.is_some() && stream.attributes.number("BANDWIDTH").is_some(),
                || (place(stream), "no URI or no BANDWIDTH", "both"),
            );
            has(&delivery::A9_3, stream, "CODECS");
            has(&delivery::A9_4, stream, "RESOLUTION");
        }
        self.renditions(url, list);
        self.choice(url, list);
    }

    /// EXT-X-MEDIA.
    fn renditions(&self, url: &Url, list: &Playlist) {
        let judge = &self.judge;
        let place = |stream: &Stream| Place::line(url.as_str(), stream.line);
        let mut groups: BTreeMap<(&str, &str), Vec<&Stream>> = BTreeMap::new();
        for stream in &list.renditions {
            let named =
                ["TYPE", "GROUP-ID", "NAME"].iter().find(|name| stream.attributes.get(name).is_none());
            judge.demand(&rfc::R4_6_1, named.is_none(), || {
                (place(stream), format!("no {}", named.unwrap_or(&"")), "TYPE, GROUP-ID and NAME")
            });
            let kind = stream.attributes.get("TYPE").unwrap_or_default();
            let language = stream.attributes.get("LANGUAGE").is_some_and(|language| !language.is_empty());
            let tell = || (place(stream), "no LANGUAGE", "a language (RFC 5646)");
            match kind {
                "SUBTITLES" => judge.demand(&apple::A4_7, language, tell),
                "CLOSED-CAPTIONS" => judge.demand(&apple::A4_4, language, tell),
                _ => true,
            };
            if kind != "VIDEO" {
                judge.demand(&apple::A8_10, language, tell);
            }
            let group = stream.attributes.get("GROUP-ID").unwrap_or_default();
            groups.entry((kind, group)).or_default().push(stream);
        }
        for ((kind, group), members) in groups {
            let count =
                |name: &str| members.iter().filter(|m| m.attributes.get("NAME") == Some(name)).count();
            let twice = members.iter().filter_map(|m| m.attributes.get("NAME")).find(|name| count(name) > 1);
            judge.demand(&rfc::R4_6_1, twice.is_none(), || {
                (
                    place(members[0]),
                    format!("two renditions of {kind} {group} named {}", twice.unwrap_or("")),
                    "one a name",
                )
            });
            let defaults = members.iter().filter(|m| m.attributes.get("DEFAULT") == Some("YES")).count();
            judge.demand(&rfc::R4_6_1, defaults <= 1, || {
                (place(members[0]), format!("{defaults} renditions with DEFAULT=YES"), "at most one")
            });
        }
    }

    /// What a player may choose from.
    fn choice(&self, url: &Url, list: &Playlist) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let place = |stream: &Stream| Place::line(url.as_str(), stream.line);
        let is_video = |stream: &&Stream| stream.attributes.size().is_some();
        let video: Vec<&Stream> = list.variants.iter().filter(is_video).collect();
        judge
            .demand(&delivery::A9_11, list.independent, || (whole(), "no EXT-X-INDEPENDENT-SEGMENTS", "one"));
        let scored = list.variants.iter().filter(|stream| stream.attributes.get("SCORE").is_some()).count();
        judge.demand(&delivery::A9_19, scored == 0 || scored == list.variants.len(), || {
            (whole(), format!("SCORE on {scored} of {} variants", list.variants.len()), "on all or none")
        });
        judge.looked(&rfc::R6_2_4_SOUND);
        if video.is_empty() {
            return;
        }
        judge.demand(&delivery::A9_20, video.len() == list.variants.len(), || {
            (whole(), "variants without RESOLUTION: sound alone", "pictures in each")
        });
        let bandwidth = |stream: &&Stream| stream.attributes.number("BANDWIDTH");
        let smallest = video.iter().filter_map(bandwidth).min().unwrap_or(u64::MAX);
        // A package keeps this promise in its main playlist; the list for old devices carries MPEG-TS, which is larger.
        if *url == *self.address {
            judge.demand(&delivery::A9_21, smallest <= CELLULAR, || {
                (
                    whole(),
                    format!("BANDWIDTH {smallest} at least"),
                    format!("a variant of at most {CELLULAR}"),
                )
            });
        }
        judge.demand(&delivery::A9_9, self.ours || video.len() > 1, || {
            (whole(), "one variant", "several bit rates")
        });
        judge.demand(&apple::A6_1, !list.iframes.is_empty(), || {
            (whole(), "no EXT-X-I-FRAME-STREAM-INF", "I-frame playlists")
        });
        judge.demand(&apple::A6_6, list.iframes.len() != 1, || (whole(), "one I-frame bit rate", "several"));
        if let Some(first) = list.variants.first().filter(|first| first.attributes.get("SCORE").is_none()) {
            let off = |stream: &&Stream| bandwidth(stream).unwrap_or(u64::MAX).abs_diff(START);
            // The lists of a package of ours that hold the small rungs alone begin where they can.
            let nearest = video.iter().map(&off).min() == Some(off(&first));
            judge.demand(&apple::A1_32B, nearest, || {
                (
                    place(first),
                    format!("BANDWIDTH {}", bandwidth(&first).unwrap_or(0)),
                    format!("the variant nearest to {START}"),
                )
            });
        }
        let steered = video.iter().all(|stream| stream.attributes.get("PATHWAY-ID").is_some());
        judge.demand(&delivery::A9_18, steered, || (whole(), "variants without PATHWAY-ID", "their pathway"));
        let text = list
            .renditions
            .iter()
            .any(|m| matches!(m.attributes.get("TYPE"), Some("SUBTITLES" | "CLOSED-CAPTIONS")));
        judge.demand(&apple::A4_1, text, || (whole(), "neither captions nor subtitles", "either"));
        let sdr = |stream: &&Stream| stream.attributes.get("VIDEO-RANGE").is_none_or(|range| range == "SDR");
        judge.demand(&apple::A1_24, video.iter().any(sdr), || (whole(), "no SDR variant", "SDR variants"));
        if !list.iframes.is_empty() {
            let there = list.iframes.iter().any(|stream| sdr(&stream));
            judge.demand(&apple::A6_10, there, || (whole(), "no SDR I-frame playlist", "one"));
        }
        let ratio = |stream: &&Stream| {
            stream.attributes.size().map_or(0.0, |(w, h)| f64::from(w) / f64::from(h.max(1)))
        };
        let first = video.first().map_or(0.0, &ratio);
        let odd = video.iter().find(|stream| (ratio(stream) / first - 1.0).abs() > 0.02);
        judge.demand(&apple::A1_33, odd.is_none(), || {
            let odd = odd.and_then(|stream| stream.attributes.get("RESOLUTION")).unwrap_or_default();
            (whole(), format!("{odd} beside {first:.3}"), "one aspect ratio")
        });
        let stereo = list.renditions.iter().filter(|m| m.attributes.get("TYPE") == Some("AUDIO"));
        let mut channels = stereo.filter_map(|m| m.attributes.get("CHANNELS")).peekable();
        if channels.peek().is_some() {
            let there = channels.any(|told| told.split('/').next() == Some("2"));
            judge.demand(&apple::A2_3, there, || (whole(), "no rendition of two channels", "stereo AAC"));
        }
    }
}

pub(super) fn is_sound(codec: &str) -> bool {
    ["mp4a", "ac-3", "ec-3", "alac", "fLaC", "Opus", "opus"].iter().any(|name| codec.starts_with(name))
}

pub(super) fn is_of(media: &Stream, kind: &str, group: &str) -> bool {
    media.attributes.get("TYPE") == Some(kind) && media.attributes.get("GROUP-ID") == Some(group)
}
