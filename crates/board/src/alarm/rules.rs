//! When each alarm is on. The thresholds are those of `deploy/prometheus/airclass-alerts.yml`; where a fleet waits some minutes
//! before it wakes somebody, a page that is being looked at says it at once.

use super::{Alarm, Detail, Look, Raised, Severity, words};
use crate::sample::Count;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Checks of `/readyz` that fail because somebody wants them to.
const ASIDE: [&str; 3] = ["maintenance", "in_service", "burn_in"];
/// What "of late" is for shares of requests: long enough for many, short enough to be now.
const LATELY: Duration = Duration::from_secs(300);
/// For what happens rarely.
const WHILE: Duration = Duration::from_secs(900);
/// All that is kept.
const ALL_KEPT: Duration = Duration::from_secs(1_800);
/// A share of fewer than so many is chance.
const ENOUGH: u64 = 20;
/// More than so much of requests or segments in trouble is an alarm.
const TROUBLED: f64 = 0.01;
/// Fills for each object.
const OVERASKED: f64 = 1.5;
/// Of what may be sent.
const NEAR: f64 = 0.85;
/// What is sent of late, for comparing with what may be.
const SENT_OVER: Duration = Duration::from_secs(60);
/// So long before its bell a lesson ought to be here.
const BEFORE_BELL: SignedDuration = SignedDuration::from_mins(60);
/// So close to it somebody ought to know at once; and a lesson goes on so long behind it.
const AT_BELL: SignedDuration = SignedDuration::from_mins(15);
const BEHIND_BELL: SignedDuration = SignedDuration::from_mins(45);
const CLOCK_OFF_S: f64 = 1.0;
/// A source of plans is asked every few seconds.
const PLAN_OLD_S: f64 = 1_800.0;
const CERTIFICATE_SOON_S: f64 = 14.0 * DAY_S;
/// Then it cannot wait.
const CERTIFICATE_NOW_S: f64 = 2.0 * DAY_S;
const DAY_S: f64 = 86_400.0;
const FREE_SHORT_S: f64 = 7_200.0;
/// Ended connections and requests a second.
const ABUSE: f64 = 5.0;

/// `alarm` as often as it is on: once for each disk, upstream, bell.
pub(super) fn judge(alarm: Alarm, look: &Look<'_>) -> Vec<Raised> {
    let raise = |severity, subject: &str, detail: Detail| Raised {
        alarm,
        severity,
        subject: subject.to_owned(),
        detail,
    };
    let page = |detail: Detail| raise(Severity::Page, "", detail);
    let ticket = |detail: Detail| raise(Severity::Ticket, "", detail);
    let once = |raised: Option<Raised>| raised.into_iter().collect();
    match alarm {
        Alarm::NotReady => {
            let failed = look.checks.iter().filter_map(|check| Some((check.check, check.why.as_ref()?)));
            // Who stands aside on purpose wakes nobody; who looks at the page is told all the same.
            let is_aside = failed.clone().any(|(check, _)| ASIDE.contains(&check));
            let severity = if is_aside { Severity::Ticket } else { Severity::Page };
            failed.map(|(check, why)| raise(severity, check, words::check(check, why))).collect()
        }
        Alarm::BellNotCovered => bells(look, &raise),
        Alarm::SlowerThanRealtime => {
            let segments = grown(look, Count::Segments, LATELY);
            once(share(grown(look, Count::SlowSegments, LATELY), segments, TROUBLED).map(page))
        }
        Alarm::HealthMisses => {
            let requests = look.ring.requests(look.sample, LATELY);
            once(share(grown(look, Count::HealthMisses, LATELY), requests, TROUBLED).map(page))
        }
        Alarm::OverloadHigh => once(overloaded(look).map(page)),
        Alarm::EgressNearCapacity => {
            let limit = look.figures.sum("edge_capacity_bps");
            let sent = 8.0 * look.ring.rate(look.sample, Count::SentBytes, SENT_OVER);
            let near = limit > 0.0 && sent > NEAR * limit;
            once(near.then(|| page(format!("{} %", (100.0 * sent / limit).round()).into())))
        }
        Alarm::ClockOff => once(clock(look).map(page)),
        Alarm::PlanRefused => {
            once((look.figures.sum("airclass_plan_refused") > 0.0).then(|| page(Detail::default())))
        }
        Alarm::PlanNotHeard => once(plan_age(look).map(page)),
        Alarm::ParentDown => {
            let down = look.figures.each("edge_parent_up").filter(|parent| parent.value == 0.0);
            down.map(|one| raise(Severity::Ticket, one.label("parent"), words::group(one.label("group"))))
                .collect()
        }
        Alarm::DiskNotWell => {
            let states = look.figures.each("edge_disk_state").filter(|state| state.value == 1.0);
            let unwell = states.filter(|state| !matches!(state.label("state"), "online" | "opening"));
            unwell
                .map(|one| raise(Severity::Ticket, one.label("disk"), words::disk(one.label("state"))))
                .collect()
        }
        Alarm::ChecksumFailures => once(some(grown(look, Count::ChecksumFailures, ALL_KEPT)).map(ticket)),
        Alarm::CertificateEndsSoon => {
            let now = look.now.as_second() as f64;
            let ends = look.figures.each("serve_certificate_not_after_timestamp_seconds");
            let soon = ends.filter(|end| end.value - now < CERTIFICATE_SOON_S);
            let hurry = |left| if left < CERTIFICATE_NOW_S { Severity::Page } else { Severity::Ticket };
            soon.map(|end| raise(hurry(end.value - now), end.label("name"), moment(end.value).into()))
                .collect()
        }
        Alarm::OriginOverasked => {
            let (fills, again) = (grown(look, Count::Fills, WHILE), grown(look, Count::FillsAgain, WHILE));
            let objects = fills.saturating_sub(again).max(1) as f64;
            let many = fills >= ENOUGH && fills as f64 / objects > OVERASKED;
            once(many.then(|| ticket(format!("{:.1} ×", fills as f64 / objects).into())))
        }
        Alarm::FreeHoursShort => {
            let left = look.figures.value("edge_accounts_free_seconds").unwrap_or(f64::MAX);
            let billed = look.figures.sum("edge_accounts_level_bps") > 0.0;
            once((billed && left < FREE_SHORT_S).then(|| ticket(words::minutes((left / 60.0).floor()))))
        }
        Alarm::AccountsNotWritten => once(some(grown(look, Count::AccountErrors, WHILE)).map(ticket)),
        Alarm::AccessLogLosing => once(some(grown(look, Count::LostLines, LATELY)).map(ticket)),
        Alarm::AbuseRising => {
            let rate = look.ring.rate(look.sample, Count::Abuse, LATELY);
            once((rate > ABUSE).then(|| ticket(words::each_second(rate))))
        }
    }
}

