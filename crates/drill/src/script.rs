//! What a drill plays: bells, what is shown at each, to how many, and who comes when.

use crate::arrivals::Curve;
use crate::node::Dealer;
use crate::random::Random;
use crate::speed::Speed;
use http::uri::PathAndQuery;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// One instant of the timetable at which players come.
#[derive(Debug, Clone)]
pub(crate) struct Bell {
    pub(crate) name: String,
    /// After the beginning of the drill, in the time of the timetable.
    pub(crate) at: Duration,
    pub(crate) shows: Vec<Show>,
}

/// A lesson or a channel, and how many players come to watch it, and when.
#[derive(Debug, Clone)]
pub(crate) struct Show {
    /// Of its multivariant playlist.
    pub(crate) path: PathAndQuery,
    pub(crate) players: usize,
    /// The first come so long after the bell.
    pub(crate) after: Duration,
    /// And the others behind them.
    pub(crate) curve: Curve,
    /// How long it is; `None` when only its playlists know.
    pub(crate) length: Option<Duration>,
}

/// One player to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// After the beginning of the drill, by the clock on the wall.
    pub(crate) at: Duration,
    pub(crate) bell: u32,
    pub(crate) show: u32,
    pub(crate) node: u32,
    pub(crate) av1: bool,
}

impl Bell {
    /// One bell now, its players spread evenly over `paths`.
    pub(crate) fn now(paths: &[PathAndQuery], players: usize, curve: Curve) -> Self {
        let shows = paths.iter().enumerate().map(|(at, path)| Show {
            path: path.clone(),
            players: players / paths.len() + usize::from(at < players % paths.len()),
            after: Duration::ZERO,
            curve,
            length: None,
        });
        Self { name: "bell".to_owned(), at: Duration::ZERO, shows: shows.collect() }
    }

    pub(crate) fn players(&self) -> usize {
        self.shows.iter().map(|show| show.players).sum()
    }
}

/// Everybody who comes, in order of arrival: dealt to nodes by `weights`, `av1` of a hundred with a device that decodes it.
pub(crate) fn tickets(bells: &[Bell], weights: &[u32], av1: u8, speed: Speed, seed: u64) -> Vec<Ticket> {
    let mut random = Random::new(seed);
    let mut tickets = Vec::with_capacity(bells.iter().map(Bell::players).sum());
    for (bell, number) in bells.iter().zip(0..) {
        for (show, place) in bell.shows.iter().zip(0..) {
            for behind in show.curve.draw(show.players, &mut random) {
                let at = speed.wall(bell.at + show.after + behind);
                tickets.push(Ticket {
                    at,
                    bell: number,
                    show: place,
                    node: 0,
                    av1: random.below(100) < u64::from(av1),
                });
            }
        }
    }
    tickets.sort_by_key(|ticket| ticket.at);
    let mut dealer = Dealer::new(weights.iter().copied());
    for ticket in &mut tickets {
        ticket.node = u32::try_from(dealer.deal()).unwrap_or(0);
    }
    tickets
}

/// How many players there are at the same time, when each stays for what it watches and nobody is put off.
pub(crate) fn most_at_once(bells: &[Bell], tickets: &[Ticket], watch: Duration, speed: Speed) -> usize {
    let mut leaving = BinaryHeap::new();
    let mut most = 0;
    for ticket in tickets {
        let show = &bells[ticket.bell as usize].shows[ticket.show as usize];
        while leaving.peek().is_some_and(|&Reverse(at)| at <= ticket.at) {
            leaving.pop();
        }
        let stays = speed.wall(show.length.unwrap_or(Duration::MAX).min(watch));
        leaving.push(Reverse(ticket.at.saturating_add(stays)));
        most = most.max(leaving.len());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(count: usize) -> Vec<PathAndQuery> {
        (0..count).map(|number| format!("/lessons/{number}/main.m3u8").parse().unwrap()).collect()
    }

    #[test]
    fn twelve_lessons_at_one_bell_on_three_nodes() {
        let curve = Curve::Uniform(Duration::from_secs(60));
        let bell = Bell::now(&paths(12), 9_000, curve);
        let tickets = tickets(&[bell], &[1, 1, 1], 30, "10".parse().unwrap(), 1);
        assert_eq!(tickets.len(), 9_000);
        for number in 0..12 {
            assert_eq!(tickets.iter().filter(|ticket| ticket.show == number).count(), 750);
        }
        for node in 0..3 {
            assert_eq!(tickets.iter().filter(|ticket| ticket.node == node).count(), 3_000);
        }
        // Each lesson is on each node, give or take.
        let both = tickets.iter().filter(|ticket| ticket.show == 0 && ticket.node == 0).count();
        assert!((190..310).contains(&both), "{both}");
        let av1 = tickets.iter().filter(|ticket| ticket.av1).count();
        assert!((2_500..2_900).contains(&av1), "{av1}");
        assert!(tickets.last().unwrap().at <= Duration::from_secs(6));
    }

    #[test]
    fn who_has_left_makes_room() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let at = |at| Bell { at: minutes(at), ..Bell::now(&paths(1), 100, Curve::AtOnce) };
        let mut bells = [at(0), at(30), at(40)];
        for bell in &mut bells {
            bell.shows[0].length = Some(minutes(20));
        }
        let tickets = tickets(&bells, &[1], 0, Speed::REAL, 1);
        assert_eq!(most_at_once(&bells, &tickets, Duration::MAX, Speed::REAL), 200);
        assert_eq!(most_at_once(&bells, &tickets, minutes(5), Speed::REAL), 100);
        bells[0].shows[0].length = None;
        assert_eq!(most_at_once(&bells, &tickets, Duration::MAX, Speed::REAL), 300);
    }

    proptest! {
        #[test]
        fn nobody_is_lost(players in 0usize..200, lessons in 1usize..7, weights in proptest::collection::vec(1u32..5, 1..4), seed: u64) {
            let bells = [Bell::now(&paths(lessons), players, Curve::AtOnce)];
            prop_assert_eq!(bells[0].players(), players);
            let tickets = tickets(&bells, &weights, 50, Speed::REAL, seed);
            prop_assert_eq!(tickets.len(), players);
            prop_assert!(tickets.is_sorted_by_key(|ticket| ticket.at));
            prop_assert!(tickets.iter().all(|ticket| (ticket.node as usize) < weights.len()));
        }
    }
}
