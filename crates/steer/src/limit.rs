//! How often one address may ask: a token bucket for each, in a table that never grows.
//!
//! The table has a fixed number of places. An address that has none takes the place that was asked for longest ago among the few
//! that its hash points at: whoever was there begins anew with a full bucket. So a flood of forged addresses forgets, and refuses nobody.

use jiff::Timestamp;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Addresses that are remembered: 1.5 MiB of table.
const PLACES: usize = 1 << 16;
/// Places that one address may take.
const WAYS: usize = 4;
/// How many seconds' worth may be asked at once: the players of a school that begin together.
const BURST_SECONDS: u32 = 10;

/// Which part of an address counts as one asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Width {
    /// Of IPv4.
    pub(crate) v4: u8,
    /// Of IPv6.
    pub(crate) v6: u8,
}

/// Whoever asks over HTTP has shown that the address is his or hers.
pub(crate) const HTTP: Width = Width { v4: 32, v6: 64 };
/// Over UDP it may be forged, to have a network flooded with answers: the network counts.
pub(crate) const DNS: Width = Width { v4: 24, v6: 56 };

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Whose; 0 is nobody's.
    key: u64,
    /// Thousandths of a question.
    tokens: u64,
    /// When they were counted, in milliseconds.
    at: i64,
}

/// The buckets. Shared by all cores.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Questions a second; 0: any number.
    rate: u32,
    width: Width,
    hasher: RandomState,
    buckets: Mutex<Vec<Bucket>>,
}

impl Limiter {
    /// `rate` questions a second of each; 0: any number.
    pub(crate) fn new(rate: u32, width: Width) -> Self {
        let places = if rate == 0 { 0 } else { PLACES };
        Self { rate, width, hasher: RandomState::new(), buckets: Mutex::new(vec![Bucket::default(); places]) }
    }

    /// Whether who asks from `address` is answered now. Each call is a question.
    pub(crate) fn admit(&self, address: IpAddr, now: Timestamp) -> bool {
        if self.rate == 0 {
            return true;
        }
        let key = self.hasher.hash_one(first_bits(address, self.width)).max(1);
        let (now, full) = (now.as_millisecond(), u64::from(self.rate) * u64::from(BURST_SECONDS) * 1_000);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // The upper bits choose the set; all of them tell the asker.
        let set = (key >> 48) as usize % (PLACES / WAYS) * WAYS;
        let ways = &mut buckets[set..set + WAYS];
        let place = ways.iter().position(|bucket| bucket.key == key).unwrap_or_else(|| {
            let oldest = (0..WAYS).min_by_key(|at| (ways[*at].key != 0, ways[*at].at)).unwrap_or(0);
            ways[oldest] = Bucket { key, tokens: full, at: now };
            oldest
        });
        let bucket = &mut ways[place];
        // A clock that goes back gives nothing.
        let passed = u64::try_from(now - bucket.at).unwrap_or(0);
        bucket.tokens = passed.saturating_mul(u64::from(self.rate)).saturating_add(bucket.tokens).min(full);
        bucket.at = now;
        let admitted = bucket.tokens >= 1_000;
        bucket.tokens -= if admitted { 1_000 } else { 0 };
        admitted
    }
}

/// The part of `address` that counts, with its family.
fn first_bits(address: IpAddr, width: Width) -> (bool, u128) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            (true, u128::from(address.to_bits()).checked_shr(32 - u32::from(width.v4)).unwrap_or(0))
        }
        IpAddr::V6(address) => (false, address.to_bits().checked_shr(128 - u32::from(width.v6)).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_788_220_800_000 + millisecond).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_rate_and_a_burst() {
        let limiter = Limiter::new(2, HTTP);
        let one = address("192.0.2.1");
        assert_eq!((0..50).filter(|_| limiter.admit(one, at(0))).count(), 20, "ten seconds' worth at once");
        assert!(!limiter.admit(one, at(499)), "half a second for one");
        assert!(limiter.admit(one, at(1_000)));
        assert!(limiter.admit(one, at(1_000)) && !limiter.admit(one, at(1_000)));
        assert!(!limiter.admit(one, at(0)), "a clock that goes back gives nothing");
        assert!(limiter.admit(address("192.0.2.2"), at(0)), "another is another");
        assert!(limiter.admit(address("::ffff:192.0.2.3"), at(0)));
        assert_eq!((0..50).filter(|_| limiter.admit(one, at(60_000))).count(), 20, "never more than a burst");
    }

    #[test]
    fn networks_count_as_one_where_addresses_are_forged() {
        for (width, one, other, same) in [
            (HTTP, "192.0.2.1", "192.0.2.2", false),
            (DNS, "192.0.2.1", "192.0.2.200", true),
            (DNS, "192.0.2.1", "192.0.3.1", false),
            (HTTP, "2001:db8::1", "2001:db8::2", true),
            (HTTP, "2001:db8:0:1::1", "2001:db8:0:2::1", false),
            (DNS, "2001:db8:0:1::1", "2001:db8:0:2::1", true),
        ] {
            assert_eq!(
                first_bits(address(one), width) == first_bits(address(other), width),
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_flood_of_addresses_refuses_nobody_and_grows_nothing() {
        let limiter = Limiter::new(1, HTTP);
        for number in 0..(PLACES as u32 * 4) {
            assert!(limiter.admit(IpAddr::V4(number.into()), at(0)), "each has asked once");
        }
        assert_eq!(limiter.buckets.lock().unwrap().len(), PLACES);
        assert!(Limiter::new(0, HTTP).admit(address("192.0.2.1"), at(0)), "no limit");
    }
}
