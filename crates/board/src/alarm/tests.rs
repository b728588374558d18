use super::*;
use crate::figures::tests::{Rows, gauges};
use crate::sample::Count;
use crate::sample::tests::sample;
use std::collections::BTreeSet;

/// 2026-09-01, 08:00 in China, ten minutes after the process began.
const NOW_S: u64 = 600;

struct Case<'a> {
    what: &'a str,
    figures: Rows<'a>,
    /// What has grown in the last ten minutes.
    grown: &'a [(Count, u64)],
    bells: &'a [(i64, Option<f64>)],
    raised: &'a [(Alarm, Severity, &'a str, &'a str)],
}

const CALM: Case<'static> = Case { what: "all is well", figures: &[], grown: &[], bells: &[], raised: &[] };

fn judge(case: &Case<'_>, checks: &[Checked]) -> Vec<(Alarm, Severity, String, String)> {
    let mut ring = Ring::default();
    ring.push(sample(0, &[]));
    let (figures, sample) = (gauges(case.figures), sample(NOW_S, case.grown));
    let bells: Vec<Bell> = case
        .bells
        .iter()
        .map(|&(minutes, ready_ratio)| Bell {
            bell: sample.at + jiff::SignedDuration::from_mins(minutes),
            local: format!("{minutes:+}"),
            lessons: 1,
            ready_ratio,
            wanted_bytes: None,
            held_bytes: None,
        })
        .collect();
    let look =
        Look { now: sample.at, figures: &figures, sample: &sample, ring: &ring, checks, bells: &bells };
    alarms(&look).into_iter().map(|one| (one.alarm, one.severity, one.subject, one.detail.en)).collect()
}

