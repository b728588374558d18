//! The owner's word.

use crate::prefill::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::PathBuf;
use timetable::Zone;
use units::{BitRate, Network};

/// As typed: flags, environment or the table `[owner]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "owner_limits")]
#[command(next_help_heading = "What its owner allows [owner]")]
pub struct OwnerOptions {
    /// What may be sent a second, and when: "5Gbit/s 08:00-12:00" or "20Gbit/s"; the first that fits counts [default: as much
    /// as the line takes]
    #[arg(
        id = "owner_bandwidth",
        long = "owner-bandwidth",
        env = "AIRCLASS_OWNER_BANDWIDTH",
        value_name = "RATE",
        value_delimiter = ','
    )]
    pub bandwidth: Option<Vec<String>>,
    /// Networks whose students may begin here [default: everybody]
    #[arg(
        id = "owner_networks",
        long = "owner-network",
        env = "AIRCLASS_OWNER_NETWORKS",
        value_name = "PREFIX",
        value_delimiter = ','
    )]
    pub networks: Option<Vec<Network>>,
    /// Times of day in which the node is not ready, as HH:MM-HH:MM; who is here is served on [default: none]
    #[arg(
        id = "owner_maintenance",
        long = "owner-maintenance",
        env = "AIRCLASS_OWNER_MAINTENANCE",
        value_name = "TIMES",
        value_delimiter = ','
    )]
    pub maintenance: Option<Vec<String>>,
    /// The node is not ready before `airclass node doctor --out FILE` has written here that all is well [default: it is]
    #[arg(id = "owner_burn_in", long = "burn-in", env = "AIRCLASS_BURN_IN", value_name = "FILE")]
    pub burn_in: Option<PathBuf>,
}

/// Checked and complete.
#[derive(Debug, Clone, Default)]
pub struct OwnerConfig {
    bandwidth: Vec<(BitRate, Option<Window>)>,
    /// Whose students may begin here; empty: everybody.
    pub(crate) networks: Vec<Network>,
    pub(crate) maintenance: Vec<(Window, String)>,
    /// Says that the node was tried out; `None`: nobody asks.
    pub(crate) burn_in: Option<PathBuf>,
}

/// Below this not one student plays.
const LEAST: BitRate = BitRate(1_000_000);

impl OwnerConfig {
    /// `options` checked.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub(crate) fn resolve(options: &OwnerOptions) -> Result<Self, SettingsError> {
        let bandwidth =
            options.bandwidth.iter().flatten().map(|text| allowance(text)).collect::<Result<_, _>>();
        let bandwidth = bandwidth.map_err(|problem| SettingsError::value("owner.bandwidth", problem))?;
        let window = |text: &String| Ok((text.parse()?, text.clone()));
        let maintenance = options.maintenance.iter().flatten().map(window).collect::<Result<_, String>>();
        let maintenance =
            maintenance.map_err(|problem| SettingsError::value("owner.maintenance", problem))?;
        let burn_in = options.burn_in.as_ref().map(std::path::absolute).transpose();
        let burn_in = burn_in.map_err(|error| SettingsError::value("owner.burn_in", error.to_string()))?;
        Ok(Self { bandwidth, networks: options.networks.clone().unwrap_or_default(), maintenance, burn_in })
    }

    /// What may be sent at `now`; `None`: as much as the line takes.
    pub(crate) fn allowed_at(&self, now: Timestamp) -> Option<BitRate> {
        let time = Zone::CHINA.local(now).time();
        let fits =
            |(_, window): &&(BitRate, Option<Window>)| window.is_none_or(|window| window.contains(time));
        self.bandwidth.iter().find(fits).map(|(rate, _)| *rate)
    }

    /// The maintenance window that `now` lies in, as it was written.
    pub(crate) fn maintained_at(&self, now: Timestamp) -> Option<&str> {
        let time = Zone::CHINA.local(now).time();
        let fits = |(window, _): &&(Window, String)| window.contains(time);
        self.maintenance.iter().find(fits).map(|(_, text)| text.as_str())
    }
}

fn allowance(text: &str) -> Result<(BitRate, Option<Window>), String> {
    let (rate, window) = match text.trim().rsplit_once(' ') {
        Some((rate, window)) => (rate.trim(), Some(window.parse()?)),
        None => (text.trim(), None),
    };
    let rate: BitRate = rate.parse().map_err(|error| format!("has {text:?}: {error}"))?;
    if rate < LEAST {
        return Err(format!("has {rate}; give at least {LEAST}"));
    }
    Ok((rate, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let with = |bandwidth: &str, maintenance: &str| OwnerOptions {
            bandwidth: Some(vec![bandwidth.to_owned()]),
            maintenance: Some(vec![maintenance.to_owned()]),
            networks: None,
            burn_in: None,
        };
        for (options, key) in [
            (with("5", "02:00-04:00"), "`owner.bandwidth`"),
            (with("1kbit/s", "02:00-04:00"), "`owner.bandwidth`"),
            (with("5Gbit/s 08-12", "02:00-04:00"), "`owner.bandwidth`"),
            (with("5Gbit/s", "2-4"), "`owner.maintenance`"),
        ] {
            let error = OwnerConfig::resolve(&options).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let config = OwnerConfig::resolve(&with("5Gbit/s 22:00-02:00", "02:00-04:00")).unwrap();
        let at = |time: &str| format!("2026-09-01T{time}:00+08:00").parse::<Timestamp>().unwrap();
        assert_eq!(config.allowed_at(at("23:00")), Some(BitRate(5_000_000_000)));
        assert_eq!(config.allowed_at(at("02:00")), None);
        assert_eq!(config.maintained_at(at("02:00")), Some("02:00-04:00"));
    }
}
