//! A small nation: two provinces, two carriers, one bell.

use super::*;
use grid::{FrameRate, SegmentCount};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use package::{AudioSlot, Grade, Slot};
use proptest::prelude::*;
use timetable::plan::{AdmissionSlot, Media, Plan, PlanKind, PlannedLesson, Rung, Sound};
use timetable::{AirSegment, Band, Class, Kind, Place, Region, Zone};

fn bell() -> Timestamp {
    "2026-09-01T08:30:00+08:00".parse().unwrap()
}

/// 1 Mbit/s on `s2`, sound included, 20 minutes.
fn plan(slots: Vec<AdmissionSlot>) -> Plan {
    let midnight = Zone::CHINA.midnight(date(2026, 9, 1)).unwrap();
    let grade = Grade::try_from(7).unwrap();
    let media = Media {
        package: "0".repeat(40).parse().unwrap(),
        segments: SegmentCount(250),
        bytes: 150_000_000,
        frame_rate: FrameRate::Fps25,
        video: vec![Rung {
            slot: Slot::S2,
            width: 640,
            height: 360,
            codecs: "avc1.64001e".into(),
            peak_bps: 2_000_000,
            average_bps: 936_000,
            audio: AudioSlot::Hi,
            alias_of: None,
            thinning: std::num::NonZeroU32::MIN,
        }],
        audio: vec![Sound {
            slot: AudioSlot::Hi,
            codecs: "mp4a.40.2".into(),
            channels: 2,
            peak_bps: 66_000,
            average_bps: 64_000,
        }],
        subtitles: vec![],
        pictures: None,
    };
    let lesson = PlannedLesson {
        lesson: "maths".parse().unwrap(),
        bell: bell(),
        release: bell(),
        kind: Kind::Lesson,
        grades: vec![grade],
        exam: false,
        title: "分数".into(),
        subject: None,
        edition: None,
        volume: None,
        segments: SegmentCount(250),
        media: Some(media),
    };
    Plan {
        kind: PlanKind::Plan1,
        date: date(2026, 9, 1),
        zone: Zone::CHINA,
        place: Place::Nation,
        edition: 1,
        made_at: midnight,
        valid_from: midnight - SignedDuration::from_hours(24),
        valid_until: midnight + SignedDuration::from_hours(48),
        first_segment: AirSegment::at(midnight),
        lessons: vec![lesson],
        clips: Vec::new(),
        fill: Vec::new(),
        slots,
        channels: Vec::new(),
        policies: Vec::new(),
        documents: Vec::new(),
    }
}

fn assumed(more: &str) -> Assumptions {
    let text = format!(
        r#"
        attendance = 1000
        arrival = "60s"
        buffer = "30s"
        mix = {{ s2 = 1000 }}
        carriers = {{ dianxin = 600, yidong = 400 }}
        pupils = [
            {{ region = "hubei", grades = [7, 8], each = 100000 }},
            {{ region = "hunan", grades = [7], each = 50000 }},
        ]
        {more}
        "#
    );
    let assumed: Assumptions = toml::from_str(&text).unwrap();
    assumed.check().unwrap();
    assumed
}

const HUBEI: Market = Market { region: Region::Hubei, carrier: "dianxin" };

/// Each row was a wave of its own for each lesson and carrier: a file of 50,000 rows took gigabytes, and of rows of a few pupils
/// each nobody watched.
#[test]
fn rows_of_one_province_and_grade_are_counted_together() {
    let mut assumed = assumed("");
    let row = assumption(Region::Hubei, 2);
    assumed.pupils = vec![row; 50_000];
    assumed.check().unwrap();
    let plan = plan(Vec::new());
    let waves = waves(&plan, &assumed, true);
    let sessions: Vec<_> = waves.iter().map(|wave| (wave.carrier, wave.sessions)).collect();
    assert_eq!(sessions, [("dianxin", 60_000), ("yidong", 40_000)]);
}

/// So many pupils of the seventh grade.
fn assumption(region: Region, each: u64) -> Pupils {
    Pupils { region, grades: vec![Grade::try_from(7).unwrap()], each }
}

