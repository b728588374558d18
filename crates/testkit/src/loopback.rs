//! An address of this machine for one process alone.

use std::net::Ipv4Addr;

/// Where servers of this process listen that end and are started again at the same port: no other process takes the port
/// meanwhile, for others listen and connect at 127.0.0.1.
pub fn own() -> Ipv4Addr {
    // Of 127.64.0.0/10; a process's number has 22 bits at most.
    let [_, upper, middle, lower] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | (upper & 0x3f), middle, lower)
}
