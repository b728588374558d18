//! I-frame playlists and transport streams.

use super::segment::{Facts, nanoseconds};
use super::{Inspection, Medium};
use crate::read::init::{Config, Init};
use crate::read::m3u8::Segment;
use crate::read::{aac, av1, fragment, h264, slice, ts};
use crate::report::Place;
use crate::rule::{apple, formats, rfc};
use url::Url;

impl Inspection<'_> {
    /// Apple 6.16: the range holds the `moof` and one key picture that a decoder can start with.
    pub(super) fn iframe(
        &self,
        medium: &Medium,
        listed: &Segment,
        url: &Url,
        body: &[u8],
        init: Option<&Init>,
    ) {
        let judge = &self.judge;
        let Some(init) = init else {
            if body.first() == Some(&0x47) {
                judge.looked(&apple::A6_16);
            } else {
                judge.broken(
                    &apple::A8_20,
                    Place::line(medium.url.as_str(), listed.line),
                    "no EXT-X-MAP",
                    "one",
                );
            }
            return;
        };
        let place = || Place::line(medium.url.as_str(), listed.line);
        let told = |error: String| {
            judge.broken(&apple::A6_16, place(), format!("{error} in {url}"), "its moof and one key picture")
        };
        if !matches!(body.get(4..8), Some(b"moof" | b"styp" | b"sidx" | b"prft")) {
            return told("a range that begins within something".to_owned());
        }
        let found = match fragment::read_part(body, init) {
            Ok(found) => found,
            Err(error) => return told(error.to_string()),
        };
        let traf = found.moofs.first().and_then(|moof| moof.trafs.first());
        let Some((traf, sample)) = traf.and_then(|traf| Some((traf, traf.samples.first()?))) else {
            return told("no sample".to_owned());
        };
        let Some(data) = body.get(sample.data.clone()) else {
            return told(format!("a picture of {} bytes that the range cuts off", sample.data.len()));
        };
        let track = init.tracks.iter().find(|track| track.id == traf.track);
        let is_key = match track.map(|track| &track.config) {
            Some(Config::Avc(avc)) => h264::prefixed(data, avc.length_size)
                .and_then(|nals| slice::picture(&nals, &mut avc.sets.clone()))
                .map(|picture| picture.is_idr),
            Some(Config::Av1(_)) => av1::sample(data, false).map(|sample| sample.is_key),
            _ => Ok(true),
        };
        match is_key {
            Ok(true) => judge.looked(&apple::A6_16),
            Ok(false) => told("no key picture".to_owned()),
            Err(error) => told(error.to_string()),
        }
    }

    /// An MPEG-TS segment.
    pub(super) fn transport(&self, url: &Url, body: &[u8], facts: &mut Facts) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        facts.is_ts = true;
        let found = match ts::read(body) {
            Ok(found) => found,
            Err(error) => {
                return judge.broken(&formats::TS_PSI, whole(), error.to_string(), "whole packets, PAT, PMT");
            }
        };
        judge.looked(&rfc::R3);
        judge.demand(&formats::TS_PSI, found.tables_first, || {
            (whole(), "media before PAT and PMT", "tables first")
        });
        judge.demand(&apple::A7_2, found.breaks.is_empty(), || {
            let (pid, packet) = found.breaks[0];
            (
                Place::at(url.as_str(), format!("packet {packet}")),
                format!("PID {pid} jumps"),
                "counters in sequence",
            )
        });
        facts.counters.clone_from(&found.counters);
        let hevc = found.of(&[0x24]).count();
        judge.demand(&apple::A1_5, hevc == 0, || (whole(), "HEVC in MPEG-TS", "fMP4"));
        let sounds = found.of(&ts::AUDIO).count();
        judge.demand(&apple::A2_17, sounds <= 1, || (whole(), format!("{sounds} streams of sound"), "one"));
        facts.is_muxed = sounds > 0 && found.of(&ts::VIDEO).count() > 0;
        for pid in found.of(&[0x1b]) {
            judge.looked(&apple::A1_2);
            self.transport_pictures(url, found.units.get(&pid).map_or(&[][..], Vec::as_slice), facts);
        }
        for pid in found.of(&[0x0f]) {
            let units = found.units.get(&pid).map_or(&[][..], Vec::as_slice);
            let first = units.first();
            let frame = first.map(|unit| aac::adts(&unit.data));
            match frame {
                Some(Ok(frame)) => {
                    judge.looked(&formats::TS_PES);
                    facts.channels = Some(frame.config.channels);
                }
                other => judge.broken(&formats::TS_PES, whole(), format!("{other:?}"), "ADTS frames"),
            }
            if facts.start.is_none() {
                facts.start =
                    first.and_then(|unit| unit.presentation).map(|at| nanoseconds(at.into(), 90_000));
            }
        }
    }

    fn transport_pictures(&self, url: &Url, units: &[ts::Unit], facts: &mut Facts) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let Some(first) = units.first() else {
            return judge.broken(&formats::TS_PES, whole(), "no pictures", "pictures");
        };
        let mut sets = h264::Sets::default();
        let nals = h264::annex_b(&first.data);
        for nal in &nals {
            if let Err(error) = sets.take(nal) {
                judge.broken(&formats::H264_NAL, whole(), error.to_string(), "parameter sets");
            }
        }
        match slice::picture(&nals, &mut sets) {
            Ok(picture) => {
                judge.demand(&apple::A7_4, picture.is_idr, || {
                    (whole(), "no IDR picture first", "an IDR picture")
                });
                judge.demand(&formats::TS_PES, picture.has_sps && picture.has_pps, || {
                    (whole(), "no SPS and PPS", "both")
                });
            }
            Err(error) => judge.broken(&formats::H264_NAL, whole(), error.to_string(), "whole NAL units"),
        }
        let timed = units.iter().all(|unit| unit.presentation.is_some());
        judge.demand(&formats::TS_PES, timed, || (whole(), "pictures without time stamps", "time stamps"));
        if let Some(sps) = sets.sps.values().next() {
            self.sps(url, sps);
            facts.size = Some(sps.size);
            facts.codec = Some(format!("avc1.{}", sps.codec()));
        }
        let first_shown = units.iter().filter_map(|unit| unit.presentation).min();
        facts.start = first_shown.map(|at| nanoseconds(at.into(), 90_000));
        let decoding: Vec<u64> = units.iter().filter_map(|unit| unit.decoding).collect();
        if let [first, .., last] = decoding[..] {
            let step = last.wrapping_sub(first) / (decoding.len() as u64 - 1);
            facts.picture = nanoseconds(step.into(), 90_000);
            facts.rate = 90_000_000u64.checked_div(step);
            facts.decode = Some((first, last.wrapping_sub(first) + step, 90_000));
        }
    }
}
