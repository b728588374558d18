//! A live window watched for a while: what may change between two readings, and how soon it must.

use super::{Inspection, Medium, Presentation};
use crate::fetch::Ask;
use crate::read::m3u8::{self, Playlist, Segment};
use crate::report::Place;
use crate::rule::rfc;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two readings at least.
const MIN_PAUSE: Duration = Duration::from_millis(500);

impl Inspection<'_> {
    pub(super) fn watch(&self, shown: &Presentation, time: Duration) {
        let mut known: BTreeMap<usize, (Playlist, Duration)> = (shown.media.iter().enumerate())
            .filter(|(_, medium)| medium.list.is_live())
            .map(|(at, medium)| (at, (medium.list.clone(), Duration::ZERO)))
            .collect();
        let target = shown.media.iter().filter_map(|medium| medium.list.target).max().unwrap_or(1);
        let pause = Duration::from_secs(target).div_f32(2.0).max(MIN_PAUSE);
        let mut passed = Duration::ZERO;
        while passed < time && !known.is_empty() {
            self.fetch.pause(pause);
            passed += pause;
            for (at, (before, changed)) in &mut known {
                let medium = &shown.media[*at];
                let Some(now) = self.again(medium) else { continue };
                self.compare(medium, before, &now);
                if now.first() + now.segments.len() as u64 > before.first() + before.segments.len() as u64 {
                    *changed = passed;
                } else if !now.ended {
                    // Half a target duration of ours between readings is added to the 1.5 that are allowed.
                    let waited = passed.saturating_sub(*changed);
                    let limit = Duration::from_secs(target) * 2;
                    self.judge.demand(&rfc::R6_2_2_M21, waited <= limit, || {
                        (
                            Place::whole(medium.url.as_str()),
                            format!("nothing new for {waited:?}"),
                            "a segment within 1.5 target durations",
                        )
                    });
                }
                *before = now;
            }
            known.retain(|_, (list, _)| !list.ended);
        }
    }

    fn again(&self, medium: &Medium) -> Option<Playlist> {
        let answer = self.get(Ask::text(&medium.url))?;
        Some(m3u8::read(&self.text(&medium.url, &answer)?))
    }

    fn compare(&self, medium: &Medium, before: &Playlist, now: &Playlist) {
        let judge = &self.judge;
        let whole = || Place::whole(medium.url.as_str());
        judge.demand(&rfc::R6_2_1_M13, before.target == now.target, || {
            (whole(), format!("{:?} after {:?}", now.target, before.target), "the same target duration")
        });
        let (old, new) = (before.first(), now.first());
        if !judge.demand(&rfc::R6_2_2_M1, new >= old, || {
            (whole(), format!("EXT-X-MEDIA-SEQUENCE {new} after {old}"), "no fall")
        }) {
            return;
        }
        let gone = (new - old).min(before.segments.len() as u64) as usize;
        let key =
            |segment: &Segment| (segment.uri.clone(), segment.duration, segment.range, segment.discontinuity);
        let kept = before.segments[gone..].iter().map(key);
        // The first segment's DISCONTINUITY may leave with the segment before it.
        let same = kept.zip(now.segments.iter().map(key)).all(|(a, b)| (a.0, a.1, a.2) == (b.0, b.1, b.2));
        let whole_tail = now.segments.len() + gone >= before.segments.len();
        judge.demand(&rfc::R6_2_1_M10, same && whole_tail, || {
            (
                whole(),
                "segments renamed, changed or taken from the end",
                "only additions at the end and removals in front",
            )
        });
        let left = before.segments[..gone].iter().filter(|segment| segment.discontinuity).count() as u64;
        let expected = before.discontinuity_sequence.unwrap_or(0) + left;
        let told = now.discontinuity_sequence.unwrap_or(0);
        // The tag of what is now first may count already or still stand there.
        let early = u64::from(
            before.segments.get(gone).is_some_and(|s| s.discontinuity)
                && !now.segments.first().is_some_and(|s| s.discontinuity),
        );
        judge.demand(&rfc::R6_2_2_M9, told == expected || told == expected + early, || {
            (whole(), format!("EXT-X-DISCONTINUITY-SEQUENCE {told}"), format!("{expected}"))
        });
        if let Some(left) =
            gone.checked_sub(1).and_then(|last| before.segments.get(last)).filter(|segment| !segment.gap)
            && let Ok(url) = medium.url.join(&left.uri)
        {
            let there = self.fetch.get(&Ask::head(&url));
            judge.demand(&rfc::R6_2_2_M7, there.is_ok(), || {
                (whole(), format!("{url}, which has just left, is gone"), "there for the playlist's length")
            });
        }
    }
}
