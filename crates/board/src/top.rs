//! What of many things is sent most, in bounded room: Space-Saving (Metwally, Agrawal and El Abbadi, 2005) over two spans of time.
//!
//! Whatever made more than one part in [`PLACES`] of the bytes of its span is among those kept, and none is told with less than it had:
//! too much by `over` at most. Names that nobody sends much of, of which anybody can ask for any number, push out only each other.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Things counted at once.
pub const PLACES: usize = 64;
/// Counts are of the span that runs and the one before: the last ten to twenty minutes.
pub const HALF: Duration = Duration::from_secs(600);

/// The counts.
#[derive(Debug)]
pub struct Top<K> {
    running: Half<K>,
    before: Half<K>,
}

#[derive(Debug)]
struct Half<K> {
    began: Duration,
    places: HashMap<K, Place>,
    all: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    bytes: u64,
    over: u64,
}

/// One thing, and what was sent of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<K> {
    /// Which.
    pub key: K,
    /// Never too few.
    pub bytes: u64,
    /// At most so many of them were others'.
    pub over: u64,
}

impl<K: Copy + Eq + Hash + Ord> Top<K> {
    /// Counts from `now` on: a time since any fixed moment, the same for all calls.
    pub fn new(now: Duration) -> Self {
        Self { running: Half::new(now), before: Half::new(now) }
    }

    /// `bytes` of `key` were sent.
    pub fn count(&mut self, key: K, bytes: u64, now: Duration) {
        self.turn(now);
        self.running.count(key, bytes);
    }

    /// The first `most`, and since when they and all bytes are counted.
    pub fn first(&mut self, most: usize, now: Duration) -> (Vec<Counted<K>>, u64, Duration) {
        self.turn(now);
        let mut sums: HashMap<K, Place> = self.before.places.clone();
        for (&key, place) in &self.running.places {
            let sum = sums.entry(key).or_default();
            *sum = Place { bytes: sum.bytes + place.bytes, over: sum.over + place.over };
        }
        let mut first: Vec<_> =
            sums.into_iter().map(|(key, Place { bytes, over })| Counted { key, bytes, over }).collect();
        first.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.key.cmp(&b.key)));
        first.truncate(most);
        (first, self.before.all + self.running.all, now.saturating_sub(self.before.began))
    }

    fn turn(&mut self, now: Duration) {
        let age = now.saturating_sub(self.running.began);
        if age >= 2 * HALF {
            *self = Self::new(now);
        } else if age >= HALF {
            self.before = std::mem::replace(&mut self.running, Half::new(now));
        }
    }
}

impl<K: Copy + Eq + Hash + Ord> Half<K> {
    fn new(began: Duration) -> Self {
        Self { began, places: HashMap::new(), all: 0 }
    }

    fn count(&mut self, key: K, bytes: u64) {
        self.all += bytes;
        if let Some(place) = self.places.get_mut(&key) {
            place.bytes += bytes;
        } else if self.places.len() < PLACES {
            self.places.insert(key, Place { bytes, over: 0 });
        } else if let Some((&least, &Place { bytes: had, .. })) =
            self.places.iter().min_by_key(|(key, place)| (place.bytes, **key))
        {
            self.places.remove(&least);
            self.places.insert(key, Place { bytes: had + bytes, over: had });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_come_first_and_the_time_goes_by() {
        let start = Duration::from_secs(7);
        let mut top = Top::new(start);
        top.count("a", 10, start);
        top.count("b", 30, start);
        top.count("a", 25, start + HALF);
        let (first, all, since) = top.first(1, start + HALF + HALF / 2);
        assert_eq!(first, [Counted { key: "a", bytes: 35, over: 0 }]);
        assert_eq!((all, since), (65, HALF + HALF / 2));
        // The first span is over; then nothing is left.
        assert_eq!(top.first(9, start + 2 * HALF).0, [Counted { key: "a", bytes: 25, over: 0 }]);
        assert_eq!(top.first(9, start + 5 * HALF), (vec![], 0, Duration::ZERO));
    }

    #[test]
    fn a_flood_of_names_does_not_hide_a_lesson() {
        let start = Duration::from_secs(7);
        let mut top = Top::new(start);
        for n in 0..100_000_u64 {
            top.count(1_000_000 + n, 1, start);
            if n % 10 == 0 {
                top.count(n / 10 % 3, 50, start);
            }
        }
        let (first, all, _) = top.first(3, start);
        let mut keys: Vec<_> = first.iter().map(|one| one.key).collect();
        keys.sort_unstable();
        assert_eq!((keys, all), (vec![0, 1, 2], 600_000));
        assert!(top.running.places.len() == PLACES && first.iter().all(|one| one.over < 3_000), "{first:?}");
    }

    proptest! {
        #[test]
        fn counts_are_never_too_small_and_too_large_by_what_they_say(
            sent in prop::collection::vec((0_u16..200, 1_u64..1_000), 0..2_000),
        ) {
            let start = Duration::from_secs(7);
            let (mut top, mut true_counts, mut all) = (Top::new(start), HashMap::<u16, u64>::new(), 0);
            for &(key, bytes) in &sent {
                top.count(key, bytes, start);
                *true_counts.entry(key).or_default() += bytes;
                all += bytes;
            }
            let (first, told, _) = top.first(PLACES, start);
            prop_assert_eq!(told, all);
            for one in &first {
                let bytes = true_counts[&one.key];
                prop_assert!(one.bytes >= bytes && one.bytes - one.over <= bytes);
            }
            // Whoever made more than a sixty-fourth is there.
            for (key, bytes) in true_counts {
                prop_assert!(bytes * PLACES as u64 <= all || first.iter().any(|one| one.key == key));
            }
        }
    }
}
