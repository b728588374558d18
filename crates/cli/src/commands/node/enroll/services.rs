//! What the packaged services of a node are told: variables in `edge.env` and `node.env`, which systemd gives them.

use fleet::Place;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The first line: by it a file of ours is known from one that a person has written.
const OURS: &str =
    "# Written by `airclass node enroll`; it wins over the TOML file beside it, and may be changed.";
/// Where the packages keep what a node writes.
const ACCOUNTS: &str = "/var/lib/airclass/edge/accounts";
const BURN_IN: &str = "/var/lib/airclass/edge/burn-in.json";
const ACCESS_LOG: &str = "/var/log/airclass";
const PLANS: &str = "/var/lib/airclass/plans-in";
/// There, when the machine has IPv6: both families are listeners of their own.
const IPV6: &str = "/proc/net/if_inet6";
const PORT: u16 = 8080;

/// Where they are.
pub(super) struct Services(PathBuf);

type Fault = (PathBuf, String);

impl Services {
    pub(super) fn new(etc: &Path) -> Self {
        Self(etc.to_owned())
    }

    /// Whether both files may be written.
    pub(super) fn look(&self) -> Result<(), Fault> {
        if !self.0.is_dir() {
            return Err((self.0.clone(), "is no folder; give --etc the one of edge.toml".to_owned()));
        }
        for path in [self.edge(), self.node()] {
            if fs::read_to_string(&path).is_ok_and(|text| !text.starts_with(OURS)) {
                return Err((path, "was written by somebody else; move it away, then enrol".to_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn purge_keys(&self) -> PathBuf {
        self.0.join("purge-keys.toml")
    }

    pub(super) fn shown(&self) -> String {
        format!("{}, {}", self.edge().display(), self.node().display())
    }

    pub(super) fn write_edge(
        &self,
        place: &Place,
        upstream: &[String],
        purge_keys: Option<&Path>,
    ) -> Result<(), Fault> {
        let listen = match fs::read_to_string(IPV6) {
            Ok(addresses) if !addresses.is_empty() => format!("0.0.0.0:{PORT},[::]:{PORT}"),
            _ => format!("0.0.0.0:{PORT}"),
        };
        write(
            self.edge(),
            &[
                ("AIRCLASS_OWNER", Some(place.owner.to_string())),
                ("AIRCLASS_PROVINCE", Some(place.province.to_string())),
                ("AIRCLASS_CARRIER", Some(place.carrier.to_string())),
                ("AIRCLASS_SITE", Some(place.site.to_string())),
                ("AIRCLASS_UPSTREAM", Some(upstream.join(",")).filter(|urls| !urls.is_empty())),
                ("AIRCLASS_LISTEN", Some(listen)),
                ("AIRCLASS_PURGE_KEYS", purge_keys.map(|path| path.display().to_string())),
                ("AIRCLASS_ACCOUNTS", Some(ACCOUNTS.to_owned())),
                ("AIRCLASS_ACCESS_LOG", Some(ACCESS_LOG.to_owned())),
                ("AIRCLASS_BURN_IN", Some(BURN_IN.to_owned())),
            ],
        )
    }

    pub(super) fn write_node(
        &self,
        address: Option<&str>,
        ips: &[IpAddr],
        purge_keys: Option<&Path>,
    ) -> Result<(), Fault> {
        let ips: Vec<_> = ips.iter().map(ToString::to_string).collect();
        write(
            self.node(),
            &[
                ("AIRCLASS_NODE_ADDRESS", address.map(str::to_owned)),
                ("AIRCLASS_NODE_IPS", Some(ips.join(",")).filter(|ips| !ips.is_empty())),
                ("AIRCLASS_NODE_PLANS", Some(PLANS.to_owned())),
                ("AIRCLASS_NODE_PURGE_KEYS", purge_keys.map(|path| path.display().to_string())),
            ],
        )
    }

    fn edge(&self) -> PathBuf {
        self.0.join("edge.env")
    }

    fn node(&self) -> PathBuf {
        self.0.join("node.env")
    }
}

/// Values are names of places, addresses and paths: nothing that systemd would read as quotes or as another line.
fn write(path: PathBuf, variables: &[(&str, Option<String>)]) -> Result<(), Fault> {
    let mut text = format!("{OURS}\n");
    for (name, value) in variables {
        if let Some(value) = value {
            let plain =
                |letter: char| letter.is_ascii_graphic() && !matches!(letter, '"' | '\'' | '\\' | '$');
            if !value.chars().all(plain) {
                return Err((path, format!("{name} would be {value:?}, which cannot stand there")));
            }
            text.push_str(&format!("{name}={value}\n"));
        }
    }
    fs::write(&path, text).map_err(|error| (path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_and_a_persons_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let services = Services::new(folder.path());
        services.look().unwrap();
        let place: Place = serde_json::from_value(serde_json::json!({
            "province": "hubei", "carrier": "dianxin", "owner": "acme", "site": "wuhan-1"
        }))
        .unwrap();
        let keys = services.purge_keys();
        services.write_edge(&place, &["http://a".into(), "http://b".into()], Some(&keys)).unwrap();
        services.write_node(Some("https://edge.example"), &[], None).unwrap();
        let edge = fs::read_to_string(folder.path().join("edge.env")).unwrap();
        for line in
            ["AIRCLASS_PROVINCE=hubei\n", "AIRCLASS_UPSTREAM=http://a,http://b\n", "LISTEN=0.0.0.0:8080"]
        {
            assert!(edge.contains(line), "{edge}");
        }
        assert!(edge.contains(&format!("AIRCLASS_PURGE_KEYS={}\n", keys.display())), "{edge}");
        let node = fs::read_to_string(folder.path().join("node.env")).unwrap();
        assert!(node.contains("AIRCLASS_NODE_ADDRESS=https://edge.example\n"), "{node}");
        assert!(!node.contains("IPS"), "{node}");
        services.look().unwrap();
        fs::write(folder.path().join("node.env"), "MINE=1\n").unwrap();
        assert!(services.look().unwrap_err().1.contains("somebody else"));
        assert!(Services::new(&folder.path().join("nowhere")).look().is_err());
    }
}
