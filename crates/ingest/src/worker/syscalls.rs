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

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Calls with any arguments.
const ALLOWED: &[libc::c_long] = &[
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
const DEADLY: &[libc::c_long] = &[
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
const DEADLY_HERE: &[libc::c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const DEADLY_HERE: &[libc::c_long] = &[];
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[libc::c_long] = &[libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[libc::c_long] = &[];

/// Restricts this process, which has one thread, to the list; threads inherit it.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub(super) fn restrict() -> Result<(), seccompiler::Error> {
    for program in [deadly()?, allowed()?] {
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

fn allowed() -> Result<BpfProgram, BackendError> {
    let process = u64::from(std::process::id());
    let exec = u64::from(libc::PROT_EXEC.cast_unsigned());
    let sharing = u64::from((libc::MAP_SHARED | libc::MAP_PRIVATE).cast_unsigned());
    let private = u64::from(libc::MAP_PRIVATE.cast_unsigned());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new())).collect();
    rules.extend([
        // Shared memory is not counted against the limit, so there is none.
        (libc::SYS_mmap, vec![rule(&[(2, masked(exec), 0), (3, masked(sharing), private)])?]),
        (libc::SYS_mprotect, vec![rule(&[(2, masked(exec), 0)])?]),
        // A thread is a clone that shares everything; a process is one that does not.
        (libc::SYS_clone, vec![rule(&[(0, masked(THREAD), THREAD)])?]),
        // Only to itself: how `abort` ends.
        (libc::SYS_tgkill, vec![rule(&[(0, SeccompCmpOp::Eq, process)])?]),
        // Reading limits, not setting them: no new value is given.
        (libc::SYS_prlimit64, vec![rule(&[(0, SeccompCmpOp::Eq, 0), (2, SeccompCmpOp::Eq, 0)])?]),
        (libc::SYS_prctl, vec![rule(&[(0, SeccompCmpOp::Eq, option(libc::PR_SET_NAME))])?]),
        (
            libc::SYS_fcntl,
            vec![
                rule(&[(1, SeccompCmpOp::Eq, option(libc::F_GETFD))])?,
                rule(&[(1, SeccompCmpOp::Eq, option(libc::F_GETFL))])?,
                // Of what there is: a second one for the source.
                rule(&[(1, SeccompCmpOp::Eq, option(libc::F_DUPFD_CLOEXEC))])?,
            ],
        ),
    ]);
    let missing = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    SeccompFilter::new(rules, missing, SeccompAction::Allow, architecture()?)?.try_into()
}

fn deadly() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        DEADLY.iter().chain(DEADLY_HERE).map(|call| (*call, Vec::new())).collect();
    // `clone3` hides its flags behind a pointer; it is not on the list, and its callers then use this one.
    rules.insert(libc::SYS_clone, vec![rule(&[(0, masked(THREAD), 0)])?]);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, architecture()?)?.try_into()
}

const THREAD: u64 = libc::CLONE_THREAD as u64;

fn architecture() -> Result<TargetArch, BackendError> {
    std::env::consts::ARCH.try_into()
}

fn masked(mask: u64) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(mask)
}

fn option(number: libc::c_int) -> u64 {
    u64::from(number.cast_unsigned())
}

/// All of these: argument, how to compare, with what.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions
        .iter()
        .map(|(argument, operator, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Qword, operator.clone(), *value)
        })
        .collect::<Result<Vec<_>, _>>()?;
    SeccompRule::new(conditions)
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
        assert!(super::allowed().is_ok_and(|program| !program.is_empty()));
        assert!(deadly().is_ok_and(|program| !program.is_empty()));
    }
}
