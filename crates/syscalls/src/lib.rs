//! Which system calls a process may make (seccomp): how a list becomes a filter, and how filters are installed.
//!
//! The lists are the business of whoever is held by them: media workers have one of what is allowed, servers one of what is
//! forbidden. Of several filters the kernel obeys the strictest, so each says one thing.

#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

pub use seccompiler::Error;

/// A system call's number.
pub type Call = libc::c_long;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is made.
    Allow,
    /// It is answered as on a kernel that does not have it (ENOSYS). Honest libraries then do without.
    Missing,
    /// The process ends: who asks for that has been taken over.
    Kill,
}

impl From<Then> for SeccompAction {
    fn from(then: Then) -> Self {
        match then {
            Then::Allow => Self::Allow,
            Then::Missing => Self::Errno(libc::ENOSYS.cast_unsigned()),
            Then::Kill => Self::KillProcess,
        }
    }
}

/// What an argument of a call, counted from 0, must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// This.
    Is(u8, u64),
    /// This in the bits of the mask, which stands first.
    Masked(u8, u64, u64),
}

/// A call with `CLONE_THREAD` makes a thread, which shares everything; without it a process.
const THREAD: u64 = libc::CLONE_THREAD as u64;

/// `clone` for a thread. `clone3` hides its flags behind a pointer: where it is [`Then::Missing`], callers use `clone`.
pub const OF_A_THREAD: Argument = Argument::Masked(0, THREAD, THREAD);
/// `clone` for a process.
pub const OF_A_PROCESS: Argument = Argument::Masked(0, THREAD, 0);

/// From here on the numbers of x86-64 are those of another ABI (x32), in which the same calls have names of their own. A kernel that is
/// built with it makes them for every process, and a list does not have them.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// A filter in the making: calls that are listed, and all others.
#[derive(Debug)]
pub struct Filter {
    rules: BTreeMap<Call, Vec<SeccompRule>>,
    listed: Then,
    others: Then,
}

impl Filter {
    /// One that lists nothing yet.
    pub fn new(listed: Then, others: Then) -> Self {
        Self { rules: BTreeMap::new(), listed, others }
    }

    /// Lists `calls`, whatever their arguments.
    #[must_use]
    pub fn list(mut self, calls: &[Call]) -> Self {
        self.rules.extend(calls.iter().map(|call| (*call, Vec::new())));
        self
    }

    /// Lists `call` where all of `arguments` hold. Given several times, one of them is enough.
    ///
    /// # Errors
    /// An argument that no call has.
    pub fn list_with(mut self, call: Call, arguments: &[Argument]) -> Result<Self, Error> {
        let conditions = arguments.iter().map(|argument| {
            let (number, operator, value) = match *argument {
                Argument::Is(number, value) => (number, SeccompCmpOp::Eq, value),
                Argument::Masked(number, mask, value) => (number, SeccompCmpOp::MaskedEq(mask), value),
            };
            SeccompCondition::new(number, SeccompCmpArgLen::Qword, operator, value)
        });
        let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
        self.rules.entry(call).or_default().push(rule);
        Ok(self)
    }

    /// As the kernel takes it.
    ///
    /// # Errors
    /// On a processor for which no filter can be made.
    pub fn compile(self) -> Result<Program, Error> {
        let architecture = std::env::consts::ARCH.try_into().map_err(Error::Backend)?;
        let foreign =
            if [self.listed, self.others].contains(&Then::Kill) { Then::Kill } else { Then::Missing };
        let filter = SeccompFilter::new(self.rules, self.others.into(), self.listed.into(), architecture);
        let program: Result<BpfProgram, BackendError> = filter.and_then(TryInto::try_into);
        Ok(Program([before(foreign), program?].concat()))
    }
}

/// What stands before a filter: of another ABI nothing is made.
#[cfg(target_arch = "x86_64")]
fn before(foreign: Then) -> BpfProgram {
    let statement = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    let code = |code: u32| u16::try_from(code).unwrap_or_default();
    vec![
        // The number stands first in what a filter is given (seccomp(2)).
        statement(code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0, 0),
        statement(code(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K), 1, X32),
        statement(code(libc::BPF_RET | libc::BPF_K), 0, SeccompAction::from(foreign).into()),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn before(_: Then) -> BpfProgram {
    Vec::new()
}

/// A filter as the kernel takes it.
#[derive(Debug, Clone)]
pub struct Program(BpfProgram);

impl Program {
    /// Holds this thread, and all that it starts, for good.
    ///
    /// # Errors
    /// When the kernel has no seccomp filters.
    pub fn hold_this_thread(&self) -> Result<(), Error> {
        seccompiler::apply_filter(&self.0)
    }

    /// Holds every thread of this process, for good.
    ///
    /// # Errors
    /// When the kernel has no seccomp filters.
    pub fn hold_all_threads(&self) -> Result<(), Error> {
        seccompiler::apply_filter_all_threads(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_a_filter() {
        let filter = Filter::new(Then::Kill, Then::Allow).list(&[libc::SYS_execve, libc::SYS_ptrace]);
        let filter = filter.list_with(libc::SYS_clone, &[OF_A_PROCESS]).unwrap();
        assert!(!filter.compile().unwrap().0.is_empty());
        assert!(
            Filter::new(Then::Allow, Then::Missing).list_with(libc::SYS_mmap, &[Argument::Is(9, 0)]).is_err()
        );
    }

    /// In a process of its own: a filter is for good.
    #[test]
    fn what_is_missing_is_answered_as_on_an_old_kernel() {
        let held = std::thread::spawn(|| {
            let filter = Filter::new(Then::Missing, Then::Allow).list(&[libc::SYS_sched_getaffinity]);
            filter.compile().and_then(|program| program.hold_this_thread())?;
            Ok::<_, Error>(std::thread::available_parallelism().map(|count| count.get()))
        });
        // The standard library asks for the affinity, and takes one or the cgroup's word where there is none.
        assert!(matches!(held.join().unwrap(), Ok(Ok(_) | Err(_))));
    }

    /// Set where this test runs itself again, as a process that is to be ended.
    #[cfg(target_arch = "x86_64")]
    const CHILD: &str = "AIRCLASS_TEST_X32";

    /// It was made, where the kernel has it: no list of what is forbidden knew its number.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn what_is_forbidden_is_so_by_its_other_number() {
        use std::os::unix::process::ExitStatusExt;
        if std::env::var_os(CHILD).is_some() {
            let filter = Filter::new(Then::Kill, Then::Allow).list(&[libc::SYS_ptrace]);
            filter.compile().unwrap().hold_this_thread().unwrap();
            #[expect(unsafe_code, reason = "no library makes calls of another ABI")]
            // SAFETY: it takes no pointers, and a kernel without that ABI does nothing at all.
            unsafe {
                libc::syscall(Call::from(X32) | libc::SYS_getpid);
            }
            std::process::exit(0);
        }
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::what_is_forbidden_is_so_by_its_other_number"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(libc::SIGSYS));
    }
}
