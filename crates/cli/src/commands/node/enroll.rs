//! `enroll`.

use agent::{AgentError, Enrolment, Home};
use clap::Args;
use faults::AnyFault;
use std::fs::OpenOptions;
use std::io::Write;
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
    /// A folder for the node's key and certificate
    #[arg(long, env = "AIRCLASS_NODE_HOME", value_name = "DIR", default_value = "/var/lib/airclass/node")]
    home: PathBuf,
    /// The edge's purge.keys: the node's own relay key is added to it, so that orders which came while it was away are obeyed
    #[arg(long, env = "AIRCLASS_NODE_PURGE_KEYS", value_name = "FILE")]
    purge_keys: Option<PathBuf>,
}

/// `airclass node enroll`
pub(super) fn enroll(options: &Enroll) -> Result<(), AnyFault> {
    let Enrolment { state, relay } =
        agent::enrol(&Home::new(options.home.clone()), &options.control, &options.token)?;
    let place = &state.node.place;
    if let Some(keys) = &options.purge_keys {
        let entry = format!(
            "\n[[key]]\nid = \"{}\"\npublic = \"{}\"\nname = \"relay of this node\"\n",
            relay.id(),
            relay.public()
        );
        append(keys, &entry)
            .map_err(|error| AgentError::File { path: keys.clone(), problem: error.to_string() })?;
    }
    println!("# {} of {}, certificate until {}", state.node, state.control, state.until);
    println!("# for edge.toml:");
    println!("[node]");
    println!("owner = \"{}\"", place.owner);
    println!("province = \"{}\"", place.province);
    println!("carrier = \"{}\"", place.carrier);
    println!("site = \"{}\"", place.site);
    Ok(())
}

fn append(path: &Path, entry: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(entry.as_bytes())?;
    file.sync_all()
}
