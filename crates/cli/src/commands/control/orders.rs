//! Giving orders, and seeing who has obeyed.

use super::fault::ControlFault;
use super::{Desk, Whom, ask};
use crate::commands::purge::Meant;
use agent::{Line, Trouble};
use bytes::Bytes;
use clap::Args;
use faults::{AnyFault, note, say};
use fleet::wire::{Kept, Recorded};
use fleet::{Acknowledged, Kind, Order, Refusal, Target};
use package::Digest;
use std::path::Path;
use std::time::Duration;
use timetable::{MAX_ENVELOPE_BYTES, SignedPlan};
use tokio::time::{Instant, sleep};
use units::Span;

/// How often it is looked who has obeyed.
const LOOK: Duration = Duration::from_millis(100);

/// What every order is told.
#[derive(Debug, Args)]
pub(crate) struct Give {
    #[command(flatten)]
    desk: Desk,
    #[command(flatten)]
    whom: Whom,
    /// How long to wait for every node's answer; those that are away obey when they are back
    #[arg(long, value_name = "TIME", default_value = "30s")]
    wait: Span,
}

/// `airclass control purge`
pub(super) fn purge(give: &Give, meant: &Meant) -> Result<(), AnyFault> {
    order(give, Some(meant.signed()?), |body| Kind::Purge(body.unwrap_or(Digest([0; 32]))))
}

/// `airclass control plan`
pub(super) fn plan(give: &Give, file: &Path) -> Result<(), AnyFault> {
    let unreadable = |problem: String| ControlFault::Person { path: file.to_owned(), problem };
    let envelope = settings::small_file(file, MAX_ENVELOPE_BYTES as u64)
        .map_err(|error| unreadable(error.to_string()))?;
    let date = SignedPlan::parse(&envelope).and_then(|signed| day_of(&signed.plan)).ok_or_else(|| {
        unreadable(
            "is no signed plan; give the file that `airclass timetable compile` has written".to_owned(),
        )
    })?;
    order(give, Some(envelope.into()), |body| Kind::Plan { date, body: body.unwrap_or(Digest([0; 32])) })
}

/// `airclass control drain`: the whole fleet only where that is said, and not where a word was forgotten.
pub(super) fn drain(give: &Give, all: bool) -> Result<(), AnyFault> {
    if !all && give.whom.target() == Target::default() {
        return Err(ControlFault::WholeFleet.into());
    }
    order(give, None, |_| Kind::Drain)
}

/// `airclass control undrain`
pub(super) fn undrain(give: &Give) -> Result<(), AnyFault> {
    order(give, None, |_| Kind::Undrain)
}

/// `airclass control order`
pub(super) fn show(desk: &Desk, number: u64) -> Result<(), AnyFault> {
    let path = format!("/v1/orders/{number}");
    let acknowledged: Acknowledged =
        ask(desk, async |line| line.look(&path).await).map_err(|fault| match fault {
            ControlFault::Asked { trouble: Trouble::Refused { refused, .. }, .. }
                if refused == Refusal::NotFound.as_str() =>
            {
                ControlFault::NoOrder(number)
            }
            fault => fault,
        })?;
    Ok(tell(number, &acknowledged)?)
}

/// Which day a plan is for; the nodes judge all of it.
fn day_of(plan: &str) -> Option<jiff::civil::Date> {
    #[derive(serde::Deserialize)]
    struct Dated {
        date: jiff::civil::Date,
    }
    serde_json::from_str::<Dated>(plan).ok().map(|dated| dated.date)
}

fn order(
    give: &Give,
    body: Option<Bytes>,
    kind: impl FnOnce(Option<Digest>) -> Kind,
) -> Result<(), AnyFault> {
    let to = give.whom.target();
    let (number, acknowledged) = ask(&give.desk, async |line| {
        let digest = match body {
            Some(body) => Some(line.send::<Kept>("/v1/bodies", body).await?.digest),
            None => None,
        };
        let Recorded { number } = line.tell("/v1/orders", &Order { kind: kind(digest), to }).await?;
        Ok((number, wait(line, number, give.wait.0).await?))
    })?;
    Ok(tell(number, &acknowledged)?)
}

async fn wait(line: &mut Line, number: u64, limit: Duration) -> Result<Acknowledged, Trouble> {
    let until = Instant::now() + limit;
    loop {
        let acknowledged: Acknowledged = line.look(&format!("/v1/orders/{number}")).await?;
        if acknowledged.waiting.is_empty() || Instant::now() >= until {
            return Ok(acknowledged);
        }
        sleep(LOOK).await;
    }
}

fn tell(number: u64, acknowledged: &Acknowledged) -> Result<(), ControlFault> {
    let Acknowledged { done, refused, waiting } = acknowledged;
    say!(
        "order {number}: obeyed by {}, refused by {}, {} to answer",
        done.len(),
        refused.len(),
        waiting.len()
    );
    if done.is_empty() && refused.is_empty() && waiting.is_empty() {
        note!("nobody hears it: no enrolled node is meant; `airclass control nodes` lists them");
    }
    for (node, why) in refused {
        say!("  {node}  refuses: {why}");
    }
    for node in waiting {
        say!("  {node}  has not answered");
    }
    if acknowledged.is_whole() {
        return Ok(());
    }
    Err(ControlFault::NotEverywhere { number, refused: refused.len(), waiting: waiting.len() })
}
