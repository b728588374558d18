//! `enroll`.

mod services;

use agent::{AgentError, Enrolment, Home};
use clap::Args;
use faults::{AnyFault, say};
use services::Services;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// What `enroll` is told.
#[derive(Debug, Args)]
pub(crate) struct Enroll {
    /// The control: https://HOST:PORT
    #[arg(long, env = "AIRCLASS_CONTROL", value_name = "URL")]
    control: String,
    /// What `airclass control token` has printed; it counts once
    #[arg(long, env = "AIRCLASS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: String,
    /// A folder for the node's key and certificate; they belong to whom the folder belongs to
    #[arg(long, env = "AIRCLASS_NODE_HOME", value_name = "DIR", default_value = "/var/lib/airclass/node")]
    home: PathBuf,
    /// The edge's purge.keys: the node's own relay key is added to it, so that orders which came while it was away are obeyed
    /// [default: with --etc, purge-keys.toml there]
    #[arg(long, env = "AIRCLASS_NODE_PURGE_KEYS", value_name = "FILE")]
    purge_keys: Option<PathBuf>,
    /// Write DIR/edge.env and DIR/node.env, which the packaged services read: whose node this is, its upstream, its listeners
    #[arg(long, value_name = "DIR")]
    etc: Option<PathBuf>,
    /// Where the edge fetches from, for edge.env [default: what the control says]
    #[arg(long, value_name = "URL", requires = "etc")]
    upstream: Vec<String>,
    /// Where students reach this node, for node.env; without it nobody is sent here
    #[arg(long, env = "AIRCLASS_NODE_ADDRESS", value_name = "URL", requires = "etc")]
    address: Option<String>,
    /// Addresses that answer for it in DNS, for node.env
    #[arg(long = "ip", value_name = "IP", requires = "etc")]
    ips: Vec<std::net::IpAddr>,
}

/// `airclass node enroll`
pub(super) fn enroll(options: &Enroll) -> Result<(), AnyFault> {
    let services = options.etc.as_deref().map(Services::new);
    if let Some(services) = &services {
        // Before the token is used up.
        services.look().map_err(fault)?;
    }
    let Enrolment { state, relay, upstream } =
        agent::enrol(&Home::new(options.home.clone()), &options.control, &options.token)?;
    hand_over(&options.home).map_err(|error| fault((options.home.clone(), error.to_string())))?;
    let purge_keys =
        options.purge_keys.clone().or_else(|| services.as_ref().map(|services| services.purge_keys()));
    if let Some(keys) = &purge_keys {
        let entry = format!(
            "\n[[key]]\nid = \"{}\"\npublic = \"{}\"\nname = \"relay of this node\"\n",
            relay.id(),
            relay.public()
        );
        append(keys, &entry).map_err(|error| fault((keys.clone(), error.to_string())))?;
    }
    let place = &state.node.place;
    say!("# {} of {}, certificate until {:.0}", state.node, state.control, state.until);
    if let Some(services) = &services {
        let upstream = if options.upstream.is_empty() { &upstream } else { &options.upstream };
        services.write_edge(place, upstream, purge_keys.as_deref()).map_err(fault)?;
        services
            .write_node(options.address.as_deref(), &options.ips, purge_keys.as_deref())
            .map_err(fault)?;
        say!("# written: {}", services.shown());
        if upstream.is_empty() {
            say!("# neither the control nor --upstream says where its edge fetches from: edge.toml does");
        }
    }
    say!("# for edge.toml:");
    say!("[node]");
    say!("owner = \"{}\"", place.owner);
    say!("province = \"{}\"", place.province);
    say!("carrier = \"{}\"", place.carrier);
    say!("site = \"{}\"", place.site);
    Ok(())
}

fn fault((path, problem): (PathBuf, String)) -> AgentError {
    AgentError::File { path, problem }
}

/// Gives what root has made in `home` to whom the folder belongs to: the agent, which is not root.
fn hand_over(home: &Path) -> io::Result<()> {
    let owner = fs::metadata(home)?;
    for file in fs::read_dir(home)? {
        let file = file?;
        let known = file.metadata()?;
        if known.is_file() && (known.uid(), known.gid()) != (owner.uid(), owner.gid()) {
            chown(file.path(), Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}

fn append(path: &Path, entry: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(entry.as_bytes())?;
    file.sync_all()
}
