//! Where an address is: networks with their province and carrier, the longest that fits.

use fleet::{Province, Word};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The most networks read: all prefixes of the nation's carriers, several times over.
pub const MAX_NETWORKS: usize = 2_000_000;

/// Where somebody is, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Near {
    /// Which province.
    pub province: Option<Province>,
    /// Whose network.
    pub carrier: Option<Word>,
}

/// Networks by family, length and first bits.
#[derive(Debug, Default)]
pub struct Networks {
    /// Longest first for each family.
    v4: Vec<(u8, BTreeMap<u128, u32>)>,
    v6: Vec<(u8, BTreeMap<u128, u32>)>,
    places: Vec<Near>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworksError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl Networks {
    /// Reads lines of `PREFIX,PROVINCE,CARRIER`; one of the two may be empty. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, NetworksError> {
        let mut by_place: BTreeMap<(Option<Province>, Option<Word>), u32> = BTreeMap::new();
        let mut by_length: BTreeMap<(bool, u8), BTreeMap<u128, u32>> = BTreeMap::new();
        let mut places = Vec::new();
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (count, (line, words)) in
            lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).enumerate()
        {
            let wrong = |problem: String| NetworksError { line, problem };
            if count >= MAX_NETWORKS {
                return Err(wrong(format!("there are more than {MAX_NETWORKS} networks")));
            }
            let words: Vec<&str> = words.split(',').map(str::trim).collect();
            let [prefix, province, carrier] = words[..] else {
                return Err(wrong("give PREFIX,PROVINCE,CARRIER, as 192.0.2.0/24,hubei,dianxin".to_owned()));
            };
            let (address, length) = read_prefix(prefix).ok_or_else(|| {
                wrong(format!("{prefix:?} is no prefix; give 192.0.2.0/24 or 2001:db8::/32"))
            })?;
            let near = Near {
                province: optional(province)
                    .map(str::parse)
                    .transpose()
                    .map_err(|error| wrong(format!("{error}")))?,
                carrier: optional(carrier).map(str::parse).transpose().map_err(wrong)?,
            };
            let place = *by_place.entry((near.province, near.carrier.clone())).or_insert_with(|| {
                places.push(near);
                places.len() as u32 - 1
            });
            let networks = by_length.entry((address.is_ipv4(), length)).or_default();
            networks.insert(first_bits(address, length), place);
        }
        let family = |v4: bool| {
            let of = by_length.iter().rev().filter(|((is_v4, _), _)| *is_v4 == v4);
            of.map(|((_, length), networks)| (*length, networks.clone())).collect()
        };
        Ok(Self { v4: family(true), v6: family(false), places })
    }

    /// Where `address` is.
    pub fn near(&self, address: IpAddr) -> Near {
        let address = address.to_canonical();
        let family = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let found = family.iter().find_map(|(length, networks)| networks.get(&first_bits(address, *length)));
        found.and_then(|place| self.places.get(*place as usize)).cloned().unwrap_or_default()
    }
}

fn optional(word: &str) -> Option<&str> {
    Some(word).filter(|word| !word.is_empty())
}

fn read_prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

fn first_bits(address: IpAddr, length: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    // A shift by the whole width is none.
    bits.checked_shr(width - u32::from(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_network_that_fits() {
        let text = "# ours\n10.0.0.0/8,hubei,dianxin\n10.1.0.0/16,hunan,\n\n2001:db8::/32,,yidong\n0.0.0.0/0,beijing,jiaoyuwang\n";
        let networks = Networks::parse(text).unwrap();
        for (address, province, carrier) in [
            ("10.2.3.4", "hubei", "dianxin"),
            ("10.1.255.255", "hunan", ""),
            ("::ffff:10.1.0.1", "hunan", ""),
            ("2001:db8:1::1", "", "yidong"),
            ("2001:db9::1", "", ""),
            ("192.0.2.1", "beijing", "jiaoyuwang"),
        ] {
            let near = networks.near(address.parse().unwrap());
            assert_eq!(
                near,
                Near { province: province.parse().ok(), carrier: carrier.parse().ok() },
                "{address}"
            );
        }
        for (text, line) in [
            ("10.0.0.0,hubei,dianxin", 1),
            ("\n10.0.0.0/33,,", 2),
            ("10.0.0.0/8,huebi,", 1),
            ("10.0.0.0/8,hubei", 1),
        ] {
            assert_eq!(Networks::parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
