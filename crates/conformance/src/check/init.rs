//! Init sections: tracks, sample entries, and whether what they say is true.

use super::Inspection;
use crate::fetch::Ask;
use crate::read::h264::{Sps, lowest_level};
use crate::read::init::{self, Config, Init, Track};
use crate::read::m3u8::Map;
use crate::report::Place;
use crate::rule::{apple, formats, rfc};
use url::Url;

impl Inspection<'_> {
    /// Fetches and reads one; what is wrong is told.
    pub(super) fn init(&self, base: &Url, map: &Map) -> Option<Init> {
        let url = base.join(&map.uri).ok()?;
        let answer = self.get(Ask::media(&url, map.range))?;
        self.media_delivery(&url, &answer);
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let init = match init::read(&answer.body) {
            Ok(init) => init,
            Err(error) => {
                judge.broken(&rfc::R3_INIT, whole(), error.to_string(), "ftyp and moov");
                return None;
            }
        };
        let samples = init.tracks.iter().any(|track| track.has_samples);
        judge.demand(&rfc::R3_INIT, init.fragmented && !samples, || {
            (Place::at(url.as_str(), "moov"), "no mvex, or samples", "mvex and no samples")
        });
        let claims = init.brands.iter().any(|brand| matches!(brand, b"cmfc" | b"cmf2"));
        if claims || self.ours {
            let there = claims && init.brands.contains(b"iso6");
            judge.demand(&formats::CMAF_BRANDS, there, || {
                let told: Vec<_> = init.brands.iter().map(|brand| brand.escape_ascii().to_string()).collect();
                (Place::at(url.as_str(), "ftyp"), told.join(" "), "cmfc and iso6")
            });
            judge.demand(&formats::CMAF_TRACK, init.tracks.len() == 1, || {
                (Place::at(url.as_str(), "moov"), format!("{} tracks", init.tracks.len()), "one")
            });
            let edits = init.tracks.iter().any(|track| track.has_edits);
            judge.demand(&formats::CMAF_EDTS, !edits, || {
                (Place::at(url.as_str(), "moov/trak/edts"), "an edit list", "none")
            });
        }
        let sounds = init.tracks.iter().filter(|track| track.is_audio()).count();
        if sounds > 0 {
            judge
                .demand(&apple::A2_17, sounds == 1, || (whole(), format!("{sounds} tracks of sound"), "one"));
            let loud = init.tracks.iter().any(|track| track.has_loudness);
            judge.demand(&apple::A2_19, loud, || {
                (Place::at(url.as_str(), "moov/trak/udta"), "no ludt", "one")
            });
        }
        for track in &init.tracks {
            self.track(&url, track);
        }
        Some(init)
    }

    fn track(&self, url: &Url, track: &Track) {
        let judge = &self.judge;
        let place = |inside: &'static str| Place::at(url.as_str(), inside);
        let entry = track.entry.escape_ascii().to_string();
        if track.is_video() {
            let known =
                matches!(&track.entry, b"avc1" | b"avc3" | b"hvc1" | b"hev1" | b"dvh1" | b"av01" | b"encv");
            judge.demand(&apple::A1_1, known, || (place("stsd"), entry.clone(), "avc1, hvc1 or av01"));
            let within = !matches!(&track.entry, b"avc3" | b"hev1");
            judge.demand(&apple::A1_10, within, || (place("stsd"), entry.clone(), "avc1 or hvc1"));
        }
        match &track.config {
            Config::Avc(avc) => {
                judge.looked(&apple::A1_2);
                let place = || place("stsd/avc1/avcC");
                let Some(sps) = &avc.sps else {
                    let found = avc.broken.as_ref().map_or("no SPS".to_owned(), ToString::to_string);
                    judge.broken(&formats::CMAF_ENTRY, place(), found, "SPS and PPS");
                    return;
                };
                let sets = avc.broken.is_none() && !avc.sets.pps.is_empty();
                judge.demand(&formats::CMAF_ENTRY, sets, || {
                    (place(), "no PPS that can be read", "SPS and PPS")
                });
                let same = avc.told == [sps.profile, sps.constraints, sps.level];
                judge.demand(&formats::H264_CONFIG, same, || {
                    let [profile, constraints, level] = avc.told;
                    (
                        place(),
                        format!("{profile:02X}{constraints:02X}{level:02X}"),
                        format!("{} as its SPS says", sps.codec()),
                    )
                });
                self.sps(url, sps);
                let size = (u32::from(track.size.0), u32::from(track.size.1));
                judge.demand(&formats::H264_CONFIG, size == sps.size, || {
                    (
                        place(),
                        format!("{}x{} in the sample entry", size.0, size.1),
                        format!("{}x{}", sps.size.0, sps.size.1),
                    )
                });
            }
            Config::Av1(av1) => {
                judge.looked(&apple::A1_5);
                let agrees = av1.sequence.as_ref().is_some_and(|sequence| sequence.agrees(&av1.told));
                judge.demand(&formats::AV1_CONFIG, agrees, || {
                    (
                        place("stsd/av01/av1C"),
                        format!("{:?} beside {:?}", av1.told, av1.sequence),
                        "the same in both",
                    )
                });
            }
            Config::Aac(aac) => {
                let rate = aac.object_type != 2
                    || aac.rate == track.timescale
                    || track.timescale.is_multiple_of(aac.rate);
                judge.demand(&formats::AAC_CONFIG, rate, || {
                    (
                        place("stsd/mp4a/esds"),
                        format!("{} Hz", aac.rate),
                        format!("{} as the timescale", track.timescale),
                    )
                });
                let channels =
                    aac.channels == 0 || aac.channels == u32::from(track.channels) || track.channels == 2;
                judge.demand(&formats::AAC_CONFIG, channels, || {
                    (place("stsd/mp4a"), format!("{} channels", track.channels), format!("{}", aac.channels))
                });
            }
            Config::Broken(error) => {
                judge.broken(
                    &formats::CMAF_ENTRY,
                    Place::at(url.as_str(), format!("stsd/{entry}")),
                    error.to_string(),
                    "a configuration",
                );
            }
            Config::Other => {}
        }
    }

    /// What an SPS says, wherever it stands.
    pub(super) fn sps(&self, url: &Url, sps: &Sps) {
        let judge = &self.judge;
        let place = || Place::at(url.as_str(), "SPS");
        let allowed = matches!(sps.profile, 66 | 77 | 88 | 100) && sps.level <= 52;
        judge.demand(&apple::A1_3, allowed, || {
            (place(), format!("profile {}, level {}", sps.profile, sps.level), "at most High, 5.2")
        });
        judge.demand(&apple::A1_4, sps.profile >= 100, || {
            (place(), format!("profile {}", sps.profile), "High")
        });
        judge.demand(&apple::A1_14, !sps.mb_adaptive, || (place(), "macroblocks of fields", "frames only"));
        let macroblocks = sps.coded.0.saturating_mul(sps.coded.1);
        let limits = crate::read::h264::level_limits(sps.level, sps.profile, sps.constraints);
        judge.demand(&formats::H264_LEVEL, limits.is_some_and(|(frame, _)| macroblocks <= frame), || {
            let (columns, rows) = sps.coded;
            let lowest = lowest_level(macroblocks, 0);
            (
                place(),
                format!("level {} for {columns}x{rows} macroblocks", sps.level),
                format!("{lowest} at least"),
            )
        });
    }
}
