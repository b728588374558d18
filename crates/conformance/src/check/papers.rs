//! The MPD and the storyboards of a package.

use super::{Inspection, Presentation, Role};
use crate::fetch::Ask;
use crate::read::{jpeg, mpd, webvtt};
use crate::report::Place;
use crate::rule::formats;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

impl Inspection<'_> {
    /// A DASH manifest; `beside` is the HLS presentation over the same segments.
    pub(super) fn dash(&self, url: &Url, text: &str, beside: Option<&Presentation>) {
        let judge = &self.judge;
        let whole = || Place::whole(url.as_str());
        let found = match mpd::read(text) {
            Ok(found) => found,
            Err(error) => return judge.broken(&formats::MPD_XML, whole(), error.to_string(), "an MPD"),
        };
        judge.demand(&formats::MPD_XML, found.missing.is_empty(), || {
            (whole(), format!("no {}", found.missing.join(", no ")), "what the schema requires")
        });
        judge.demand(&formats::MPD_XML, !found.is_static || found.duration.is_some(), || {
            (whole(), "a static MPD without mediaPresentationDuration", "its length")
        });
        let hls = beside.map(known).unwrap_or_default();
        let mut addresses = BTreeSet::new();
        for shown in &found.representations {
            let place = || Place::at(url.as_str(), format!("Representation {}", shown.id));
            let base = shown.base.iter().try_fold(url.clone(), |base, next| base.join(next));
            let Ok(base) = base else {
                judge.broken(&formats::MPD_ADDRESS, place(), "a BaseURL that is no address", "an address");
                continue;
            };
            let mut inside = true;
            for (address, start, _) in &shown.segments {
                let Ok(address) = base.join(address) else {
                    judge.broken(&formats::MPD_ADDRESS, place(), format!("`{address}`"), "an address");
                    continue;
                };
                match hls.get(&address) {
                    Some(Some((real, scale))) => {
                        let same = u128::from(*start) * u128::from(*scale)
                            == u128::from(*real) * u128::from(shown.timescale);
                        judge.demand(&formats::MPD_TIME, same, || {
                            (
                                place(),
                                format!("{address} at {start}/{}", shown.timescale),
                                format!("{real}/{scale}"),
                            )
                        });
                    }
                    Some(None) => {}
                    None => {
                        inside = false;
                        addresses.insert(address);
                    }
                }
            }
            // Text is one file in DASH, and HLS knows no sheets.
            judge.demand(&formats::MPD_SAME, inside || beside.is_none() || !shown.is_media, || {
                (place(), "segments that HLS does not play", "the same segments")
            });
            addresses.extend(shown.init.as_deref().and_then(|init| base.join(init).ok()));
            let ticks: u64 = shown.segments.iter().map(|(_, _, duration)| duration).sum();
            let length = u128::from(ticks) * 1_000 / u128::from(shown.timescale);
            if let Some(told) = found.duration {
                // The last sheet of a storyboard need not be full.
                let slip = match shown.is_media {
                    true => length.abs_diff(told.into()),
                    false => u128::from(told).saturating_sub(length),
                };
                judge.demand(&formats::MPD_TIME, slip <= 100, || {
                    (place(), format!("{length} ms"), format!("{told} ms"))
                });
            }
            self.dash_codecs(url, shown, &base, beside);
        }
        let addresses: Vec<Url> = addresses.into_iter().collect();
        let missing = self.each(&addresses, |address| self.fetch.get(&Ask::head(address)).err());
        for (address, error) in addresses.iter().zip(missing) {
            judge.demand(&formats::MPD_ADDRESS, error.is_none(), || {
                (whole(), format!("{address}, which is not there"), "segments that are there")
            });
        }
    }

    fn dash_codecs(&self, url: &Url, shown: &mpd::Representation, base: &Url, beside: Option<&Presentation>) {
        let Some(first) = shown.segments.first().and_then(|(address, ..)| base.join(address).ok()) else {
            return;
        };
        let plays = |medium: &&super::Medium| {
            medium.list.segments.first().and_then(|segment| medium.url.join(&segment.uri).ok())
                == Some(first.clone())
        };
        let Some(medium) = beside.and_then(|beside| beside.media.iter().find(plays)) else { return };
        let Some(facts) = medium.facts.first() else { return };
        let place = || Place::at(url.as_str(), format!("Representation {}", shown.id));
        if let (Some(told), Some(real)) = (&shown.codecs, &facts.codec) {
            let same = told.to_ascii_lowercase().starts_with(&real.to_ascii_lowercase());
            self.judge.demand(&formats::MPD_CODECS, same, || (place(), told.clone(), real.clone()));
        }
        if let (Some(told), Some(real)) = (shown.size, facts.size) {
            self.judge.demand(&formats::MPD_CODECS, told == real, || {
                (place(), format!("{told:?}"), format!("{real:?}"))
            });
        }
    }

    /// `thumbs/thumbs.vtt` and `slides/slides.vtt`, where they are.
    pub(super) fn storyboard(&self, folder: &Url, main: &Presentation) {
        let title = main
            .media
            .iter()
            .find(|medium| medium.role == Role::Video)
            .map_or(0, |medium| medium.list.duration() / 1_000);
        for name in ["thumbs/thumbs.vtt", "slides/slides.vtt"] {
            let Ok(url) = folder.join(name) else { continue };
            let Ok(answer) = self.fetch.get(&Ask::text(&url)) else { continue };
            let Some(text) = self.text(&url, &answer) else { continue };
            self.media_delivery(&url, &answer);
            let found = webvtt::read(&text);
            self.cues(&url, &found);
            let whole = || Place::whole(url.as_str());
            let judge = &self.judge;
            let gap = found.cues.windows(2).find(|pair| pair[0].end_ms != pair[1].start_ms);
            judge.demand(&formats::BOARD_CUES, gap.is_none(), || {
                (
                    Place::line(url.as_str(), gap.map_or(0, |pair| pair[1].line)),
                    "a gap before this cue",
                    "cues without gaps",
                )
            });
            let span =
                found.cues.first().map(|cue| cue.start_ms).zip(found.cues.last().map(|cue| cue.end_ms));
            // The title is padded to the grid; its storyboard may end with the last picture.
            let fits = span.is_some_and(|(start, end)| start == 0 && end <= title && end + 4_800 >= title);
            judge.demand(&formats::BOARD_CUES, found.has_signature && fits, || {
                (whole(), format!("{span:?} ms"), format!("0 to {title} ms"))
            });
            let mut sizes: BTreeMap<Url, Option<(u32, u32)>> = BTreeMap::new();
            for cue in &found.cues {
                self.tile(&url, cue, &mut sizes);
            }
        }
    }

    fn tile(&self, url: &Url, cue: &webvtt::Cue, sizes: &mut BTreeMap<Url, Option<(u32, u32)>>) {
        let (address, area) = cue.text.trim().split_once('#').unwrap_or((cue.text.trim(), ""));
        let Ok(address) = url.join(address) else { return };
        let size = *sizes.entry(address.clone()).or_insert_with(|| {
            let picture = self.fetch.get(&Ask::media(&address, None)).ok()?;
            jpeg::size(&picture.body).ok()
        });
        let place = || Place::line(url.as_str(), cue.line);
        let Some((width, height)) = size else {
            return self.judge.broken(
                &formats::BOARD_TILES,
                place(),
                format!("{address}, which is no JPEG"),
                "a JPEG",
            );
        };
        let area: Option<Vec<u32>> =
            area.strip_prefix("xywh=").map(|area| area.split(',').filter_map(|n| n.parse().ok()).collect());
        let within = match area.as_deref() {
            Some([x, y, w, h]) => {
                x.saturating_add(*w) <= width && y.saturating_add(*h) <= height && *w > 0 && *h > 0
            }
            Some(_) => false,
            None => true,
        };
        self.judge.demand(&formats::BOARD_TILES, within, || {
            (place(), cue.text.clone(), format!("within {width}x{height}"))
        });
    }
}

/// Segments of an HLS presentation: decode time and timescale where they are known.
fn known(shown: &Presentation) -> BTreeMap<Url, Option<(u64, u32)>> {
    let mut all = BTreeMap::new();
    let (single, running): (Vec<_>, Vec<_>) =
        shown.media.iter().partition(|medium| medium.role == Role::Iframes);
    // Single pictures last: where they are ranges of running segments, those say the time.
    for medium in running.into_iter().chain(single) {
        for (place, segment) in medium.list.segments.iter().enumerate() {
            let Ok(url) = medium.url.join(&segment.uri) else { continue };
            let decode = medium.facts.get(place).and_then(|facts| facts.decode);
            all.entry(url).or_insert(decode.map(|(start, _, scale)| (start, scale)));
        }
    }
    all
}
