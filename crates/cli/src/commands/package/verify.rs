//! `verify`.

use super::Verify;
use super::fault::PackageFault;
use super::text::{bytes, is_watched, say};
use crate::clock;
use ::package::PackageId;
use faults::{AnyFault, note};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use settings::MAX_TEXT_BYTES;
use signing::{Trust, Verdict};
use storage::{Store, Verified};
use tokio::runtime::Runtime;

/// Redraws a second at most.
const REDRAWS_HZ: u8 = 8;

/// `airclass package verify`
pub(super) fn verify(options: &Verify) -> Result<(), AnyFault> {
    let trust = match &options.trust {
        None => None,
        Some(path) => {
            let text = settings::small_text(path, MAX_TEXT_BYTES)
                .map_err(|source| PackageFault::Unreadable { path: path.clone(), source })?;
            Some(Trust::parse(&text, path)?)
        }
    };
    let (runtime, store) = options.place.open()?;
    let packages = options.which.packages(&runtime, &store)?;
    let all = packages.len();
    if all == 0 {
        note!("no package is in {}", store.name());
    }
    let mut damaged = 0;
    for package in packages {
        let verified = read_back(&runtime, &store, package)?;
        let verdict = trust.as_ref().zip(verified.manifest.as_ref());
        let verdict =
            verdict.map(|(trust, manifest)| trust.judge(manifest.bytes(), &verified.signatures, today()));
        let is_trusted = verdict.as_ref().is_none_or(|verdict| matches!(verdict, Verdict::Good(_)));
        damaged += usize::from(!verified.problems.is_empty() || !is_trusted);
        tell(options.json, package, &verified, verdict.as_ref());
    }
    if damaged > 0 {
        return Err(PackageFault::Damaged { damaged, all }.into());
    }
    Ok(())
}

/// Reads it with a bar on the terminal, if there is one.
fn read_back(runtime: &Runtime, store: &Store, package: PackageId) -> Result<Verified, AnyFault> {
    let total = runtime
        .block_on(store.package(package))?
        .manifest
        .map_or(0, |sealed| sealed.manifest().total_bytes());
    let target = if is_watched() {
        ProgressDrawTarget::stderr_with_hz(REDRAWS_HZ)
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("  {bar:30} {bytes}/{total_bytes} {msg}")
        .expect("the template is constant");
    let bar = ProgressBar::with_draw_target(Some(total), target)
        .with_style(style)
        .with_message(package.to_string());
    let verified = runtime.block_on(storage::verify(store, package, |bytes| bar.inc(bytes)));
    bar.finish_and_clear();
    Ok(verified?)
}

fn tell(as_json: bool, package: PackageId, verified: &Verified, verdict: Option<&Verdict>) {
    let signers: Vec<_> = verified.signatures.iter().map(|signature| signature.key_id.to_string()).collect();
    let problems: Vec<_> = verified.problems.iter().map(ToString::to_string).collect();
    if as_json {
        let line = json!({
            "package": package, "objects": verified.objects, "bytes": verified.bytes, "problems": problems,
            "signers": signers, "signature": verdict.map(Verdict::as_str),
        });
        say(&line.to_string());
        return;
    }
    let signature = match verdict {
        None if signers.is_empty() => "unsigned".to_owned(),
        None => format!("signed by {} (not checked: no --trust)", signers.join(", ")),
        Some(Verdict::Good(key)) => {
            format!("signed by {}", key.name.clone().unwrap_or_else(|| key.id.to_string()))
        }
        Some(Verdict::Forged(key)) => format!("SIGNATURE OF {key} IS NOT OVER THIS MANIFEST"),
        Some(Verdict::Outdated(key)) => format!("signed by {key}, which does not count today"),
        Some(Verdict::Unknown(_)) => format!("signed by {}, whom nobody trusts", signers.join(", ")),
        Some(Verdict::Unsigned) => "unsigned".to_owned(),
    };
    let state = if problems.is_empty() { "whole" } else { "DAMAGED" };
    say(&format!("{package}  {state}, {} objects, {}, {signature}", verified.objects, bytes(verified.bytes)));
    problems.iter().for_each(|problem| say(&format!("  {problem}")));
}

fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::try_from(clock::now()).unwrap_or_default()).date()
}
