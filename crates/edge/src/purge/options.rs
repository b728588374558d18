//! Whom an edge lets purge, and what it is when nothing is set.

use ::purge::Group;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use signing::TrustFile;
use std::path::PathBuf;

/// As typed: flags, environment or the table `[purge]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "purge")]
#[command(next_help_heading = "Orders to forget [purge]")]
pub struct PurgeOptions {
    /// Whose orders to purge are obeyed: a TOML file with a [[key]] each (id, public, name, from, until), as `airclass package
    /// keygen` prints them; read again when it has changed [default: nobody's]
    #[arg(id = "purge_keys", long = "purge-keys", env = "AIRCLASS_PURGE_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Obey only orders for this group of nodes [default: only those for no group]
    #[arg(id = "purge_group", long = "purge-group", env = "AIRCLASS_PURGE_GROUP", value_name = "NAME")]
    pub group: Option<String>,
    /// Send Surrogate-Key and Cache-Tag on to clients; for an edge whose clients are edges [default: false]
    #[arg(long, env = "AIRCLASS_SHOW_SURROGATE_KEYS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub show_surrogate_keys: Option<bool>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct PurgeConfig {
    /// Whose orders are obeyed.
    pub(crate) keys: Option<TrustFile>,
    /// Of which group this node is.
    pub(crate) group: Option<Group>,
    /// Whether clients see surrogate keys.
    pub(crate) show_surrogate_keys: bool,
}

impl PurgeConfig {
    /// `options` checked, the keys read.
    ///
    /// # Errors
    /// The first option that cannot be, by name; what is wrong in the file of keys, by line.
    pub fn resolve(options: &PurgeOptions) -> Result<Self, SettingsError> {
        let group = options.group.as_deref().map(str::parse).transpose();
        Ok(Self {
            keys: options.keys.as_deref().map(TrustFile::read).transpose()?,
            group: group.map_err(|problem| SettingsError::value("purge.group", problem))?,
            show_surrogate_keys: options.show_surrogate_keys.unwrap_or(false),
        })
    }
}
