//! A worker shuts the door behind itself, before it has seen a byte of the file.
//!
//! Layer on layer, each enough for most of what could happen: an empty network and no name of its own (namespaces), no
//! capabilities, bounds on memory, time, files and threads (rlimits), nothing that lets it grow in power
//! (no_new_privs), no path of the file system (Landlock with no rule), and a closed list of system calls (seccomp).

use super::limits::Limits;
use super::syscalls;
use crate::worker::WorkerError;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr,
    RulesetStatus, Scope,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;

/// Address space beyond what may be written: libraries, and what the allocator reserves for each thread.
const ADDRESS_SPACE_EXTRA: u64 = 64 << 30;
/// Seconds from the first signal that processor time is used up to the one that cannot be caught.
const CPU_GRACE: u64 = 5;
/// Standard input, output and error (all three lead to the parent's ear), the source, the channel, and some duplicates of
/// the source.
const DESCRIPTORS: u64 = 12;

/// One thing that holds a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Bounds on memory, processor time, files and descriptors.
    Limits,
    /// Dies with its parent.
    ParentDeath,
    /// Leaves no memory image behind and cannot be looked into.
    NoDump,
    /// Nothing it could start would have more rights than itself.
    NoNewPrivileges,
    /// No right of the superuser's.
    Capabilities,
    /// User, network, IPC and host name of its own, all empty.
    Namespaces,
    /// No path of the file system, no port, no signal to others (Landlock).
    Landlock,
    /// A closed list of system calls (seccomp).
    SystemCalls,
}

impl Protection {
    /// All, in the order in which they are put up.
    pub const ALL: [Self; 8] = [
        Self::Namespaces,
        Self::Capabilities,
        Self::ParentDeath,
        Self::NoDump,
        Self::NoNewPrivileges,
        Self::Limits,
        Self::Landlock,
        Self::SystemCalls,
    ];

    /// Whether a worker refuses to work without it. Namespaces may be forbidden to ordinary users, and kernels before
    /// 5.13 have no Landlock: the system call list, which forbids opening and connecting altogether, holds alone.
    pub const fn is_required(self) -> bool {
        !matches!(self, Self::Namespaces | Self::Landlock)
    }

    /// Its name in logs and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::ParentDeath => "parent_death",
            Self::NoDump => "no_dump",
            Self::NoNewPrivileges => "no_new_privileges",
            Self::Capabilities => "capabilities",
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
            Self::SystemCalls => "system_calls",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What holds a worker, and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// What holds, in the order in which it was put up.
    pub held: Vec<Protection>,
    /// What does not, and why.
    pub missing: Vec<(Protection, String)>,
    /// Version of Landlock's interface that both the kernel and we know.
    pub landlock_abi: Option<i32>,
}

impl Confinement {
    fn note(&mut self, protection: Protection, result: Result<(), impl fmt::Display>) {
        match result {
            Ok(()) => self.held.push(protection),
            Err(error) => self.missing.push((protection, error.to_string())),
        }
    }

    /// The required protections that do not hold, whatever `missing` says.
    ///
    /// # Errors
    /// When there is one.
    pub fn check(&self) -> Result<(), WorkerError> {
        let lost = |protection: &Protection| protection.is_required() && !self.held.contains(protection);
        let Some(lost) = Protection::ALL.into_iter().find(lost) else { return Ok(()) };
        let why = self.missing.iter().find(|(protection, _)| *protection == lost);
        Err(WorkerError::Unconfined(match why {
            Some((_, why)) => format!("{lost}: {why}"),
            None => lost.to_string(),
        }))
    }
}

