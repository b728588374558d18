//! Service information: the tables, as sections in packets' payloads.

mod eit;
mod programs;
mod sdt;
mod section;
mod text;
mod time;

pub(crate) use eit::{present_and_following, schedule};
pub(crate) use programs::{map, programs};
pub(crate) use sdt::services;
pub(crate) use section::{Payload, payloads, stuffing};
pub(crate) use time::date_and_offset;

/// Packet identifiers: those DVB prescribes (EN 300 468 table 1), and those the map of the programme names.
pub(crate) mod pid {
    pub(crate) const PROGRAMS: u16 = 0x0000;
    pub(crate) const SERVICES: u16 = 0x0011;
    pub(crate) const EVENTS: u16 = 0x0012;
    pub(crate) const TIME: u16 = 0x0014;
    pub(crate) const VIDEO: u16 = 0x0100;
    pub(crate) const AUDIO: u16 = 0x0101;
    pub(crate) const MAP: u16 = 0x1000;
    pub(crate) const NULL: u16 = 0x1fff;
}

#[cfg(test)]
pub(crate) mod tests;
