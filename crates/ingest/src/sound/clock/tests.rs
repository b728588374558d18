use super::*;

const SECOND: i64 = 1_000_000;

/// Sounds of 1,024 samples at 48 kHz: where each truly starts.
fn truth(sounds: i64) -> Vec<Flicks> {
    (0..sounds).map(|n| Flicks::from_ticks(n * 1_024, (1, 48_000))).collect()
}

fn length() -> Flicks {
    Flicks::from_ticks(1_024, (1, 48_000))
}

/// Runs sounds with these stamps through the clock and gives their places.
fn placed(stamps: &[Flicks]) -> (Vec<Flicks>, ClockReport) {
    let mut clock = Clock::default();
    let mut places = Vec::new();
    for (number, &stamp) in stamps.iter().enumerate() {
        clock.put(stamp, length(), number);
        while let Some((place, sound)) = clock.take(false) {
            assert_eq!(sound, places.len(), "in order");
            places.push(place);
        }
        assert!(number - (places.len() - 1).min(number) <= MAX_HELD, "held back without bound");
    }
    while let Some((place, _)) = clock.take(true) {
        places.push(place);
    }
    assert_eq!(places.len(), stamps.len());
    (places, clock.report())
}

fn worst(places: &[Flicks], truth: &[Flicks]) -> Flicks {
    places
        .iter()
        .zip(truth)
        .map(|(place, truth)| Flicks(place.minus(*truth).0.abs()))
        .max()
        .unwrap_or_default()
}

fn micros(flicks: Flicks) -> i64 {
    flicks.in_ticks_of(1_000_000)
}

#[test]
fn a_clean_file_is_not_touched() {
    let truth = truth(60_000);
    let (places, report) = placed(&truth);
    assert_eq!(worst(&places, &truth), Flicks::ZERO);
    assert_eq!((report.stretched_ms, report.gaps, report.overlaps), (0, 0, 0));
    assert_eq!(report.sound_ms, 1_280_000);
}

#[test]
fn rounded_stamps_do_not_shake_the_sound() {
    // Matroska's milliseconds.
    let truth = truth(60_000);
    let rounded: Vec<_> =
        truth.iter().map(|time| Flicks::from_millis((micros(*time) + 500) / 1_000)).collect();
    let (places, report) = placed(&rounded);
    assert!(micros(worst(&places, &truth)) <= 500, "{}", micros(worst(&places, &truth)));
    // From one sound to the next the place moves by less than a sample.
    for pair in places.windows(2) {
        assert!(micros(Flicks(pair[1].minus(pair[0]).minus(length()).0.abs())) < 20);
    }
    assert_eq!((report.gaps, report.overlaps), (0, 0));
}

#[test]
fn a_clock_that_runs_fast_or_slow_is_followed() {
    for (per_million, bound) in [(500, 1_500), (-500, 1_500), (1_000, 2_500), (-2_000, 4_500), (20, 200)] {
        let truth: Vec<_> =
            truth(60_000).iter().map(|time| Flicks(time.0 + scale(time.0, per_million, SECOND))).collect();
        let (places, report) = placed(&truth);
        assert!(micros(worst(&places, &truth)) <= bound, "{per_million}: {}", micros(worst(&places, &truth)));
        let rest = &places[30_000..];
        assert!(micros(worst(rest, &truth[30_000..])) <= 50, "{per_million}: no error stays");
        let expected = 1_280 * per_million / 1_000;
        assert!((report.stretched_ms - expected).abs() <= 5, "{per_million}: {report:?}");
        assert_eq!((report.gaps, report.overlaps), (0, 0));
    }
}

#[test]
fn a_drift_beyond_what_may_be_stretched_is_taken_in_steps() {
    let truth: Vec<_> = truth(5_000).iter().map(|time| Flicks(time.0 + time.0 / 100)).collect();
    let (places, report) = placed(&truth);
    assert!(micros(worst(&places, &truth)) <= 10_000);
    assert!(report.gaps > 10, "{report:?}");
}

#[test]
fn gaps_and_overlaps_are_taken_where_they_are() {
    for step_ms in [-200, -21, -8, 8, 21, 300, 5_000] {
        let mut stamps = truth(4_000);
        stamps[2_000..].iter_mut().for_each(|time| *time = time.plus(Flicks::from_millis(step_ms)));
        let (places, report) = placed(&stamps);
        assert_eq!(worst(&places, &stamps), Flicks::ZERO, "{step_ms}");
        let (gap, overlap) = if step_ms > 0 { (step_ms, 0) } else { (0, -step_ms) };
        assert_eq!(
            (report.gap_ms, report.overlap_ms),
            (gap.unsigned_abs(), overlap.unsigned_abs()),
            "{step_ms}"
        );
    }
}

#[test]
fn packets_lost_one_after_another_are_each_a_gap() {
    let mut stamps = truth(1_000);
    for lost in [500, 501, 504, 700] {
        stamps[lost..].iter_mut().for_each(|time| *time = time.plus(length()));
    }
    let (places, report) = placed(&stamps);
    assert_eq!(worst(&places, &stamps), Flicks::ZERO);
    assert_eq!(report.gaps, 4);
}

#[test]
fn a_single_wrong_stamp_is_no_step() {
    for wrong_ms in [-3_000, -50, 50, 3_000] {
        let truth = truth(1_000);
        let mut stamps = truth.clone();
        stamps[500] = stamps[500].plus(Flicks::from_millis(wrong_ms));
        let (places, report) = placed(&stamps);
        assert_eq!(worst(&places, &truth), Flicks::ZERO, "{wrong_ms}");
        assert_eq!((report.gaps, report.overlaps), (0, 0), "{wrong_ms}");
    }
}

#[test]
fn stamps_that_swing_by_twenty_milliseconds_are_heard_as_a_steady_stream() {
    let truth = truth(3_000);
    let swings = [0, 9, -12, 20, 3, -20, 1, -7];
    let stamps: Vec<_> = truth
        .iter()
        .enumerate()
        .map(|(number, time)| time.plus(Flicks::from_millis(swings[number % swings.len()])))
        .collect();
    let (places, report) = placed(&stamps);
    // Where the truth lies among such stamps, nobody knows; but there are no cuts, and no sound is far off.
    assert!(micros(worst(&places, &truth)) <= 10_000, "{}", micros(worst(&places, &truth)));
    assert_eq!((report.gaps, report.overlaps), (0, 0));
}

#[test]
fn absurd_stamps_stay_within_integers() {
    for stamps in [[i64::MIN, i64::MAX, 0], [i64::MAX, i64::MIN, i64::MAX], [0, i64::MIN, i64::MIN]] {
        let (places, _) = placed(&stamps.map(Flicks));
        assert_eq!(places.len(), 3);
    }
}
