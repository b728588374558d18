//! What a node remembers of what it has heard and done. Pure.

use crate::late::LatePlans;
use fleet::{Effect, NodeName};
use jiff::Timestamp;
use package::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Orders to stand aside and to come back that are remembered: of more the oldest are done for good.
const MOST_SWITCHES: usize = 16;

/// What is remembered from one start to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Where the control is.
    pub control: String,
    /// Who this node is.
    pub node: NodeName,
    /// Since when the certificate counts.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The last order that was looked at.
    #[serde(default)]
    pub heard: u64,
    /// Hashes of records up to which it has heard, the last one's and some of before, ever farther apart.
    #[serde(default)]
    pub known: BTreeMap<u64, Digest>,
    /// What came of the last ones.
    #[serde(default)]
    pub effects: BTreeMap<u64, Effect>,
    /// Orders of plans of which the edge may say more.
    #[serde(default)]
    pub late: LatePlans,
    /// Whether the control has taken it out of service.
    #[serde(default)]
    pub drained: bool,
    /// By the number of each such order, whether it was to stand aside: the last ones.
    #[serde(default)]
    pub switched: BTreeMap<u64, bool>,
}

/// What came of hearing up to which number there are no more orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was known.
    Nothing,
    /// It grew.
    More,
    /// The control does not know that: its records were brought back from a copy, and numbers are given anew.
    Less {
        /// What this node had heard up to.
        before: u64,
    },
}

impl State {
    /// That of a node which has just come in.
    pub(crate) fn new(control: String, node: NodeName, since: Timestamp, until: Timestamp) -> Self {
        Self {
            control,
            node,
            since,
            until,
            heard: 0,
            known: BTreeMap::new(),
            effects: BTreeMap::new(),
            late: LatePlans::default(),
            drained: false,
            switched: BTreeMap::new(),
        }
    }

    /// All orders up to `up_to`, whose record has this hash, were heard.
    pub(crate) fn hear(&mut self, up_to: u64, hash: Option<Digest>) -> Heard {
        let before = self.heard;
        if up_to < before {
            self.go_back(up_to);
            return Heard::Less { before };
        }
        self.heard = up_to;
        let is_new = hash.is_some_and(|hash| self.known.insert(up_to, hash) != Some(hash));
        if is_new {
            self.thin_out();
        }
        // A step back may have left another order to stand aside as the last one that both know: it counts again.
        let stands_aside = self.switched.last_key_value().is_some_and(|(_, aside)| *aside);
        let again = stands_aside && !self.drained;
        self.drained |= stands_aside;
        if up_to > before || is_new || again { Heard::More } else { Heard::Nothing }
    }

    /// The order of this number was to stand aside, or to come back, and is done.
    pub(crate) fn switch(&mut self, number: u64, aside: bool) {
        self.drained = aside;
        self.switched.insert(number, aside);
        while self.switched.len() > MOST_SWITCHES {
            self.switched.pop_first();
        }
    }

    /// The path at which the control is asked for what is to be done, and whether a hash is told in it.
    pub(crate) fn question(&self) -> (String, bool) {
        let after = self.heard;
        match self.known.get(&after) {
            Some(hash) => (format!("/v1/orders?after={after}&hash={hash}"), true),
            None => (format!("/v1/orders?after={after}"), false),
        }
    }

    /// To the last record before that may be known to the control, which says so the next time; to `up_to` where none is known here.
    fn go_back(&mut self, up_to: u64) {
        self.known.split_off(&self.heard);
        let to = self.known.last_key_value().map_or(up_to, |(number, _)| *number);
        self.heard = to;
        // What came of others must not be told of those to come.
        self.effects.retain(|number, _| *number <= to);
        self.late.forget_after(to);
        self.switched.retain(|number, _| *number <= to);
    }

