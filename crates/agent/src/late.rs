//! Orders of plans of which the edge may say more than it did: a plan for a day that is not near is kept, and judged days later; one
//! that the edge was slow to look at is judged when it does.

use crate::plans::{Judged, Settled, is_over};
use fleet::Effect;
use jiff::civil::Date;
use package::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Orders that are remembered; of more than these the oldest are done for good.
const MOST: usize = 64;

/// By number, those that were done as far as anybody knew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LatePlans(BTreeMap<u64, Ordered>);

/// What was ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ordered {
    date: Date,
    /// The envelope's.
    body: Digest,
}

impl LatePlans {
    /// The plan of the order of this number is kept: it lies where the edge finds it.
    pub(crate) fn note(&mut self, number: u64, date: Date, body: Digest) {
        self.0.insert(number, Ordered { date, body });
        self.0.retain(|_, ordered| !is_over(ordered.date));
        while self.0.len() > MOST {
            self.0.pop_first();
        }
    }

    /// Numbers behind `number` are given anew, to other orders.
    pub(crate) fn forget_after(&mut self, number: u64) {
        self.0.retain(|ordered, _| *ordered <= number);
    }

    /// Whose plans may be judged anew.
    pub(crate) fn days(&self) -> BTreeSet<Date> {
        self.0.values().map(|ordered| ordered.date).collect()
    }

    /// What comes of which orders, now that the edge has judged a plan.
    pub(crate) fn settle(&mut self, settled: &Settled) -> Vec<(u64, Effect)> {
        let Settled { date, body, judged } = settled;
        let come_of = |ordered: &Ordered| match judged {
            _ if ordered.date != *date => None,
            Judged::Refused(why) => (ordered.body == *body).then(|| Effect::Refused(why.clone())),
            Judged::Followed if ordered.body == *body => Some(Effect::Done),
            // Those before it are needed no more.
            Judged::Followed => Some(Effect::Overtaken),
        };
        let ends = self.0.iter().filter_map(|(number, ordered)| Some((*number, come_of(ordered)?)));
        let ends: Vec<_> = ends.collect();
        ends.iter().for_each(|(number, _)| _ = self.0.remove(number));
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(date: Date, body: Digest, judged: Judged) -> Settled {
        Settled { date, body, judged }
    }

    #[test]
    fn a_refusal_is_that_of_the_order_it_is_of() {
        let dates = ["2999-09-01", "2999-09-02"].map(|date| date.parse::<Date>().unwrap());
        let [good, bad] = ["good", "bad"].map(|text| Digest::of(text.as_bytes()));
        let mut late = LatePlans::default();
        for (number, date, body) in
            [(3, dates[0], good), (5, dates[0], bad), (6, dates[1], bad), (9, dates[0], bad)]
        {
            late.note(number, date, body);
        }
        let refused = || Judged::Refused("unknown_key".to_owned());
        let effect = Effect::Refused("unknown_key".to_owned());
        let told = late.settle(&settled(dates[0], bad, refused()));
        assert_eq!(told, [(5, effect.clone()), (9, effect)]);
        assert_eq!(late.settle(&settled(dates[0], bad, refused())), [], "told once");
        assert_eq!(late.days(), dates.into());
        late.note(11, dates[0], bad);
        let told = late.settle(&settled(dates[0], good, Judged::Followed));
        assert_eq!(told, [(3, Effect::Done), (11, Effect::Overtaken)]);
        assert_eq!(late.days(), [dates[1]].into());
    }

    #[test]
    fn they_have_a_bound_and_an_end() {
        let mut late = LatePlans::default();
        let day = "2999-09-01".parse().unwrap();
        (0..200).for_each(|number| late.note(number, day, Digest::of(b"x")));
        assert_eq!((late.0.len(), late.0.first_key_value().unwrap().0), (MOST, &136));
        late.note(300, "2020-09-01".parse().unwrap(), Digest::of(b"x"));
        assert_eq!(late.days(), [day].into());
    }
}
