//! 报告问题: what a page says when somebody could not see or hear a lesson, in words of closed lists, and whom people may call.
//!
//! `report` (what a page sends: a choice, and where it happened; nothing that somebody has written, so nothing personal can be in
//! it) → `pace` (how many are taken) → `entry` (as they are kept, one a line) ; `support` (whom to ask). No I/O and no clock.

mod entry;
mod pace;
mod report;
mod support;

pub use entry::{Entry, MAX_ENTRY_BYTES, ReportId};
pub use pace::Pace;
pub use report::{Engine, FaultSeen, InvalidReport, Kind, MAX_REPORT_BYTES, Report};
pub use support::{Support, SupportOptions};

#[cfg(test)]
mod tests;
