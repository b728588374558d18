use super::*;
use crate::quality::{Lengths, PictureMeasures, TextRun};
use crate::sound::{ClockReport, Dbtp, Decibels, Loudness, Lufs, Target};

/// Twenty minutes with nothing to find.
fn good() -> Measures {
    let pictures = PictureMeasures { seen_ms: 1_200_000, ..PictureMeasures::default() };
    let clock = ClockReport { sound_ms: 1_200_000, ..ClockReport::default() };
    let sound =
        SoundMeasures { heard_ms: 1_200_000, sounding_ms: 1_000_000, clock, ..SoundMeasures::default() };
    Measures {
        lengths: Lengths {
            pictures_ms: 1_200_000,
            sound_ms: Some(1_200_000),
            declared_ms: Some(1_200_000),
            ..Lengths::default()
        },
        pictures,
        sound: Some(sound),
        loudness: Some(Loudness { integrated_lufs: -23.0, true_peak_dbtp: -3.0, range_lu: 7.0 }),
    }
}

fn policy() -> Policy {
    let mut policy = Policy::shipped().unwrap();
    policy.target = Some(Target { loudness: Lufs(-18.0), ceiling: Dbtp(-1.0), max_boost: Decibels(15.0) });
    policy
}

fn found(measures: &Measures, policy: &Policy) -> Vec<(What, Severity)> {
    let findings = findings(measures, &Description::default(), policy);
    findings.iter().map(|finding| (finding.what, finding.severity)).collect()
}

fn heard(measures: &mut Measures) -> &mut SoundMeasures {
    measures.sound.as_mut().unwrap()
}

#[test]
fn each_fault_is_found_at_its_limit_and_not_before() {
    type Spoil = fn(&mut Measures, u64);
    let cases: [(&str, Spoil, u64, u64, What, Severity); 14] = [
        (
            "black for a while",
            |m, n| m.pictures.black.add(5_000, 5_000 + n),
            1_999,
            2_000,
            What::Black,
            Severity::Warning,
        ),
        (
            "black all along",
            |m, n| m.pictures.black.add(0, n),
            0,
            1_140_000,
            What::BlackLesson,
            Severity::Error,
        ),
        (
            "a camera that hangs",
            |m, n| m.pictures.still.add(0, n),
            19_999,
            20_000,
            What::Frozen,
            Severity::Warning,
        ),
        ("a pause", |m, n| heard(m).silent.add(0, n), 9_999, 10_000, What::Silent, Severity::Warning),
        (
            "nobody says anything",
            |m, n| heard(m).silent.add(0, n),
            0,
            1_140_000,
            What::SilentLesson,
            Severity::Error,
        ),
        ("overdriven", |m, n| heard(m).clipped.add(0, n), 9_999, 10_000, What::Clipped, Severity::Warning),
        (
            "from the left",
            |m, n| heard(m).left_only_ms = n,
            799_999,
            800_000,
            What::OneSided,
            Severity::Warning,
        ),
        (
            "from the right",
            |m, n| heard(m).right_only_ms = n,
            799_999,
            800_000,
            What::OneSided,
            Severity::Warning,
        ),
        (
            "turned over",
            |m, n| heard(m).turned_over_ms = n,
            499_999,
            500_000,
            What::TurnedOver,
            Severity::Warning,
        ),
        (
            "sound ends early",
            |m, n| m.lengths.sound_ms = Some(1_200_000 - n),
            9_999,
            10_000,
            What::SoundLength,
            Severity::Warning,
        ),
        (
            "sound goes on",
            |m, n| m.lengths.sound_ms = Some(1_200_000 + n),
            9_999,
            10_000,
            What::SoundLength,
            Severity::Warning,
        ),
        (
            "a slow clock",
            |m, n| heard(m).clock.stretched_ms = n as i64,
            239,
            240,
            What::Drift,
            Severity::Warning,
        ),
        (
            "a fast clock",
            |m, n| heard(m).clock.stretched_ms = -(n as i64),
            239,
            240,
            What::Drift,
            Severity::Warning,
        ),
        (
            "holes",
            |m, n| (heard(m).clock.gaps, heard(m).clock.gap_ms) = (1, n),
            499,
            500,
            What::Gaps,
            Severity::Warning,
        ),
    ];
    assert_eq!(found(&good(), &policy()), []);
    for (case, spoil, fine, faulty, what, severity) in cases {
        let mut measures = good();
        spoil(&mut measures, fine);
        assert_eq!(found(&measures, &policy()), [], "{case}: {fine}");
        let mut measures = good();
        spoil(&mut measures, faulty);
        assert_eq!(found(&measures, &policy()), [(what, severity)], "{case}: {faulty}");
    }
}

