//! Cues to WebVTT: one file, or segments on the grid.

use crate::cue::{Cue, Track};
use crate::time::Clock;
use grid::{SEGMENT_MS, SegmentCount};
use std::fmt::Write;

/// The whole track in one file.
pub fn whole(track: &Track) -> String {
    let mut text = "WEBVTT\n".to_owned();
    track.cues.iter().for_each(|cue| self::cue(&mut text, cue.start_ms, cue.end_ms, &cue.text));
    text
}

/// The track in segments, for HLS.
///
/// `mpegts`: what the media's clock of 90 kHz says when the lesson begins. fMP4 of ours begins at 0, so cue times and
/// media times are the same; MPEG-TS does not (RFC 8216bis 3.1.4).
///
/// A cue is in every segment that it overlaps, each time with its whole time (RFC 8216bis 3.1.4: a player shows it
/// once). A segment in which nobody speaks is a header alone.
pub fn segments(track: &Track, segments: SegmentCount, mpegts: u64) -> impl Iterator<Item = String> {
    let count = segments.0 as usize;
    let mut held: Vec<Vec<&Cue>> = vec![Vec::new(); count];
    for cue in &track.cues {
        let place = |ms: u64| usize::try_from(ms / SEGMENT_MS).unwrap_or(usize::MAX);
        // What ends with a segment is not in the next.
        let (first, last) = (place(cue.start_ms), place(cue.end_ms - 1).min(count.saturating_sub(1)));
        held.iter_mut().take(last + 1).skip(first).for_each(|segment| segment.push(cue));
    }
    held.into_iter().map(move |cues| {
        let mut text = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:00:00:00.000\n");
        cues.into_iter().for_each(|cue| self::cue(&mut text, cue.start_ms, cue.end_ms, &cue.text));
        text
    })
}

/// A file of cues that are not subtitles: chapters, pictures.
pub fn of_cues(cues: impl IntoIterator<Item = (u64, u64, String)>) -> String {
    let mut text = "WEBVTT\n".to_owned();
    cues.into_iter().for_each(|(start_ms, end_ms, payload)| cue(&mut text, start_ms, end_ms, &payload));
    text
}

fn cue(text: &mut String, start_ms: u64, end_ms: u64, payload: &str) {
    write!(text, "\n{} --> {}\n{payload}\n", Clock(start_ms), Clock(end_ms)).expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Format, parse};
    use proptest::prelude::*;

    fn track(cues: &[(u64, u64, &str)]) -> Track {
        let cue = |&(start, end, text): &(u64, u64, &str)| Cue::new(start, end, text.to_owned()).unwrap();
        Track::new("zh-CN".parse().unwrap(), cues.iter().map(cue).collect())
    }

    #[test]
    fn a_cue_is_in_every_segment_it_overlaps() {
        let track =
            track(&[(1_000, 4_800, "a"), (4_000, 9_700, "b"), (9_600, 9_900, "c"), (30_000, 31_000, "late")]);
        let segments: Vec<String> = segments(&track, SegmentCount(4), 0).collect();
        let holds: Vec<String> = segments
            .iter()
            .map(|text| {
                ["a", "b", "c", "late"]
                    .into_iter()
                    .filter(|cue| {
                        text.ends_with(&format!("\n{cue}\n")) || text.contains(&format!("\n{cue}\n\n"))
                    })
                    .collect()
            })
            .collect();
        assert_eq!(holds, ["ab", "b", "bc", ""]);
        assert_eq!(
            segments[1],
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00:04.000 --> 00:00:09.700\nb\n"
        );
        assert_eq!(segments[3], "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n");
    }

    #[test]
    fn beside_mpeg_ts_the_clock_begins_elsewhere() {
        let text: String = segments(&track(&[(0, 1, "a")]), SegmentCount(1), 900_000).collect();
        assert!(text.contains("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n"));
    }

    proptest! {
        /// What is written is read back, and no segment loses a cue or gains one.
        #[test]
        fn cues_survive(raw in proptest::collection::vec((0u64..100_000, 1u64..20_000, "[a-z一二]{1,5}"), 1..20)) {
            let cues = raw.iter().filter_map(|(start, lasts, text)| Cue::new(*start, start + lasts, text.clone())).collect();
            let track = Track::new("en".parse().unwrap(), cues);
            prop_assert_eq!(&parse(whole(&track).as_bytes(), Format::WebVtt).unwrap(), &track.cues);
            for (number, text) in (0u64..).zip(segments(&track, SegmentCount(25), 0)) {
                let (from, to) = (number * SEGMENT_MS, (number + 1) * SEGMENT_MS);
                let expected: Vec<_> = track.cues.iter().filter(|cue| cue.start_ms < to && cue.end_ms > from).cloned().collect();
                prop_assert_eq!(parse(text.as_bytes(), Format::WebVtt).unwrap_or_default(), expected);
            }
        }
    }
}
