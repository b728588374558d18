//! Which paths may be opened at work (Landlock), and that no port is bound any more.

use super::Sandbox;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

/// The newest that we know: on an older kernel, what that one knows.
const KNOWN: ABI = ABI::V6;

/// What the C library reads to look up a host name, what the trusted authorities stand in, and what metrics and overload
/// rules are read from. All of it is everybody's to read.
const SYSTEM: &[&str] = &[
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
    "/proc/self",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/loadavg",
    "/proc/pressure",
    "/proc/sys/net",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/dev/urandom",
];

/// Restricts this thread and all that it starts. Gives the version of the kernel's interface.
pub(super) fn restrict(sandbox: &Sandbox) -> Result<String, String> {
    let status = rules(sandbox).and_then(RulesetCreated::restrict_self).map_err(|error| error.to_string())?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err("this kernel has none, or was started without it".to_owned());
    }
    // Said to be closed is not closed: tried once.
    if File::open("/").is_ok() {
        return Err("the root folder can still be listed".to_owned());
    }
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => (effective_abi as i32).to_string(),
        _ => String::new(),
    })
}

fn rules(sandbox: &Sandbox) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(KNOWN) & !AccessFs::Execute;
    let write = read | AccessFs::from_write(KNOWN);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        // Everything that is listened on is bound; upstreams may be anywhere, so connecting stays open.
        .handle_access(AccessNet::BindTcp)?
        .create()?;
    for path in SYSTEM {
        rules = allow(rules, Path::new(path), read)?;
    }
    for path in &sandbox.reads {
        rules = allow(rules, path, read)?;
    }
    // Some are told of by several.
    for folder in sandbox.writes.iter().collect::<BTreeSet<_>>() {
        if !folder.is_dir() {
            // A rule holds for what is there now: a mount covers it, and Landlock does not ask what is covered.
            tracing::warn!(
                path = %folder.display(),
                "is not there; once it is mounted, restart this process, which may not open it otherwise"
            );
        }
        rules = allow(rules, folder, write)?;
    }
    Ok(rules)
}

/// A file is replaced by another of its name, so it is its folder that may be opened.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    // Never the whole file system, whatever is configured. What is not there cannot be opened anyhow.
    let folder = folder.filter(|folder| *folder != Path::new("/"));
    match folder.and_then(|folder| PathFd::new(folder).ok()) {
        Some(open) => rules.add_rule(PathBeneath::new(open, access)),
        None => Ok(rules),
    }
}
