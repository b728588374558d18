//! What the kernel says of its clock.

/// Whether somebody keeps the system's clock right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kernel {
    /// A time service does, and it is off by less than a second.
    Synchronised,
    /// Nobody does, or not well.
    Unsynchronised,
    /// It does not say.
    #[default]
    Unknown,
}

/// Microseconds that the clock may be off by its own account.
const MOST_ERROR_US: libc::c_long = 1_000_000;

#[expect(unsafe_code, reason = "libc has no safe adjtimex")]
pub(crate) fn ask() -> Kernel {
    // SAFETY: a `timex` is integers only, for which all bits zero are a value.
    let mut said: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `said` is a valid place for what the kernel writes; with `modes` 0 nothing is changed.
    let state = unsafe { libc::adjtimex(&raw mut said) };
    if state < 0 {
        Kernel::Unknown
    } else if state == libc::TIME_ERROR
        || said.status & libc::STA_UNSYNC != 0
        || said.maxerror >= MOST_ERROR_US
    {
        Kernel::Unsynchronised
    } else {
        Kernel::Synchronised
    }
}
