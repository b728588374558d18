//! What a node has sent, as carriers bill it: `readings ─► meter ─► records ─► (a file a month) ─► samples ─► bill`.
//!
//! Bytes belong to the minute in which they are sent, five minutes are a sample, a kilobit has 1,000 bits, and days and months
//! are those of Beijing. Pure: who measures passes counters and clocks, who keeps passes bytes.

mod bill;
mod billing;
mod identity;
mod meter;
mod month;
mod record;
mod samples;
#[cfg(test)]
mod tests;

pub use bill::{Bill, Contract, Free};
pub use billing::{Billing, SAMPLES_A_DAY, free_samples, samples_of_minutes};
pub use identity::{Carrier, Identity, InvalidIdentity};
pub use meter::{Meter, Readings};
pub use month::{InvalidMonth, Month};
pub use record::{Entry, Journal, MAX_FILE_BYTES, Minute, RunId, read};
pub use samples::{Account, accounts};

/// Which protocol of the network carried it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, in the order in which pairs of counters are written.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// As tables write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}
