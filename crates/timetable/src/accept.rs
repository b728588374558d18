//! Whether a plan is followed, at a given time.

use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::signed::{NoEnvelope, SignedPlan};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use package::Digest;
use signing::{Trust, Trusted, Verdict};

/// A plan that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What it says.
    pub plan: Plan,
    /// Of the text that was signed: tells whether two plans are one.
    pub digest: Digest,
    /// Whose it is.
    pub key: Trusted,
}

/// Judges what was published as the plan of `date`, while `previous` is followed for that day. Nothing of the plan is read
/// before its signature is good.
///
/// The plan that is followed already is accepted again: compare digests.
///
/// # Errors
/// Why it is not to be followed; `previous` then still is.
pub fn accept(
    sent: &[u8],
    trust: &Trust,
    date: Date,
    previous: Option<&Accepted>,
    now: Timestamp,
) -> Result<Accepted, Refusal> {
    let SignedPlan { plan: text, signatures } = SignedPlan::read(sent).map_err(|why| match why {
        NoEnvelope::TooLong => Refusal::TooLong,
        NoEnvelope::EndsEarly => Refusal::HalfWritten,
        NoEnvelope::Malformed => Refusal::Malformed,
    })?;
    let today = TimeZone::UTC.to_datetime(now).date();
    let key = match trust.judge(text.as_bytes(), &signatures, today) {
        Verdict::Good(key) => key,
        Verdict::Forged(_) => return Err(Refusal::WrongSignature),
        Verdict::Outdated(_) => return Err(Refusal::OutdatedKey),
        Verdict::Unknown(_) => return Err(Refusal::UnknownKey),
        Verdict::Unsigned => return Err(Refusal::Unsigned),
    };
    let plan = Plan::parse(&text).map_err(|error| match error {
        crate::plan::PlanError::Json(_) => Refusal::Malformed,
        _ => Refusal::Contradictory,
    })?;
    let accepted = Accepted { plan, digest: Digest::of(text.as_bytes()), key };
    match refuse(&accepted, date, previous, now) {
        None => Ok(accepted),
        Some(refusal) => Err(refusal),
    }
}

/// Why a plan that is well formed and signed is not followed as that of `date`; `None`: it is.
pub fn refuse(plan: &Accepted, date: Date, previous: Option<&Accepted>, now: Timestamp) -> Option<Refusal> {
    let Accepted { plan, digest, .. } = plan;
    let previous = previous.filter(|previous| previous.plan.date == date);
    if plan.date != date {
        Some(Refusal::AnotherDay)
    } else if previous.is_some_and(|previous| previous.plan.edition > plan.edition) {
        Some(Refusal::OldEdition)
    } else if previous.is_some_and(|p| p.plan.edition == plan.edition && p.digest != *digest) {
        Some(Refusal::SameEdition)
    } else if now < plan.valid_from {
        Some(Refusal::NotYetValid)
    } else if now >= plan.valid_until {
        Some(Refusal::Expired)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
