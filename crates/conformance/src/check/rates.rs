//! Bit rates, measured as Apple 1.26, 1.27 and RFC 8216bis 4.4.6.2 define them.

use super::across::find;
use super::multivariant::is_of;
use super::{Inspection, Medium, Presentation};
use crate::report::Place;
use crate::rule::{apple, delivery};

/// Bits a second.
#[derive(Debug, Clone, Copy, Default)]
struct Rates {
    peak: u128,
    average: u128,
}

impl Inspection<'_> {
    pub(super) fn rates(&self, shown: &Presentation) {
        let live = shown.media.iter().any(|medium| medium.list.is_live());
        for stream in &shown.list.variants {
            let Some(own) = find(shown, stream).and_then(measure) else { continue };
            let group = stream.attributes.get("AUDIO");
            let sounds = shown
                .list
                .renditions
                .iter()
                .filter(|media| group.is_some_and(|group| is_of(media, "AUDIO", group)));
            let sounds: Vec<Rates> =
                sounds.filter_map(|sound| find(shown, sound)).filter_map(measure).collect();
            let costliest = sounds.into_iter().max_by_key(|sound| sound.peak).unwrap_or_default();
            let texts = stream.attributes.get("SUBTITLES");
            let texts = shown
                .list
                .renditions
                .iter()
                .filter(|media| texts.is_some_and(|group| is_of(media, "SUBTITLES", group)));
            // Text that is not chosen is not fetched: it counts in the costliest combination only (Apple 9.13).
            let text =
                texts.filter_map(|text| measure(find(shown, text)?)).map(|text| text.peak).max().unwrap_or(0);
            let (peak, average) = (own.peak + costliest.peak + text, own.average + costliest.average);
            let place = || Place::line(shown.url.as_str(), stream.line);
            if let Some(told) = stream.attributes.number("BANDWIDTH").map(u128::from) {
                let rule = if live { &apple::A1_29 } else { &apple::A1_27 };
                let fits = if live { peak * 100 <= told * 125 } else { within_a_tenth(peak, told) };
                self.judge.demand(rule, fits, || {
                    (place(), format!("BANDWIDTH {told}"), format!("{peak} as measured"))
                });
                let enough = peak * 100 <= told * if live { 125 } else { 110 };
                self.judge.demand(&delivery::A9_13, enough, || {
                    (place(), format!("BANDWIDTH {told}"), format!("{peak} as measured"))
                });
            }
            if let Some(told) = stream.attributes.number("AVERAGE-BANDWIDTH").map(u128::from) {
                let rule = if live { &apple::A1_28 } else { &apple::A1_26 };
                let fits = if live { average * 100 <= told * 110 } else { within_a_tenth(average, told) };
                self.judge.demand(rule, fits, || {
                    (place(), format!("AVERAGE-BANDWIDTH {told}"), format!("{average} as measured"))
                });
            }
            if !live {
                self.judge.demand(&apple::A1_30, peak <= 2 * average, || {
                    (place(), format!("a peak of {peak} over {average}"), "at most twice the average")
                });
            }
        }
    }
}

fn within_a_tenth(measured: u128, told: u128) -> bool {
    measured.abs_diff(told) * 10 <= told
}

/// `None` when a length is not known.
fn measure(medium: &Medium) -> Option<Rates> {
    let sizes: Vec<(u128, u128)> = (medium.list.segments.iter().zip(&medium.facts))
        .filter(|(segment, _)| !segment.gap)
        .map(|(segment, facts)| Some((u128::from(facts.bytes?), u128::from(segment.duration?))))
        .collect::<Option<_>>()?;
    let target = u128::from(medium.list.target?) * 1_000_000;
    let (bytes, time) = sizes.iter().fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
    let average = (bytes * 8_000_000).checked_div(time)?;
    // A short last segment says nothing of what a line must carry.
    let judged = match &sizes[..] {
        [rest @ .., last] if last.1 * 2 < target => rest,
        all => all,
    };
    let mut peak = average;
    for first in 0..judged.len() {
        let (mut bytes, mut time) = (0, 0);
        for (size, length) in &judged[first..] {
            bytes += size;
            time += length;
            if time * 2 > target * 3 {
                break;
            }
            if time * 2 >= target && time > 0 {
                peak = peak.max(bytes * 8_000_000 / time);
            }
        }
    }
    Some(Rates { peak, average })
}
