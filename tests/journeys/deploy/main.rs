//! What operators install: packages, units, the kernel's profile, manifests, and the arithmetic of how much is needed.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

mod bare_machine;
mod kubernetes;
mod packages;
mod sizing;
mod sysctl;
mod units;
