//! What is fetched beforehand, when and how fast.

use super::window::Window;
use package::Slot;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use units::{BitRate, ByteCount};

/// As typed: flags, environment or the table `[fill]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "fill")]
#[command(next_help_heading = "Filling before a bell [fill]")]
pub struct FillOptions {
    /// When what a day plan names is fetched, as HH:MM-HH:MM where the plan is for [default: when the plan says]
    #[arg(id = "fill_window", long = "fill-window", env = "AIRCLASS_FILL_WINDOW", value_name = "TIMES")]
    pub window: Option<String>,
    /// How fast at most [default: 100Mbit/s]
    #[arg(id = "fill_rate", long = "fill-rate", env = "AIRCLASS_FILL_RATE", value_name = "RATE")]
    pub rate: Option<BitRate>,
    /// Which rungs: s0 to s5, a2 to a5 [default: all]
    #[arg(
        id = "fill_rungs",
        long = "fill-rungs",
        env = "AIRCLASS_FILL_RUNGS",
        value_name = "RUNG",
        value_delimiter = ','
    )]
    pub rungs: Option<Vec<String>>,
    /// Part of --ram that keeps what was fetched, on a node without disks [default: half of it]
    #[arg(id = "fill_ram", long = "fill-ram", env = "AIRCLASS_FILL_RAM", value_name = "SIZE")]
    pub ram: Option<ByteCount>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct FillConfig {
    /// The owner's window; `None`: the plan's.
    pub(crate) window: Option<Window>,
    /// Bytes a second.
    pub(crate) rate: u64,
    /// Which rungs; `None`: all.
    pub(crate) rungs: Option<Vec<Slot>>,
    /// Memory for what is pinned.
    pub(crate) ram: ByteCount,
}

/// A day of 55 GB takes 75 minutes of it; a small node's line keeps room for its subscribers.
const RATE: BitRate = BitRate(100_000_000);
/// Below this a segment takes longer than it plays.
const LEAST_RATE: BitRate = BitRate(1_000_000);

impl FillConfig {
    /// `options` checked. `pins_in_ram`: whether there is a plan and no disk, so that memory has to keep what was fetched.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub(crate) fn resolve(
        options: &FillOptions,
        ram: ByteCount,
        pins_in_ram: bool,
    ) -> Result<Self, SettingsError> {
        let window = options.window.as_deref().map(str::parse).transpose();
        let window = window.map_err(|problem: String| SettingsError::value("fill.window", problem))?;
        let rate = options.rate.unwrap_or(RATE);
        if rate < LEAST_RATE {
            return Err(SettingsError::value("fill.rate", format!("is {rate}; give at least {LEAST_RATE}")));
        }
        let slot = |name: &String| {
            Slot::ALL.into_iter().find(|slot| slot.as_str() == name).ok_or_else(|| {
                let all = Slot::ALL.map(Slot::as_str).join(", ");
                SettingsError::value("fill.rungs", format!("has {name:?}; there are {all}"))
            })
        };
        let rungs = options.rungs.as_ref().map(|names| names.iter().map(slot).collect::<Result<Vec<_>, _>>());
        let given = options.ram.unwrap_or(ByteCount(ram.0 / 2));
        if given.0 > ram.0 / 4 * 3 {
            let problem =
                format!("is {given}, which leaves too little of `ram`, {ram}; give three quarters at most");
            return Err(SettingsError::value("fill.ram", problem));
        }
        let ram = if pins_in_ram { given } else { ByteCount(0) };
        Ok(Self { window, rate: rate.0 / 8, rungs: rungs.transpose()?, ram })
    }

    /// For people: which rungs.
    pub(crate) fn rungs_told(&self) -> String {
        match &self.rungs {
            None => "all".to_owned(),
            Some(rungs) => rungs.iter().map(|slot| slot.as_str()).collect::<Vec<_>>().join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let ram = ByteCount::mib(64);
        for (options, key) in [
            (FillOptions { window: Some("7-8".into()), ..FillOptions::default() }, "`fill.window`"),
            (FillOptions { rate: Some(BitRate(1)), ..FillOptions::default() }, "`fill.rate`"),
            (FillOptions { rungs: Some(vec!["s9".into()]), ..FillOptions::default() }, "`fill.rungs`"),
            (FillOptions { ram: Some(ram), ..FillOptions::default() }, "`fill.ram`"),
        ] {
            let error = FillConfig::resolve(&options, ram, true).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let config = FillConfig::resolve(&FillOptions::default(), ram, true).unwrap();
        assert_eq!((config.rate, config.ram), (12_500_000, ByteCount::mib(32)));
        assert_eq!(FillConfig::resolve(&FillOptions::default(), ram, false).unwrap().ram, ByteCount(0));
    }
}