    /// Of all that are between half as far back and as far, from each power of two to the next, one stays: the oldest.
    fn thin_out(&mut self) {
        let (heard, mut last) = (self.heard, None);
        self.known.retain(|number, _| {
            let distance = (heard - number.min(&heard)).checked_ilog2();
            last.replace(distance) != Some(distance)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that has heard up to `heard`.
    fn state(heard: u64) -> State {
        let (node, now) = ("hubei/dianxin/acme/a/1".parse().unwrap(), Timestamp::UNIX_EPOCH);
        State { heard, ..State::new(String::new(), node, now, now) }
    }

    #[test]
    fn who_has_heard_more_than_the_control_knows_goes_back_and_forgets_what_came_of_it() {
        let mut state = State { effects: [(5, Effect::Done), (7, Effect::Done)].into(), ..state(7) };
        assert_eq!(state.hear(7, None), Heard::Nothing);
        assert_eq!(state.hear(9, None), Heard::More);
        assert_eq!((state.heard, state.effects.len()), (9, 2));
        assert_eq!(state.hear(6, None), Heard::Less { before: 9 });
        assert_eq!((state.heard, state.effects.keys().copied().collect::<Vec<_>>()), (6, vec![5]));
    }

    /// It went back to where the control had been started last, and what was ordered between that and the copy's end it never heard.
    #[test]
    fn it_goes_back_from_one_record_that_it_knows_to_the_one_before() {
        let mut state = state(0);
        let hash = |number: u64| Digest::of(&number.to_be_bytes());
        for number in 1..=1_000 {
            assert_eq!(state.hear(number, Some(hash(number))), Heard::More);
        }
        assert_eq!(state.hear(1_000, Some(hash(1_000))), Heard::Nothing);
        assert!(state.known.len() <= 12, "{:?}", state.known.keys());
        let mut back = vec![state.heard];
        while state.hear(0, None) != Heard::Nothing {
            back.push(state.heard);
            assert!(state.heard == 0 || state.known[&state.heard] == hash(state.heard));
        }
        let farther = back.windows(3).all(|three| three[1] - three[2] <= 4 * (1_000 - three[1]));
        assert!(back.ends_with(&[1, 0]) && farther, "{back:?}");
    }

    /// The copy said that the node stands aside, and it served on until somebody ordered something.
    #[test]
    fn a_node_whose_order_to_come_back_is_lost_stands_aside_again() {
        // It goes back by steps, and only where both know the same an order counts.
        for (steps, stands_aside) in [(&[8][..], false), (&[7], true), (&[7, 5], true), (&[7, 4], false)] {
            let mut state = state(4);
            state.switch(5, true);
            state.switch(8, false);
            assert_eq!((state.hear(9, None), state.drained), (Heard::More, false));
            for step in steps {
                assert!(matches!(state.hear(*step, None), Heard::Less { .. }));
                assert!(!state.drained, "not yet");
            }
            let heard = state.hear(state.heard, None);
            assert_eq!(
                (heard, state.drained),
                (if stands_aside { Heard::More } else { Heard::Nothing }, stands_aside)
            );
            assert_eq!(state.hear(state.heard, None), Heard::Nothing, "back to {steps:?}");
        }
    }

    /// Who gave it may still be at the machine.
    #[test]
    fn a_lost_order_to_stand_aside_stands_until_there_is_one_to_come_back() {
        let mut state = state(0);
        state.switch(3, false);
        state.switch(5, true);
        for up_to in [4, 4, 2, 2] {
            state.hear(up_to, None);
            assert!(state.drained, "back to {up_to}");
        }
        state.switch(6, false);
        state.hear(6, None);
        assert!(!state.drained);
        (7..1_000).for_each(|number| state.switch(number, true));
        assert_eq!(state.switched.len(), MOST_SWITCHES);
    }

    /// What the edge said days later of an order that was lost was told of the one that had got its number.
    #[test]
    fn of_orders_that_are_lost_nothing_is_told_days_later() {
        let mut state = state(9);
        let days = ["2999-09-01", "2999-09-02"].map(|date| date.parse().unwrap());
        for (number, date) in [(5, days[0]), (7, days[1])] {
            state.late.note(number, date, Digest::of(b"x"));
        }
        state.hear(6, None);
        assert_eq!(state.late.days(), [days[0]].into());
    }
}
