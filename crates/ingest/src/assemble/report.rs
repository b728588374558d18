//! `report.json`: how a package was made and what was noticed.
//!
//! It is part of the package, so it says only what follows from source and recipe: what was measured, and what the
//! shipped policy says of it. What an operator's own policy says of this run is told on the terminal.

use crate::decode::Damage;
use crate::plan::Plan;
use crate::probe::SourceInfo;
use crate::quality::{Finding, Lengths, Policy, findings};
use crate::sound::{Gain, Loudness, Sides};
use crate::survey::Survey;
use crate::title::Content;
use package::Description;
use serde::Serialize;
use settings::SettingsError;

/// What `report.json` says.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// What the source is, as it was decoded.
    source: &'a SourceInfo,
    /// How long pictures and sound are, and how long the container says they are.
    lengths: Lengths,
    /// What of it could not be read.
    damage: Damage,
    /// What kind of lesson it is; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    /// Of the source; absent for silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    loudness: Option<Loudness>,
    /// What its sides became.
    sides: Sides,
    /// What was done about how loud it is.
    gain: Gain,
    /// What quality control noticed, by the policy that this release ships with.
    quality: Vec<Finding>,
}

/// The report on a lesson that `survey` saw and that is made by `plan`.
///
/// # Errors
/// Never in a release whose shipped policy passed its tests.
pub fn report(survey: &Survey, plan: &Plan, description: &Description) -> Result<Vec<u8>, SettingsError> {
    let measures = &survey.measures;
    let quality = findings(measures, description, &Policy::shipped()?);
    let report = Report {
        source: &survey.source,
        lengths: measures.lengths,
        damage: survey.damage,
        content: plan.content,
        loudness: measures.loudness.as_ref().map(rounded),
        sides: plan.sides,
        gain: plan.gain,
        quality: quality.into_iter().map(|found| Finding { figure: tenths(found.figure), ..found }).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&report).expect("plain structs with string keys");
    bytes.push(b'\n');
    Ok(bytes)
}

/// Nobody hears a tenth, and what another processor measures a millionth differently is the same package.
fn rounded(loudness: &Loudness) -> Loudness {
    Loudness {
        integrated_lufs: tenths(loudness.integrated_lufs),
        true_peak_dbtp: tenths(loudness.true_peak_dbtp),
        range_lu: tenths(loudness.range_lu),
    }
}

fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}
