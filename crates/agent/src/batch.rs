//! Orders that were heard together: which are needless because of a later one among them.

use crate::obey::Obeyed;
use fleet::wire::Numbered;
use fleet::{Effect, Kind};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The orders of one answer, and what has come of those that were tried before their turn.
pub(crate) struct Batch {
    orders: Vec<Numbered>,
    tried: BTreeMap<usize, Effect>,
    /// Days of whose plans the edge has no word yet, most of them not near: they are kept, each in its turn.
    far: BTreeSet<Date>,
}

impl Batch {
    pub(crate) fn new(orders: Vec<Numbered>) -> Self {
        Self { orders, tried: BTreeMap::new(), far: BTreeSet::new() }
    }

    pub(crate) fn orders(&self) -> &[Numbered] {
        &self.orders
    }

    /// What comes of the order at `at`, in its turn; `obey` tries one until there is an end.
    ///
    /// A plan is needless when a later one of its day is followed, and not before: the later one may be refused, and whether it is
    /// the edge knows alone. So the newest is tried first, when it is the oldest one's turn; nothing is told of the oldest before.
    /// Where the edge has no word on it yet, all are kept, so that the last good one is there when it has.
    pub(crate) async fn obey(&mut self, at: usize, mut obey: impl AsyncFnMut(&Kind) -> Obeyed) -> Obeyed {
        let kind = &self.orders[at].order.kind;
        let later = (at + 1..self.orders.len())
            .rev()
            .filter(|later| kind.is_overtaken_by(&self.orders[*later].order.kind));
        for at in later {
            let Kind::Plan { date, .. } = kind else { return Obeyed::Ended(Effect::Overtaken) };
            if self.far.contains(date) {
                break;
            }
            let effect = match self.tried.get(&at) {
                Some(effect) => effect,
                None => match obey(&self.orders[at].order.kind).await {
                    Obeyed::Ended(effect) => self.tried.entry(at).or_insert(effect),
                    Obeyed::Kept(_) => {
                        self.far.insert(*date);
                        break;
                    }
                },
            };
            if *effect == Effect::Done {
                return Obeyed::Ended(Effect::Overtaken);
            }
        }
        match self.tried.remove(&at) {
            Some(effect) => Obeyed::Ended(effect),
            None => obey(kind).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::Order;
    use package::Digest;

    fn plan(date: &str, name: &str) -> Kind {
        Kind::Plan { date: date.parse().unwrap(), body: Digest::of(name.as_bytes()) }
    }

    fn kept() -> Obeyed {
        Obeyed::Kept(Effect::Done)
    }

    /// What comes of each, where these are refused and those of a day are kept; and what was tried, in order.
    async fn come_of(kinds: &[Kind], refused: &[Kind], far: Option<Date>) -> (Vec<Obeyed>, Vec<Kind>) {
        let numbered = |(at, kind): (usize, &Kind)| Numbered {
            number: at as u64 + 1,
            order: Order { kind: kind.clone(), to: fleet::Target::default() },
        };
        let mut batch = Batch::new(kinds.iter().enumerate().map(numbered).collect());
        let (mut effects, mut tried) = (Vec::new(), Vec::new());
        for at in 0..kinds.len() {
            let obey = async |kind: &Kind| {
                tried.push(kind.clone());
                match kind {
                    kind if refused.contains(kind) => Obeyed::Ended(Effect::Refused("no".to_owned())),
                    Kind::Plan { date, .. } if Some(*date) == far => kept(),
                    _ => Obeyed::Ended(Effect::Done),
                }
            };
            effects.push(batch.obey(at, obey).await);
        }
        (effects, tried)
    }

    /// A node that was away heard two plans of a day at once: the good one was overtaken, and the other one refused.
    #[tokio::test]
    async fn a_plan_is_needless_only_where_a_later_one_is_followed() {
        let [a, b, c] = ["a", "b", "c"].map(|name| plan("2026-09-01", name));
        let other = plan("2026-09-02", "d");
        let (done, over, no) = (Effect::Done, Effect::Overtaken, Effect::Refused("no".to_owned()));
        let all = [a.clone(), b.clone(), other.clone(), c.clone()];
        let cases: [(&[Kind], [&Effect; 4], &[&Kind]); 4] = [
            (&[], [&over, &over, &done, &done], &[&c, &other]),
            (std::slice::from_ref(&c), [&over, &done, &done, &no], &[&c, &b, &other]),
            (&[b.clone(), c.clone()], [&done, &no, &done, &no], &[&c, &b, &a, &other]),
            (&[a.clone(), b.clone(), c.clone()], [&no, &no, &done, &no], &[&c, &b, &a, &other]),
        ];
        for (refused, effects, tried) in cases {
            let came = come_of(&all, refused, None).await;
            assert_eq!(came.0.iter().map(Obeyed::effect).collect::<Vec<_>>(), effects, "{refused:?}");
            assert_eq!(came.1.iter().collect::<Vec<_>>(), tried, "each is tried once: {refused:?}");
        }
    }

    /// The good one was overtaken by one that the edge refused days later, when there was none before it to take its place.
    #[tokio::test]
    async fn plans_of_a_day_that_is_not_near_are_all_kept_each_in_its_turn() {
        let [a, b, c] = ["a", "b", "c"].map(|name| plan("2026-09-01", name));
        let near = plan("2026-08-01", "d");
        let far = "2026-09-01".parse().ok();
        let all = [a.clone(), b.clone(), near.clone(), near.clone(), c.clone()];
        let (effects, tried) = come_of(&all, &[], far).await;
        let [over, done] = [Effect::Overtaken, Effect::Done].map(Obeyed::Ended);
        assert_eq!(effects, [kept(), kept(), over, done, kept()]);
        assert_eq!(tried, [&c, &a, &b, &near, &c].map(Kind::clone), "the newest lies there at the end");
    }

    /// What is to be forgotten is forgotten before the node serves again.
    #[tokio::test]
    async fn all_else_keeps_its_turn() {
        let purge = Kind::Purge(Digest::of(b"x"));
        let (effects, tried) = come_of(&[Kind::Drain, purge.clone(), Kind::Undrain], &[], None).await;
        assert_eq!(effects, [Effect::Overtaken, Effect::Done, Effect::Done].map(Obeyed::Ended));
        assert_eq!(tried, [purge, Kind::Undrain]);
    }
}
