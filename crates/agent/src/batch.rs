//! Orders that were heard together: which are needless because of a later one among them.

use fleet::wire::Numbered;
use fleet::{Effect, Kind};
use std::collections::BTreeMap;

/// The orders of one answer, and what has come of those that were tried before their turn.
pub(crate) struct Batch {
    orders: Vec<Numbered>,
    tried: BTreeMap<usize, Effect>,
}

impl Batch {
    pub(crate) fn new(orders: Vec<Numbered>) -> Self {
        Self { orders, tried: BTreeMap::new() }
    }

    pub(crate) fn orders(&self) -> &[Numbered] {
        &self.orders
    }

    /// What comes of the order at `at`, in its turn; `obey` tries one until there is an effect.
    ///
    /// A plan is needless when a later one of its day is followed, and not before: the later one may be refused, and whether it is
    /// the edge knows alone. So the newest is tried first, when it is the oldest one's turn; nothing is told of the oldest before.
    pub(crate) async fn effect(&mut self, at: usize, mut obey: impl AsyncFnMut(&Kind) -> Effect) -> Effect {
        let kind = &self.orders[at].order.kind;
        let later = (at + 1..self.orders.len())
            .rev()
            .filter(|later| kind.is_overtaken_by(&self.orders[*later].order.kind));
        for at in later {
            if !matches!(kind, Kind::Plan { .. }) {
                return Effect::Overtaken;
            }
            let effect = match self.tried.get(&at) {
                Some(effect) => effect,
                None => {
                    let effect = obey(&self.orders[at].order.kind).await;
                    self.tried.entry(at).or_insert(effect)
                }
            };
            if *effect == Effect::Done {
                return Effect::Overtaken;
            }
        }
        match self.tried.remove(&at) {
            Some(effect) => effect,
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

    /// What comes of each, where these are refused; and what was tried, in order.
    async fn come_of(kinds: &[Kind], refused: &[Kind]) -> (Vec<Effect>, Vec<Kind>) {
        let numbered = |(at, kind): (usize, &Kind)| Numbered {
            number: at as u64 + 1,
            order: Order { kind: kind.clone(), to: fleet::Target::default() },
        };
        let mut batch = Batch::new(kinds.iter().enumerate().map(numbered).collect());
        let (mut effects, mut tried) = (Vec::new(), Vec::new());
        for at in 0..kinds.len() {
            let obey = async |kind: &Kind| {
                tried.push(kind.clone());
                if refused.contains(kind) { Effect::Refused("no".to_owned()) } else { Effect::Done }
            };
            effects.push(batch.effect(at, obey).await);
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
            let came = come_of(&all, refused).await;
            assert_eq!(came.0.iter().collect::<Vec<_>>(), effects, "{refused:?}");
            assert_eq!(came.1.iter().collect::<Vec<_>>(), tried, "each is tried once: {refused:?}");
        }
    }

    /// What is to be forgotten is forgotten before the node serves again.
    #[tokio::test]
    async fn all_else_keeps_its_turn() {
        let purge = Kind::Purge(Digest::of(b"x"));
        let (effects, tried) = come_of(&[Kind::Drain, purge.clone(), Kind::Undrain], &[]).await;
        assert_eq!(effects, [Effect::Overtaken, Effect::Done, Effect::Done]);
        assert_eq!(tried, [purge, Kind::Undrain]);
    }
}
