//! Which server of a tier is asked for a key: always the same one, as long as it can be.
//!
//! Every server scores every key; the highest score is asked. Whoever computes the scores comes to the same answer,
//! without talking and without a table, and a server that leaves or comes moves only the keys that were or become its
//! own (rendezvous hashing, Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005).
//!
//! A server that has more than its part of what is going on is passed over (consistent hashing with bounded loads,
//! Mirrokni, Thorup and Zadimoghaddam 2016), so that one wanted object, or a thousand that happen to lie together, spill
//! over to the next in line instead of sinking one server.

/// How far above its part of the load a server may go. Lower spreads better, higher keeps more keys at home; a quarter
/// is what the paper's measurements and HAProxy's advice have in common.
const OVER_ITS_PART: f64 = 1.25;
/// Requests that a server may always have at once: with little going on, keeping keys at home is worth more than an even
/// spread, and no server minds so few.
const NO_MATTER: f64 = 8.0;

/// A server as far as choosing goes.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// [`hash`] of its name: as long as the name stays, so do its keys, whatever its address.
    pub identity: u64,
    /// Its part compared with the others', at least 1.
    pub weight: u16,
    /// Requests going on with it now.
    pub load: usize,
    /// How much of its part it may have now: 1 usually, less while it comes back, 0 when it must not be asked.
    pub share: f64,
}

impl Candidate {
    /// Its weight, as far as it may be asked now.
    fn weight_now(&self) -> f64 {
        f64::from(self.weight) * self.share
    }
}

/// The place of the server in `candidates` that is asked for `key`; `None` when none may be asked.
pub fn choose(key: u64, candidates: &[Candidate]) -> Option<usize> {
    let admitted = || candidates.iter().enumerate().filter(|(_, candidate)| candidate.share > 0.0);
    let total: f64 = admitted().map(|(_, candidate)| candidate.load as f64).sum();
    let weights: f64 = admitted().map(|(_, candidate)| candidate.weight_now()).sum();
    // All bounds together are more than all that is going on: somebody is always below its own.
    admitted()
        .filter(|(_, candidate)| (candidate.load as f64) < bound(candidate, total, weights))
        .map(|(at, candidate)| (at, score(key, candidate)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(at, _)| at)
}

/// The load at which a server is passed over, one more request among all counted in. What one that comes back may not have yet is
/// the others' part.
fn bound(candidate: &Candidate, total: f64, weights: f64) -> f64 {
    let part = OVER_ITS_PART * (total + 1.0) * candidate.weight_now() / weights;
    part.ceil().max(NO_MATTER * candidate.share).max(1.0)
}

fn score(key: u64, candidate: &Candidate) -> f64 {
    // The 53 bits that fit into a float, never 0 and never 1.
    let uniform = ((mix(key ^ candidate.identity) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    f64::from(candidate.weight) / -uniform.ln()
}

/// A number for a name or a key: the same in every process, on every machine, in every release (FNV-1a, then mixed).
pub fn hash(text: &str) -> u64 {
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    }))
}

