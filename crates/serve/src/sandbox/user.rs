//! Becoming an ordinary user.

use super::SandboxError;
use nix::unistd::{Gid, Group, Uid, User, setgroups, setresgid, setresuid};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// Becomes `name` (`user` or `user:group`), with that group and no other. The C library does it for all threads.
pub(super) fn become_user(name: &str) -> Result<(), SandboxError> {
    let (uid, gid) =
        look_up(name).map_err(|problem| SandboxError::NoUser { user: name.to_owned(), problem })?;
    let failed = |source: nix::Error| SandboxError::User { user: name.to_owned(), source: source.into() };
    if (Uid::effective(), Gid::effective()) == (uid, gid) {
        return Ok(());
    }
    setgroups(&[gid]).map_err(failed)?;
    setresgid(gid, gid, gid).map_err(failed)?;
    setresuid(uid, uid, uid).map_err(failed)
}

pub(super) fn look_up(name: &str) -> Result<(Uid, Gid), String> {
    let (user, group) = match name.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (name, None),
    };
    let user = User::from_name(user).map_err(|error| error.to_string())?.ok_or("no such user")?;
    let gid = match group {
        Some(group) => {
            Group::from_name(group).map_err(|error| error.to_string())?.ok_or("no such group")?.gid
        }
        None => user.gid,
    };
    Ok((user.uid, gid))
}

/// Also those that a service manager gave for ports below 1024: they are bound.
pub(super) fn drop_capabilities() -> rustix::io::Result<()> {
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_looked_up_by_name() {
        assert_eq!(look_up("root").unwrap(), (Uid::from_raw(0), Gid::from_raw(0)));
        assert_eq!(look_up("nobody:root").unwrap().1, Gid::from_raw(0));
        assert_eq!(look_up("nobody-of-this-name").unwrap_err(), "no such user");
        assert_eq!(look_up("root:nobody-of-this-name").unwrap_err(), "no such group");
    }
}
