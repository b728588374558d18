//! How many requests a second come from each client: a bucket of tokens a client, for as many clients as there is room for.
//!
//! A client stands here beyond its connections, or one that opens a new one for each request would always be new. It is kept in
//! memory alone, only where the operator has set a rate, and no longer than others need its place.

use super::client::Share;
use parents::rate::Rate;
use serve::Client;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::time::Instant;

/// Clients that are known at once; beyond them the one of its set that has been quiet for longest is forgotten, and begins anew.
const CLIENTS: usize = 65_536;
/// Clients that share a lock, and that are looked through.
const WAYS: usize = 4;

/// How quickly a client asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As anybody may.
    #[default]
    Usual,
    /// More than its share: under pressure, what begins there is put off first.
    Crowded,
    /// More than is answered.
    Refused,
}

/// Shared by all cores. No memory is taken before a rate is set.
#[derive(Clone, Default)]
pub(crate) struct Rates(Arc<Table>);

#[derive(Default)]
struct Table {
    sets: OnceLock<Box<[Mutex<Set>]>>,
    /// Nobody can choose addresses that push one client out.
    hasher: RandomState,
}

/// Clients of one lock.
type Set = [Option<Known>; WAYS];

#[derive(Clone, Copy)]
struct Known {
    client: Client,
    seen: Instant,
    /// Towards the share.
    share: Rate,
    /// Towards what is answered.
    most: Rate,
}

impl Rates {
    /// Counts a request from there `now`, and judges it. What is refused is not counted: who goes on asking is answered as often as
    /// anybody may ask.
    pub(super) fn count(&self, share: &Share, address: IpAddr, now: Instant) -> Pace {
        let client = Client::of(address);
        let sets = self.0.sets.get_or_init(|| (0..CLIENTS / WAYS).map(|_| Mutex::default()).collect());
        let at = usize::try_from(self.0.hasher.hash_one(client)).unwrap_or_default() % sets.len();
        let mut set = sets[at].lock().unwrap_or_else(PoisonError::into_inner);
        let known = known(&mut set, client, share, now);
        known.seen = now;
        let mut takes = |rate: Option<u32>, of: fn(&mut Known) -> &mut Rate| {
            rate.is_none_or(|rate| of(known).take_of(share.burst, rate, now.into_std()))
        };
        if !takes(share.rate_refused, |known| &mut known.most) {
            Pace::Refused
        } else if !takes(share.rate, |known| &mut known.share) {
            Pace::Crowded
        } else {
            Pace::Usual
        }
    }
}

/// The client's place, or the one of who has been quiet for longest.
fn known<'a>(set: &'a mut Set, client: Client, share: &Share, now: Instant) -> &'a mut Known {
    let is_its = |place: &Option<Known>| place.is_some_and(|known| known.client == client);
    let at = set.iter().position(is_its).unwrap_or_else(|| {
        let quiet = (0..WAYS).min_by_key(|&at| set[at].map(|known| known.seen)).unwrap_or_default();
        set[quiet] = None;
        quiet
    });
    set[at].get_or_insert_with(|| {
        let full = Rate::new_of(share.burst, now.into_std());
        Known { client, seen: now, share: full, most: full }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const BURST: Duration = Duration::from_secs(10);

    fn share(rate: Option<u32>, rate_refused: Option<u32>) -> Share {
        Share { connections: None, requests: None, rate, rate_refused, burst: BURST, exempt: Vec::new() }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// What became of so many requests at once.
    fn paces(rates: &Rates, share: &Share, from: &str, requests: usize, now: Instant) -> [usize; 3] {
        let mut paces = [0; 3];
        for _ in 0..requests {
            paces[rates.count(share, address(from), now) as usize] += 1;
        }
        paces
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_usual_then_crowded_and_only_then_refused() {
        let rates = Rates::default();
        let share = share(Some(5), Some(20));
        let start = Instant::now() + Duration::from_secs(3_600);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(paces(&rates, &share, "192.0.2.1", 300, at(0)), [50, 150, 100]);
        // What was refused has cost nothing.
        assert_eq!(paces(&rates, &share, "192.0.2.1", 300, at(1)), [5, 15, 280]);
        // No more than a burst is saved.
        assert_eq!(paces(&rates, &share, "192.0.2.1", 300, at(600)), [50, 150, 100]);
        // Others are others.
        assert_eq!(paces(&rates, &share, "192.0.2.2", 1, at(600)), [1, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_bound_alone_says_nothing_of_the_other() {
        let now = Instant::now() + Duration::from_secs(3_600);
        for (rate, refused, paced) in
            [(Some(5), None, [50, 250, 0]), (None, Some(5), [50, 0, 250]), (None, None, [300, 0, 0])]
        {
            let share = share(rate, refused);
            assert_eq!(
                paces(&Rates::default(), &share, "192.0.2.1", 300, now),
                paced,
                "{rate:?} {refused:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_household_has_one_bucket_whatever_address_it_chooses() {
        let (rates, share) = (Rates::default(), share(Some(1), None));
        let now = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(paces(&rates, &share, "2001:db8:0:1::1", 10, now), [10, 0, 0]);
        assert_eq!(paces(&rates, &share, "2001:db8:0:1:ffff::2", 1, now), [0, 1, 0]);
        assert_eq!(paces(&rates, &share, "2001:db8:0:2::1", 1, now), [1, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_busy_is_not_pushed_out_by_any_number_of_others() {
        let (rates, share) = (Rates::default(), share(Some(1), None));
        let mut now = Instant::now() + Duration::from_secs(3_600);
        let busy = "192.0.2.1";
        assert_eq!(paces(&rates, &share, busy, 11, now), [10, 1, 0]);
        for other in 0..262_144 {
            now += Duration::from_nanos(1);
            let other_address = IpAddr::V4((0x0a00_0000 + other).into());
            // Whoever comes first is taken for nobody else.
            assert_eq!(rates.count(&share, other_address, now), Pace::Usual);
            if other % 1_024 == 0 {
                assert_eq!(rates.count(&share, address(busy), now), Pace::Crowded);
            }
        }
        let sets = rates.0.sets.get().unwrap();
        assert_eq!(sets.len() * WAYS, CLIENTS);
    }
}