#[test]
fn a_lesson_of_slides_may_stand_for_minutes() {
    let mut measures = good();
    measures.pictures.still.add(0, 590_000);
    measures.pictures.still.add(591_000, 1_190_000);
    assert_eq!(found(&measures, &policy()), []);
    let mut frozen = good();
    frozen.pictures.still.add(0, 600_000);
    assert_eq!(found(&frozen, &policy()), [(What::Frozen, Severity::Warning)]);
}

/// Recorders of screens write no picture while nothing changes, and nothing tells how long the last one stands.
#[test]
fn a_last_slide_stands_and_pictures_that_end_are_told() {
    let ends_after = |held_ms: u64, sound_ms: u64| {
        let mut measures = good();
        measures.pictures.held_ms = held_ms;
        (0..20).for_each(|n| measures.pictures.still.add(n * 60_000, n * 60_000 + 50_000));
        measures.lengths.sound_ms = Some(sound_ms);
        found(&measures, &policy())
    };
    assert_eq!(ends_after(900_000, 1_260_000), [], "a minute behind the last slide");
    assert_eq!(ends_after(900_000, 1_800_000), [(What::Frozen, Severity::Warning)], "ten minutes");
    assert_eq!(
        ends_after(3_000, 1_260_000),
        [(What::SoundLength, Severity::Warning)],
        "a camera that went off"
    );
    assert_eq!(ends_after(900_000, 1_140_000), [(What::SoundLength, Severity::Warning)], "sound that ends");
}

#[test]
fn gaps_and_overlaps_are_told_as_one_would_say_them() {
    for (gaps, overlaps, text) in [
        ((1, 810), (0, 0), "the sound has 1 gap (0.8 s, filled with silence)"),
        ((0, 0), (2, 1_000), "the sound has 2 overlaps (1.0 s, cut)"),
        (
            (3, 2_000),
            (1, 500),
            "the sound has 3 gaps (2.0 s, filled with silence) and 1 overlap (0.5 s, cut)",
        ),
    ] {
        let mut measures = good();
        let clock = &mut heard(&mut measures).clock;
        (clock.gaps, clock.gap_ms) = gaps;
        (clock.overlaps, clock.overlap_ms) = overlaps;
        assert_eq!(findings(&measures, &Description::default(), &policy())[0].text, text);
    }
}

#[test]
fn black_is_not_told_as_frozen_too() {
    let mut measures = good();
    measures.pictures.black.add(10_000, 60_000);
    measures.pictures.still.add(9_800, 60_000);
    assert_eq!(found(&measures, &policy()), [(What::Black, Severity::Warning)]);
}

#[test]
fn a_lesson_without_a_sound_track_is_not_called_silent() {
    let mut measures = good();
    measures.sound = None;
    measures.lengths.sound_ms = None;
    assert_eq!(found(&measures, &policy()), []);
}