#[test]
fn each_alarm_is_on_when_it_should_be_and_not_before() {
    use Alarm::*;
    use Severity::{Page, Ticket};
    let now = sample(NOW_S, &[]).at.as_second() as f64;
    let (day, minute) = (86_400.0, 60.0);
    let cases = [
        CALM,
        Case {
            what: "bells far away, covered, of no plan of ours, or long over",
            bells: &[(61, Some(0.2)), (10, Some(1.0)), (5, None), (-46, Some(0.0))],
            ..CALM
        },
        Case {
            what: "a bell in an hour, one in a quarter, one a moment ago",
            bells: &[(60, Some(0.5)), (15, Some(0.999_999)), (-45, Some(0.0))],
            raised: &[
                (BellNotCovered, Page, "+15", "99.99 %"),
                (BellNotCovered, Page, "-45", "0.00 %"),
                (BellNotCovered, Ticket, "+60", "50.00 %"),
            ],
            ..CALM
        },
        Case {
            what: "a hundredth of the segments is slow, or few are there",
            grown: &[(Count::Segments, 1_000), (Count::SlowSegments, 10)],
            ..CALM
        },
        Case {
            what: "a segment of nineteen",
            grown: &[(Count::Segments, 19), (Count::SlowSegments, 1)],
            ..CALM
        },
        Case {
            what: "more than a hundredth is slow",
            grown: &[(Count::Segments, 1_000), (Count::SlowSegments, 11)],
            raised: &[(SlowerThanRealtime, Page, "", "1.1 %")],
            ..CALM
        },
        Case {
            what: "requests in trouble",
            grown: &[(Count::RequestsRam, 80), (Count::RequestsOwn, 20), (Count::HealthMisses, 2)],
            raised: &[(HealthMisses, Page, "", "2.0 %")],
            ..CALM
        },
        Case { what: "busy", grown: &[(Count::OverloadLevel, 1)], ..CALM },
        Case {
            what: "pressed",
            figures: &[
                ("edge_overload_share", &[("reason", "cpu")], 0.9),
                ("edge_overload_share", &[("reason", "disk")], 0.4),
            ],
            grown: &[(Count::OverloadLevel, 2)],
            raised: &[(OverloadHigh, Page, "", "2 / 3; cpu 90 %")],
            ..CALM
        },
        Case {
            what: "much is sent, and nobody limits it",
            figures: &[("edge_capacity_bps", &[], 0.0)],
            grown: &[(Count::SentBytes, 600_000_000)],
            ..CALM
        },
        Case {
            what: "8 Mbit/s of 9",
            figures: &[("edge_capacity_bps", &[], 9e6)],
            grown: &[(Count::SentBytes, 600_000_000)],
            raised: &[(EgressNearCapacity, Page, "", "89 %")],
            ..CALM
        },
        Case {
            what: "a clock a second off",
            figures: &[("airclass_clock_believed", &[], 1.0), ("airclass_clock_offset_seconds", &[], -1.0)],
            ..CALM
        },
        Case {
            what: "a clock two seconds off",
            figures: &[("airclass_clock_offset_seconds", &[], -2.0)],
            raised: &[(ClockOff, Page, "", "-2.0 s")],
            ..CALM
        },
        Case {
            what: "a clock that nobody believes",
            figures: &[("airclass_clock_believed", &[], 0.0), ("airclass_clock_offset_seconds", &[], 0.0)],
            raised: &[(ClockOff, Page, "", "+0.0 s")],
            ..CALM
        },
        Case {
            what: "a plan refused, its source silent",
            figures: &[
                ("airclass_plan_refused", &[], 1.0),
                ("airclass_plan_heard_timestamp_seconds", &[], now - 31.0 * minute),
            ],
            raised: &[(PlanRefused, Page, "", ""), (PlanNotHeard, Page, "", "31 min")],
            ..CALM
        },
        Case {
            what: "a source that was not heard yet",
            figures: &[
                ("airclass_plan_heard_timestamp_seconds", &[], 0.0),
                ("process_start_time_seconds", &[], now - 29.0 * minute),
            ],
            ..CALM
        },
        Case {
            what: "a source that was never heard",
            figures: &[
                ("airclass_plan_heard_timestamp_seconds", &[], 0.0),
                ("process_start_time_seconds", &[], now - 32.0 * minute),
            ],
            raised: &[(PlanNotHeard, Page, "", "32 min")],
            ..CALM
        },
        Case {
            what: "one parent of two is down",
            figures: &[
                ("edge_parent_up", &[("group", "default"), ("parent", "http://a")], 1.0),
                ("edge_parent_up", &[("group", "default"), ("parent", "http://b")], 0.0),
            ],
            raised: &[(ParentDown, Ticket, "http://b", "group default")],
            ..CALM
        },
        Case {
            what: "a disk opens, one is away",
            figures: &[
                ("edge_disk_state", &[("disk", "/a"), ("state", "opening")], 1.0),
                ("edge_disk_state", &[("disk", "/a"), ("state", "offline")], 0.0),
                ("edge_disk_state", &[("disk", "/b"), ("state", "offline")], 1.0),
            ],
            raised: &[(DiskNotWell, Ticket, "/b", "offline")],
            ..CALM
        },
        Case {
            what: "certificates of today, of ten days, of twenty",
            figures: &[
                ("serve_certificate_not_after_timestamp_seconds", &[("name", "a")], now + day),
                ("serve_certificate_not_after_timestamp_seconds", &[("name", "b")], now + 10.0 * day),
                ("serve_certificate_not_after_timestamp_seconds", &[("name", "c")], now + 20.0 * day),
            ],
            raised: &[
                (CertificateEndsSoon, Page, "a", "2026-09-02T00:10:00Z"),
                (CertificateEndsSoon, Ticket, "b", "2026-09-11T00:10:00Z"),
            ],
            ..CALM
        },
        Case {
            what: "each object fetched one and a half times",
            grown: &[(Count::Fills, 30), (Count::FillsAgain, 10)],
            ..CALM
        },
        Case {
            what: "twice",
            grown: &[(Count::Fills, 30), (Count::FillsAgain, 15)],
            raised: &[(OriginOverasked, Ticket, "", "2.0 ×")],
            ..CALM
        },
        Case {
            what: "no level to be billed",
            figures: &[("edge_accounts_free_seconds", &[], 0.0), ("edge_accounts_level_bps", &[], 0.0)],
            ..CALM
        },
        Case {
            what: "an hour is free, and losses",
            figures: &[("edge_accounts_free_seconds", &[], 3_600.0), ("edge_accounts_level_bps", &[], 1e9)],
            grown: &[(Count::AccountErrors, 1), (Count::LostLines, 7), (Count::ChecksumFailures, 2)],
            raised: &[
                (ChecksumFailures, Ticket, "", "2"),
                (FreeHoursShort, Ticket, "", "60 min"),
                (AccountsNotWritten, Ticket, "", "1"),
                (AccessLogLosing, Ticket, "", "7"),
            ],
            ..CALM
        },
        Case {
            what: "ten floods a second",
            grown: &[(Count::Abuse, 6_000)],
            raised: &[(AbuseRising, Ticket, "", "10 / s")],
            ..CALM
        },
    ];
    let mut seen = BTreeSet::new();
    for case in &cases {
        let raised = judge(case, &[]);
        let told: Vec<_> = raised.iter().map(|(a, b, c, d)| (*a, *b, c.as_str(), d.as_str())).collect();
        assert_eq!(told, case.raised, "{}", case.what);
        seen.extend(case.raised.iter().map(|row| row.0));
    }
    seen.insert(NotReady);
    assert_eq!(seen.len(), Alarm::ALL.len(), "a case for each: {seen:?}");
}