/// A province's plan was forecast with every other province's pupils, whose nodes were then missing.
#[test]
fn a_plan_of_a_province_is_for_its_own_pupils() {
    let (mut plan, assumed) = (plan(Vec::new()), assumed(""));
    for (place, sessions) in
        [("nation", 150_000), ("hubei", 100_000), ("hubei/wuhan", 100_000), ("hunan", 50_000), ("hebei", 0)]
    {
        plan.place = place.parse().unwrap();
        let waves = waves(&plan, &assumed, true);
        assert_eq!(waves.iter().map(|wave| wave.sessions).sum::<u64>(), sessions, "{place}");
    }
}

#[test]
fn pupils_times_rate_is_the_plateau() {
    let (plan, assumed) = (plan(Vec::new()), assumed(""));
    let waves = waves(&plan, &assumed, true);
    assert_eq!(waves.iter().map(|wave| wave.sessions).sum::<u64>(), 150_000);
    assert_eq!(waves[0].bps, 1_000_000);
    let demand = Demand::of(&waves, &assumed, Zone::CHINA.midnight(plan.date).unwrap());
    // 60,000 on China Telecom in Hubei at 1 Mbit/s, once all have begun and fetched their buffers.
    assert_eq!(demand.at(HUBEI, 8 * 60 + 40), 60_000_000_000);
    // In the first minute all 60,000 fetch 30 s ahead, and play half a minute on average.
    assert_eq!(demand.at(HUBEI, 8 * 60 + 30), 60_000_000_000);
    assert_eq!(demand.at(HUBEI, 8 * 60 + 29), 0);
    assert_eq!(demand.at(HUBEI, 8 * 60 + 52), 0);
    // Every bit is sent once: 20 minutes of 1 Mbit/s.
    let bits: u64 = demand.total().iter().map(|bps| bps * 60).sum();
    assert_eq!(bits, 150_000 * 1_200 * 1_000_000);
}

#[test]
fn what_a_province_lacks_comes_from_the_same_carrier_elsewhere() {
    let nodes = r#"
        [[node]]
        region = "hubei"
        carrier = "dianxin"
        capacity = "10Gbit/s"
        count = 5
        [[node]]
        region = "hunan"
        carrier = "dianxin"
        capacity = "40Gbit/s"
    "#;
    let (plan, assumed) = (plan(Vec::new()), assumed(nodes));
    let told = forecast(&plan, &assumed).unwrap();
    let [bell] = &told.bells[..] else { panic!("{:?}", told.bells) };
    assert_eq!((bell.sessions, bell.lessons, bell.peak), (150_000, 1, 150_000_000_000));
    let short = |market: Market| bell.shortages.iter().find(|s| s.market == market);
    // 60 asked for, 50 there, and Hunan has 40 - 30 left.
    let hubei = short(HUBEI).unwrap();
    assert_eq!(
        (hubei.asked, hubei.own, hubei.elsewhere, hubei.missing),
        (60_000_000_000, 50_000_000_000, 10_000_000_000, 0)
    );
    assert_eq!(short(Market { region: Region::Hunan, carrier: "dianxin" }), None);
    let mobile = short(Market { region: Region::Hubei, carrier: "yidong" }).unwrap();
    assert_eq!((mobile.own, mobile.elsewhere, mobile.missing), (0, 0, 40_000_000_000));
}

#[test]
fn slots_move_and_spread_beginnings() {
    let slot = |place, after_s, window_s| AdmissionSlot {
        place,
        class: Class::Usual,
        band: Band::Junior,
        grades: vec![Grade::try_from(7).unwrap()],
        after_s,
        window_s,
        term_start: None,
        soft: false,
    };
    let slots = vec![slot(Place::Nation, 0, 900), slot(Place::Region(Region::Hunan), 1_800, 900)];
    let (plan, assumed) = (plan(slots), assumed(""));
    let told = forecast(&plan, &assumed).unwrap();
    let of = |name: &str| told.staggers.iter().find(|way| way.name == name).unwrap().clone();
    let (bell, planned) = (of("at the bell"), of("as planned"));
    assert_eq!((bell.beginnings, bell.minute), (2_500, 510));
    // Hubei's 100,000 in a quarter of an hour.
    assert_eq!(planned.beginnings, 111);
    assert!(planned.peak < bell.peak);
    // Twenty minutes a day in 30 days: 22 × 5 samples are above zero, fewer than the 432 that are free.
    assert_eq!((bell.month_95, planned.month_95), (0, 0));
}

