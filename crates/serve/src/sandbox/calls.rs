//! System calls that a server never makes (seccomp). Who makes one has been taken over, and the process ends.
//!
//! A list of what is forbidden and not of what is allowed, as for media workers: a server's libraries ask for new calls
//! with every release, and a node that dies in the morning bell for one of them would be the greater harm. What matters
//! is that no program can be started, no other process looked into, and no right won.

use syscalls::{Call, Error, Filter, OF_A_PROCESS, Then};

const DEADLY: &[Call] = &[
    // Another program, or another process.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    // Another view of the system.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    // The kernel's own workings.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    // Another user: it has become who it is to be.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
];

/// Names older than their successors that ARM never had.
#[cfg(target_arch = "x86_64")]
const DEADLY_HERE: &[Call] = &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const DEADLY_HERE: &[Call] = &[];

/// Restricts every thread of this process.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub(super) fn restrict() -> Result<(), Error> {
    for filter in [hidden(), deadly()?] {
        filter.compile()?.hold_all_threads()?;
    }
    Ok(())
}

fn deadly() -> Result<Filter, Error> {
    Filter::new(Then::Kill, Then::Allow)
        .list(DEADLY)
        .list(DEADLY_HERE)
        .list_with(libc::SYS_clone, &[OF_A_PROCESS])
}

/// What would get round the other.
fn hidden() -> Filter {
    Filter::new(Then::Missing, Then::Allow).list(&[libc::SYS_clone3])
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_filters_compile() {
        assert!(super::deadly().unwrap().compile().is_ok());
        assert!(super::hidden().compile().is_ok());
    }
}
