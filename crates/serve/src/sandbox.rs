//! A process that serves strangers keeps no right that it does not need: `bound → user → capabilities → paths → calls`.
//!
//! All of it after the sockets are bound and the certificates read, and before the first thread that answers anybody is
//! started: threads inherit what their parent is held by.

mod calls;
mod paths;
mod user;

use faults::Fault;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a process may still do once it listens.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    /// Whether paths and system calls are held.
    pub enabled: bool,
    /// Whom to become, as `user` or `user:group`; `None` stays who started it.
    pub user: Option<String>,
    /// Folders and files that are read at work, beside the system's own: certificates, the configuration.
    pub reads: Vec<PathBuf>,
    /// Folders that are written to at work: disks, the handover socket's.
    pub writes: Vec<PathBuf>,
    /// Those of them that lie on disks of their own, which may not be mounted yet.
    pub disks: Vec<PathBuf>,
}

impl Sandbox {
    /// Has this configuration read again at work. Where links lead to its folder, they are followed now: unlike a certificate's they
    /// are turned by who restarts anyhow, and what lies beside that folder is nothing of ours.
    pub fn reads_configuration(&mut self, file: &Path) {
        let folder = std::path::absolute(file).ok().and_then(|file| file.parent()?.canonicalize().ok());
        self.reads.extend(folder.zip(file.file_name()).map(|(folder, name)| folder.join(name)));
    }

    /// What went wrong at work, in one line, and what else it can be due to where the system has refused something.
    pub(crate) fn explain(&self, problem: String) -> String {
        // Most have made words of the error by now; they are the system's own.
        let refused = std::io::Error::from(rustix::io::Errno::ACCESS).to_string();
        if self.enabled && problem.contains(&refused) {
            return format!(
                "{problem}; where its rights are right, restart: a process opens only what was named at its start"
            );
        }
        problem
    }
}

/// A right that was to be given up and could not be.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No such user or group.
    #[error("`user`: {user}: {problem}; create it, or name another")]
    NoUser {
        /// As configured.
        user: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The system does not let us become somebody else.
    #[error("`user`: cannot become {user}: {source}; start as root, or leave it out")]
    User {
        /// As configured.
        user: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Fault for SandboxError {
    fn code(&self) -> &'static str {
        "SANDBOX_USER"
    }
}

/// Gives up what is not needed, for good. What the kernel does not have is said in the log and not insisted on; a user
/// that was asked for is.
///
/// # Errors
/// When the process cannot become the user it was told to become.
pub(crate) fn confine(sandbox: &Sandbox) -> Result<(), SandboxError> {
    if let Some(name) = &sandbox.user {
        user::become_user(name)?;
        for path in kept_from_us(&sandbox.reads) {
            let path = path.display();
            tracing::warn!(%path, user = name, "may not be read by this user: what changes there counts after a restart alone");
        }
    } else if rustix::process::geteuid().is_root() {
        tracing::warn!("runs as root; --user gives that up once the ports are bound");
    }
    if !sandbox.enabled {
        tracing::warn!("no sandbox: paths and system calls are not held (--no-sandbox)");
        return Ok(());
    }
    let (mut held, mut missing) = (Vec::new(), Vec::new());
    let mut note = |what: &str, result: Result<String, String>| match result {
        Ok(detail) => held.push(format!("{what}{detail}")),
        Err(why) => missing.push(format!("{what}: {why}")),
    };
    note("no_new_privileges", done(rustix::thread::set_no_new_privs(true)));
    if !rustix::process::geteuid().is_root() {
        note("capabilities", done(user::drop_capabilities()));
    }
    note("landlock", paths::restrict(sandbox).map(|version| format!(" {version}")));
    note("system_calls", done(calls::restrict()));
    tracing::info!(held = held.join(", "), missing = missing.join(", "), "sandbox");
    Ok(())
}

/// Those of `reads` that were read with the rights that are given up by now. Nobody heard of it until a certificate had been renewed in
/// vain. Each is told once, whoever names it.
fn kept_from_us(reads: &[PathBuf]) -> BTreeSet<&PathBuf> {
    reads.iter().filter(|path| access(path.as_path(), Access::READ_OK) == Err(Errno::ACCESS)).collect()
}

/// Whether there is the user that [`confine`] would become. Nobody becomes anybody.
///
/// # Errors
/// No such user or group.
pub(crate) fn check(sandbox: &Sandbox) -> Result<(), SandboxError> {
    let Some(user) = &sandbox.user else { return Ok(()) };
    user::look_up(user).map(drop).map_err(|problem| SandboxError::NoUser { user: user.clone(), problem })
}

fn done(result: Result<(), impl std::fmt::Display>) -> Result<String, String> {
    result.map(|()| String::new()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_may_not_be_read_again_is_told_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let [cert, key, late] = ["cert", "key", "late"].map(|name| folder.path().join(name));
        for (path, mode) in [(&cert, 0o444), (&key, 0o000)] {
            std::fs::write(path, "").unwrap();
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        // Root may read anything: this thread gives that up.
        let mut own = capabilities(None).unwrap();
        let over = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        own.permitted.remove(over);
        own.effective.remove(over);
        set_capabilities(None, own).unwrap();
        // What is not there yet may still come.
        assert_eq!(kept_from_us(&[cert, key.clone(), late, key.clone()]), BTreeSet::from([&key]));
    }
}
