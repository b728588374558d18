//! Which system calls a worker has: a closed list, held by seccomp.
//!
//! Two filters, of which the kernel obeys the stricter:
//!
//! - What is not on the list is answered "this kernel has no such call" (ENOSYS). Honest libraries ask for things they
//!   can do without: glibc for `clone3` and the number of processors, FFmpeg and the encoders for `/proc/cpuinfo`. They
//!   fall back, as they do on old kernels; killing them for it would make every library update a gamble.
//! - What no decoder ever asks for (another program, another process, a socket, another's memory) kills the process: who
//!   asks for that has been taken over, and gets one attempt only.
//!
//! Memory is either writable or executable from here on, never made so later: no new code comes in.

use syscalls::Argument::{Is, Masked};
use syscalls::{Call, Error, Filter, OF_A_PROCESS, OF_A_THREAD, Then};

/// Calls with any arguments.
const ALLOWED: &[Call] = &[
    // The descriptors that are there.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads, each of this process.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Its own signals: aborting, and the guard page below each stack.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // What it is and when.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
];

/// Calls for which a worker dies.
const DEADLY: &[Call] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_kill,
    libc::SYS_tkill,
];

/// Names older than their successors that ARM never had.
#[cfg(target_arch = "x86_64")]
const DEADLY_HERE: &[Call] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const DEADLY_HERE: &[Call] = &[];
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[Call] = &[libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[Call] = &[];

/// Restricts this process, which has one thread, to the list; threads inherit it.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub(super) fn restrict() -> Result<(), Error> {
    for filter in [deadly()?, allowed()?] {
        filter.compile()?.hold_this_thread()?;
    }
    Ok(())
}

fn allowed() -> Result<Filter, Error> {
    let exec = u64::from(libc::PROT_EXEC.cast_unsigned());
    let sharing = u64::from((libc::MAP_SHARED | libc::MAP_PRIVATE).cast_unsigned());
    let private = u64::from(libc::MAP_PRIVATE.cast_unsigned());
    Filter::new(Then::Allow, Then::Missing)
        .list(ALLOWED)
        .list(ALLOWED_HERE)
        // Shared memory is not counted against the limit, so there is none.
        .list_with(libc::SYS_mmap, &[Masked(2, exec, 0), Masked(3, sharing, private)])?
        .list_with(libc::SYS_mprotect, &[Masked(2, exec, 0)])?
        .list_with(libc::SYS_clone, &[OF_A_THREAD])?
        // Only to itself: how `abort` ends.
        .list_with(libc::SYS_tgkill, &[Is(0, std::process::id().into())])?
        // Reading limits, not setting them: no new value is given.
        .list_with(libc::SYS_prlimit64, &[Is(0, 0), Is(2, 0)])?
        .list_with(libc::SYS_prctl, &[Is(0, option(libc::PR_SET_NAME))])?
        .list_with(libc::SYS_fcntl, &[Is(1, option(libc::F_GETFD))])?
        .list_with(libc::SYS_fcntl, &[Is(1, option(libc::F_GETFL))])?
        // Of what there is: a second one for the source.
        .list_with(libc::SYS_fcntl, &[Is(1, option(libc::F_DUPFD_CLOEXEC))])
}

fn deadly() -> Result<Filter, Error> {
    Filter::new(Then::Kill, Then::Allow)
        .list(DEADLY)
        .list(DEADLY_HERE)
        .list_with(libc::SYS_clone, &[OF_A_PROCESS])
}

fn option(number: libc::c_int) -> u64 {
    u64::from(number.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_allowed_and_deadly() {
        let allowed: Vec<_> = ALLOWED.iter().chain(ALLOWED_HERE).collect();
        assert!(DEADLY.iter().chain(DEADLY_HERE).all(|call| !allowed.contains(&call)));
        for call in [
            libc::SYS_openat,
            libc::SYS_clone3,
            libc::SYS_newfstatat,
            libc::SYS_statx,
            libc::SYS_memfd_create,
        ] {
            assert!(!allowed.contains(&&call));
        }
    }

    #[test]
    fn both_filters_compile() {
        assert!(super::allowed().unwrap().compile().is_ok());
        assert!(deadly().unwrap().compile().is_ok());
    }
}
