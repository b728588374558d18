//! Peak and average, measured as Apple 1.26, 1.27 and 9.13 and RFC 8216bis §4.4.6.2 define them.

/// Bytes and length of one segment as it lies in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSize {
    /// Bytes of the whole segment, boxes included.
    pub bytes: u64,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// What a rendition takes of a line, in bits a second, rounded up: a promise must not be too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// The largest bit rate of any run of consecutive segments lasting 0.5 to 1.5 target durations.
    pub peak_bps: u64,
    /// All bits over the whole duration.
    pub average_bps: u64,
}

/// Measures a rendition from its segments, in order.
///
/// A last segment shorter than half the target duration is left out of the peak: its few pictures say nothing of
/// what a line must carry. When no run is of the length asked for, the average is the peak. Zero for no segments.
pub fn measure(segments: &[SegmentSize], target_duration_s: u64) -> Measured {
    let average_bps = rate(sum(segments));
    let target_ms = target_duration_s.saturating_mul(1_000);
    let judged = match segments {
        [rest @ .., last] if last.duration_ms.saturating_mul(2) < target_ms => rest,
        all => all,
    };
    let peak_bps = (0..judged.len())
        .flat_map(|first| runs(&judged[first..], target_ms))
        .map(rate)
        .max()
        .unwrap_or(average_bps)
        .max(average_bps);
    Measured { peak_bps, average_bps }
}

/// A playable combination: peaks add up, averages add up (Apple 9.13, 9.14).
pub fn combined(parts: impl IntoIterator<Item = Measured>) -> Measured {
    parts.into_iter().fold(Measured::default(), |sum, part| Measured {
        peak_bps: sum.peak_bps.saturating_add(part.peak_bps),
        average_bps: sum.average_bps.saturating_add(part.average_bps),
    })
}

/// The runs that start with the first of `segments` and last 0.5 to 1.5 targets.
fn runs(segments: &[SegmentSize], target_ms: u64) -> impl Iterator<Item = SegmentSize> {
    segments
        .iter()
        .scan(SegmentSize { bytes: 0, duration_ms: 0 }, |run, segment| {
            *run = add(*run, *segment);
            Some(*run)
        })
        .take_while(move |run| run.duration_ms.saturating_mul(2) <= target_ms.saturating_mul(3))
        .filter(move |run| run.duration_ms.saturating_mul(2) >= target_ms && run.duration_ms > 0)
}

fn sum(segments: &[SegmentSize]) -> SegmentSize {
    segments.iter().fold(SegmentSize { bytes: 0, duration_ms: 0 }, |sum, segment| add(sum, *segment))
}

fn add(a: SegmentSize, b: SegmentSize) -> SegmentSize {
    SegmentSize {
        bytes: a.bytes.saturating_add(b.bytes),
        duration_ms: a.duration_ms.saturating_add(b.duration_ms),
    }
}

fn rate(size: SegmentSize) -> u64 {
    let bits_thousandfold = u128::from(size.bytes) * 8_000;
    let rate = bits_thousandfold.checked_div(u128::from(size.duration_ms)).unwrap_or(0);
    let inexact = size.duration_ms > 0 && bits_thousandfold % u128::from(size.duration_ms) != 0;
    u64::try_from(rate + u128::from(inexact)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(list: &[(u64, u64)]) -> Vec<SegmentSize> {
        list.iter().map(|&(bytes, duration_ms)| SegmentSize { bytes, duration_ms }).collect()
    }

    #[test]
    fn rules_by_table() {
        for (case, segments, peak_bps, average_bps) in [
            ("on the grid any single segment is a run", &[(600, 4_800), (1_200, 4_800)][..], 2_000, 1_500),
            ("rounded up", &[(601, 4_800)], 1_002, 1_002),
            ("a short tail does not make the peak", &[(600, 4_800), (600, 480)], 1_819, 1_819),
            ("any run of 2.5 s to 7.5 s", &[(300, 3_000), (900, 3_000)], 2_400, 1_600),
            ("too short for any run: the average", &[(100, 1_000)], 800, 800),
            ("nothing", &[], 0, 0),
            ("no time at all", &[(100, 0)], 0, 0),
        ] {
            let measured = measure(&sizes(segments), 5);
            assert_eq!(measured, Measured { peak_bps, average_bps }, "{case}");
        }
    }

    #[test]
    fn a_variant_is_the_sum_of_its_parts() {
        let video = Measured { peak_bps: 100, average_bps: 50 };
        let audio = Measured { peak_bps: 10, average_bps: 9 };
        assert_eq!(combined([video, audio]), Measured { peak_bps: 110, average_bps: 59 });
    }
}
