//! Opening segments: each by itself, many at once.

use super::{Inspection, Presentation, Role};
use crate::fetch::Ask;
use crate::read::fragment::{self, Traf};
use crate::read::init::{Config, Init, Track};
use crate::read::m3u8::Segment;
use crate::read::{aac, av1, h264, slice};
use crate::report::Place;
use crate::rule::{apple, formats, rfc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use url::Url;

/// What is remembered of a segment.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Of the whole file or range; `None` when nobody knows.
    pub(super) bytes: Option<u64>,
    /// First decode time, duration, ticks a second.
    pub(super) decode: Option<(u64, u64, u32)>,
    /// First presentation time in nanoseconds.
    pub(super) start: Option<i128>,
    /// The longest sample in nanoseconds.
    pub(super) picture: i128,
    /// Pictures a second in thousandths.
    pub(super) rate: Option<u64>,
    /// Codec of the pictures or the sound.
    pub(super) codec: Option<String>,
    /// Columns and rows.
    pub(super) size: Option<(u32, u32)>,
    /// Sample aspect ratio and colour.
    pub(super) colour: Option<String>,
    pub(super) channels: Option<u32>,
    /// TS: first and last continuity counters.
    pub(super) counters: BTreeMap<u16, (u8, u8)>,
    pub(super) is_ts: bool,
    /// Pictures and sound in one file.
    pub(super) is_muxed: bool,
}

/// Nanoseconds of `ticks`.
pub(super) fn nanoseconds(ticks: i128, scale: u32) -> i128 {
    ticks * 1_000_000_000 / i128::from(scale.max(1))
}