/// Confines this process for good. It must have one thread and no descriptor beyond [`DESCRIPTORS`].
///
/// The order matters: a new user namespace resets what is set on a process, limits on descriptors come after Landlock,
/// which needs one, and the system call list comes last, since it forbids all of this.
pub(super) fn confine(limits: &Limits) -> Confinement {
    let mut report = Confinement::default();
    let namespaces = namespaces();
    let own_user = namespaces.is_ok();
    report.note(Protection::Namespaces, namespaces);
    report.note(Protection::Capabilities, drop_capabilities());
    report.note(Protection::ParentDeath, set_parent_process_death_signal(Some(Signal::KILL)));
    report.note(Protection::NoDump, set_dumpable_behavior(DumpableBehavior::NotDumpable));
    report.note(Protection::NoNewPrivileges, rustix::thread::set_no_new_privs(true));
    let landlock = landlock();
    report.note(Protection::Limits, set_limits(limits, own_user));
    report.landlock_abi = landlock.as_ref().ok().copied();
    report.note(Protection::Landlock, landlock.map(drop));
    report.note(Protection::SystemCalls, syscalls::restrict());
    report
}

/// A user of its own, who is nobody, and a network without even a loopback.
fn namespaces() -> rustix::io::Result<()> {
    let empty = UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS | UnshareFlags::NEWCGROUP;
    #[expect(unsafe_code, reason = "unshare is unsafe for the sake of CLONE_FILES")]
    // SAFETY: descriptor tables are not unshared, and the process has one thread.
    unsafe {
        rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER | empty)
    }
}

fn drop_capabilities() -> rustix::io::Result<()> {
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )
}

/// Bounds that the kernel keeps. `own_user`: the number of threads is counted for this process alone; in the user's own
/// namespace it would count everything the user runs, so there the bound on memory has to do.
fn set_limits(limits: &Limits, own_user: bool) -> rustix::io::Result<()> {
    let memory = limits.memory.0;
    let cpu = limits.cpu.as_secs().max(1);
    let mut bounds = vec![
        (Resource::Data, memory),
        (Resource::As, memory.saturating_add(ADDRESS_SPACE_EXTRA)),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Rtprio, 0),
    ];
    if own_user {
        bounds.push((Resource::Nproc, u64::from(limits.threads)));
    }
    for (resource, most) in bounds {
        set_limit(resource, most, most)?;
    }
    set_limit(Resource::Cpu, cpu, cpu.saturating_add(CPU_GRACE))
}

/// Lowers a limit; one that is lower already stays.
fn set_limit(resource: Resource, soft: u64, hard: u64) -> rustix::io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let bound = Rlimit { current: Some(soft.min(most)), maximum: Some(hard.min(most)) };
    setrlimit(resource, bound)
}

/// Every access right the kernel knows is handled, and no rule gives any of them back.
fn landlock() -> Result<i32, String> {
    // The newest we know: on an older kernel, what that one knows.
    const KNOWN: ABI = ABI::V10;
    let restrict = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))?
            .handle_access(AccessNet::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?
            .restrict_self()
    };
    match restrict() {
        // Said to be closed is not closed: tried once, while this can still be told from the list of system calls.
        Ok(status) if status.ruleset != RulesetStatus::NotEnforced && File::open("/").is_ok() => {
            Err("a folder can still be opened".to_owned())
        }
        Ok(status) => match status.landlock {
            LandlockStatus::Available { effective_abi, .. }
                if status.ruleset != RulesetStatus::NotEnforced =>
            {
                Ok(effective_abi as i32)
            }
            LandlockStatus::NotEnabled => {
                Err("the kernel was started without it (lsm=landlock,…)".to_owned())
            }
            _ => Err("the kernel has none; Linux 5.13 and newer have".to_owned()),
        },
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_required_protection_must_be_seen_to_hold() {
        let all = Confinement { held: Protection::ALL.to_vec(), missing: Vec::new(), landlock_abi: None };
        assert!(all.check().is_ok());
        for protection in Protection::ALL {
            let mut lacking = all.clone();
            lacking.held.retain(|held| *held != protection);
            assert_eq!(lacking.check().is_ok(), !protection.is_required(), "{protection}, silently missing");
            lacking.missing.push((protection, "why".to_owned()));
            assert_eq!(lacking.check().is_ok(), !protection.is_required(), "{protection}");
        }
        assert!(Confinement::default().check().is_err());
    }
}
