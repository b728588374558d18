//! Where a node stands and how many may begin there.

use ::admission::Key;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use timetable::Place;

/// As typed: flags, environment or the table `[admission]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "admission")]
#[command(next_help_heading = "Admission [admission]")]
pub struct AdmissionOptions {
    /// Whose slots of the day plan count here: nation, or as hubei, hubei/wuhan, hubei/wuhan/no-1 [default: nation]
    #[arg(
        id = "admission_place",
        long = "admission-place",
        env = "AIRCLASS_ADMISSION_PLACE",
        value_name = "PLACE"
    )]
    pub place: Option<String>,
    /// New sessions a second, beyond which who comes waits in line; 0: no line, slots alone [default: 0]
    #[arg(id = "admission_rate", long = "admission-rate", env = "AIRCLASS_ADMISSION_RATE", value_name = "N")]
    pub rate: Option<u32>,
    /// A file with the secret that seals places in line, the same on all nodes that students are sent to [default: drawn at
    /// the start]
    #[arg(id = "admission_key", long = "admission-key", env = "AIRCLASS_ADMISSION_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct AdmissionConfig {
    /// Where the node's students are.
    pub(crate) place: Place,
    /// New sessions a second; `None`: no line.
    pub(crate) rate: Option<NonZeroU32>,
    /// What seals tickets.
    pub(crate) key: Key,
}

/// Shorter secrets can be found by trying.
const LEAST_SECRET: usize = 16;

impl AdmissionConfig {
    /// `options` checked; `None` where nothing is set. `planned`: whether a day plan is followed.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub(crate) fn resolve(options: &AdmissionOptions, planned: bool) -> Result<Option<Self>, SettingsError> {
        let AdmissionOptions { place, rate, key } = options;
        let given = [
            ("admission.place", place.is_some()),
            ("admission.rate", rate.is_some_and(|rate| rate > 0)),
            ("admission.key", key.is_some()),
        ];
        let Some((first, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(None) };
        if !planned {
            let problem = "does nothing without `plan.keys`: only a day plan's lessons have slots";
            return Err(SettingsError::value(first, problem));
        }
        let place = place.as_deref().map_or(Ok(Place::Nation), str::parse);
        let place = place.map_err(|problem| SettingsError::value("admission.place", format!("{problem}")))?;
        let rate = rate.and_then(NonZeroU32::new);
        if key.is_some() && rate.is_none() {
            let problem = "does nothing without `admission.rate`: only in a line there are places to seal";
            return Err(SettingsError::value("admission.key", problem));
        }
        let key = key.as_deref().map_or_else(|| Ok(Key::drawn()), read)?;
        Ok(Some(Self { place, rate, key }))
    }
}

fn read(path: &Path) -> Result<Key, SettingsError> {
    // Each reload reads it.
    let secret = settings::followed_file(path, settings::MAX_TEXT_BYTES)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    let secret = secret.trim_ascii();
    if secret.len() < LEAST_SECRET {
        let problem = format!(
            "{} has {} bytes; give at least {LEAST_SECRET} (openssl rand -hex 32)",
            path.display(),
            secret.len()
        );
        return Err(SettingsError::value("admission.key", problem));
    }
    Ok(Key::of(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let short = folder.path().join("short");
        std::fs::write(&short, "short\n").unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let place = |place: &str| AdmissionOptions { place: Some(place.into()), ..Default::default() };
        let rate = AdmissionOptions { rate: Some(5), ..Default::default() };
        for (options, planned, key) in [
            (place("hubei"), false, "`admission.place`"),
            (rate.clone(), false, "`admission.rate`"),
            (place("atlantis"), true, "`admission.place`"),
            (place("hubei//"), true, "`admission.place`"),
            (AdmissionOptions { key: Some(short.clone()), ..Default::default() }, true, "`admission.key`"),
            (AdmissionOptions { key: Some(short), ..rate.clone() }, true, "`admission.key`"),
            (AdmissionOptions { key: Some(pipe), ..rate.clone() }, true, "pipe: is no regular file"),
            (AdmissionOptions { key: Some("/nowhere".into()), ..rate }, true, "/nowhere"),
        ] {
            let error = AdmissionConfig::resolve(&options, planned).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
            assert_eq!(error.lines().count(), 1);
        }
        // As the file that we ship has it.
        let nothing = AdmissionOptions { rate: Some(0), ..Default::default() };
        for options in [AdmissionOptions::default(), nothing] {
            assert!(AdmissionConfig::resolve(&options, false).unwrap().is_none());
        }
        let config = AdmissionConfig::resolve(&place("hubei/wuhan"), true).unwrap().unwrap();
        assert_eq!((config.place.to_string(), config.rate), ("hubei/wuhan".to_owned(), None));
    }
}
