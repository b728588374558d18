//! Of an address, the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv6 address that stay: a site's; a household's are behind them.
const V6_BITS: u32 = 48;
/// Bits of an IPv4 address that stay.
const V4_BITS: u32 = 24;

/// The /24 of an IPv4 address, the /48 of an IPv6 address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !(u32::MAX >> V4_BITS))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> V6_BITS))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_own_bits_are_left() {
        for (address, network_of) in [
            ("192.0.2.77", "192.0.2.0"),
            ("::ffff:192.0.2.77", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), network_of);
        }
    }
}
