//! `zero-rating`: the next edition of what carriers count as free.

use super::fault::ControlFault;
use super::{Desk, ask};
use crate::clock;
use clap::Args;
use faults::{AnyFault, say};
use fleet::wire::{Nodes, Recorded};
use fleet::zero_rating::{Manifest, SignedManifest};
use jiff::Timestamp;
use signing::SigningKey;
use std::io;
use std::path::PathBuf;

/// What it is told.
#[derive(Debug, Args)]
pub(crate) struct ZeroRating {
    #[command(flatten)]
    desk: Desk,
    /// The key that signs it, as `airclass package keygen` makes them; carriers are given its public half
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file to publish; the edition that is there is followed by the next, which says what has changed
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A host that is free in every network, as the lessons' own; once for each
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Publish it at the control, too, where carriers follow it: /v1/zero-rating?since=EDITION (role telecom)
    #[arg(long)]
    publish: bool,
}

/// `airclass control zero-rating`
pub(super) fn zero_rating(options: &ZeroRating) -> Result<(), AnyFault> {
    let key = SigningKey::read(&options.key)?;
    let fault = |problem: String| ControlFault::Person { path: options.out.clone(), problem };
    let previous = match settings::small_file(&options.out, settings::MAX_TEXT_BYTES) {
        Ok(bytes) => {
            let (signed, manifest) = SignedManifest::parse(&bytes)
                .ok_or_else(|| fault("is no zero-rating manifest; give another --out".to_owned()))?;
            // Editions go on from what we have said ourselves.
            let ours = signed
                .signatures
                .iter()
                .any(|signature| key.public().verifies(signed.manifest.as_bytes(), signature));
            if !ours {
                return Err(
                    fault("is signed by another key; give that one, or another --out".to_owned()).into()
                );
            }
            Some((signed, manifest))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(fault(error.to_string()).into()),
    };
    let nodes: Nodes = ask(&options.desk, async |line| line.look("/v1/nodes").await)?;
    let now = Timestamp::try_from(clock::now()).unwrap_or_default();
    let Some(manifest) =
        Manifest::next(previous.as_ref().map(|(_, manifest)| manifest), &nodes, &options.hosts, now)
    else {
        say!("edition {} still says all", previous.as_ref().map_or(0, |(_, manifest)| manifest.edition));
        // One whose publishing failed is published now.
        return match &previous {
            Some((signed, _)) if options.publish => publish(&options.desk, signed),
            _ => Ok(()),
        };
    };
    let signed = SignedManifest::by(&manifest, &key);
    let text = serde_json::to_vec(&signed).map_err(|error| fault(error.to_string()))?;
    let draft = options.out.with_extension("new");
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &options.out));
    written.map_err(|error| fault(error.to_string()))?;
    say!("edition {}, {} networks: {}", manifest.edition, manifest.entries.len(), options.out.display());
    for change in manifest.changes.iter().filter(|change| change.edition == manifest.edition) {
        say!(
            "  {} {}: {} added, {} removed",
            change.province,
            change.carrier,
            change.added.len(),
            change.removed.len()
        );
    }
    if options.publish { publish(&options.desk, &signed) } else { Ok(()) }
}

fn publish(desk: &Desk, signed: &SignedManifest) -> Result<(), AnyFault> {
    let done: Recorded = ask(desk, async |line| line.tell("/v1/zero-rating", signed).await)?;
    say!("published, record {}", done.number);
    Ok(())
}
