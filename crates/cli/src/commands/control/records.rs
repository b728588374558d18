//! `records`: what was done, by whom.

use super::fault::ControlFault;
use super::{Desk, ask};
use faults::{AnyFault, say};
use fleet::{Record, Registry};
use signing::PublicKey;

/// `airclass control records`
pub(super) fn records(desk: &Desk, key: Option<&PublicKey>) -> Result<(), AnyFault> {
    let text = ask(desk, async |line| line.get("/v1/records").await)?;
    let mut registry = Registry::default();
    for (at, line) in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let broken = |error| ControlFault::Chain { number: at as u64 + 1, error };
        let record = Record::parse(line).map_err(broken)?;
        if let Some(key) = key {
            registry.apply(&record, key).map_err(broken)?;
        }
        let about = serde_json::to_string(&record.event).unwrap_or_default();
        say!("{}  {}  {}  {about}", record.number, record.at, record.by);
    }
    match key {
        Some(_) => {
            let (last, hash) = registry.end();
            say!("# {last} records, each follows the one before and is signed; the last is {hash}");
        }
        None => say!("# not checked; give --key"),
    }
    Ok(())
}
