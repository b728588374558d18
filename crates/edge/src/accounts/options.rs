//! Whose node it is, and where its accounts are kept.

use accounting::{Carrier, Identity};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::PathBuf;
use units::BitRate;

/// As typed: flags, environment or the table `[node]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "node")]
#[command(next_help_heading = "Whose node it is [node]")]
pub struct NodeOptions {
    /// Who owns this node and is owed for its line; with --province, --carrier and --site
    #[arg(long, env = "AIRCLASS_OWNER", value_name = "NAME")]
    pub owner: Option<String>,
    /// The province it stands in, in pinyin: hubei, neimenggu, shaanxi, xpcc
    #[arg(long, env = "AIRCLASS_PROVINCE", value_name = "PROVINCE")]
    pub province: Option<String>,
    /// The network it stands in, in pinyin: dianxin, liantong, yidong, guangdian, jiaoyuwang …
    #[arg(long, env = "AIRCLASS_CARRIER", value_name = "CARRIER")]
    pub carrier: Option<String>,
    /// The room it stands in, as its owner calls it
    #[arg(long, env = "AIRCLASS_SITE", value_name = "NAME")]
    pub site: Option<String>,
    /// A folder for what was sent, minute by minute, that `airclass node bill` reads. It must be there
    #[arg(long, env = "AIRCLASS_ACCOUNTS", value_name = "DIR")]
    pub accounts: Option<PathBuf>,
    /// What is billed at least, for the hours that are left above it [default: nothing]
    #[arg(long, env = "AIRCLASS_COMMIT", value_name = "RATE")]
    pub commit: Option<BitRate>,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Whose, and where.
    pub identity: Identity,
    /// Where minutes are written down; `None`: nowhere.
    pub accounts: Option<PathBuf>,
    /// What is billed at least.
    pub commit: Option<BitRate>,
}

impl NodeConfig {
    /// `options` checked; `None` where nobody has said whose node it is.
    ///
    /// # Errors
    /// The first option that cannot be, by name: an identity is four names or none, and accounts need one.
    pub(crate) fn resolve(options: &NodeOptions) -> Result<Option<Self>, SettingsError> {
        let NodeOptions { owner, province, carrier, site, accounts, commit } = options;
        let names = [
            ("node.owner", owner),
            ("node.province", province),
            ("node.carrier", carrier),
            ("node.site", site),
        ];
        let given = names.iter().any(|(_, name)| name.is_some());
        let why = match (given, accounts, commit) {
            (true, ..) => "the others say whose node it is, and say it together",
            (false, Some(_), _) => "`node.accounts` are somebody's",
            (false, None, Some(_)) => "`node.commit` is somebody's",
            (false, None, None) => return Ok(None),
        };
        let missing = |key| SettingsError::value(key, format!("is missing: {why}"));
        let wrong =
            |key| move |error: accounting::InvalidIdentity| SettingsError::value(key, error.to_string());
        let name = |key, name: &Option<String>| {
            Identity::name(name.as_deref().ok_or_else(|| missing(key))?).map_err(wrong(key))
        };
        let province = province.as_deref().ok_or_else(|| missing("node.province"));
        let carrier = carrier.as_deref().ok_or_else(|| missing("node.carrier"));
        let identity = Identity {
            owner: name("node.owner", owner)?,
            province: Identity::province(province?).map_err(wrong("node.province"))?,
            carrier: carrier?.parse::<Carrier>().map_err(wrong("node.carrier"))?,
            site: name("node.site", site)?,
        };
        if commit.is_some() && accounts.is_none() {
            return Err(SettingsError::value("node.commit", "does nothing without `node.accounts`"));
        }
        if let Some(folder) = accounts.as_deref().filter(|folder| !folder.is_dir()) {
            let problem = format!("names {}, which is no folder; create it", folder.display());
            return Err(SettingsError::value("node.accounts", problem));
        }
        // It is opened again and again, whatever becomes of the folder that the process was started in.
        let accounts = match accounts {
            Some(folder) => Some(
                std::path::absolute(folder)
                    .map_err(|error| SettingsError::value("node.accounts", error.to_string()))?,
            ),
            None => None,
        };
        Ok(Some(Self { identity, accounts, commit: *commit }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> NodeOptions {
        let text = |text: &str| Some(text.to_owned());
        NodeOptions {
            owner: text("bofei"),
            province: text("湖北"),
            carrier: text("dianxin"),
            site: text("武汉-1"),
            ..NodeOptions::default()
        }
    }

    #[test]
    fn an_identity_is_four_names_or_none() {
        assert!(NodeConfig::resolve(&NodeOptions::default()).unwrap().is_none());
        let config = NodeConfig::resolve(&named()).unwrap().unwrap();
        assert_eq!(config.identity.to_string(), "bofei/hubei/dianxin/武汉-1");
        for (options, key) in [
            (NodeOptions { owner: None, ..named() }, "node.owner"),
            (NodeOptions { site: Some("a b".into()), ..named() }, "node.site"),
            (NodeOptions { province: Some("hubai".into()), ..named() }, "node.province"),
            (NodeOptions { carrier: Some("电信".into()), ..named() }, "node.carrier"),
            (NodeOptions { carrier: None, ..named() }, "node.carrier"),
            (NodeOptions { accounts: Some("/nowhere/at/all".into()), ..named() }, "node.accounts"),
            (NodeOptions { accounts: Some("/tmp".into()), ..NodeOptions::default() }, "node.owner"),
            (NodeOptions { commit: Some(BitRate(1)), ..named() }, "node.commit"),
        ] {
            let error = NodeConfig::resolve(&options).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}`")), "{error}");
        }
    }
}
