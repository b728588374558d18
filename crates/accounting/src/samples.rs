//! From minutes to samples: what each node's line has carried, five minutes at a time.

use crate::billing::MINUTES;
use crate::identity::Identity;
use crate::month::Month;
use crate::record::{Entry, RunId};
use std::collections::{BTreeMap, HashMap};

/// Milliseconds a sample.
const SAMPLE_MS: u64 = MINUTES as u64 * 60_000;

/// A month of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Bytes by family and sample.
    pub bytes: [Vec<u64>; 2],
    /// Bits a second by family and sample.
    pub rates: [Vec<u64>; 2],
    /// Samples of which something was written down. The others are zero, because nobody was there.
    pub known: Vec<bool>,
}

impl Account {
    fn empty(samples: usize) -> Self {
        let zeros = || [vec![0; samples], vec![0; samples]];
        Self { bytes: zeros(), rates: zeros(), known: vec![false; samples] }
    }

    /// Bits a second by sample, both families together: what a line is billed by.
    pub fn totals(&self) -> Vec<u64> {
        let [v4, v6] = &self.rates;
        v4.iter().zip(v6).map(|(v4, v6)| v4.saturating_add(*v6)).collect()
    }

    /// A line that several nodes share is billed by the sum of them.
    pub fn join(&mut self, other: &Self) {
        for (ours, theirs) in
            self.bytes.iter_mut().chain(&mut self.rates).zip(other.bytes.iter().chain(&other.rates))
        {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = ours.saturating_add(*theirs));
        }
        self.known.iter_mut().zip(&other.known).for_each(|(ours, theirs)| *ours |= theirs);
    }
}

/// Makes accounts of `month` of all that was written down, in the order in which it was.
///
/// A sample of which one process has lived through more than five minutes, because the clock was set back, is as high as its
/// bytes are over that time: nobody is billed twice for a clock.
pub fn accounts(month: &Month, entries: &[Entry]) -> BTreeMap<Identity, Account> {
    let mut owners: HashMap<RunId, &Identity> = HashMap::new();
    let mut lived: BTreeMap<(&Identity, usize, RunId), (u64, [u64; 2])> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Run(run, identity) => {
                owners.insert(*run, identity);
            }
            Entry::Minute(run, minute) => {
                let (Some(identity), Some(sample)) = (owners.get(run), month.sample_at(minute.begin()))
                else {
                    continue;
                };
                let (covered_ms, sent) = lived.entry((identity, sample, *run)).or_default();
                *covered_ms = covered_ms.saturating_add(minute.covered_ms);
                for (sum, bytes) in sent.iter_mut().zip(minute.sent) {
                    *sum = sum.saturating_add(bytes);
                }
            }
        }
    }
    let mut accounts: BTreeMap<Identity, Account> = BTreeMap::new();
    for ((identity, sample, _), (covered_ms, sent)) in lived {
        let account = accounts.entry(identity.clone()).or_insert_with(|| Account::empty(month.samples()));
        account.known[sample] = true;
        for (family, bytes) in sent.into_iter().enumerate() {
            let rate = u128::from(bytes) * 8 * 1_000 / u128::from(covered_ms.max(SAMPLE_MS));
            let rate = u64::try_from(rate).unwrap_or(u64::MAX);
            account.bytes[family][sample] = account.bytes[family][sample].saturating_add(bytes);
            account.rates[family][sample] = account.rates[family][sample].saturating_add(rate);
        }
    }
    accounts
}
