//! What wants a person's attention, what to do about it, and the page that says more: the alerts of a fleet's Prometheus, judged by
//! one node about itself.

mod rules;
mod words;

use crate::figures::Figures;
use crate::ring::Ring;
use crate::sample::Sample;
use crate::status::{Bell, Checked};
use jiff::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A rule of [`alarms`]; each has a page under `docs/runbooks/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// A check of `/readyz` fails.
    NotReady,
    /// A bell is near or was a moment ago, and part of its lessons is not here.
    BellNotCovered,
    /// Segments take longer than they play.
    SlowerThanRealtime,
    /// Requests meet trouble of the node or its upstreams.
    HealthMisses,
    /// New sessions are put off.
    OverloadHigh,
    /// Nearly all that may be sent is.
    EgressNearCapacity,
    /// The clock is not believed, or off.
    ClockOff,
    /// A published plan is not obeyed.
    PlanRefused,
    /// Nobody has said for long what the plan is.
    PlanNotHeard,
    /// An upstream is not asked any more.
    ParentDown,
    /// A disk is away, or not written to.
    DiskNotWell,
    /// A disk gave wrong bytes.
    ChecksumFailures,
    /// A certificate ends soon.
    CertificateEndsSoon,
    /// What was fetched is fetched again.
    OriginOverasked,
    /// The month's free time above the level is nearly used up.
    FreeHoursShort,
    /// What is sent cannot be written down.
    AccountsNotWritten,
    /// The access log loses lines.
    AccessLogLosing,
    /// Floods are ended.
    AbuseRising,
}

/// How much of a hurry there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Now.
    Page,
    /// Today.
    Ticket,
}

/// An alarm that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Which.
    pub alarm: Alarm,
    /// How much of a hurry there is.
    pub severity: Severity,
    /// What of the node it is about: a disk, an upstream, a bell. Empty: the node.
    pub subject: String,
    /// How it is, in figures.
    pub detail: Detail,
}

/// How something is: figures, and where words stand beside them these in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Figures alone.
impl From<String> for Detail {
    fn from(figures: String) -> Self {
        Self { zh: figures.clone(), en: figures }
    }
}

/// What rules judge by.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// By the node's clock.
    pub now: Timestamp,
    /// As `/metrics` has them.
    pub figures: &'a Figures,
    /// Made of them.
    pub sample: &'a Sample,
    /// Samples before.
    pub ring: &'a Ring,
    /// What `/readyz` says.
    pub checks: &'a [Checked],
    /// The day's.
    pub bells: &'a [Bell],
}

/// All that are on, those that cannot wait first.
pub fn alarms(look: &Look<'_>) -> Vec<Raised> {
    let mut raised: Vec<Raised> = Alarm::ALL.iter().flat_map(|&alarm| rules::judge(alarm, look)).collect();
    raised.sort_by_key(|raised| (raised.severity, raised.alarm));
    raised
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::NotReady,
        Self::BellNotCovered,
        Self::SlowerThanRealtime,
        Self::HealthMisses,
        Self::OverloadHigh,
        Self::EgressNearCapacity,
        Self::ClockOff,
        Self::PlanRefused,
        Self::PlanNotHeard,
        Self::ParentDown,
        Self::DiskNotWell,
        Self::ChecksumFailures,
        Self::CertificateEndsSoon,
        Self::OriginOverasked,
        Self::FreeHoursShort,
        Self::AccountsNotWritten,
        Self::AccessLogLosing,
        Self::AbuseRising,
    ];

    /// As documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotReady => "not_ready",
            Self::BellNotCovered => "bell_not_covered",
            Self::SlowerThanRealtime => "slower_than_realtime",
            Self::HealthMisses => "health_misses",
            Self::OverloadHigh => "overload_high",
            Self::EgressNearCapacity => "egress_near_capacity",
            Self::ClockOff => "clock_off",
            Self::PlanRefused => "plan_refused",
            Self::PlanNotHeard => "plan_not_heard",
            Self::ParentDown => "parent_down",
            Self::DiskNotWell => "disk_not_well",
            Self::ChecksumFailures => "checksum_failures",
            Self::CertificateEndsSoon => "certificate_ends_soon",
            Self::OriginOverasked => "origin_overasked",
            Self::FreeHoursShort => "free_hours_short",
            Self::AccountsNotWritten => "accounts_not_written",
            Self::AccessLogLosing => "access_log_losing",
            Self::AbuseRising => "abuse_rising",
        }
    }

    /// Its page's name under `docs/runbooks/`, which is served under `/runbooks/` as well.
    pub const fn runbook(self) -> &'static str {
        match self {
            Self::NotReady => "not-ready.md",
            Self::BellNotCovered => "bell-not-covered.md",
            Self::SlowerThanRealtime => "slower-than-realtime.md",
            Self::HealthMisses => "health-misses.md",
            Self::OverloadHigh => "overload-high.md",
            Self::EgressNearCapacity => "egress-near-capacity.md",
            Self::ClockOff => "clock-off.md",
            Self::PlanRefused => "plan-refused.md",
            Self::PlanNotHeard => "plan-not-heard.md",
            Self::ParentDown => "parent-down.md",
            Self::DiskNotWell => "disk-not-well.md",
            Self::ChecksumFailures => "checksum-failures.md",
            Self::CertificateEndsSoon => "certificate-ends-soon.md",
            Self::OriginOverasked => "origin-overasked.md",
            Self::FreeHoursShort => "free-hours-short.md",
            Self::AccountsNotWritten => "accounts-not-written.md",
            Self::AccessLogLosing => "access-log-losing.md",
            Self::AbuseRising => "abuse-rising.md",
        }
    }
}

/// With its words: what is wrong and what to do, Chinese and English.
impl Serialize for Raised {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = self.alarm.words();
        let mut object = serializer.serialize_struct("Raised", 10)?;
        object.serialize_field("alarm", self.alarm.as_str())?;
        object.serialize_field("severity", &self.severity)?;
        object.serialize_field("subject", &self.subject)?;
        object.serialize_field("detail", &self.detail.en)?;
        object.serialize_field("detail_zh", &self.detail.zh)?;
        object.serialize_field("zh", words.zh)?;
        object.serialize_field("en", words.en)?;
        object.serialize_field("do_zh", words.do_zh)?;
        object.serialize_field("do_en", words.do_en)?;
        object.serialize_field("runbook", &format!("/runbooks/{}", self.alarm.runbook()))?;
        object.end()
    }
}

#[cfg(test)]
mod tests;