fn grown(look: &Look<'_>, count: Count, over: Duration) -> u64 {
    look.ring.grown(look.sample, count, over)
}

fn some(count: u64) -> Option<Detail> {
    (count > 0).then(|| count.to_string().into())
}

/// What `part` of `whole` is, where that is more than `most` and no chance.
fn share(part: u64, whole: u64, most: f64) -> Option<Detail> {
    let share = part as f64 / whole.max(1) as f64;
    (whole >= ENOUGH && share > most).then(|| format!("{:.1} %", 100.0 * share).into())
}

/// Floors, so that what is not whole never reads 100 %.
fn bells(look: &Look<'_>, raise: &impl Fn(Severity, &str, Detail) -> Raised) -> Vec<Raised> {
    let near = look.bells.iter().filter(|bell| {
        let left = bell.bell.duration_since(look.now);
        left <= BEFORE_BELL && -left <= BEHIND_BELL
    });
    let lacking = near.filter_map(|bell| Some((bell, bell.ready_ratio.filter(|&ratio| ratio < 1.0)?)));
    let hurry = |bell: Timestamp| {
        if bell.duration_since(look.now) <= AT_BELL { Severity::Page } else { Severity::Ticket }
    };
    let percent = |ratio: f64| format!("{:.2} %", (ratio * 1e4).floor() / 1e2);
    lacking.map(|(bell, ratio)| raise(hurry(bell.bell), &bell.local, percent(ratio).into())).collect()
}

fn overloaded(look: &Look<'_>) -> Option<Detail> {
    let level = look.sample.get(Count::OverloadLevel);
    let shares = look.figures.each("edge_overload_share");
    let worst = shares.max_by(|a, b| a.value.total_cmp(&b.value));
    (level >= 2).then(|| words::pressure(level, worst.map(|share| (share.label("reason"), share.value))))
}

fn clock(look: &Look<'_>) -> Option<Detail> {
    let unbelieved = look.figures.value("airclass_clock_believed") == Some(0.0);
    let offset = look.figures.sum("airclass_clock_offset_seconds");
    (unbelieved || offset.abs() > CLOCK_OFF_S).then(|| format!("{offset:+.1} s").into())
}

/// Counted from the start where the source has never answered: a plan that was kept on disk may be all that the node has.
fn plan_age(look: &Look<'_>) -> Option<Detail> {
    let heard = look.figures.value("airclass_plan_heard_timestamp_seconds")?;
    let since = if heard > 0.0 { heard } else { look.figures.value("process_start_time_seconds")? };
    let age = look.now.as_second() as f64 - since;
    (age > PLAN_OLD_S).then(|| words::minutes((age / 60.0).floor()))
}

/// Unix seconds for people.
fn moment(seconds: f64) -> String {
    Timestamp::from_second(seconds as i64).map(|moment| moment.to_string()).unwrap_or_default()
}