#[test]
fn a_check_that_fails_is_told_with_its_reason_and_wakes_nobody_where_the_node_stands_aside_on_purpose() {
    let failed = |check, why: &str| Checked { check, why: Some(why.to_owned()) };
    let mut checks = vec![Checked { check: "clock", why: None }, failed("upstream", "unreachable")];
    let wanted = (Alarm::NotReady, Severity::Page, "upstream".to_owned(), "unreachable".to_owned());
    assert_eq!(judge(&CALM, &checks), [wanted]);
    // In the owner's own window nobody is woken for it.
    checks.push(failed("maintenance", "02:00-04:00"));
    let aside = judge(&CALM, &checks);
    assert_eq!(aside.iter().map(|one| &one.2[..]).collect::<Vec<_>>(), ["upstream", "maintenance"]);
    assert!(aside.iter().all(|one| one.1 == Severity::Ticket));
}

#[test]
fn each_alarm_has_a_page_and_words_in_both_languages() {
    let mut names = BTreeSet::new();
    for alarm in Alarm::ALL {
        assert!(names.insert(alarm.as_str()));
        let path = format!("/runbooks/{}", alarm.runbook());
        assert!(crate::files().iter().any(|file| file.path == path), "{path}");
        let raised =
            Raised { alarm, severity: Severity::Page, subject: String::new(), detail: Detail::default() };
        let text = serde_json::to_value(&raised).unwrap();
        assert_eq!((text["severity"].as_str(), text["runbook"].as_str()), (Some("page"), Some(&*path)));
        for (zh, en) in [("zh", "en"), ("do_zh", "do_en")] {
            let (zh, en) = (text[zh].as_str().unwrap(), text[en].as_str().unwrap());
            assert!(!zh.is_ascii() && en.is_ascii() && en.len() > 10, "{zh} {en}");
        }
    }
}

/// The page in Chinese said "group default", "read_only" and "40 min".
#[test]
fn how_it_is_stands_in_both_languages() {
    let failed = |check, why: &str| Checked { check, why: Some(why.to_owned()) };
    let figures = gauges(&[
        ("edge_parent_up", &[("group", "default"), ("parent", "http://b")], 0.0),
        ("edge_disk_state", &[("disk", "/d"), ("state", "read_only")], 1.0),
        ("edge_overload_share", &[("reason", "sockets")], 0.97),
        ("edge_accounts_free_seconds", &[], 3_600.0),
        ("edge_accounts_level_bps", &[], 1.0),
    ]);
    let mut ring = Ring::default();
    ring.push(sample(0, &[]));
    let sample = sample(NOW_S, &[(Count::OverloadLevel, 2), (Count::Abuse, 6_000)]);
    let checks = [failed("store", "refused"), failed("later", "who knows")];
    let look =
        Look { now: sample.at, figures: &figures, sample: &sample, ring: &ring, checks: &checks, bells: &[] };
    let raised = alarms(&look);
    let details: Vec<_> = raised.iter().map(|one| (&one.detail.zh[..], &one.detail.en[..])).collect();
    let wanted = [
        ("存储没有应答（refused）", "refused"),
        // One of a later release.
        ("who knows", "who knows"),
        ("2 / 3；套接字 97 %", "2 / 3; sockets 97 %"),
        ("组 default", "group default"),
        ("只读", "read_only"),
        ("60 分钟", "60 min"),
        ("每秒 10 次", "10 / s"),
    ];
    assert_eq!(details, wanted);
}