/// Spreads every bit of the input over the output (the finaliser of splitmix64).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn servers(weights: &[u16]) -> Vec<Candidate> {
        let server = |(at, &weight): (usize, &u16)| Candidate {
            identity: hash(&format!("parent-{at}")),
            weight,
            load: 0,
            share: 1.0,
        };
        weights.iter().enumerate().map(server).collect()
    }

    fn key(number: usize) -> u64 {
        hash(&format!("/p/0123456789abcdef/s3/{number:05}.m4s"))
    }

    #[test]
    fn a_key_stays_where_it_is_on_every_machine() {
        // Other nodes, and this one after an update, must come to the same answer.
        assert_eq!(hash(""), mix(0xcbf2_9ce4_8422_2325));
        let placed: Vec<_> = (0..12).map(|n| choose(key(n), &servers(&[1, 1, 1])).unwrap()).collect();
        assert_eq!(placed, [2, 2, 1, 0, 2, 2, 1, 1, 0, 2, 2, 2]);
    }

    #[test]
    fn keys_spread_by_weight() {
        let servers = servers(&[1, 2, 1]);
        let mut counts = [0_u32; 3];
        for n in 0..40_000 {
            counts[choose(key(n), &servers).unwrap()] += 1;
        }
        for (count, part) in counts.into_iter().zip([10_000.0, 20_000.0, 10_000.0]) {
            assert!((f64::from(count) / part - 1.0).abs() < 0.05, "{counts:?}");
        }
    }

    #[test]
    fn who_must_not_be_asked_is_not_and_who_comes_back_gets_less() {
        let mut servers = servers(&[1, 1]);
        let home = choose(key(1), &servers).unwrap();
        servers[home].share = 0.0;
        assert_eq!(choose(key(1), &servers), Some(1 - home));
        servers[home] = Candidate { share: 0.25, load: 1, ..servers[home] };
        assert_eq!(choose(key(1), &servers), Some(home));
        servers[home].load = 2;
        assert_eq!(choose(key(1), &servers), Some(1 - home));
        servers[1 - home].share = 0.0;
        assert_eq!(choose(key(1), &servers), Some(home), "the only one is asked all the same");
        servers[home].share = 0.0;
        assert_eq!(choose(key(1), &servers), None);
    }

    #[test]
    fn who_comes_back_gets_no_more_than_its_share_however_much_goes_on() {
        for at_once in [30, 100, 1_000] {
            let mut servers = servers(&[1, 1, 1]);
            servers[0].share = 0.1;
            let (mut running, mut most) = (VecDeque::new(), 0);
            for n in 0..at_once * 10 {
                // The oldest ends when another begins.
                if running.len() == at_once
                    && let Some(ended) = running.pop_front()
                {
                    let ended: &mut Candidate = &mut servers[ended];
                    ended.load -= 1;
                }
                let chosen = choose(key(n), &servers).unwrap();
                servers[chosen].load += 1;
                running.push_back(chosen);
                most = most.max(servers[0].load);
            }
            let part = OVER_ITS_PART * at_once as f64 * 0.1 / 2.1;
            assert!(most as f64 <= part.ceil(), "{most} of {at_once}");
        }
    }

    proptest! {
        /// A server that leaves moves its own keys and nobody else's; one that comes takes keys and moves none.
        #[test]
        fn only_a_leavers_keys_move(weights in prop::collection::vec(1_u16..8, 2..12), leaver in 0_usize..12, from in 0_usize..1_000_000) {
            let whole = servers(&weights);
            let leaver = leaver % whole.len();
            let mut rest = whole.clone();
            rest[leaver].share = 0.0;
            for n in from..from + 200 {
                let (before, after) = (choose(key(n), &whole).unwrap(), choose(key(n), &rest).unwrap());
                prop_assert!(after != leaver);
                prop_assert!(before == leaver || before == after);
            }
        }

        /// However much goes on with whom, and however little each may have, somebody is asked.
        #[test]
        fn somebody_is_below_its_bound(among in prop::collection::vec((1_u16..=u16::MAX, 0_usize..100_000, 1e-6..=1.0), 1..12), n in 0_usize..3) {
            let mut servers = servers(&vec![1; among.len()]);
            for (server, &(weight, load, share)) in servers.iter_mut().zip(&among) {
                *server = Candidate { weight, load, share, ..*server };
            }
            prop_assert!(choose(key(n), &servers).is_some(), "{servers:?}");
        }

        /// However keys fall, also all the same, nobody gets more than a quarter above its part.
        #[test]
        fn nobody_gets_more_than_the_bound(weights in prop::collection::vec(1_u16..8, 1..12), keys in prop::collection::vec(0_usize..3, 1..600)) {
            let mut servers = servers(&weights);
            for n in keys {
                let chosen = choose(key(n), &servers).unwrap();
                servers[chosen].load += 1;
            }
            let total: usize = servers.iter().map(|server| server.load).sum();
            let weights: f64 = weights.into_iter().map(f64::from).sum();
            for server in &servers {
                let part = OVER_ITS_PART * total as f64 * f64::from(server.weight) / weights;
                prop_assert!(server.load as f64 <= part.ceil().max(NO_MATTER), "{servers:?}");
            }
        }
    }
}
