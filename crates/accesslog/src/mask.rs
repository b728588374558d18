//! Of an address, the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv6 address that stay: a site's; a household's are behind them.
const V6_BITS: u32 = 48;
/// Bits of an IPv4 address that stay.
const V4_BITS: u32 = 24;
/// 6to4 (RFC 3056 §2): behind these 16 bits a site's number is an IPv4 address, whole within the first 48.
const SIX_TO_FOUR: u16 = 0x2002;
/// Bits of such an address that stay: those of its IPv4 address that would.
const SIX_TO_FOUR_BITS: u32 = 16 + V4_BITS;

/// The /24 of an IPv4 address, the /48 of an IPv6 address. One within the other is shortened as what it is.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !(u32::MAX >> V4_BITS))),
        IpAddr::V6(address) => {
            let bits = if address.segments()[0] == SIX_TO_FOUR { SIX_TO_FOUR_BITS } else { V6_BITS };
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> bits)))
        }
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
            // 192.0.2.77 by 6to4, by NAT64's own prefix and by one of a network's, and as Teredo's client.
            ("2002:c000:24d:1::1", "2002:c000:200::"),
            ("64:ff9b::192.0.2.77", "64:ff9b::"),
            ("64:ff9b:1:2:3:4:c000:24d", "64:ff9b:1::"),
            ("2001:0:cb00:7101:0:1234:3fff:fdb2", "2001:0:cb00::"),
            ("::192.0.2.77", "::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), network_of);
        }
    }
}