impl Inspection<'_> {
    /// Opens what the playlists list.
    pub(super) fn segments(&self, shown: &mut Presentation) {
        for medium in &mut shown.media {
            let mut maps: Vec<_> =
                medium.list.segments.iter().filter_map(|segment| segment.map.clone()).collect();
            maps.sort();
            maps.dedup();
            let inits = self.each(&maps, |map| self.init(&medium.url, map));
            medium.inits = maps.into_iter().zip(inits).filter_map(|(map, init)| Some((map, init?))).collect();
        }
        let work: Vec<(usize, usize)> = (shown.media.iter().enumerate())
            .flat_map(|(at, medium)| (0..medium.list.segments.len()).map(move |place| (at, place)))
            .collect();
        let done = AtomicUsize::new(0);
        let shared = &*shown;
        let facts = self.each(&work, |&(at, place)| {
            let facts = self.segment(shared, at, place);
            (self.follow)(done.fetch_add(1, Ordering::Relaxed) + 1, work.len());
            facts
        });
        for ((at, _), facts) in work.into_iter().zip(facts) {
            shown.media[at].facts.push(facts);
        }
    }

    fn segment(&self, shown: &Presentation, at: usize, place: usize) -> Facts {
        let medium = &shown.media[at];
        let segment = &medium.list.segments[place];
        if segment.gap || segment.key.is_some() {
            return Facts::default();
        }
        let Ok(url) = medium.url.join(&segment.uri) else { return Facts::default() };
        let last = place + 1 == medium.list.segments.len();
        if !place.is_multiple_of(self.options.sample.max(1)) && !last {
            let Some(answer) = self.get(Ask { range: segment.range, ..Ask::head(&url) }) else {
                return Facts::default();
            };
            self.media_delivery(&url, &answer);
            let bytes = segment.range.map(|(_, length)| length).or(answer.length);
            return Facts { bytes, ..Facts::default() };
        }
        let Some(answer) = self.get(Ask::media(&url, segment.range)) else { return Facts::default() };
        self.media_delivery(&url, &answer);
        self.judge.opened();
        let mut facts = Facts { bytes: Some(answer.body.len() as u64), ..Facts::default() };
        if let Some((start, length)) = segment.range {
            self.judge.demand(&rfc::R4_4_2, answer.body.len() as u64 == length, || {
                (
                    Place::line(medium.url.as_str(), segment.line),
                    format!("{length} bytes at {start}"),
                    "a range within its file",
                )
            });
        }
        let init = segment.map.as_ref().and_then(|map| medium.inits.get(map));
        match (medium.role, &answer.body[..]) {
            (Role::Text, body) => self.text_segment(medium, place, &url, body),
            (Role::Iframes, body) => self.iframe(medium, segment, &url, body, init),
            (_, body @ [0x47, ..]) => self.transport(&url, body, &mut facts),
            (_, body)
                if matches!(
                    body.get(4..8),
                    Some(b"styp" | b"moof" | b"sidx" | b"prft" | b"emsg" | b"ftyp" | b"mdat" | b"free")
                ) =>
            {
                let mapped = segment.map.is_some();
                self.judge.demand(&apple::A8_20, mapped, || {
                    (Place::line(medium.url.as_str(), segment.line), "fMP4 without EXT-X-MAP", "EXT-X-MAP")
                });
                if let Some(init) = init {
                    self.cmaf(&url, body, init, segment, &mut facts);
                }
            }
            (_, [0xff, ..] | [b'I', b'D', b'3', ..]) => self.judge.looked(&rfc::R3),
            _ => self.judge.broken(
                &rfc::R3,
                Place::whole(url.as_str()),
                "something else",
                "fMP4, MPEG-TS or packed audio",
            ),
        }
        facts
    }

    fn cmaf(&self, url: &Url, body: &[u8], init: &Init, listed: &Segment, facts: &mut Facts) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let found = match fragment::read(body, init) {
            Ok(found) => found,
            Err(error) => return judge.broken(&rfc::R3, whole(), error.to_string(), "whole boxes"),
        };
        judge.demand(&rfc::R3, !found.moofs.is_empty(), || (whole(), "no moof", "movie fragments"));
        let ours = self.ours || init.brands.contains(b"cmfc");
        let single =
            found.moofs.iter().all(|moof| moof.trafs.len() == 1) && found.moofs.len() == found.mdats.len();
        if ours {
            judge.demand(&formats::CMAF_TRAF, single, || {
                let trafs: Vec<_> = found.moofs.iter().map(|moof| moof.trafs.len()).collect();
                (whole(), format!("trafs by moof {trafs:?}, {} mdat", found.mdats.len()), "one each")
            });
        }
        facts.is_muxed = init.tracks.iter().any(Track::is_video) && init.tracks.iter().any(Track::is_audio);
        let mut owned = 0;
        for track in &init.tracks {
            let trafs: Vec<&Traf> = found
                .moofs
                .iter()
                .flat_map(|moof| &moof.trafs)
                .filter(|traf| traf.track == track.id)
                .collect();
            let timed = trafs.iter().all(|traf| traf.decode_time.is_some());
            judge.demand(&formats::CMAF_TFDT, timed && !trafs.is_empty(), || {
                (Place::at(url.as_str(), "moof/traf"), format!("track {} without tfdt", track.id), "tfdt")
            });
            owned += self.samples(url, body, &found.mdats, track, &trafs, ours);
            if track.is_video() || !facts.is_muxed {
                self.remember(track, &trafs, listed, facts);
            }
        }
        let data: usize = found.mdats.iter().map(ExactSizeIterator::len).sum();
        judge.demand(&formats::CMAF_DATA, owned == data, || {
            (
                Place::at(url.as_str(), "mdat"),
                format!("samples of {owned} bytes in {data}"),
                "all of it, and no more",
            )
        });
    }

    /// Looks at the samples of one track; returns their bytes.
    fn samples(
        &self,
        url: &Url,
        body: &[u8],
        mdats: &[std::ops::Range<usize>],
        track: &Track,
        trafs: &[&Traf],
        ours: bool,
    ) -> usize {
        let judge = &self.judge;
        let place = |number: usize| Place::at(url.as_str(), format!("sample {number}"));
        let mut owned = 0;
        let mut expected = None;
        let mut sets = match &track.config {
            Config::Avc(avc) => avc.sets.clone(),
            _ => h264::Sets::default(),
        };
        let mut number = 0;
        for traf in trafs {
            if let (Some(expected), Some(told)) = (expected, traf.decode_time) {
                judge.demand(&apple::A7_3, told == expected, || {
                    (Place::at(url.as_str(), "moof/traf/tfdt"), format!("{told}"), format!("{expected}"))
                });
            }
            expected = traf.decode_time.map(|at| at + traf.duration());
            if ours && track.is_video() {
                judge.demand(&formats::CMAF_TRUN, !traf.unsigned_offsets, || {
                    (
                        Place::at(url.as_str(), "moof/traf/trun"),
                        "version 0 with composition offsets",
                        "version 1",
                    )
                });
                judge.demand(&formats::CMAF_CTS, traf.earliest() == Some(0), || {
                    let earliest = traf.earliest().unwrap_or(0);
                    (
                        Place::at(url.as_str(), "moof/traf/trun"),
                        format!("first presented {earliest} ticks after the tfdt"),
                        "0",
                    )
                });
            }
            for sample in &traf.samples {
                owned += sample.data.len();
                let within =
                    mdats.iter().any(|mdat| mdat.start <= sample.data.start && sample.data.end <= mdat.end);
                let data = body.get(sample.data.clone()).filter(|_| within);
                let Some(data) = data else {
                    judge.broken(
                        &formats::CMAF_DATA,
                        place(number),
                        format!("bytes {:?}", sample.data),
                        "within mdat",
                    );
                    return owned;
                };
                self.sample(url, number, data, track, &mut sets, sample.is_sync);
                number += 1;
            }
        }
        owned
    }

    fn sample(
        &self,
        url: &Url,
        number: usize,
        data: &[u8],
        track: &Track,
        sets: &mut h264::Sets,
        is_sync: bool,
    ) {
        let judge = &self.judge;
        let place = || Place::at(url.as_str(), format!("sample {number}"));
        match &track.config {
            Config::Avc(avc) => {
                let picture =
                    h264::prefixed(data, avc.length_size).and_then(|nals| slice::picture(&nals, sets));
                match picture {
                    Ok(picture) => {
                        judge.looked(&formats::H264_NAL);
                        judge.demand(&apple::A1_14, !picture.is_field, || (place(), "a field", "frames"));
                        if number == 0 {
                            judge.demand(&apple::A7_4, picture.is_idr && is_sync, || {
                                (
                                    place(),
                                    format!("IDR {}, sync {is_sync}", picture.is_idr),
                                    "an IDR picture, marked as sync sample",
                                )
                            });
                        }
                    }
                    Err(error) => {
                        judge.broken(&formats::H264_NAL, place(), error.to_string(), "whole NAL units")
                    }
                }
            }
            Config::Av1(av1) => match av1::sample(data, false) {
                Ok(found) => {
                    judge.demand(&formats::AV1_OBU, !found.unsized_obu, || {
                        (place(), "an OBU without a size", "sizes")
                    });
                    if number == 0 {
                        judge.demand(&apple::A7_4, found.is_key && is_sync, || {
                            (place(), "no key picture", "a key picture")
                        });
                        let same = found.sequence.is_none_or(|s| s.agrees(&av1.sequence.unwrap_or(av1.told)));
                        judge.demand(&formats::AV1_CONFIG, same, || {
                            (place(), "another sequence header", "that of av1C")
                        });
                    }
                }
                Err(error) => judge.broken(&formats::AV1_OBU, place(), error.to_string(), "whole OBUs"),
            },
            Config::Aac(config) => {
                if config.object_type == 2
                    && let Some(channels) = aac::frame_channels(data)
                {
                    let agrees = config.channels == channels || !matches!(config.channels, 1 | 2);
                    judge.demand(&formats::AAC_CONFIG, agrees, || {
                        (
                            place(),
                            format!("a frame of {channels} channels"),
                            format!("{} as the AudioSpecificConfig says", config.channels),
                        )
                    });
                }
            }
            Config::Other | Config::Broken(_) => {}
        }
    }

    fn remember(&self, track: &Track, trafs: &[&Traf], listed: &Segment, facts: &mut Facts) {
        let start = trafs.first().and_then(|traf| traf.decode_time);
        let duration: u64 = trafs.iter().map(|traf| traf.duration()).sum();
        facts.decode = start.map(|start| (start, duration, track.timescale));
        let earliest = trafs.first().and_then(|traf| traf.earliest()).unwrap_or(0);
        facts.start =
            start.map(|start| nanoseconds(i128::from(start) + i128::from(earliest), track.timescale));
        let samples: usize = trafs.iter().map(|traf| traf.samples.len()).sum();
        let longest =
            trafs.iter().flat_map(|traf| &traf.samples).map(|sample| sample.duration).max().unwrap_or(0);
        facts.picture = nanoseconds(i128::from(longest), track.timescale);
        facts.codec = track.codec();
        let syncs = trafs.iter().flat_map(|traf| &traf.samples).filter(|sample| sample.is_sync).count();
        if track.is_video() && syncs > 0 {
            let apart = nanoseconds(i128::from(duration), track.timescale) / syncs as i128;
            self.judge.demand(&apple::A1_13, apart <= 2_050_000_000, || {
                (
                    Place::whole(&listed.uri),
                    format!("an IDR picture every {} ms", apart / 1_000_000),
                    "every 2 s",
                )
            });
        }
        match &track.config {
            Config::Avc(avc) => {
                facts.size = avc.sps.as_ref().map(|sps| sps.size);
                facts.colour = avc.sps.as_ref().map(|sps| {
                    let one = |sar: (u32, u32)| if sar == (0, 0) { (1, 1) } else { sar };
                    format!("H.264 {:?} {:?} full range {}", one(sps.sar), sps.colour, sps.full_range)
                });
            }
            Config::Av1(av1) => {
                facts.size = Some(
                    av1.sequence.and_then(|s| s.size).unwrap_or((track.size.0.into(), track.size.1.into())),
                );
            }
            Config::Aac(config) => facts.channels = Some(config.channels),
            _ => {}
        }
        if track.is_video() {
            let ticks = u128::from(duration);
            facts.rate = (samples as u128 * 1_000 * u128::from(track.timescale))
                .checked_div(ticks)
                .map(|rate| rate as u64);
        } else if matches!(&track.config, Config::Aac(config) if config.object_type == 2) {
            let odd = trafs.iter().flat_map(|traf| &traf.samples).any(|sample| {
                u64::from(sample.duration) * 48_000 != 1_024 * u64::from(track.timescale)
                    && track.timescale == 48_000
            });
            self.judge.demand(&formats::AAC_FRAMES, !odd, || {
                (Place::at(&listed.uri, "trun"), "frames of another length", "1,024 samples")
            });
        }
    }
}