#[test]
fn quiet_is_what_even_the_largest_gain_does_not_bring_to_the_target() {
    for (lufs, quiet) in [(-33.0, false), (-38.9, false), (-39.1, true), (-60.0, true)] {
        let mut measures = good();
        measures.loudness = Some(Loudness { integrated_lufs: lufs, true_peak_dbtp: -20.0, range_lu: 5.0 });
        let expected: &[_] = if quiet { &[(What::Quiet, Severity::Warning)] } else { &[] };
        assert_eq!(found(&measures, &policy()), expected, "{lufs}");
    }
}

#[test]
fn the_length_is_judged_when_somebody_said_it() {
    for (said_ms, wrong) in [(1_200_000, false), (1_204_000, false), (1_205_000, true), (900_000, true)] {
        let mut policy = policy();
        policy.expected_length = Some(Span::millis(said_ms));
        let expected: &[_] = if wrong { &[(What::Length, Severity::Warning)] } else { &[] };
        assert_eq!(found(&good(), &policy), expected, "{said_ms}");
    }
}

#[test]
fn characters_need_more_rows_than_letters() {
    let with_text = |tenths: u32, lasts_ms: u64| {
        let mut measures = good();
        measures.pictures.texts.push(TextRun { from_ms: 10_000, to_ms: 10_000 + lasts_ms, tenths });
        measures
    };
    for (language, tenths, lasts_ms, small) in [
        (None, 69, 20_000, true),
        (None, 70, 20_000, false),
        (None, 69, 19_000, false),
        (Some("zh-Hans"), 60, 20_000, true),
        (Some("ja"), 60, 20_000, true),
        (Some("en"), 60, 20_000, false),
        (Some("en-GB"), 49, 20_000, true),
        (Some("ug"), 60, 20_000, false),
    ] {
        let description = Description { language: language.map(str::to_owned), ..Description::default() };
        let found = findings(&with_text(tenths, lasts_ms), &description, &policy());
        assert_eq!(found.len(), usize::from(small), "{language:?} {tenths} {lasts_ms}");
        if small {
            assert!(found[0].text.contains("字太小") && found[0].what == What::SmallText);
        }
    }
    let mut short = with_text(30, 3_000);
    short.pictures.seen_ms = 5_000;
    assert_eq!(found(&short, &policy()), [(What::SmallText, Severity::Warning)], "half of a short one");
}

#[test]
fn many_of_a_kind_are_told_together() {
    let mut measures = good();
    (0..40).for_each(|n| measures.pictures.black.add(n * 10_000, n * 10_000 + 3_000));
    let found = findings(&measures, &Description::default(), &policy());
    assert_eq!(found.len(), MAX_OF_A_KIND + 1);
    assert!(found[MAX_OF_A_KIND].text.starts_with("35 more"), "{}", found[MAX_OF_A_KIND].text);
}

#[test]
fn policy_decides_what_stops_a_lesson() {
    let mut measures = good();
    measures.pictures.black.add(0, 1_200_000);
    let mut policy = policy();
    policy.accept_all = true;
    assert_eq!(found(&measures, &policy), [(What::BlackLesson, Severity::Warning)]);
    policy.black_lesson.action = Action::Off;
    assert_eq!(found(&measures, &policy), [(What::Black, Severity::Warning)]);
    policy.black.action = Action::Off;
    assert_eq!(found(&measures, &policy), []);
    let mut strict = Policy::shipped().unwrap();
    strict.black.action = Action::Error;
    let mut short = good();
    short.pictures.black.add(0, 3_000);
    assert_eq!(found(&short, &strict), [(What::Black, Severity::Error)]);
}

#[test]
fn measures_cross_a_pipe_unchanged() {
    let mut measures = good();
    measures.pictures.black.add(10_000, 60_000);
    let text = serde_json::to_string(&measures).unwrap();
    assert_eq!(serde_json::from_str::<Measures>(&text).unwrap(), measures);
}

#[test]
fn moments_are_written_as_people_read_them() {
    for (ms, text) in [(0, "0:00"), (59_999, "0:59"), (61_000, "1:01"), (3_723_000, "1:02:03")] {
        assert_eq!(clock(ms), text);
    }
}