#[test]
fn numbers_that_cannot_be_are_named() {
    let usual = [
        ("mix", "{ s2 = 1000 }"),
        ("attendance", "850"),
        ("overhead", "0"),
        ("each", "1"),
        ("rows", "1"),
        ("carriers", "1"),
    ];
    for (key, value, named) in [
        ("mix", "{ s2 = 1000 }", None),
        ("mix", "{ s2 = 999 }", Some("mix")),
        // They came to 1000 in 32 bits.
        ("mix", "{ s1 = 4294967295, s2 = 1001 }", Some("mix")),
        ("attendance", "1001", Some("attendance")),
        ("overhead", "1001", Some("overhead")),
        ("each", "250000000", None),
        ("each", "250000001", Some("pupils")),
        ("each", "9223372036854775807", Some("pupils")),
        ("rows", "50001", Some("pupils")),
        ("carriers", "32", None),
        ("carriers", "33", Some("carriers")),
    ] {
        let said = |wanted: &str| {
            if key == wanted { value } else { usual.iter().find(|(key, _)| *key == wanted).unwrap().1 }
        };
        let rows = said("rows").parse().unwrap();
        let row = format!("{{ region = \"hubei\", grades = [7, 8], each = {} }},", said("each")).repeat(rows);
        let text = format!(
            "attendance = {}\noverhead = {}\nmix = {}\ncarriers = {{ dianxin = 1000{} }}\npupils = [{row}]",
            said("attendance"),
            said("overhead"),
            said("mix"),
            (1..said("carriers").parse().unwrap()).map(|n| format!(", c{n} = 0")).collect::<String>()
        );
        let checked = toml::from_str::<Assumptions>(&text).unwrap().check();
        assert_eq!(checked.err().map(|invalid| invalid.key), named, "{key} = {value}");
    }
}

/// As many nodes as can be written, each as quick as can be: they added up to little.
#[test]
fn capacity_has_no_end_to_turn_around_at() {
    let node = "[[node]]\nregion = \"hubei\"\ncarrier = \"dianxin\"\ncapacity = \"9000000Tbit/s\"\ncount = 4294967295\n";
    let (plan, assumed) = (plan(Vec::new()), assumed(&node.repeat(3)));
    let told = forecast(&plan, &assumed).unwrap();
    assert!(
        told.bells[0]
            .shortages
            .iter()
            .all(|short| (short.missing == 0) == (short.market.carrier == "dianxin"))
    );
}

/// A plan that was signed may say anything: the sum turned around, or the program ended.
#[test]
fn demand_has_no_end_to_turn_around_at() {
    let (mut plan, assumed) = (plan(Vec::new()), assumed("overhead = 1000"));
    let usual = forecast(&plan, &assumed).unwrap().bells[0].peak;
    for rung in
        plan.lessons.iter_mut().filter_map(|lesson| lesson.media.as_mut()).flat_map(|media| &mut media.video)
    {
        rung.average_bps = u64::MAX;
    }
    assert!(forecast(&plan, &assumed).unwrap().bells[0].peak > usual);
}

proptest! {
    /// Whatever the slots, every bit is asked for once, as long as it is within the day.
    #[test]
    fn no_bit_is_lost(after_s in 0u32..20_000, window_s in 0u32..8_000) {
        let slot = AdmissionSlot {
            place: Place::Nation, class: Class::Usual, band: Band::Junior,
            grades: vec![Grade::try_from(7).unwrap()], after_s, window_s, term_start: None, soft: false,
        };
        let (plan, assumed) = (plan(vec![slot]), assumed(""));
        let waves = waves(&plan, &assumed, true);
        let demand = Demand::of(&waves, &assumed, Zone::CHINA.midnight(plan.date).unwrap());
        let bits: u64 = demand.total().iter().map(|bps| bps * 60).sum();
        let asked = 150_000 * 1_200 * 1_000_000_u64;
        // Each of four waves rounds down once a minute, by less than a bit a second.
        prop_assert!(asked - bits < 4 * 60 * MINUTES as u64, "{} missing", asked - bits);
    }
}
