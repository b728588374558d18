//! `init` and `person`: where the authority's key is, without a service.

use super::fault::ControlFault;
use crate::clock;
use ::control::Authority;
use clap::Args;
use faults::{AnyFault, say};
use fleet::Person;
use jiff::Timestamp;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use units::Span;

/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// Nobody keeps a certificate for longer than a school year.
const MAX_VALID: Span = Span::secs(366 * 86_400);

/// What `init` is told.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// A folder for the authority; keep it, and keep it secret
    #[arg(long, env = "AIRCLASS_CONTROL_STATE", value_name = "DIR")]
    state: PathBuf,
}

/// What `person` is told.
#[derive(Debug, Args)]
pub(crate) struct Admit {
    /// Who: telecom/NAME makes tokens, revokes and drains; edu/NAME gives plans; both purge
    person: Person,
    /// The authority's folder
    #[arg(long, env = "AIRCLASS_CONTROL_STATE", value_name = "DIR")]
    state: PathBuf,
    /// The file to write: certificate, authority and key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// For how long it counts; it cannot be taken back before
    #[arg(long, value_name = "TIME", default_value = "90d")]
    valid: Span,
}

/// `airclass control init`
pub(super) fn init(options: &Init) -> Result<(), AnyFault> {
    let authority = Authority::make(&options.state, now())?;
    say!("authority: {}", authority.fingerprint());
    say!("records are signed by: {}", authority.records.public());
    Ok(())
}

/// `airclass control person`
pub(super) fn admit(options: &Admit) -> Result<(), AnyFault> {
    if options.valid > MAX_VALID {
        return Err(ControlFault::Wrong("valid", format!("is {}; give 366d at most", options.valid)).into());
    }
    let authority = Authority::load(&options.state)?;
    let (issued, key) = authority.admit(&options.person, now(), options.valid.0)?;
    let text = format!("{}{}{key}", issued.certificate, authority.pem());
    write(&options.out, &text).map_err(|error| ControlFault::Person {
        path: options.out.clone(),
        problem: format!("{error}; nothing is overwritten"),
    })?;
    say!("{} until {:.0}: {}", options.person, issued.until, options.out.display());
    Ok(())
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn now() -> Timestamp {
    Timestamp::try_from(clock::now()).unwrap_or_default()
}
